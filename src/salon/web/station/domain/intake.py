"""From what a visitor asks to rows: checks, recipes, caps, and one request for one press of the button."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from msgspec import Meta, Struct

from salon.core.errors import BadRecipe, Busy, Refused
from salon.core.guard import check_recipes, check_texts
from salon.core.hashing import NAME_DIGITS
from salon.core.recipe import (
    MAX_GUIDANCE,
    MAX_IMAGES,
    MAX_SEED,
    MAX_STEPS,
    Recipe,
)
from salon.engine.recipes import make_recipe, words
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Device, Event
from salon.web.line import EngineState
from salon.web.station.domain.catalogue import model_of
from salon.web.station.domain.pricing import price_of
from salon.web.station.domain.visitors import KNOWN, Standing
from salon.web.station.models import Drawing, Image, Request, Withheld

Seed = Annotated[int, Meta(ge=0, le=MAX_SEED)]
#: whose work steps behind everybody's (core.recipe.Request)
BACKGROUND = "background"


class TooManyWaiting(Busy):
    """This visitor has as many requests waiting as one visitor may."""

    code = "too_many_waiting"


#: images of one press of the button, where nobody says
COUNT = 9


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/requests`. `image` names an image whose recipe is to be drawn again, exactly; `count`
    seeds (9) from `seed` on are drawn, or those of `seeds`."""

    prompt: str = ""
    negative_prompt: str = ""
    model: Annotated[str, Meta(max_length=100)] | None = None
    seed: Seed | None = None
    seeds: Annotated[tuple[Seed, ...], Meta(min_length=1, max_length=MAX_IMAGES)] | None = None
    num_inference_steps: Annotated[int, Meta(ge=1, le=MAX_STEPS)] | None = None
    guidance_scale: Annotated[float, Meta(ge=0.0, le=MAX_GUIDANCE)] | None = None
    sampler: Annotated[str, Meta(max_length=100)] | None = None
    count: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] | None = None
    image: Annotated[str, Meta(pattern=rf"^[0-9a-f]{{{NAME_DIGITS}}}$")] | None = None
    key: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")] | None = None


class Proof(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /api/ticket`: the solved sum, as altcha writes it."""

    sum: Annotated[str, Meta(min_length=1, max_length=4000)]


Body = TypeVar("Body", Ask, Proof)


def parse_ask(body: bytes) -> Ask:
    """The body as an Ask. Raises BadRecipe naming the field that does not fit."""
    return _parse(body, Ask)


def parse_sum(body: bytes) -> str:
    """The sum in the body. Raises BadRecipe."""
    return _parse(body, Proof).sum


def _parse(body: bytes, kind: type[Body]) -> Body:
    try:
        found = msgspec.json.decode(body, type=kind)
        return _whole(found) if isinstance(found, Ask) else found
    except msgspec.ValidationError as error:
        raise BadRecipe(
            _("This cannot be drawn as asked: %(why)s.") % {"why": str(error).replace("`", "")},
            _("Change the field it names, or leave it out for the model's own choice."),
        ) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRecipe(_("This is not JSON."), _('Send an object such as {"prompt": "a red fox"}.')) from error


def _whole(ask: Ask) -> Ask:
    """The ask itself, if every field of it is of use: nothing is accepted and then left out. Raises BadRecipe."""
    said = {name for name in Ask.__struct_fields__ if getattr(ask, name) not in (None, "")}
    if ask.image is not None and (more := sorted(said - {"image", "key"})):
        message = _("An image is drawn again exactly as it was: %(fields)s would change nothing.")
        raise BadRecipe(message % {"fields": ", ".join(more)}, _("Leave that out, or leave the image out."))
    if ask.seeds is not None and (more := sorted(said & {"seed", "count"})):
        message = _("Seeds that are named say how many images there are: %(fields)s would change nothing.")
        raise BadRecipe(message % {"fields": ", ".join(more)}, _("Give seeds, or seed and count."))
    return ask


