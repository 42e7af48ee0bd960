"""The programme backstage, for organisers. Each deed is a POST."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe
from salon.web import queries
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.pages import rendered
from salon.web.people.sessions import allowed
from salon.web.programme.domain import clashes, clock, editing, pasting, showing, zones
from salon.web.programme.domain.editing import NEW_POOL, Draft, Edited, Stale
from salon.web.programme.models import Session
from salon.web.seats.models import Pool

#: empty fields for presenters below those that are there
SPARE_PRESENTERS = 3


def _home(event: Event) -> dict[str, Any]:
    sessions = editing.everything(event)
    shown = showing.all_shown(event, sessions, timezone.now())
    days: dict[Any, list[showing.Shown]] = {}
    for one in shown:
        days.setdefault(one.day, []).append(one)
    found = clashes.of(event, sessions)
    return {
        "event": event,
        "days": list(days.items()),
        "clashes": found,
        "clashing": {session.id for clash in found for session in clash.sessions},
        "unpublished": sum(not (s.published or s.cancelled) for s in sessions),
        "strangers": zones.strangers(event),
        "open": showing.is_open(event),
        "rooms": list(event.rooms.all()),
    }


@require_safe
@allowed()
def home(request: HttpRequest) -> HttpResponse:
    """`/backstage/programme`: the whole programme, and what does not fit."""
    context = _home(current_event()) | {"user": request.user}
    return rendered(request, "programme/backstage.html", context)


def _typed(request: HttpRequest) -> dict[str, Any]:
    """The form as it was sent, to be shown again."""
    names, guests = request.POST.getlist("presenter"), request.POST.getlist("guest")
    guests += [""] * (len(names) - len(guests))
    pairs = [(name, guest) for name, guest in zip(names, guests) if name.strip() or guest]
    return {**request.POST.dict(), "presenters": pairs}


def _form(
    request: HttpRequest, event: Event, values: dict[str, Any], status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "event": event,
        "values": values,
        "rows": [*values.get("presenters", []), *[("", "")] * SPARE_PRESENTERS],
        "kinds": Session.Kind.choices,
        "rooms": event.rooms.all(),
        "pools": Pool.objects.filter(event=event),
        "artists": editing.artists(event),
        "new_pool": NEW_POOL,
        "user": request.user,
        **more,
    }
    return rendered(request, "programme/edit.html", context, status)


def _kept(edited: Edited) -> HttpResponse:
    """Back to the session's page, which tells what does not fit."""
    return HttpResponseRedirect(f"{reverse('programme:edit', args=[edited.session.id])}?kept=1")


def _blank(event: Event, request: HttpRequest) -> dict[str, Any]:
    """What a new session begins with: the event's first day, or a copy of another without its time's end of story."""
    source = editing.one(event, request.GET.get("copy", "")[:32])
    if source:
        return {**editing.values_of(event, source), "pool": ""}
    day = request.GET.get("day", "")[:10] or (event.starts_on.isoformat() if event.starts_on else "")
    return {"day": day, "kind": Session.Kind.TALK, "presenters": []}


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def new(request: HttpRequest) -> HttpResponse:
    """A new session; `copy=` begins with what another says."""
    event = current_event()
    if request.method != "POST":
        return _form(request, event, _blank(event, request))
    draft, wrong = editing.read_form(event, request.POST)
    if draft is None:
        return _form(request, event, _typed(request), 422, wrong=wrong)
    return _kept(editing.create(request.user, draft))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _changed(request: HttpRequest, event: Event, session: Session, draft: Draft) -> HttpResponse:
    try:
        return _kept(editing.change(request.user, session.id, draft, _number(request.POST.get("sequence", ""))))
    except Stale as error:
        fresh = editing.one(event, session.id) or session
        theirs = showing.all_shown(event, [fresh], timezone.now())[0]
        return _form(request, event, _typed(request), 409, session=fresh, stale=error, theirs=theirs)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def edit(request: HttpRequest, session_id: str) -> HttpResponse:
    """One session: change it, cancel it, publish it, copy it."""
    event = current_event()
    session = editing.one(event, session_id)
    if session is None:
        raise Http404
    if request.method == "POST":
        draft, wrong = editing.read_form(event, request.POST)
        if draft is None:
            return _form(request, event, _typed(request), 422, session=session, wrong=wrong)
        return _changed(request, event, session, draft)
    return _form(
        request, event, editing.values_of(event, session), session=session, kept=request.GET.get("kept"),
        moved=queries.number(request.GET, "moved"), clashes=clashes.about(event, session, editing.everything(event)),
    )  # fmt: skip


@require_POST
@allowed()
def step(request: HttpRequest, session_id: str, deed: str) -> HttpResponse:
    """Publish, unpublish, cancel, restore, delete."""
    if deed not in editing.DEEDS:
        raise Http404
    if deed == "delete":
        editing.delete(request.user, session_id)
        return HttpResponseRedirect(reverse("programme:backstage"))
    editing.step(request.user, session_id, deed, request.POST.get("reason", ""))
    return HttpResponseRedirect(reverse("programme:edit", args=[session_id]))


@require_POST
@allowed()
def shift(request: HttpRequest, session_id: str) -> HttpResponse:
    """Running late: this session and what follows it in its room that day, by so many minutes."""
    typed = request.POST.get("minutes", "").strip()
    minutes = int(typed) if typed.lstrip("+-").isdecimal() and len(typed) < 6 else 0
    if request.POST.get("way") == "earlier":
        minutes = -minutes
    done = editing.shift(request.user, session_id, minutes)
    words = urlencode({"moved": done.moved})
    return HttpResponseRedirect(f"{reverse('programme:edit', args=[session_id])}?{words}")


@require_POST
@allowed()
def publish(request: HttpRequest) -> HttpResponse:
    """All that is not published yet."""
    editing.publish_all(request.user)
    return HttpResponseRedirect(reverse("programme:backstage"))


@require_POST
@allowed()
def zone(request: HttpRequest) -> HttpResponse:
    """After the event's time zone was changed: keep printed times, or instants."""
    how = request.POST.get("keep", "")
    if how not in (zones.CLOCK, zones.INSTANT):
        raise Http404
    zones.settle(request.user, how)
    return HttpResponseRedirect(reverse("programme:backstage"))


@require_POST
@allowed()
def days(request: HttpRequest) -> HttpResponse:
    """The event is on other days: the whole programme moves along."""
    zones.postpone(request.user, clock.parse_day(request.POST.get("first", "")))
    return HttpResponseRedirect(reverse("programme:backstage"))


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def paste(request: HttpRequest) -> HttpResponse:
    """A programme out of a spreadsheet: paste, look at what it would become, then say yes."""
    event = current_event()
    text = request.POST.get("table", "")
    context: dict[str, Any] = {"event": event, "text": text, "user": request.user, "kinds": Session.Kind.choices}
    context["headings"] = list(pasting.HEADINGS)
    if request.method != "POST":
        return rendered(request, "programme/paste.html", context)
    try:
        if request.POST.get("write"):
            pasting.write(request.user, text)
            return HttpResponseRedirect(reverse("programme:backstage"))
        context["reading"] = pasting.read(event, text)
    except BadRecipe as error:
        return rendered(request, "programme/paste.html", context | {"wrong": error}, 422)
    return rendered(request, "programme/paste.html", context)
