"""The doors' API, for devices that were posted at a door. Thin: parse, ask the domain, answer, tell the other doors.

A scan that is refused is an answer like any other (200): it was asked whether to let somebody in, and it says no.
Errors say that nothing was decided.
"""

import datetime
from typing import Any, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from msgspec import Struct

from salon.core.errors import BadRecipe, Forbidden
from salon.web.doors.domain import answering, counting, hands, looking, redeeming, searching
from salon.web.doors.domain.hands import Hand
from salon.web.doors.domain.redeeming import Scan, Shown
from salon.web.doors.models import Way
from salon.web.events import devices
from salon.web.events.models import Device
from salon.web.line import Say, line
from salon.web.seats import lanes

Told = TypeVar("Told", bound=Struct)
#: conflicts that a door's page lists; backstage has them all
MOST = 20


class Redeem(Struct, forbid_unknown_fields=True):
    """A code that was scanned or typed, or a place that was found by name. `at` and `offline`: shown without a line;
    `anyway`: in, though it is too early."""

    nonce: str
    code: str = ""
    place: str = ""
    way: str = Way.SCAN
    at: datetime.datetime | None = None
    offline: bool = False
    anyway: bool = False


class Undo(Struct, forbid_unknown_fields=True):
    """The press that let somebody in."""

    nonce: str


class WalkIn(Struct, forbid_unknown_fields=True):
    """A place at the door, in this pool, for whoever gives this name (or none)."""

    nonce: str
    pool: str
    name: str = ""


def read(body: bytes, kind: type[Told]) -> Told:
    """What the page sent. Raises BadRecipe."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRecipe(_("This was not sent by the door's page."), _("Load the page anew.")) from error


def standing(request: HttpRequest) -> Hand:
    """The door's device that the browser is. Raises Forbidden."""
    device = devices.present(request, Device.Kind.DOOR)
    if device is None:
        raise Forbidden(_("This is for the doors of the house."), _("Open the link of a door on this device."))
    return hands.hand_of(device)


def scan_of(told: Redeem) -> Scan:
    """As the domain wants it: cut to what a code or an id can be."""
    at = told.at if told.at and told.at.tzinfo else None
    return Scan(told.nonce, told.code[:200], told.place[:32], told.way, at, told.offline, told.anyway)


def _answer(hand: Hand, said: Shown) -> dict[str, Any]:
    return {**answering.answer(hand, said), "inside": counting.inside(hand.door.event_id)}


def _redeem(request: HttpRequest) -> tuple[Hand, dict[str, Any]]:
    hand = standing(request)
    return hand, _answer(hand, redeeming.redeem(hand, scan_of(read(request.body, Redeem))))


def _undo(request: HttpRequest) -> tuple[Hand, dict[str, Any]]:
    hand = standing(request)
    return hand, _answer(hand, redeeming.undo(hand, read(request.body, Undo).nonce))


def _walk_in(request: HttpRequest) -> tuple[Hand, dict[str, Any]]:
    hand, told = standing(request), read(request.body, WalkIn)
    return hand, _answer(hand, redeeming.walk_in(hand, told.pool[:32], told.name, told.nonce))


def news(event_id: int, inside: dict[str, int]) -> Say:
    """To every door of the event: how many are in now."""
    return Say(counting.topic(event_id), "inside", msgspec.json.encode(inside))


def _said(hand: Hand, answer: dict[str, Any]) -> HttpResponse:
    line().tell(news(hand.door.event_id, answer["inside"]))
    response = JsonResponse(answer)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
async def redeem(request: HttpRequest) -> HttpResponse:
    """`POST /api/door/redeem {code | place, nonce, way?, at?, offline?, anyway?}`: `{answer: "in"}`, or which refusal;
    the same nonce is answered the same."""
    return _said(*await lanes.deed(_redeem, request))


@require_POST
async def undo(request: HttpRequest) -> HttpResponse:
    """`POST /api/door/undo {nonce}`: they did not come in after all."""
    return _said(*await lanes.deed(_undo, request))


@require_POST
async def walk_in(request: HttpRequest) -> HttpResponse:
    """`POST /api/door/walk-in {pool, name?, nonce}`: a place at the door, and in."""
    return _said(*await lanes.deed(_walk_in, request))


def _search(request: HttpRequest) -> dict[str, Any]:
    return searching.find(standing(request).door, request.GET.get("q", ""))


@require_GET
async def search(request: HttpRequest) -> HttpResponse:
    """`GET /api/door/search?q=`: at most a handful of names, what they are for, whether they are in."""
    response = JsonResponse(await lanes.page(_search, request))
    response["Cache-Control"] = "no-store"
    return response


def told_state(hand: Hand) -> dict[str, Any]:
    """What the page shows beside the camera."""
    rows = looking.conflicts(hand.door.event).filter(door=hand.door)[:MOST]
    return {"pools": counting.board(hand.door), "conflicts": [answering.answer(hand, row) for row in rows]}


def _state(request: HttpRequest) -> dict[str, Any]:
    return told_state(standing(request))


@require_GET
async def state(request: HttpRequest) -> HttpResponse:
    """`GET /api/door/state`: counts of each pool this door lets in, and conflicts that wait to be looked at."""
    response = JsonResponse(await lanes.page(_state, request))
    response["Cache-Control"] = "no-store"
    return response
