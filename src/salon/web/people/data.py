"""Backstage: people's data. Find a person, show, export or erase what is held of them, set how long it is held, publish
what they are asked to agree to."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from salon.core.errors import BadRecipe
from salon.web.codes import public_address, qr_svg
from salon.web.events.domain import current_event, lock_event
from salon.web.events.models import Event
from salon.web.events.pages import rendered
from salon.web.events.trail import note
from salon.web.people import consents, guests, personal, private, retention
from salon.web.people.models import ConsentText, Guest, Role, User
from salon.web.people.sessions import allowed

#: people that a search shows
LENGTH = 50


def _events(person: User) -> Any:
    """Events whose people this person answers for."""
    mine = Q() if person.is_superuser else Q(roles__user=person, roles__kind=Role.Kind.ORGANISER)
    return Event.objects.filter(mine).distinct()


def _guest(request: HttpRequest, guest_id: str) -> Guest:
    here = Guest.objects.select_related("event").filter(event__in=_events(request.user), erased_at=None)
    return get_object_or_404(here, id=guest_id)


def find(person: User, wanted: str) -> list[Guest]:
    """Guests in whose name or address the words stand, in any script and case; the newest first."""
    word, found = wanted.strip().casefold(), []
    rows = Guest.objects.filter(event__in=_events(person), erased_at=None).order_by("-created_at")
    for guest in rows.only("id", "name", "email") if word else ():
        if word in guest.name.casefold() or word in guest.email.casefold():
            found.append(guest.id)
        if len(found) == LENGTH:
            break
    return list(rows.filter(id__in=found).select_related("event"))


@require_safe
@allowed()
def home(request: HttpRequest) -> HttpResponse:
    """`/backstage/data`: find somebody; what is due; the terms; the texts."""
    event, wanted = current_event(), request.GET.get("q", "")[:200]
    dues = [retention.due_of(each) for each in _events(request.user).order_by("-ends_on", "-id")]
    context = {
        "q": wanted, "found": find(request.user, wanted), "dues": dues, "keeping": retention.keeping_of(event),
        "anything_due": any((due.guests_due and due.guests) or (due.trail_due and due.trail) for due in dues),
        "longest": retention.LONGEST, "texts": _texts(event), "done": request.GET.get("done", ""),
    }  # fmt: skip
    return rendered(request, "people/data.html", context)


def _texts(event: Event) -> list[dict[str, Any]]:
    """Per kind: the texts of today by language, the version, how many agree; kinds that the house proposes as well."""
    counts = ConsentText.objects.filter(event=event).values_list("kind").order_by()
    agree = dict(counts.annotate(n=Count("consents", filter=Q(consents__withdrawn_at=None))))
    kinds = [*agree, *(kind for kind in consents.PROPOSALS if kind not in agree)]
    return [_text(event, kind, agree.get(kind, 0)) for kind in kinds]


def _text(event: Event, kind: str, agree: int) -> dict[str, Any]:
    newest = ConsentText.objects.filter(event=event, kind=kind).order_by("-version").first()
    today = ConsentText.objects.filter(event=event, kind=kind, version=newest.version if newest else 0)
    words, proposed = {text.language: text.text for text in today}, str(consents.PROPOSALS.get(kind, ""))
    languages = [(language, words.get(language, "" if newest else proposed)) for language in event.languages]
    return {"kind": kind, "version": newest.version if newest else 0, "agree": agree, "languages": languages,
            "asked": any(words.values())}  # fmt: skip


@require_safe
@allowed()
def one(request: HttpRequest, guest_id: str) -> HttpResponse:
    """`/backstage/data/<id>`: all that is held of one person."""
    return _one(request, _guest(request, guest_id))


def _one(request: HttpRequest, guest: Guest, **more: Any) -> HttpResponse:
    held = personal.everything(guest)
    rooms = [
        (room, json.dumps(what, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
        for room, what in held.items()
        if room not in ("event", "you") and what
    ]
    return rendered(request, "people/data_one.html", {"guest": guest, "you": held["you"], "rooms": rooms, **more})


@require_safe
@allowed()
def export(request: HttpRequest, guest_id: str) -> HttpResponse:
    """All that is held of one person, as a file for them."""
    guest = _guest(request, guest_id)
    note(guest.event, "guest exported", guest.id, person=request.user)
    return private.as_file(guest)


@require_POST
@allowed()
def link(request: HttpRequest, guest_id: str) -> HttpResponse:
    """The guest's private link, for somebody who stands at the desk and has lost theirs; written down in the trail."""
    guest = _guest(request, guest_id)
    note(guest.event, "link shown", guest.id, person=request.user)
    address = public_address(request, reverse("people:private_link", args=[guests.link_token(guest)]))
    return _one(request, guest, link=address, qr=qr_svg(address).decode())


@require_POST
@allowed()
def erase(request: HttpRequest, guest_id: str) -> HttpResponse:
    """Erases one person, as they asked. Raises BadRecipe unless it was confirmed."""
    guest = _guest(request, guest_id)
    if request.POST.get("sure") != "yes":
        raise BadRecipe(_("Nothing was erased: the tick that says that you are sure was missing."), _("Go back."))
    personal.erase(guest.id, works_stay=request.POST.get("works") == "stay", person=request.user)
    return _home("erased")


@require_POST
@allowed()
def erase_due(request: HttpRequest) -> HttpResponse:
    """Does at once what the worker would do by and by; at most so many, so that nobody waits for an answer."""
    retention.erase_due(most=5 * retention.AT_ONCE, events=_events(request.user), person=request.user)
    return _home("due")


@require_POST
@allowed()
def keep(request: HttpRequest) -> HttpResponse:
    """How long the current event keeps what it knows. Raises BadRecipe."""
    months = [request.POST.get(name, "") for name in ("guests", "trail")]
    if not all(text.isascii() and text.isdigit() and len(text) < 5 for text in months):
        raise BadRecipe(_("How long is said in whole months."), _("0 means: until somebody erases it."))
    retention.set_keeping(request.user, current_event(), *map(int, months))
    return _home("kept")


@require_POST
@allowed()
def publish(request: HttpRequest) -> HttpResponse:
    """The next version of a text that guests are asked to agree to. Raises BadRecipe."""
    with transaction.atomic():
        event = lock_event(current_event().id)
        kind = request.POST.get("kind", "")
        texts = {language: request.POST.get(f"text-{language}", "") for language in event.languages}
        version = consents.publish(event.id, kind, texts)
        note(event, "consent published", kind[:40], person=request.user, text=str(version))
    return _home("published")


def _home(done: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('people:data')}?{urlencode({'done': done})}")
