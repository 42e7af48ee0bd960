"""Doors backstage: organisers make doors and post devices at them; volunteers look, let in by name, undo."""

import secrets
from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon import printing
from salon.web import codes
from salon.web.doors import paper
from salon.web.doors.api import news
from salon.web.doors.domain import answering, counting, hands, looking, redeeming
from salon.web.doors.domain.redeeming import Scan
from salon.web.doors.models import Door, Way
from salon.web.events import devices
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.line import line
from salon.web.pages import rendered
from salon.web.people.models import Role
from salon.web.people.sessions import allowed, may
from salon.web.seats.models import Pool

FIELDS = ("name", "opens_at", "closes_at", "minutes_before")


@async_to_sync
async def _tell_doors(event_id: int, inside: dict[str, int]) -> None:
    line().tell(news(event_id, inside))


def _door(door_id: str) -> Door:
    return get_object_or_404(hands.doors(current_event()).select_related("event"), id=door_id)


def _overview(event: Event) -> list[dict[str, Any]]:
    return [{"door": door, "board": counting.board(door)} for door in hands.doors(event).select_related("event")]


@require_safe
@allowed(Role.Kind.VOLUNTEER)
def home(request: HttpRequest) -> HttpResponse:
    """`/backstage/doors`: every door with its numbers, and scans that somebody has to look at."""
    event = current_event()
    rows = looking.conflicts(event)
    context = {
        "event": event,
        "doors": _overview(event),
        "pools": Pool.objects.filter(event=event),
        "conflicts": [{"row": row, "said": answering.answer(hands.Hand(row.door), row)} for row in rows],
        "organiser": may(request.user),
    }
    return rendered(request, "doors/backstage.html", context)


def _one(request: HttpRequest, door: Door, more: dict[str, Any]) -> HttpResponse:
    context = {
        "event": door.event,
        "door": door,
        "board": counting.board(door),
        "lines": looking.listed(door),
        "posts": door.posts.select_related("device").order_by("device__revoked_at", "device__name"),
        "pools": Pool.objects.filter(event=door.event),
        "chosen": set(door.pools.values_list("id", flat=True)),
        "organiser": may(request.user),
        "nonce": secrets.token_hex(12),
    }
    return rendered(request, "doors/one.html", context | more)


@require_safe
@allowed(Role.Kind.VOLUNTEER)
def one(request: HttpRequest, door_id: str) -> HttpResponse:
    """`/backstage/doors/<id>`: one door: its list (to be printed, too), its devices, its times."""
    return _one(request, _door(door_id), {})


@require_POST
@allowed()
def change(request: HttpRequest, door_id: str) -> HttpResponse:
    """Makes a door or changes one."""
    values = {field: request.POST.get(field, "") for field in FIELDS}
    door = hands.set_door(request.user, door_id, values, request.POST.getlist("pools"))
    return HttpResponseRedirect(reverse("doors:one", args=[door.id]))


@require_POST
@allowed()
def remove(request: HttpRequest, door_id: str) -> HttpResponse:
    """The door is no more."""
    hands.remove(request.user, door_id)
    return HttpResponseRedirect(reverse("doors:backstage"))


@require_POST
@allowed()
def post(request: HttpRequest, door_id: str) -> HttpResponse:
    """A device for this door; its link is shown once, as a QR code, too."""
    device, token = hands.post(request.user, door_id, request.POST.get("name", ""))
    link = codes.public_address(request, reverse("doors:enter", args=[token]))
    made = {"made": device, "link": link, "qr": codes.qr_svg(link).decode(), "secure": link.startswith("https:")}
    return _one(request, _door(door_id), made)


@require_POST
@allowed()
def revoke(request: HttpRequest, door_id: str, device_id: str) -> HttpResponse:
    """A device of this door opens nothing any more."""
    devices.revoke(request.user, device_id, Q(post__door=_door(door_id)))
    return HttpResponseRedirect(reverse("doors:one", args=[door_id]))


@require_POST
@allowed(Role.Kind.VOLUNTEER)
def let_in(request: HttpRequest, door_id: str) -> HttpResponse:
    """Somebody is let in by name, by a person of the house."""
    hand = hands.personal(request.user, door_id)
    scan = Scan(request.POST.get("nonce", ""), place_id=request.POST.get("place", "")[:32], way=Way.NAME)
    said = redeeming.redeem(hand, scan)
    _tell_doors(hand.door.event_id, counting.inside(hand.door.event_id))
    return _one(request, hand.door, {"said": answering.answer(hand, said)})


@require_POST
@allowed(Role.Kind.VOLUNTEER)
def undo(request: HttpRequest, door_id: str) -> HttpResponse:
    """They did not come in after all."""
    hand = hands.personal(request.user, door_id)
    said = redeeming.undo(hand, request.POST.get("nonce", ""))
    _tell_doors(hand.door.event_id, counting.inside(hand.door.event_id))
    return _one(request, hand.door, {"said": answering.answer(hand, said)})


@require_POST
@allowed(Role.Kind.VOLUNTEER)
def settle(request: HttpRequest, refusal_id: int) -> HttpResponse:
    """A person has looked at a scan that was made without a line."""
    looking.settle(request.user, refusal_id)
    return HttpResponseRedirect(reverse("doors:backstage"))


@require_http_methods(["GET", "HEAD"])
@allowed(Role.Kind.VOLUNTEER)
def list_pdf(request: HttpRequest, door_id: str) -> HttpResponse:
    """The list of names on paper, for the time without a line. That it was taken is a line of the trail."""
    door = _door(door_id)
    looking.told(request.user, door, "pdf")
    response = HttpResponse(printing.pdf("door", paper.door_list(door, timezone.now())), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="door-{door.id[:6]}.pdf"'
    return response
