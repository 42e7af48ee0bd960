"""From a small image to a large one: in one call, or by diffusion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salon.core.recipe import Recipe
from salon.engine.families.sampling import DiffusionStage, Floats, Told, Way, encode, own_noise
from salon.engine.runtime import Network
from salon.engine.text import TextEncoder, sentence_mean


@dataclass(frozen=True)
class Waiting:
    """One small image [3, 64, 64] about to become large: no steps, only a finish."""

    image: Floats
    step: int = 0
    steps: int = 0


class UpscaleStage:
    """A small image to a large one, in one call."""

    name = "upscale"

    def __init__(self, upscaler: Network) -> None:
        self.upscaler = upscaler

    def begin(self, recipes: Sequence[Recipe], inputs: Sequence[Floats]) -> list[Waiting]:
        """Nothing to do but wait for the call."""
        return [Waiting(image) for image in inputs]

    def step(self, states: Sequence[Waiting], trace: dict[str, Floats] | None = None) -> list[Waiting]:
        """There are no steps."""
        return list(states)

    def preview(self, states: Sequence[Waiting]) -> list[Floats]:
        """The small images themselves."""
        return [s.image for s in states]

    def finish(self, states: Sequence[Waiting]) -> list[Floats]:
        """The large images [3, 256, 256], one call."""
        return list(self.upscaler.run(image=np.stack([s.image for s in states])))


class SuperResolutionStage(DiffusionStage):
    """256 px by diffusion, told the small image with a little noise of its own on it (noise-conditioning augmentation:
    the network has learnt to distrust small images as much as it is told to, and what the stage before got slightly
    wrong does no harm)."""

    def __init__(self, network: Network, way: Way, text: TextEncoder, level: float) -> None:
        super().__init__("super_resolution", network, way)
        self.text, self.level = text, np.float32(level)

    def told(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[tuple[Told, Told]]:
        """The small image made noisy, how noisy, and the mean of the prompt's tokens (zeros: of none)."""
        encoded = encode(self.text, recipes)
        pairs = []
        for recipe, small in zip(recipes, inputs, strict=True):
            noise = own_noise(small.shape, recipe.seed, part=self.way.part + 1)
            noisy = (small.clip(-1, 1) * (1 - self.level) + noise * self.level).astype(np.float32)
            both = {"small": noisy, "small_level": self.level}
            with_words, without = (sentence_mean(encoded[t]) for t in (recipe.prompt, recipe.negative_prompt))
            pairs.append((both | {"prompt_embed": with_words}, both | {"prompt_embed": without}))
        return pairs

    def feeds(self, rows: list[Told]) -> dict[str, NDArray[Any]]:
        """The rows, stacked; levels as float32 [B]."""
        return {name: np.stack([np.asarray(row[name], np.float32) for row in rows]) for name in rows[0]}