def _seeds(ask: Ask) -> tuple[int, ...]:
    if ask.seeds is not None:
        if len(set(ask.seeds)) != len(ask.seeds):
            raise BadRecipe(_("The same seed stands twice in seeds."), _("Each seed makes one image: name it once."))
        return ask.seeds
    first = secrets.randbelow(MAX_SEED + 1) if ask.seed is None else ask.seed
    return tuple((first + place) % (MAX_SEED + 1) for place in range(ask.count or COUNT))


def recipes_of(ask: Ask, engine: EngineState) -> tuple[Recipe, ...]:
    """The recipes that `ask` means. Raises BadRecipe, UnknownModel, WeightsMissing, WeightsDamaged,
    EngineUnavailable (only while no engine has ever said which models there are)."""
    if ask.image is not None:
        return _allowed((_recipe_again(ask.image),))
    prompt, negative = words(ask.prompt, "prompt"), words(ask.negative_prompt, "negative prompt")
    check_words(prompt, negative)
    model = model_of(engine, ask.model)
    recipes = tuple(
        make_recipe(
            model,
            prompt,
            seed,
            num_inference_steps=ask.num_inference_steps,
            guidance_scale=ask.guidance_scale,
            sampler=ask.sampler,
            negative_prompt=negative,
        )
        for seed in _seeds(ask)
    )
    return _allowed(recipes)


def _hint() -> str:
    return _("Say it otherwise; if it was meant well, tell a volunteer.")


def _allowed(recipes: tuple[Recipe, ...]) -> tuple[Recipe, ...]:
    """The recipes themselves. Raises Refused if the rules stand against what they say together."""
    check_recipes(recipes, hint=_hint())
    return recipes


def check_words(*texts: str) -> None:
    """The house's prompt rules (docs/guard.md), for texts no longer than a prompt may be: judging costs more the longer
    a text is. Nothing of a refused prompt is stored or logged. Raises Refused."""
    check_texts(*texts, hint=_hint())


def _recipe_again(image_id: str) -> Recipe:
    image = Image.objects.filter(id=image_id).first()
    if image is None:
        raise BadRecipe(_("No image of that name was drawn here."), _("Draw from the prompt and the seed instead."))
    if image.withheld == Withheld.HOUSE:
        raise Refused(_("The house took this picture down."), _("Draw something else."))
    if image.recipe.inputs:
        raise BadRecipe(
            _("This was drawn from a picture that is not kept."), _("Draw from the prompt and the seed instead.")
        )
    return image.recipe


def existing(visitor: str, key: str | None) -> Request | None:
    """The request that this visitor made with this key."""
    return Request.objects.filter(visitor=visitor, key=key).first() if key else None


class Share(NamedTuple):
    """Part of the line: what waits in it, how much may, and what is said to the next when it is full."""

    rows: QuerySet[Request]
    most: int
    refusal: Busy


def check_room(event: Event, visitor: str, device: Device | None, price: int = 1, standing: Standing = KNOWN) -> None:
    """Whether so much more may wait: for this visitor, at this booth, from this network, for strangers, at all. Counts
    rows, never a counter; true while the event is locked. Into an empty share everything fits, or it could never be
    drawn. What the house draws for itself steps behind and does not count. Raises TooManyWaiting, Busy."""
    if event.paused:
        raise Busy(_("The house takes a short pause."), _("Your words are kept in the field; try again soon."))
    waiting = Request.objects.filter(event=event, state__in=Request.OPEN).exclude(audience=BACKGROUND)
    for share in _shares(waiting, visitor, device, standing):
        there = share.rows.aggregate(sum=Sum("price"))["sum"] or 0
        if there and there + price > share.most:
            raise share.refusal


