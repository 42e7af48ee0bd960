"""Imagen's way: pixels from noise at 64 px, no autoencoder, then super-resolution to 256 px. Two stages: `base`,
`super_resolution`, each with steps, sampler and guidance of its own."""

from collections.abc import Callable

from salon.engine.families.enlarging import SuperResolutionStage
from salon.engine.families.sampling import PromptStage, way_of
from salon.engine.models import ModelCard, needed
from salon.engine.runtime import Network
from salon.engine.stage import Stage
from salon.engine.text import TextEncoder

LARGE = (3, 256, 256)


def super_resolution(
    card: ModelCard, network: Callable[[str], Network | None], text: TextEncoder
) -> SuperResolutionStage:
    """The stage as a card sets it: `stage_settings.super_resolution` may hold `level`, the noise put on the small
    image. Raises BadRecipe, WeightsMissing, WeightsDamaged."""
    level = float(card.stage_settings.get("super_resolution", {}).get("level", 0.1))
    way = way_of(LARGE, "sample", 1.0, {}, part=2)
    return SuperResolutionStage(needed(card, network, "superres"), way, text, level)


def load(card: ModelCard, network: Callable[[str], Network | None], text: TextEncoder) -> list[Stage]:
    """The model's stages. Raises BadRecipe, WeightsMissing, WeightsDamaged."""
    way = way_of(card.sample_shape, card.prediction_type, card.shift, card.guidance)
    base = PromptStage("base", needed(card, network, "transformer"), way, text)
    return [base, super_resolution(card, network, text)]
