"""Pages of the arena: asking for a pair, the pair, the leaderboard."""

import re
import secrets
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe, Forbidden, Refused
from salon.core.recipe import MAX_PROMPT
from salon.core.text import is_blank
from salon.web import cookies
from salon.web.arena.domain import asking, drawing, pairing, voting
from salon.web.arena.domain import leaderboard as boards
from salon.web.arena.domain.prompts import PROMPTS
from salon.web.arena.models import Battle, Void
from salon.web.events import devices, entering
from salon.web.events.domain import current_event
from salon.web.line import EngineState, Look, line
from salon.web.pages import page
from salon.web.sentences import spoken
from salon.web.station.domain import catalogue
from salon.web.station.domain.visitors import give_ticket, new_visitor, standing_of, visitor_of

KEY = re.compile(r"[0-9a-f]{16,64}")


def _form(prompt: str = "", **more: Any) -> dict[str, Any]:
    """`key` names one press of the button: sent twice, it is still one battle."""
    return {"prompt": prompt, "key": secrets.token_hex(16), "count": len(PROMPTS), "longest": MAX_PROMPT, **more}


def _reviewer(request: HttpRequest) -> str:
    """The pairing of the reviewers' link that this browser came by; a link of yesterday is none."""
    try:
        return pairing.check(request.COOKIES.get(pairing.COOKIE, ""))
    except Forbidden:
        return ""


def _ask(request: HttpRequest, visitor: str, engine: EngineState) -> Battle:
    key = request.POST.get("key", "")
    if not KEY.fullmatch(key):
        key = secrets.token_hex(16)
    words = request.POST.get("prompt", "") if "own" in request.POST else ""
    booth = devices.booth(request)
    return asking.ask(visitor, key, words, engine, booth, _reviewer(request), standing_of(request, booth))


@require_http_methods(["GET", "HEAD", "POST"])
async def arena(request: HttpRequest) -> HttpResponse:
    """`/arena`: what it is, and the form. POST asks for a pair: `own` with `prompt`, or one of the house's prompts."""
    if request.method != "POST":
        return await page(request, "arena/arena.html", _form(request.GET.get("prompt", "")[:MAX_PROMPT]))
    words = request.POST.get("prompt", "")
    if "own" in request.POST and is_blank(words):
        return await page(request, "arena/arena.html", _form(wrong="empty"), status=422)
    visitor = visitor_of(request) or new_visitor()
    try:
        made = await sync_to_async(_ask)(request, visitor, line().engine)
    except (Refused, BadRecipe) as error:  # the words are at fault: they stay in the field
        status = 422 if isinstance(error, Refused) else 400
        said = {"message": spoken(error.message), "hint": spoken(error.hint)}
        return await page(request, "arena/arena.html", _form(words, mishap=said), status=status)
    if made.void == Void.NAMED:
        response = await page(request, "arena/arena.html", _form(words, wrong="named"), status=422)
    else:
        line().tell(Look())
        response = HttpResponseRedirect(reverse("arena:battle", args=[made.id]))
    give_ticket(request, response, visitor)
    return response


def _owned(battle_id: str, visitor: str | None) -> Battle:
    found = voting.owned(battle_id, visitor)
    if found is None:
        raise Http404
    return found


def _battle(battle_id: str, visitor: str | None) -> dict[str, Any]:
    found = _owned(battle_id, visitor)
    state = voting.state_of(found)
    return {
        "battle": found,
        "state": state["state"],
        "waits": state,
        "prompt": voting.prompt_of(found),
        "own": not found.prompt,
        "hands": voting.revealed(found),
        "key": secrets.token_hex(16),
    }


def _private(response: HttpResponse) -> HttpResponse:
    """What stands here changes with the vote, and is nobody else's."""
    response["Cache-Control"] = "no-store"
    return response


@require_safe
async def battle(request: HttpRequest, battle_id: str) -> HttpResponse:
    """`/arena/<id>`: the pair, for whoever asked for it; after the vote, who drew what."""
    context = await sync_to_async(_battle)(battle_id, visitor_of(request))
    return _private(await page(request, "arena/battle.html", context))


def _state(battle_id: str, visitor: str | None) -> dict[str, Any]:
    return voting.state_of(_owned(battle_id, visitor))