def _shares(waiting: QuerySet[Request], visitor: str, device: Device | None, standing: Standing) -> Iterator[Share]:
    """Those that a request comes out of, the smallest first. A booth begins anew as often as it likes, so it has one of
    its own. Half of the line is left to others, whatever comes from one network: a venue may share an address, so
    nobody is refused for it before that."""
    yield Share(waiting.filter(visitor=visitor), settings.SALON_WAITING_PER_VISITOR, _yours())
    if device:
        yield Share(waiting.filter(device=device), settings.SALON_WAITING_PER_STATION, _booths())
    elif not standing.known:
        yield Share(waiting.filter(known=False), settings.SALON_WAITING_STRANGERS, _strangers())
    if standing.source and not device:
        half = max(1, settings.SALON_WAITING_TOTAL // 2)
        yield Share(waiting.filter(source=standing.source), half, _long(_("Much of it comes from your network.")))
    yield Share(waiting, settings.SALON_WAITING_TOTAL, _long())


def _yours() -> TooManyWaiting:
    return TooManyWaiting(
        _("You have as much waiting as one visitor may."),
        _("Wait until one is drawn, or cancel one. Fewer pictures and fewer steps count for less."),
    )


def _booths() -> TooManyWaiting:
    return TooManyWaiting(_("This booth has as much waiting as one booth may."), _("Wait until one is drawn."))


def _strangers() -> TooManyWaiting:
    return TooManyWaiting(
        _("Visitors without a ticket of their own have as much waiting as they may together."),
        _("A browser with scripts gets a ticket by itself: load the page again. Or try again in a minute."),
    )


def _long(why: str = "") -> Busy:
    return Busy(_("The line is very long just now."), " ".join(filter(None, (why, _("Come back in a few minutes.")))))


def submit(
    ask: Ask, visitor: str, engine: EngineState, device: Device | None = None, standing: Standing = KNOWN
) -> tuple[Request, bool]:
    """The request's row, and whether it is new: the same key from the same visitor is the same request.

    Raises what `recipes_of` raises, TooManyWaiting, Busy.
    """
    if found := existing(visitor, ask.key):
        return found, False
    recipes = recipes_of(ask, engine)
    with transaction.atomic():
        event = lock_current_event()
        if found := existing(visitor, ask.key):
            return found, False
        check_room(event, visitor, device, price_of(recipes), standing)
        return store(event, visitor, ask.key, recipes, device=device, standing=standing), True


def store(
    event: Event,
    visitor: str,
    key: str | None,
    recipes: tuple[Recipe, ...],
    audience: str = "visitor",
    device: Device | None = None,
    standing: Standing = KNOWN,
    trace: bool = False,
    inputs: Mapping[str, bytes] | None = None,
) -> Request:
    """The rows of a request; the event must be locked. `inputs` are the bytes that the recipes name, by SHA-256."""
    request = Request.objects.create(
        event=event, visitor=visitor, key=key, audience=audience, device=device, price=price_of(recipes),
        known=standing.known, source=standing.source,
        trace=trace, inputs=msgspec.msgpack.encode(inputs) if inputs else b"",
    )  # fmt: skip
    images = [
        Image(id=recipe.id, event=event, recipe_json=recipe.to_json(), width=recipe.width, height=recipe.height)
        for recipe in recipes
    ]
    Image.objects.bulk_create(images, ignore_conflicts=True)
    Drawing.objects.bulk_create(
        Drawing(request=request, index=index, image_id=image.id) for index, image in enumerate(images)
    )
    return request


def cancel(request: Request) -> bool:
    """Marks the request cancelled unless it has ended already; whether it did."""
    changed = Request.objects.filter(id=request.id, state__in=Request.OPEN).update(
        state=Request.State.CANCELLED, inputs=b"", ended_at=timezone.now()
    )
    return bool(changed)


#: spoken by sentences.py
EMPTIED = "The house has emptied the line, so that everybody could begin anew. Ask for it again."


def empty_line(event: Event) -> list[str]:
    """Under the event's lock: ends all that visitors have waiting or being drawn, and says why. Names of the requests,
    for the desk to stop drawing and to tell whoever watches."""
    waiting = Request.objects.filter(event=event, state__in=Request.OPEN).exclude(audience=BACKGROUND)
    ids = list(waiting.values_list("id", flat=True))
    waiting.update(state=Request.State.CANCELLED, code="emptied", why=EMPTIED, inputs=b"", ended_at=timezone.now())
    return ids


def forget_sources() -> int:
    """The worker's duty: where a request came from is kept as long as it is open. How many were forgotten."""
    return Request.objects.exclude(source="").exclude(state__in=Request.OPEN).update(source="")
