"""text -> flow transformer -> decoder -> upscaler. Two stages: `diffusion` (steps), `upscale` (one call)."""

from collections.abc import Callable

import numpy as np

from salon.engine.families.enlarging import UpscaleStage
from salon.engine.families.sampling import Floats, PromptStage, Way, way_of
from salon.engine.models import ModelCard, needed
from salon.engine.runtime import Network
from salon.engine.stage import Stage
from salon.engine.text import TextEncoder


class LatentStage(PromptStage):
    """Noise to latents, and latents to a small image."""

    def __init__(self, network: Network, way: Way, text: TextEncoder, decoder: Network | None) -> None:
        super().__init__("diffusion", network, way, text)
        self.decoder = decoder

    def show(self, samples: list[Floats]) -> list[Floats]:
        """Small images [3, 64, 64], one call of the decoder."""
        return list(self.decoder.run(latents=np.stack(samples))) if self.decoder else samples


def load(card: ModelCard, network: Callable[[str], Network | None], text: TextEncoder) -> list[Stage]:
    """The model's stages; `network` loads one by its name in the card, None if the card has none. Without a decoder the
    samples are pixels; without an upscaler small images are the end.

    Raises WeightsMissing or WeightsDamaged."""
    way = way_of(card.sample_shape, card.prediction_type, card.shift, card.guidance)
    stages: list[Stage] = [LatentStage(needed(card, network, "transformer"), way, text, network("decoder"))]
    upscaler = network("upscaler")
    return [*stages, UpscaleStage(upscaler)] if upscaler else stages
