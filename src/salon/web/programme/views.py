"""The programme for visitors: the whole of it, one session, calendars, "my day", a screen."""

from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from salon.web import codes
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.events.times import local
from salon.web.pages import page
from salon.web.people.guests import guest_of
from salon.web.programme.domain import calendar, clock, places, showing, stars
from salon.web.programme.domain.showing import Choice, Shown, Whose
from salon.web.programme.models import Session
from salon.web.station.domain.visitors import give_ticket, new_visitor, visitor_of

#: seconds for which a calendar's server may keep the feed
FEED_KEPT = 60
#: seconds between a screen's looks
SCREEN_SECONDS = 30


def _choice(request: HttpRequest) -> Choice:
    taken = {name: tuple(request.GET.getlist(name)[:50]) for name in ("day", "room", "kind")}
    return Choice(taken["day"], taken["room"], taken["kind"])


def _whose(request: HttpRequest, event: Event) -> Whose:
    return Whose(starred=stars.of(event, visitor_of(request)), places=places.own(guest_of(request)))


def _programme(request: HttpRequest, choice: Choice) -> dict[str, Any]:
    event, now = current_event(), timezone.now()
    sessions = list(showing.public(event))
    shown = showing.all_shown(event, sessions, now, _whose(request, event))
    chosen = [one for one in shown if choice.fits(event, one.session)]
    return {
        "event": event,
        "choice": choice,
        "choices": showing.choices(event, sessions),
        "days": showing.by_day(event, chosen, choice.days),
        "moment": showing.moment(chosen, now),
        "clock": clock.shown(event, now),
        "found": len(chosen),
        "starred": sum(one.starred or one.place is not None for one in shown),
    }


@require_safe
async def programme(request: HttpRequest) -> HttpResponse:
    """`/programme`: days, rooms, sessions; `day=`, `room=`, `kind=` (each as often as wanted) narrow it."""
    context = await sync_to_async(_programme)(request, _choice(request))
    context["address"] = codes.public_address(request, reverse("programme:feed"))
    context["here"] = request.get_full_path()
    return await page(request, "programme/programme.html", context)


def _found(event: Event, session_id: str) -> Session:
    session = showing.public(event).filter(id=session_id).first()
    if session is None:
        raise Http404
    return session


def _session(request: HttpRequest, session_id: str) -> dict[str, Any]:
    event, now = current_event(), timezone.now()
    found = _found(event, session_id)
    others = showing.public(event).filter(starts_at__lt=found.ends_at, ends_at__gt=found.starts_at)
    whose = _whose(request, event)
    one, *beside = showing.all_shown(event, [found, *others.exclude(id=found.id)], now, whose)
    return {"event": event, "one": one, "beside": [o for o in beside if not o.session.cancelled]}


@require_safe
async def session(request: HttpRequest, session_id: str) -> HttpResponse:
    """`/programme/<id>`: one session, and what else there is at that time."""
    context = await sync_to_async(_session)(request, session_id)
    context["here"] = request.path
    return await page(request, "programme/session.html", context)


def _ics(request: HttpRequest, event: Event, sessions: list[Session], name: str = "") -> HttpResponse:
    def address(one: Session) -> str:
        return codes.public_address(request, reverse("programme:session", args=[one.id]))

    return HttpResponse(calendar.feed(event, sessions, address, name), content_type="text/calendar; charset=utf-8")


def _feed(request: HttpRequest) -> HttpResponse:
    event = current_event()
    return _ics(request, event, list(showing.public(event)))


@require_safe
async def feed(request: HttpRequest) -> HttpResponse:
    """`/programme.ics`: all of it, to be subscribed to. Before the event opens it is empty."""
    response = await sync_to_async(_feed)(request)
    response["Cache-Control"] = f"public, max-age={FEED_KEPT}"
    return response


def _session_feed(request: HttpRequest, session_id: str) -> HttpResponse:
    event = current_event()
    found = _found(event, session_id)
    return _ics(request, event, [found], found.title)


@require_safe
async def session_feed(request: HttpRequest, session_id: str) -> HttpResponse:
    """`/programme/<id>.ics`: one session as a file."""
    response = await sync_to_async(_session_feed)(request, session_id)
    response["Content-Disposition"] = f'attachment; filename="{session_id[:8]}.ics"'
    return response


