"""Drawing by taking noise away, step by step: what every diffusion stage of every family shares."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salon.core.errors import BadRecipe
from salon.core.recipe import DiffusionOptions, Recipe
from salon.diffusion.guidance import guide, threshold, within
from salon.diffusion.predictions import PredictionType, to_denoised
from salon.diffusion.samplers import SAMPLERS, STOCHASTIC, SamplerState, begin
from salon.diffusion.schedules import FlowSchedule
from salon.engine.runtime import Network
from salon.engine.text import TextEncoder

Floats = NDArray[np.float32]
Vector = NDArray[np.float32]
#: what a network is told beside sample and timestep: arrays of one sample by the names of its inputs
Told = dict[str, Floats]


def own_noise(shape: Sequence[int], seed: int, step: int = 0, part: int = 0) -> Floats:
    """Noise of one sample: from its own seed (and step, for samplers that want fresh noise, and part, for stages that
    must not begin alike), from nobody else's."""
    key = (seed + (part << 32)) if part else seed
    generator = np.random.Generator(np.random.Philox([key, step] if step else key))
    return generator.standard_normal(tuple(shape), dtype=np.float32)


@dataclass(frozen=True)
class Drawing:
    """One sample on its way out of the noise. `sampler` holds it without the batch axis."""

    seed: int
    options: DiffusionOptions
    sigmas: Vector  # [steps + 1]
    cond: Told
    uncond: Told  # of the negative prompt; without one, of nothing
    sampler: SamplerState
    denoised: Floats  # of the sample's shape
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


@dataclass(frozen=True)
class Way:
    """How a stage gets from noise to x0."""

    shape: tuple[int, ...]
    prediction_type: PredictionType
    schedule: FlowSchedule
    #: sigmas between which guidance works; None: everywhere
    interval: tuple[float, float] | None = None
    #: of dynamic thresholding, for pixels; None: off
    percentile: float | None = None
    #: which of a recipe's noises the stage begins with
    part: int = 0


