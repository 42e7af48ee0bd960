"""text -> flow transformer -> decoder -> upscaler. Two stages: `diffusion` (steps), `upscale` (one call)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salon.core.errors import BadRecipe
from salon.core.recipe import DiffusionOptions, Recipe
from salon.diffusion.guidance import guide, threshold, within
from salon.diffusion.predictions import to_denoised
from salon.diffusion.samplers import SAMPLERS, STOCHASTIC, SamplerState, begin
from salon.diffusion.schedules import FlowSchedule
from salon.engine.models import ModelCard
from salon.engine.runtime import Network
from salon.engine.stage import Stage
from salon.engine.text import TextEncoder

Floats = NDArray[np.float32]
Vector = NDArray[np.float32]


def own_noise(shape: Sequence[int], seed: int, step: int = 0) -> Floats:
    """Noise of one sample: from its own seed (and step, for samplers that want fresh noise), from nobody else's."""
    generator = np.random.Generator(np.random.Philox([seed, step] if step else seed))
    return generator.standard_normal(tuple(shape), dtype=np.float32)


@dataclass(frozen=True)
class Drawing:
    """One sample on its way from noise to image. `sampler` holds it without the batch axis."""

    seed: int
    options: DiffusionOptions
    sigmas: Vector  # [steps + 1]
    cond: Floats  # [L, D] prompt_embeds
    uncond: Floats  # [M, D] of the negative prompt; M = 0: the unconditional branch
    sampler: SamplerState
    denoised: Floats  # [C, H, W]
    step: int = 0

    @property
    def steps(self) -> int:
        return self.options.num_inference_steps

    @property
    def sigma(self) -> np.float32:
        return np.float32(self.sigmas[self.step])


def pad(rows: Sequence[Floats]) -> tuple[Floats, NDArray[np.int64]]:
    """Rows [L_i, D] -> (embeds [B, L, D], mask [B, L]); never narrower than one column."""
    length = max(1, *(len(row) for row in rows))
    embeds = np.zeros((len(rows), length, rows[0].shape[1]), np.float32)
    mask = np.zeros((len(rows), length), np.int64)
    for index, row in enumerate(rows):
        embeds[index, : len(row)], mask[index, : len(row)] = row, 1
    return embeds, mask


