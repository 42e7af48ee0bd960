"""The event's API. Thin: take the token, ask the domain, answer. Pages go by cursor: a key that is there already, so
that rows which come meanwhile move nothing."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from msgspec import Struct

from salon.core.errors import BadRecipe
from salon.web.doors.api import news, read
from salon.web.doors.domain import answering, counting, hands, redeeming
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.exports.domain import tables, tokens
from salon.web.exports.models import Scope, Token
from salon.web.line import Say, line
from salon.web.programme.domain.showing import is_open, public
from salon.web.seats.domain import counts
from salon.web.seats.models import Pool

#: rows of a page
A_PAGE, MOST_A_PAGE = 50, 200
MOST_CURSOR = 100


class BadQuery(BadRecipe):
    """A page that cannot be asked for."""

    code = "bad_query"


class Entry(Struct, forbid_unknown_fields=True):
    """A ticket's code that was scanned or typed, at a door; the same nonce (16 to 64 characters) is one entry."""

    door: str
    code: str
    nonce: str


def _token(request: HttpRequest) -> str:
    kind, _space, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _use(request: HttpRequest, scope: str) -> Token:
    return tokens.use(_token(request), scope)


def _json(answer: Any) -> HttpResponse:
    response = JsonResponse(answer, json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "no-store"
    return response


def _limit(request: HttpRequest) -> int:
    said = request.GET.get("limit", str(A_PAGE))
    if not (said.isascii() and said.isdecimal() and len(said) < 6 and 1 <= int(said) <= MOST_A_PAGE):
        raise BadQuery(_("A page has 1 to %(most)d rows.") % {"most": MOST_A_PAGE}, "")
    return int(said)


def _after(request: HttpRequest, key: type) -> Any:
    """The key that a cursor holds; None for the first page. Raises BadQuery."""
    said = request.GET.get("cursor", "")
    if not said:
        return None
    try:
        text = base64.b64decode(said.encode(), b"-_", validate=True).decode()
        if len(said) <= MOST_CURSOR and "\x00" not in text and (key is str or len(text) < 19):
            return key(text)
    except (binascii.Error, UnicodeError, ValueError):
        pass
    raise BadQuery(_("This is no cursor of ours."), _("Take the one that stands under “next”, or none."))


def _page(request: HttpRequest, rows: QuerySet[Any], key: type, told: Callable[[Any], Any]) -> dict[str, Any]:
    limit = _limit(request)
    found = tables.page(rows, _after(request, key), limit + 1)
    last = base64.urlsafe_b64encode(str(found[limit - 1].pk).encode()).decode() if len(found) > limit else None
    return {"items": [told(one) for one in found[:limit]], "next": last}


def _event(event: Event) -> dict[str, Any]:
    return {
        "name": event.name, "place": event.place, "time_zone": event.time_zone, "open": is_open(event),
        "starts_on": event.starts_on and event.starts_on.isoformat(),
        "ends_on": event.ends_on and event.ends_on.isoformat(),
    }  # fmt: skip


def _programme(request: HttpRequest) -> dict[str, Any]:
    event = _use(request, Scope.PROGRAMME).event if _token(request) else current_event()
    rows = tables.sessions(event) if _token(request) else public(event).select_related("room")
    return {"items": [tables.session(event, one) for one in rows.order_by("starts_at", "title", "pk")]}


def _places(request: HttpRequest) -> dict[str, Any]:
    event = _use(request, Scope.PLACES).event
    pools = list(Pool.objects.filter(event=event).select_related("room"))
    now = counts.all_of(pools)
    return {"items": [_pool(event, pool, now[pool.pk]) for pool in pools]}


def _pool(event: Event, pool: Pool, now: counts.Counts) -> dict[str, Any]:
    names = ("capacity", "reserve", "booked", "held", "offered", "waiting", "left")
    return {
        "id": pool.pk, "kind": pool.kind, "name": pool.name, "room": pool.room.name if pool.room else "",
        "begins": tables.when(event, pool.starts_at), "ends": tables.when(event, pool.ends_at),
        **{name: getattr(now, name) for name in names},
    }  # fmt: skip


def _applications(request: HttpRequest) -> dict[str, Any]:
    event = _use(request, Scope.APPLICATIONS).event
    names = tables.questions(event)
    rows = tables.TABLES["applications"].rows(event)
    return _page(request, rows, str, lambda one: tables.application(event, one, names))


def _application(request: HttpRequest, application_id: str) -> dict[str, Any]:
    event = _use(request, Scope.APPLICATIONS).event
    found = tables.TABLES["applications"].rows(event).filter(pk=application_id).first()
    if found is None:
        raise Http404
    return tables.application(event, found)


def _check_ins(request: HttpRequest) -> dict[str, Any]:
    event = _use(request, Scope.CHECK_INS).event
    return _page(request, tables.check_ins(event), int, lambda one: tables.check_in(event, one))


def _check_in(request: HttpRequest) -> tuple[dict[str, Any], Say]:
    """Whoever made the token stands at the door."""
    token = _use(request, Scope.CHECK_IN)
    said = read(request.body, Entry)
    hand = hands.personal(token.made_by, said.door[:32])
    shown = redeeming.redeem(hand, redeeming.Scan(said.nonce, code=said.code[:200]))
    return answering.answer(hand, shown), news(token.event_id, counting.inside(token.event_id))


@require_safe
async def event(request: HttpRequest) -> HttpResponse:
    """`GET /api/event`: which event it is."""
    return _json(_event(await sync_to_async(current_event)()))


@require_safe
async def programme(request: HttpRequest) -> HttpResponse:
    """`GET /api/event/programme`: what everybody may see; with a token all of it."""
    return _json(await sync_to_async(_programme)(request))


@require_safe
async def places(request: HttpRequest) -> HttpResponse:
    """`GET /api/event/places`: what there is places for, and how many are left."""
    return _json(await sync_to_async(_places)(request))


@require_safe
async def applications(request: HttpRequest) -> HttpResponse:
    """`GET /api/event/applications?cursor=&limit=`: those that were sent in."""
    return _json(await sync_to_async(_applications)(request))


@require_safe
async def application(request: HttpRequest, application_id: str) -> HttpResponse:
    """`GET /api/event/applications/<id>`."""
    return _json(await sync_to_async(_application)(request, application_id))


@require_http_methods(["GET", "HEAD", "POST"])
async def check_ins(request: HttpRequest) -> HttpResponse:
    """`GET /api/event/check-ins?cursor=&limit=`: who came in, oldest first; `POST {door, code, nonce}`: lets somebody
    in, or says why not."""
    if request.method != "POST":
        return _json(await sync_to_async(_check_ins)(request))
    answer, said = await sync_to_async(_check_in)(request)
    line().tell(said)
    return _json(answer)
