"""From the wish for a pair to rows: who meets on which words, drawn like everything else, one pair a visitor at a time.

The request belongs to `arena-<visitor>`, whom no ticket can be, until the vote is in: so neither "Yours" nor the API
shows it, and its id, seed and images' names, which would tell the models, are given to nobody."""

import datetime
import random
import secrets

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe
from salon.core.recipe import MAX_SEED, Recipe
from salon.core.unused import too_long
from salon.engine.client import ModelInfo
from salon.engine.recipes import make_recipe
from salon.engine.recipes import words as words_of
from salon.web.arena.domain import pairing, players
from salon.web.arena.domain.prompts import PROMPTS
from salon.web.arena.models import Battle, Void, Winner
from salon.web.events.domain import current_event, lock_current_event
from salon.web.events.models import Device, Event
from salon.web.line import EngineState
from salon.web.station.domain import intake
from salon.web.station.domain.pricing import price_of
from salon.web.station.domain.visitors import KNOWN, Standing
from salon.web.station.models import Request

chance: random.Random = random.SystemRandom()
#: newest votes that choosing a pair looks at: it must not take longer as the day goes on
LOOKED_AT = 3_000


def owner(visitor: str) -> str:
    """Whose the drawings of this visitor's open battles are."""
    return f"arena-{visitor}"


def ask(
    visitor: str, key: str, prompt: str, engine: EngineState, device: Device | None = None, reviewer: str = "",
    standing: Standing = KNOWN,
) -> Battle:  # fmt: skip
    """A battle on these words, or on the house's where there are none; the same key is the same battle. One whose words
    name a machine is void from the start and nothing is drawn. `reviewer` names the pairing of the reviewers' link.

    Raises Refused, BadRecipe, TooManyWaiting, Busy, WeightsMissing, WeightsDamaged, EngineUnavailable.
    """
    if found := _existing(visitor, key):
        return found
    own, event = words_of(prompt, "prompt"), current_event()
    intake.check_words(own)
    _check_length(own)
    pair = _pair(event, engine, reviewer)
    words = own or _house_words(event, visitor)
    seed = secrets.randbelow(MAX_SEED + 1)
    recipes = tuple(make_recipe(model, words, seed) for model in pair)
    named = bool(own) and players.names_a_machine(own, engine.models)
    with transaction.atomic():
        event = lock_current_event()
        if found := _existing(visitor, key):
            return found
        _check_room(event, visitor, device, price_of(recipes), standing)
        if named:
            return Battle.objects.create(event=event, visitor=visitor, key=key, void=Void.NAMED)
        return _store(event, visitor, key, pair, recipes, "" if own else words, device, standing)


def _check_length(own: str) -> None:
    """Raises BadRecipe for words that no machine would read to their end: nobody could judge by them."""
    if found := too_long("prompt", "prompt", own):
        raise BadRecipe(found[0].message, "Say it more briefly.")


def _existing(visitor: str, key: str) -> Battle | None:
    return Battle.objects.filter(visitor=visitor, key=key).first()


def _pair(event: Event, engine: EngineState, reviewer: str) -> players.Pair:
    """A curator's pairing gets its share; a reviewer meets nothing else."""
    models, set_up = players.field(engine), pairing.present(event)
    both = pairing.models_of(set_up, engine) if set_up else None
    if both and set_up:
        invited = reviewer == set_up.id
        if invited or (not pairing.needs_reviewer(both) and chance.random() < players.PAIRED):
            return (both[0], both[1]) if chance.random() < 0.5 else (both[1], both[0])
    return players.choose(models, players.rated(_votes(event, models), models), chance)


def _votes(event: Event, models: list[ModelInfo]) -> list[tuple[str, str, str]]:
    """`(a, b, winner)` of the battles between models that may meet now."""
    keys = {players.player_of(model).key for model in models}
    rows = Battle.objects.filter(event=event, winner__in=(Winner.A, Winner.B, Winner.TIE)).order_by("-voted_at")
    told = rows.values_list("model_a", "weights_a", "model_b", "weights_b", "winner")[:LOOKED_AT]
    found = [(players.Player(a, wa).key, players.Player(b, wb).key, winner) for a, wa, b, wb, winner in told]
    return [vote for vote in found if vote[0] in keys and vote[1] in keys]


def _house_words(event: Event, visitor: str) -> str:
    """One of the house's prompts, if possible one that this visitor has not had."""
    had = set(Battle.objects.filter(event=event, visitor=visitor).values_list("prompt", flat=True))
    return chance.choice([prompt for prompt in PROMPTS if prompt not in had] or list(PROMPTS))


def _check_room(event: Event, visitor: str, device: Device | None, price: int = 1, standing: Standing = KNOWN) -> None:
    """The station's limits, and the arena's own: one pair at a time, so many an hour. Raises TooManyWaiting, Busy."""
    intake.check_room(event, visitor, device, price, standing)
    if Request.objects.filter(visitor=owner(visitor), state__in=Request.OPEN).exists():
        raise intake.TooManyWaiting(
            _("Your last pair is still being drawn."), _("Go back to it; it takes a few seconds.")
        )
    hour = timezone.now() - datetime.timedelta(hours=1)
    if Battle.objects.filter(visitor=visitor, created_at__gt=hour).count() >= settings.SALON_ARENA_PER_HOUR:
        raise intake.TooManyWaiting(
            _("You have asked for %(count)d pairs within the hour; thank you.")
            % {"count": settings.SALON_ARENA_PER_HOUR},
            _("Rest your eyes, and come back later."),
        )


def _store(
    event: Event, visitor: str, key: str, pair: players.Pair, recipes: tuple[Recipe, ...], prompt: str,
    device: Device | None, standing: Standing,
) -> Battle:  # fmt: skip
    request = intake.store(event, owner(visitor), None, recipes, device=device, standing=standing)
    (one, other), (first, second) = pair, recipes
    return Battle.objects.create(
        event=event, visitor=visitor, key=key, request=request, image_a_id=first.id, image_b_id=second.id,
        model_a=one.name, family_a=one.family, weights_a=one.weights_sha256,
        model_b=other.name, family_b=other.family, weights_b=other.weights_sha256, prompt=prompt,
    )  # fmt: skip
