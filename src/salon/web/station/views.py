"""Pages of the station."""

import asyncio
from typing import Any
from urllib.parse import quote

import msgspec
from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import Forbidden
from salon.core.names import ascii_name, file_name
from salon.core.recipe import MAX_PROMPT, DiffusionOptions, Recipe
from salon.core.text import tidy
from salon.core.unused import unused
from salon.web import codes, cookies
from salon.web.events import devices, entering
from salon.web.events.models import Device
from salon.web.line import EngineState, Look, line
from salon.web.pages import page
from salon.web.room import can_write
from salon.web.station.domain import catalogue, hang, inspiration, intake, machines, state, words
from salon.web.station.domain.visitors import give_ticket, new_visitor, standing_of, visitor_of
from salon.web.station.models import Image, Request, Withheld
from salon.web.station.signals import looked_at

NEVER_CHANGES = "public, max-age=31536000, immutable"


def _recent(visitor: str | None, count: int = 9) -> list[dict[str, str]]:
    """The visitor's own last images; nobody sees another's by opening a page."""
    if visitor is None:
        return []
    images = (
        Image.objects.filter(drawings__request__visitor=visitor, drawings__request__state="finished")
        .exclude(file="")
        .order_by("-drawings__request__created_at", "drawings__index")[:count]
    )
    return [{"id": image.id, "prompt": image.recipe.prompt} for image in images]


def _home_context(visitor: str | None) -> dict[str, Any]:
    """The visitor's own images, or, before there are any, the first draws of the house."""
    own = _recent(visitor)
    first = [] if own else [{"id": image.id, "prompt": image.recipe.prompt} for image in hang.first_draws()]
    return {"images": own or first, "first_draws": bool(first), "first_seed": hang.SEED}


@require_safe
async def home(request: HttpRequest) -> HttpResponse:
    """`/`: the way in."""
    return await page(request, "home.html", await sync_to_async(_home_context)(visitor_of(request)))


_PREFILL = ("prompt", "negative_prompt", "model", "seed", "num_inference_steps", "guidance_scale", "sampler", "count")


def _station_context(request: HttpRequest, visitor: str | None, engine: EngineState) -> dict[str, Any]:
    """`config` is for the page's script; `prompt` fills the field before any script runs."""
    shown = state.owned(request.GET.get("request", ""), visitor)
    prefill = {name: tidy(request.GET[name][:MAX_PROMPT]) for name in _PREFILL if name in request.GET}
    return {
        "prompt": prefill.get("prompt", ""),
        "config": {
            **catalogue.listing(engine.models),
            "families": {family: machines.after(family) for family in machines.FAMILIES},
            "prefill": prefill,
            "shown": state.state_of(shown) if shown else None,
            "styles": list(inspiration.styles()),
            "examples": list(inspiration.EXAMPLES),
            "surprise": inspiration.surprise(),
            "earlier": _recent(visitor, 12),
            "door": catalogue.door(engine),
        },
    }


@require_safe
async def station(request: HttpRequest) -> HttpResponse:
    """`/station`: the page where prompts become images. Query parameters fill the form (vary). `?kiosk=1` is the
    address of the house's booths; other browsers are told how to become one."""
    if request.GET.get("kiosk") and not await sync_to_async(devices.booth)(request):
        raise Forbidden(
            _("This browser is not (or no longer) one of the house's booths."),
            _("Make a link for it backstage, under “Booths and walls”; without one, the station is at /station."),
        )
    context = await sync_to_async(_station_context)(request, visitor_of(request), line().engine)
    return await page(request, "station/station.html", context)


