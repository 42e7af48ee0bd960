"""Who can meet in the arena: models that are ready and draw; and which two meet next."""

import random
import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from math import isclose

from django.utils.translation import gettext as _
from msgspec import Struct

from salon.core.errors import WeightsMissing
from salon.engine.client import ModelInfo
from salon.stats.bradley_terry import Fit, fit
from salon.web.line import EngineState
from salon.web.station.domain.catalogue import drawable, model_of, public
from salon.web.station.domain.machines import FAMILIES

#: share of the battles whose two are drawn by lot, whatever is known already
BY_LOT = 0.25
#: share of the battles that a curator's pairing gets while it stands
PAIRED = 0.5
#: digits of the weights' hash that tell players of one name apart
DIGITS = 12
#: other names under which people know the families
ALSO = ("dall e", "dalle", "dall e 2", "imagen", "stable diffusion", "latent diffusion")

Pair = tuple[ModelInfo, ModelInfo]


class Player(Struct, frozen=True):
    """A model with these very weights."""

    name: str
    weights: str

    @property
    def key(self) -> str:
        return f"{self.name}@{self.weights[:DIGITS]}"


def player_of(model: ModelInfo) -> Player:
    return Player(model.name, model.weights_sha256)


def field(engine: EngineState) -> list[ModelInfo]:
    """Models that visitors may meet: public, ready, drawing. Raises WeightsMissing for fewer than two, and what
    `model_of` raises while nothing can be drawn at all."""
    model_of(engine, None)
    found = [model for model in public(engine.models) if drawable(model)]
    if len(found) < 2:
        raise WeightsMissing(
            _("It takes two machines to compare; in this house one can draw just now."),
            _("Tell a volunteer; the station goes on drawing meanwhile."),
        )
    return found


def rated(votes: Iterable[Sequence[str]], models: Iterable[ModelInfo]) -> Fit:
    """A fit that only has to say which battle tells most: votes as if independent, `(a, b, winner)`."""
    return fit(votes, names=sorted(player_of(model).key for model in models), clustered=False)


def choose(models: Sequence[ModelInfo], found: Fit, chance: random.Random) -> Pair:
    """The two whose battle shrinks the intervals most, or two by lot; the sides by lot in any case."""
    pairs = list(combinations(models, 2))
    gains = [found.gain(player_of(one).key, player_of(other).key) for one, other in pairs]
    best = [pair for pair, gain in zip(pairs, gains) if isclose(gain, max(gains), rel_tol=1e-6)]
    one, other = chance.choice(pairs if chance.random() < BY_LOT else best)
    return (one, other) if chance.random() < 0.5 else (other, one)


def _plain(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.casefold()))} "


def names_a_machine(prompt: str, models: Iterable[ModelInfo]) -> bool:
    """Whether the words name a model or a family: then a picture may give away who drew it."""
    names = {*ALSO, *FAMILIES, *(name for model in models for name in (model.name, model.family))}
    words = _plain(prompt)
    return any(_plain(name) in words for name in names if _plain(name).strip())