class DiffusionStage(ABC):
    """Each step is one call of one network for all samples, guided and not. Subclasses say what the network is told
    (`told`, `feeds`) and what becomes of x0 (`show`)."""

    def __init__(self, name: str, network: Network, way: Way) -> None:
        self.name, self.network, self.way = name, network, way

    @abstractmethod
    def told(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[tuple[Told, Told]]:
        """What each sample's network is told, with the prompt and without."""

    def feeds(self, rows: list[Told]) -> dict[str, NDArray[Any]]:
        """The rows as the network's inputs."""
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def show(self, samples: list[Floats]) -> list[Floats]:
        """x0 as images [3, H, W], or as what the next stage wants."""
        return samples

    def begin(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[Drawing]:
        """Encode each prompt once, and draw each sample's own noise. Raises BadRecipe without diffusion options."""
        told = self.told(recipes, inputs)
        return [self._begin_one(recipe, *pair) for recipe, pair in zip(recipes, told, strict=True)]

    def _begin_one(self, recipe: Recipe, cond: Told, uncond: Told) -> Drawing:
        options = recipe.stages.get(self.name)
        if not isinstance(options, DiffusionOptions):
            raise BadRecipe(f"The recipe has no options for the stage {self.name}.", "Make it anew from a prompt.")
        sigmas = self.way.schedule.sigmas(options.num_inference_steps)
        sample = own_noise(self.way.shape, recipe.seed, part=self.way.part) * sigmas[0]
        sampler = SamplerState(*(part[0] for part in begin(sample[None])))
        return Drawing(recipe.seed, options, sigmas, cond, uncond, sampler, sample)

    def step(self, states: Sequence[Drawing], trace: dict[str, Floats] | None = None) -> list[Drawing]:
        """One network call, each sample at its own sigma; guided samples have a second row in it."""
        sigma = np.array([s.sigma for s in states], np.float32)
        scale = np.array([s.options.guidance_scale for s in states], np.float32)
        denoised = self._denoise(states, sigma, within(scale, sigma, self.way.interval), trace)
        moved: list[Drawing] = list(states)
        for name in {s.options.sampler for s in states}:
            at = [i for i, s in enumerate(states) if s.options.sampler == name]
            for i, state in zip(at, self._move(name, [states[i] for i in at], denoised[at])):
                moved[i] = state
        return moved

    def _denoise(
        self, states: Sequence[Drawing], sigma: Vector, scale: Vector, trace: dict[str, Floats] | None
    ) -> Floats:
        """x0 [B, ...] after guidance."""
        count, guided = len(states), [int(i) for i in np.flatnonzero(scale > 1)]
        rows = [*range(count), *guided]
        sample = np.stack([states[i].sampler.sample for i in rows])
        told = self.feeds([s.cond for s in states] + [states[i].uncond for i in guided])
        feeds = {"sample": sample, "timestep": sigma[rows]} | told
        if trace is None:
            prediction = self.network.run(**feeds)
        else:
            outputs = self.network.trace(**feeds)
            prediction = outputs.pop(self.network.output)
            trace.update({name: value[:count] for name, value in outputs.items()})
        both = to_denoised(prediction, sample, sigma[rows], self.way.prediction_type)
        cond, uncond = both[:count], both[:count].copy()
        uncond[guided] = both[count:]
        return self._thresholded(states, np.asarray(guide(cond, uncond, scale), np.float32))

    def _thresholded(self, states: Sequence[Drawing], denoised: Floats) -> Floats:
        """x0 [B, ...] of pixels, each clipped at the percentile that its recipe asks for, else at the stage's own."""
        if self.way.percentile is None:
            return denoised
        asked = [s.options.dynamic_threshold for s in states]
        wanted = np.array([self.way.percentile if own is None else own for own in asked])
        for percentile in np.unique(wanted):
            at = wanted == percentile
            denoised[at] = threshold(denoised[at], float(percentile))
        return denoised

    def _move(self, name: str, states: list[Drawing], denoised: Floats) -> list[Drawing]:
        """The states one step on by one sampler."""
        packed = SamplerState(*(np.stack(parts) for parts in zip(*(s.sampler for s in states))))
        sigma = np.array([s.sigma for s in states], np.float32)
        after = np.array([s.sigmas[s.step + 1] for s in states], np.float32)
        noise = None
        if name in STOCHASTIC:
            noise = np.stack([own_noise(self.way.shape, s.seed, s.step + 1, self.way.part) for s in states])
        moved = SAMPLERS[name](packed, sigma, after, denoised, noise, self.way.schedule.alpha)
        parts = [np.asarray(part, np.float32) for part in moved]
        return [
            replace(s, sampler=SamplerState(*(p[i] for p in parts)), denoised=denoised[i], step=s.step + 1)
            for i, s in enumerate(states)
        ]

    def preview(self, states: Sequence[Drawing]) -> list[Floats]:
        """What x0 looks like now."""
        return self.show([s.denoised for s in states])

    def finish(self, states: Sequence[Drawing]) -> list[Any]:
        """x0, shown or handed on."""
        return self.show([s.sampler.sample for s in states])


class PromptStage(DiffusionStage):
    """A diffusion stage whose network reads the prompt's token embeddings."""

    def __init__(self, name: str, network: Network, way: Way, text: TextEncoder) -> None:
        super().__init__(name, network, way)
        self.text = text

    def told(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[tuple[Told, Told]]:
        """The tokens of prompt and negative prompt, each text encoded once."""
        encoded = encode(self.text, recipes)
        return [({"tokens": encoded[r.prompt]}, {"tokens": encoded[r.negative_prompt]}) for r in recipes]

    def feeds(self, rows: list[Told]) -> dict[str, NDArray[Any]]:
        """Tokens of unlike length side by side, with a mask."""
        embeds, mask = pad([row["tokens"] for row in rows])
        return {"prompt_embeds": embeds, "prompt_mask": mask}


def encode(text: TextEncoder, recipes: Sequence[Recipe]) -> dict[str, Floats]:
    """Token embeddings [L, 384] of every prompt and negative prompt; of no words, [0, 384]."""
    texts = sorted({r.prompt for r in recipes} | {r.negative_prompt for r in recipes} - {""})
    embeds, mask = text.encode(texts)
    nothing = np.zeros((0, text.facts.width), np.float32)
    return {"": nothing} | {t: e[m.astype(bool)] for t, e, m in zip(texts, embeds, mask)}


def way_of(
    shape: Sequence[int], prediction_type: PredictionType, shift: float, guidance: dict[str, Any], part: int = 0
) -> Way:
    """The `Way` that a card's settings mean."""
    interval, percentile = guidance.get("interval"), guidance.get("percentile")
    return Way(
        tuple(shape),
        prediction_type,
        FlowSchedule(shift),
        (float(interval[0]), float(interval[1])) if interval else None,
        None if percentile is None else float(percentile),
        part,
    )