def _star(session_id: str, visitor: str, on: bool) -> None:
    event = current_event()
    stars.put(_found(event, session_id), visitor, on)


@require_POST
async def star(request: HttpRequest, session_id: str) -> HttpResponse:
    """Puts a session into "my day" (`on=1`) or takes it out. Whoever has no ticket yet gets one."""
    visitor = visitor_of(request) or new_visitor()
    await sync_to_async(_star)(session_id, visitor, request.POST.get("on") == "1")
    back = request.POST.get("back", "")
    safe = back.startswith("/programme") and url_has_allowed_host_and_scheme(back, None)
    response = HttpResponseRedirect(f"{back if safe else reverse('programme:programme')}#s-{session_id}")
    give_ticket(request, response, visitor)
    return response


def _chosen(event: Event, whose: Whose) -> list[Session]:
    """What somebody starred or has a place in."""
    return list(showing.public(event).filter(Q(id__in=whose.starred) | Q(pool__in=whose.places)))


def _mine(request: HttpRequest) -> dict[str, Any]:
    event, now = current_event(), timezone.now()
    whose = _whose(request, event)
    shown = showing.all_shown(event, _chosen(event, whose), now, whose)
    days: dict[Any, list[Shown]] = {}
    for one in shown:
        days.setdefault(one.day, []).append(one)
    return {"event": event, "days": list(days.items()), "overlaps": showing.overlaps(shown)}


@require_safe
async def mine(request: HttpRequest) -> HttpResponse:
    """`/programme/mine`: what this browser has starred and where it has a place, in order, and what overlaps."""
    visitor = visitor_of(request)
    context = await sync_to_async(_mine)(request)
    context["here"] = request.path
    if visitor and context["days"]:
        path = f"{reverse('programme:mine_feed')}?key={stars.key_of(visitor)}"
        context["address"] = codes.public_address(request, path)
    response = await page(request, "programme/mine.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _mine_feed(request: HttpRequest) -> HttpResponse:
    event, visitor = current_event(), stars.visitor_of_key(request.GET.get("key", ""))
    whose = Whose(starred=stars.of(event, visitor), places=places.own(None, visitor))
    return _ics(request, event, _chosen(event, whose), _("My day: %(event)s") % {"event": event.name})


@require_safe
async def mine_feed(request: HttpRequest) -> HttpResponse:
    """`/programme/mine.ics?key=...`: one visitor's day for their calendar, which has no cookie but the signed key."""
    response = await sync_to_async(_mine_feed)(request)
    response["Cache-Control"] = "private, no-cache"
    return response


def _told(one: Shown) -> dict[str, Any]:
    """A session in words for the screen."""
    return {
        "id": one.session.id,
        "title": one.session.title,
        "hours": one.hours,
        "room": one.room or _("Throughout the house"),
        "kind": one.session.get_kind_display(),
        "presenters": ", ".join(one.presenters),
    }


def _screen(room: str) -> dict[str, Any]:
    event, now = current_event(), timezone.now()
    choice = Choice(rooms=(room, showing.NOWHERE) if room else ())
    sessions = [one for one in showing.public(event) if choice.fits(event, one)]
    moment = showing.moment(showing.all_shown(event, sessions, now), now)
    named = event.rooms.filter(id=room).first() if room.isdecimal() and len(room) < 18 else None
    return {
        "name": named.name if named else event.name,
        "clock": clock.shown(event, now),
        "day": date_format(local(event, now).replace(tzinfo=None), "l"),
        "now": [_told(one) for one in moment.now],
        "next": [_told(one) for one in moment.next],
    }


@require_safe
async def screen(request: HttpRequest) -> HttpResponse:
    """`/programme/screen`: now and next for a wall or a room's door (`room=`); it looks again by itself."""
    room = request.GET.get("room", "")
    context = {"told": await sync_to_async(_screen)(room), "room": room, "seconds": SCREEN_SECONDS}
    return await page(request, "programme/screen.html", context)


@require_safe
async def screen_json(request: HttpRequest) -> JsonResponse:
    """What the screen shows, for its next look."""
    response = JsonResponse(await sync_to_async(_screen)(request.GET.get("room", "")))
    response["Cache-Control"] = "no-store"
    return response