class DiffusionStage:
    """Noise to a small image: each step is one call of the transformer for all samples, guided and not."""

    name = "diffusion"

    def __init__(self, card: ModelCard, text: TextEncoder, transformer: Network, decoder: Network | None) -> None:
        self.card, self.text, self.transformer, self.decoder = card, text, transformer, decoder
        self.schedule = FlowSchedule(card.shift)
        interval = card.guidance.get("interval")
        self.interval = (float(interval[0]), float(interval[1])) if interval else None
        self.percentile = card.guidance.get("percentile")

    def begin(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[Drawing]:
        """Encode each prompt once, and draw each sample's own noise. Raises BadRecipe without diffusion options."""
        texts = {r.prompt for r in recipes} | {r.negative_prompt for r in recipes} - {""}
        encoded = self._encode(sorted(texts))
        return [self._begin_one(recipe, encoded) for recipe in recipes]

    def _encode(self, texts: list[str]) -> dict[str, Floats]:
        embeds, mask = self.text.encode(texts)
        nothing = np.zeros((0, self.text.facts.width), np.float32)
        return {"": nothing} | {t: e[m.astype(bool)] for t, e, m in zip(texts, embeds, mask)}

    def _begin_one(self, recipe: Recipe, encoded: dict[str, Floats]) -> Drawing:
        options = recipe.stages.get(self.name)
        if not isinstance(options, DiffusionOptions):
            raise BadRecipe(f"The recipe has no options for the stage {self.name}.", "Make it anew from a prompt.")
        sigmas = self.schedule.sigmas(options.num_inference_steps)
        sample = own_noise(self.card.sample_shape, recipe.seed) * sigmas[0]
        sampler = SamplerState(*(part[0] for part in begin(sample[None])))
        cond, uncond = encoded[recipe.prompt], encoded[recipe.negative_prompt]
        return Drawing(recipe.seed, options, sigmas, cond, uncond, sampler, sample)

    def step(self, states: Sequence[Drawing], trace: dict[str, Floats] | None = None) -> list[Drawing]:
        """One network call, each sample at its own sigma; guided samples have a second row in it."""
        sigma = np.array([s.sigma for s in states], np.float32)
        scale = np.array([s.options.guidance_scale for s in states], np.float32)
        denoised = self._denoise(states, sigma, within(scale, sigma, self.interval), trace)
        moved: list[Drawing] = list(states)
        for name in {s.options.sampler for s in states}:
            at = [i for i, s in enumerate(states) if s.options.sampler == name]
            for i, state in zip(at, self._move(name, [states[i] for i in at], denoised[at])):
                moved[i] = state
        return moved

    def _denoise(
        self, states: Sequence[Drawing], sigma: Vector, scale: Vector, trace: dict[str, Floats] | None
    ) -> Floats:
        """x0 [B, C, H, W] after guidance."""
        count, guided = len(states), [int(i) for i in np.flatnonzero(scale > 1)]
        rows = [*range(count), *guided]
        embeds, mask = pad([s.cond for s in states] + [states[i].uncond for i in guided])
        sample = np.stack([states[i].sampler.sample for i in rows])
        feeds = {"sample": sample, "timestep": sigma[rows], "prompt_embeds": embeds, "prompt_mask": mask}
        if trace is None:
            prediction = self.transformer.run(**feeds)
        else:
            outputs = self.transformer.trace(**feeds)
            prediction = outputs.pop(self.transformer.output)
            trace.update({name: value[:count] for name, value in outputs.items()})
        both = to_denoised(prediction, sample, sigma[rows], self.card.prediction_type)
        cond, uncond = both[:count], both[:count].copy()
        uncond[guided] = both[count:]
        denoised = np.asarray(guide(cond, uncond, scale), np.float32)
        return denoised if self.percentile is None else threshold(denoised, float(self.percentile))

    def _move(self, name: str, states: list[Drawing], denoised: Floats) -> list[Drawing]:
        """The states one step on by one sampler."""
        packed = SamplerState(*(np.stack(parts) for parts in zip(*(s.sampler for s in states))))
        sigma = np.array([s.sigma for s in states], np.float32)
        after = np.array([s.sigmas[s.step + 1] for s in states], np.float32)
        noise = None
        if name in STOCHASTIC:
            noise = np.stack([own_noise(self.card.sample_shape, s.seed, s.step + 1) for s in states])
        moved = SAMPLERS[name](packed, sigma, after, denoised, noise, self.schedule.alpha)
        parts = [np.asarray(part, np.float32) for part in moved]
        return [
            replace(s, sampler=SamplerState(*(p[i] for p in parts)), denoised=denoised[i], step=s.step + 1)
            for i, s in enumerate(states)
        ]

    def preview(self, states: Sequence[Drawing]) -> list[Floats]:
        """`denoised` as small images, one call of the decoder."""
        return self._decode([s.denoised for s in states])

    def finish(self, states: Sequence[Drawing]) -> list[Floats]:
        """The small images [3, 64, 64]."""
        return self._decode([s.sampler.sample for s in states])

    def _decode(self, latents: list[Floats]) -> list[Floats]:
        return list(self.decoder.run(latents=np.stack(latents))) if self.decoder else latents


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


def load(card: ModelCard, network: Callable[[str], Network | None], text: TextEncoder) -> list[Stage]:
    """The model's stages; `network` loads one by its name in the card, None if the card has none. Without a decoder the
    samples are pixels; without an upscaler small images are the end.

    Raises WeightsMissing or WeightsDamaged."""
    transformer = network("transformer")
    if transformer is None:
        raise BadRecipe(f"The card of {card.name} names no transformer.", "Correct its model.json.")
    stages: list[Stage] = [DiffusionStage(card, text, transformer, network("decoder"))]
    upscaler = network("upscaler")
    return [*stages, UpscaleStage(upscaler)] if upscaler else stages