def _machines_context(request: HttpRequest, visitor: str | None, engine: EngineState) -> dict[str, Any]:
    """`config` is for the page's script; everything that explains is there without it."""
    press = request.GET.get("press", "")
    side_by_side = machines.side_by_side(engine.models)
    shown = machines.pressed(press, visitor)
    prefill = {
        name: tidy(request.GET[name][:MAX_PROMPT]) for name in ("prompt", "seed", "count") if name in request.GET
    }
    spoken = ("name", "family", "ready", "problem", "stages")
    return {
        "machines": side_by_side,
        "counts": machines.COUNTS,
        "prompt": shown[0]["prompt"] if shown else prefill.get("prompt", ""),
        "config": {
            "machines": [{name: machine[name] for name in spoken} for machine in side_by_side],
            "prefill": prefill,
            "press": press if shown else "",
            "shown": shown,
            "door": catalogue.door(engine),
        },
    }


@require_safe
async def four_machines(request: HttpRequest) -> HttpResponse:
    """`/station/machines`: one prompt, drawn by a machine of every family, side by side. `?press=` names a press of
    the button; its requests are found again by whoever made them."""
    context = await sync_to_async(_machines_context)(request, visitor_of(request), line().engine)
    return await page(request, "station/machines.html", context)


#: the stages that a person's steps, guidance and sampler are for
MAIN_STAGES = ("diffusion", "base", "decoder")


def _options(recipe: Recipe) -> DiffusionOptions | None:
    main = (recipe.stages.get(name) for name in MAIN_STAGES)
    return next((o for o in main if isinstance(o, DiffusionOptions)), None)


def _vary(recipe: Recipe, **changes: object) -> str:
    """The station's address with this recipe's values filled in."""
    options = _options(recipe)
    values: dict[str, object] = {"prompt": recipe.prompt, "model": recipe.model, "seed": recipe.seed}
    if recipe.negative_prompt:
        values["negative_prompt"] = recipe.negative_prompt
    if options:
        values |= msgspec.structs.asdict(options)
    kept = {name: value for name, value in (values | changes).items() if value is not None}
    return f"{reverse('station:station')}?{urlencode(kept)}"


def _rows(recipe: Recipe) -> list[dict[str, object]]:
    """The recipe as a person reads it, one line a fact."""
    options = _options(recipe)
    facts: list[tuple[str, object]] = [(_("Prompt"), recipe.prompt)]
    if recipe.negative_prompt:
        facts.append((_("Not in the picture"), recipe.negative_prompt))
    facts += [(_("Seed"), recipe.seed), (_("Model"), recipe.model)]
    if options:
        facts += [(_("Steps"), options.num_inference_steps), (_("Guidance"), options.guidance_scale)]
        facts += [(_("Sampler"), options.sampler)]
    facts += [(_("Size"), f"{recipe.width} × {recipe.height}"), (_("Weights"), recipe.weights[:16])]
    facts += [(_("Without effect"), one["message"]) for one in words.told(unused(recipe))]
    return [{"name": name, "value": value} for name, value in facts]


def _state(image: Image) -> str:
    if image.present:
        return "present"
    if image.drawings.filter(request__state__in=Request.OPEN).exists():
        return "drawing"
    return {Withheld.FILTER: "withheld", Withheld.HOUSE: "removed"}.get(image.withheld, "missing")


def _image_context(image_id: str, visitor: str | None) -> dict[str, Any]:
    """`mine`: this visitor had it drawn.

    `state` is `present`, `drawing`, `withheld`, `removed`, or `missing` (the recipe is known, the file
    is not there: draw again)."""
    image = Image.objects.filter(id=image_id).first()
    if image is None:
        raise Http404
    looked_at.send(Image, image=image.id)
    recipe, own = image.recipe, visitor is not None and image.drawings.filter(request__visitor=visitor).exists()
    return {
        "image": {
            "id": image.id,
            "width": image.width,
            "height": image.height,
            "prompt": recipe.prompt,
            "model": recipe.model,
            "seed": recipe.seed,
            "created_at": image.created_at,
        },
        "mine": own,
        # what hangs under "shown here only" is shown here only; whoever drew it has it
        "may_download": own or not image.works.filter(state="hung", licence="all-rights").exists(),
        "state": _state(image),
        "rows": _rows(recipe),
        "recipe_json": image.recipe_json,
        "image_path": reverse("station:image_file", args=[image.id]),
        "redraw_path": reverse("station:redraw", args=[image.id]),
        "vary_words_url": _vary(recipe),
        "vary_seed_url": _vary(recipe, seed=None),
    }