@require_safe
async def state(request: HttpRequest, battle_id: str) -> HttpResponse:
    """`/arena/<id>/state`: `{state, position?}`, asked while the pictures are drawn."""
    return _private(JsonResponse(await sync_to_async(_state)(battle_id, visitor_of(request))))


def _picture(battle_id: str, side: str, visitor: str | None) -> bytes:
    if side not in voting.SIDES:
        raise Http404
    try:
        return voting.blind_file(_owned(battle_id, visitor), side)
    except FileNotFoundError as error:
        raise Http404 from error


@require_safe
async def picture(request: HttpRequest, battle_id: str, side: str) -> HttpResponse:
    """`/arena/<id>/a.png`, `b.png`: pixels alone; neither its name nor what is inside tells the model."""
    data = await sync_to_async(_picture)(battle_id, side, visitor_of(request))
    return _private(HttpResponse(data, content_type="image/png"))


def _vote(request: HttpRequest, battle_id: str) -> Battle:
    known = standing_of(request, devices.booth(request)).known
    return voting.vote(_owned(battle_id, visitor_of(request)), request.POST.get("winner", ""), known)


@require_POST
async def vote(request: HttpRequest, battle_id: str) -> HttpResponse:
    """`/arena/<id>/vote`: `winner` in {a, b, tie, both_bad}. Sent twice, the first stays."""
    await sync_to_async(_vote)(request, battle_id)
    return HttpResponseRedirect(reverse("arena:battle", args=[battle_id]), status=303)


def _board(engine: EngineState) -> dict[str, Any]:
    ready = [model for model in catalogue.public(engine.models) if catalogue.drawable(model)]
    return boards.board(current_event(), ready)


def _leaderboard(engine: EngineState) -> dict[str, Any]:
    found = _board(engine)
    percent = {name.removeprefix("share_"): round(100 * (value or 0)) for name, value in found["side"].items()}
    return {
        "board": found,
        "verdict": boards.verdict(found),
        "undecided": boards.undecided(found),
        "groups": [drawing.with_lines(component) for component in found["components"]],
        "side": {"share": percent["share"], "low": percent["q025"], "high": percent["q975"]},
        "voided": sum(found["void"].values()),
        "cap": f"{settings.SALON_ARENA_CAP:g}",
    }


@require_safe
async def leaderboard(request: HttpRequest) -> HttpResponse:
    """`/arena/leaderboard`: ratings with their intervals, from the first vote on."""
    return await page(request, "arena/leaderboard.html", await sync_to_async(_leaderboard)(line().engine))


@require_safe
async def leaderboard_json(request: HttpRequest) -> HttpResponse:
    """`/arena/leaderboard.json`: the same, for programs."""
    return JsonResponse(await sync_to_async(_board)(line().engine))


@require_safe
async def votes_csv(request: HttpRequest) -> HttpResponse:
    """`/arena/votes.csv`: every vote that counts, without its person and without visitors' own words."""
    text = await sync_to_async(lambda: boards.as_csv(current_event()))()
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="votes.csv"'
    return response


@require_safe
async def votes_json(request: HttpRequest) -> HttpResponse:
    """`/arena/votes.json`: the same as a list of objects."""
    rows = await sync_to_async(lambda: boards.as_rows(current_event()))()
    response = JsonResponse(rows, safe=False)
    response["Content-Disposition"] = 'attachment; filename="votes.json"'
    return response


def _reviewers(request: HttpRequest, token: str) -> HttpResponse:
    wanted = pairing.invited_to(token)
    response = HttpResponseRedirect(reverse("arena:arena"))
    if _reviewer(request) == wanted:
        return response
    if request.method == "POST":
        cookies.keep(response, pairing.COOKIE, token, pairing.LIFETIME)
        return response
    says = [
        _("A curator has set two machines against each other, and one may have flaws planted in it on purpose."),
        _("For twelve hours this browser meets these two in the arena, and no others."),
    ]
    way = entering.Way(title=_("For reviewers"), button=_("Come in as a reviewer"), says=says)
    return entering.shown(request, way)


@require_http_methods(["GET", "HEAD", "POST"])
async def reviewers(request: HttpRequest, token: str) -> HttpResponse:
    """`/arena/reviewers/<token>`: this browser meets the pairing that a curator set up, planted flaws and all."""
    return await sync_to_async(_reviewers)(request, token)
