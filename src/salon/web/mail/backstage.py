"""Backstage pages of the post: the outbox, one letter, the wordings."""

from typing import Any

from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe
from salon.web import queries
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.events.pages import rendered
from salon.web.mail import letters, outbox, sending
from salon.web.mail.models import Letter, Template
from salon.web.people.sessions import allowed

State = Letter.State
#: drawers of the outbox: word -> states
DRAWERS: dict[str, tuple[str, ...]] = {
    "waiting": (State.DRAFT,),
    "going": (State.RELEASED, State.SENDING),
    "trouble": (State.FAILED, State.UNSURE),
    "gone": (State.SENT, State.FILED),
    "discarded": (State.DISCARDED,),
}
#: letters that a drawer shows
LENGTH = 200


def _counts(event: Event) -> dict[str, int]:
    by_state = dict(Letter.objects.filter(event=event).values_list("state").annotate(n=Count("id")).order_by())
    return {drawer: sum(by_state.get(state, 0) for state in states) for drawer, states in DRAWERS.items()}


def _post() -> dict[str, Any]:
    """How letters leave this house."""
    return {"by_mail": settings.EMAIL_CONFIGURED, "folder": sending.folder(), "public": settings.PUBLIC_URL}


@require_safe
@allowed()
def outbox_page(request: HttpRequest) -> HttpResponse:
    """`/backstage/mail`: what waits, what is on its way, what went wrong."""
    event, drawer = current_event(), request.GET.get("show", "waiting")
    if drawer not in DRAWERS:
        raise Http404
    sending.settle_interrupted()
    found = Letter.objects.filter(event=event, state__in=DRAWERS[drawer]).select_related("guest")
    counts = _counts(event)
    context = {
        "letters": found[:LENGTH], "more": max(0, counts[drawer] - LENGTH), "drawer": drawer, "counts": counts,
        "post": _post(), "done": queries.number(request.GET, "done"),
    }  # fmt: skip
    return rendered(request, "mail/outbox.html", context)


@require_POST
@allowed()
def change(request: HttpRequest) -> HttpResponse:
    """One deed for the letters that are ticked."""
    deed, back = request.POST.get("deed", ""), request.POST.get("show", "waiting")
    if deed not in outbox.DEEDS or back not in DRAWERS:
        raise Http404
    done = outbox.do(
        request.user, current_event(), deed, [one for one in request.POST.getlist("letter") if one.isalnum()]
    )
    return HttpResponseRedirect(f"{reverse('mail:backstage')}?{urlencode({'show': back, 'done': done})}")


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def letter(request: HttpRequest, letter_id: str) -> HttpResponse:
    """`/backstage/mail/<id>`: one letter, to be read and, while it waits, edited."""
    event = current_event()
    found = get_object_or_404(Letter.objects.select_related("guest"), id=letter_id, event=event)
    wrong = None
    if request.method == "POST":
        try:
            outbox.edit(request.user, event, letter_id, request.POST.get("subject", ""), request.POST.get("text", ""))
            return HttpResponseRedirect(f"{reverse('mail:letter', args=[letter_id])}?{urlencode({'kept': 1})}")
        except BadRecipe as error:
            wrong, found.subject, found.text = error, request.POST.get("subject", ""), request.POST.get("text", "")
    context = {
        "letter": found, "wrong": wrong, "may_edit": found.state in (State.DRAFT, State.FAILED),
        "deeds": [deed for deed, (starts, _to) in outbox.DEEDS.items() if found.state in starts],
        "post": _post(), "drawer": next(d for d, states in DRAWERS.items() if found.state in states),
    }  # fmt: skip
    return rendered(request, "mail/letter.html", context, 422 if wrong else 200)


@require_safe
@allowed()
def wordings(request: HttpRequest) -> HttpResponse:
    """`/backstage/mail/wordings`: every kind of letter, in every language of the event."""
    event = current_event()
    own = set(Template.objects.filter(event=event).values_list("kind", "language"))
    rows = [
        {"kind": kind, "subject": letters.wording(event, kind, event.languages[0])[0],
         "languages": [(language, (kind.name, language) in own) for language in event.languages]}
        for kind in letters.kinds()
    ]  # fmt: skip
    return rendered(request, "mail/wordings.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def wording(request: HttpRequest, kind: str, language: str) -> HttpResponse:
    """`/backstage/mail/wordings/<kind>/<language>`: the event's own words, with a preview; or the house's again."""
    event = current_event()
    try:
        chosen = letters.kind_of(kind)
    except KeyError as error:
        raise Http404 from error
    if language not in event.languages:
        raise Http404
    subject, text = letters.wording(event, chosen, language)
    wrong, looked = None, False
    if request.method == "POST":
        if request.POST.get("do") == "reset":
            outbox.unword(request.user, event, chosen, language)
            return HttpResponseRedirect(request.path)
        subject, text = request.POST.get("subject", ""), request.POST.get("text", "")
        try:
            if request.POST.get("do") == "keep":
                outbox.word(request.user, event, chosen, language, subject, text)
                return HttpResponseRedirect(f"{request.path}?{urlencode({'kept': 1})}")
            outbox.check(chosen, subject, text)
            looked = True
        except BadRecipe as error:
            wrong = error
    context = {
        "kind": chosen, "language": language, "subject": subject, "text": text, "wrong": wrong, "looked": looked,
        "own": Template.objects.filter(event=event, kind=kind, language=language).exists(),
        "house": letters.house_wording(chosen, language),
        "preview": outbox.preview(event, chosen, subject, text), "most_subject": letters.LONGEST_SUBJECT,
    }  # fmt: skip
    return rendered(request, "mail/wording.html", context, 422 if wrong else 200)