@require_safe
async def image(request: HttpRequest, image_id: str) -> HttpResponse:
    """`/images/<id>`: the image, its recipe, draw again, vary. A lost file can be drawn again."""
    context = await sync_to_async(_image_context)(image_id, visitor_of(request))
    context["image_url"] = codes.public_address(request, context["image_path"])
    context["page_url"] = codes.public_address(request, request.path)
    return await page(request, "station/image.html", context)


def _file(image_id: str) -> tuple[Image, bytes]:
    image = Image.objects.filter(id=image_id).exclude(file="").first()
    try:
        if image is None:
            raise Http404
        looked_at.send(Image, image=image.id)
        with default_storage.open(image.file) as file:
            return image, file.read()
    except FileNotFoundError as error:
        raise Http404 from error


def _named(recipe: Recipe) -> str:
    """The file's name as a header says it (RFC 6266): in plain letters, and in the prompt's own (RFC 8187)."""
    return f"filename=\"{ascii_name(recipe)}\"; filename*=UTF-8''{quote(file_name(recipe), safe='')}"


@require_safe
async def image_file(request: HttpRequest, image_id: str) -> HttpResponse:
    """`/images/<id>.png`: never changes, since its name is its recipe; `?download` makes the browser keep it."""
    found, data = await sync_to_async(_file)(image_id)
    tag = f'"{found.sha256}"'
    fresh = tag in request.headers.get("If-None-Match", "")
    response = HttpResponse(status=304) if fresh else HttpResponse(data, content_type="image/png")
    response["ETag"] = tag
    response["Cache-Control"] = NEVER_CHANGES
    kind = "attachment" if "download" in request.GET else "inline"
    response["Content-Disposition"] = f"{kind}; {_named(found.recipe)}"
    return response


def _redraw(request: HttpRequest, image_id: str, visitor: str, engine: EngineState) -> tuple[Request, bool]:
    booth = devices.booth(request)
    return intake.submit(intake.Ask(image=image_id), visitor, engine, booth, standing_of(request, booth))


@require_POST
async def redraw(request: HttpRequest, image_id: str) -> HttpResponse:
    """Draws the same recipe again (the way of those without scripts; pages post to the API)."""
    visitor = visitor_of(request) or new_visitor()
    row, _new = await sync_to_async(_redraw)(request, image_id, visitor, line().engine)
    line().tell(Look())
    response = HttpResponseRedirect(f"{reverse('station:station')}?request={row.id}")
    give_ticket(request, response, visitor)
    return response


def _database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


@require_safe
async def healthz(request: HttpRequest) -> HttpResponse:
    """`/healthz`: 200 while pages can be served; what else is amiss is told, not judged: `engine`, and `writes`, false
    while this machine has no room for anything new."""
    database = await sync_to_async(_database_answers)()
    engine = line().engine
    answer = {
        "web": "ok",
        "database": "ok" if database else "away",
        "engine": engine.state,
        "why": engine.why,
        "writes": engine.writes and await asyncio.to_thread(can_write),
        "streams": line().streams,
    }
    return JsonResponse(answer)


@require_http_methods(["GET", "HEAD", "POST"])
async def enter(request: HttpRequest, token: str) -> HttpResponse:
    """`/station/enter/<token>`: makes this browser one of the house's booths."""
    address = f"{reverse('station:station')}?kiosk=1"
    return await sync_to_async(entering.device)(request, Device.Kind.STATION, token, address)


@require_POST
async def leave(request: HttpRequest) -> HttpResponse:
    """`/station/leave`: the next person at the booth is another visitor."""
    booth = await sync_to_async(devices.booth)(request)
    response = HttpResponseRedirect(reverse("station:station") + ("?kiosk=1" if booth else ""))
    cookies.forget(response)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
