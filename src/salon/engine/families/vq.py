"""dalle-mini's way: a picture is 128 codes, drawn one after the other. Two stages: `tokens`, `upscale`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salon.core.errors import BadRecipe
from salon.core.recipe import Recipe, TokenOptions
from salon.engine.families.enlarging import UpscaleStage
from salon.engine.families.sampling import encode, pad
from salon.engine.models import ModelCard, needed
from salon.engine.runtime import Network
from salon.engine.stage import Stage
from salon.engine.text import TextEncoder

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
CELLS = 64


def gumbel(count: int, seed: int, place: int) -> Floats:
    """Noise of one code: from its picture's seed and its place, from nothing else. Added to log-probabilities, the
    largest sum is a draw from them (Gumbel 1954)."""
    generator = np.random.Generator(np.random.Philox([seed, place + 1]))
    return generator.gumbel(size=count).astype(np.float32)


def restrict(logits: Floats, top_k: int, top_p: float) -> Floats:
    """Logits [K] with what `top_k` (0: all) and `top_p` (nucleus, Holtzman et al. 2019, arXiv 1904.09751) leave out at
    -inf. At least one stays."""
    order = np.argsort(-logits, kind="stable")
    kept = len(logits) if not top_k else min(top_k, len(logits))
    if top_p < 1:
        chances = np.exp(logits[order] - logits[order[0]])
        before = np.cumsum(chances) - chances
        kept = min(kept, max(1, int((before < top_p * chances.sum()).sum())))
    out = np.full_like(logits, -np.inf)
    out[order[:kept]] = logits[order[:kept]]
    return out


def choose(logits: Floats, options: TokenOptions, seed: int, place: int) -> int:
    """The code at `place`. Temperature 0 takes the likeliest, of equal ones the first."""
    if options.temperature == 0:
        return int(logits.argmax())
    left = restrict(logits / np.float32(options.temperature), options.top_k, options.top_p)
    return int((left + gumbel(len(logits), seed, place)).argmax())


@dataclass(frozen=True)
class Memory:
    """What a step is told again and again, of several pictures at once, by the names of the network's inputs: keys and
    values of what was drawn, [rows, heads, 128, HEAD] for each block, and what the prompt says. Those who draw together
    share the arrays, so that a step reads them where they lie."""

    arrays: dict[str, Floats]

    @property
    def rows(self) -> int:
        return len(self.arrays["signal"])


@dataclass(frozen=True)
class Painting:
    """One picture on its way: `codes` [128], -1 where nothing is drawn yet. Its rows of `memory` are `at`; what
    was drawn fills them below `step`."""

    seed: int
    options: TokenOptions
    codes: Ints
    memory: Memory
    at: tuple[int, ...]  # with the prompt, and, if guided, without
    step: int = 0

    @property
    def steps(self) -> int:
        return len(self.codes)


def company(states: Sequence[Painting]) -> list[Painting]:
    """The states with all their rows in one memory, in order: first each one's own, then those without the prompt. As
    long as the company stays together nothing is copied."""
    rows = [(s, r) for r in (0, 1) for s in states if r < len(s.at)]
    first = states[0].memory
    if not (len(rows) == first.rows and all(s.memory is first and s.at[r] == n for n, (s, r) in enumerate(rows))):
        first = Memory({n: np.stack([s.memory.arrays[n][s.at[r]] for s, r in rows]) for n in first.arrays})
    guided = iter(range(len(states), len(rows)))
    at = [(n, next(guided)) if len(s.at) == 2 else (n,) for n, s in enumerate(states)]
    return [replace(s, memory=first, at=own) for s, own in zip(states, at)]


class TokenStage:
    """Each step draws one code of every picture, each at its own place, in one call; guided pictures have a second row
    in it, without the prompt (super-conditioning on the logits)."""

    name = "tokens"

    def __init__(
        self, text: TextEncoder, words: Network, painter: Network, decoder: Network, shape: dict[str, int]
    ) -> None:
        self.text, self.words, self.painter, self.decoder = text, words, painter, decoder
        self.levels, self.codes = shape["levels"], shape["codes"]
        self.shape = (shape["heads"], self.levels * CELLS, shape["head"])
        self.kept = [f"{kind}_{block}" for block in range(shape["depth"]) for kind in ("keys", "values")]

    def begin(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[Painting]:
        """Read each prompt, alone, so that what it says depends on nobody else. Raises BadRecipe without options."""
        encoded = encode(self.text, recipes)
        told = {words: self._read(tokens) for words, tokens in encoded.items()}
        return [self._begin_one(recipe, told) for recipe in recipes]

    def _read(self, tokens: Floats) -> dict[str, Floats]:
        """What a prompt's tokens [L, 384] say to every step, padded to the longest prompt: like shapes for all."""
        length = self.text.max_tokens
        embeds, mask = pad([tokens])
        embeds = np.pad(embeds, ((0, 0), (0, length - embeds.shape[1]), (0, 0)))
        mask = np.pad(mask, ((0, 0), (0, length - mask.shape[1])))
        return dict(zip(self.words.outputs, self.words.run_all(prompt_embeds=embeds, prompt_mask=mask)))

    def _begin_one(self, recipe: Recipe, told: dict[str, dict[str, Floats]]) -> Painting:
        options = recipe.stages.get(self.name)
        if not isinstance(options, TokenOptions):
            raise BadRecipe(f"The recipe has no options for the stage {self.name}.", "Make it anew from a prompt.")
        rows = [told[recipe.prompt]]
        if options.guidance_scale > 1:
            rows.append(told[recipe.negative_prompt])
        empty = np.full(self.levels * CELLS, -1, np.int64)
        said = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        drawn = {name: np.zeros((len(rows), *self.shape), np.float32) for name in self.kept}
        return Painting(recipe.seed, options, empty, Memory(said | drawn), tuple(range(len(rows))))

    def step(self, states: Sequence[Painting], trace: dict[str, Floats] | None = None) -> list[Painting]:
        """One network call for all rows of all pictures, then each picture's own draw."""
        states = company(states)
        feeds = self._feeds(states)
        if trace is None:
            logits, new = self.painter.run_all(**feeds)
        else:
            outputs = self.painter.trace(**feeds)
            logits, new = outputs["logits"], outputs["memory"]
            trace["cross_attention"] = outputs["cross_attention"][: len(states)]
        guided = [self._guided(s, logits) for s in states]
        if trace is not None:
            trace["logits"] = np.stack(guided)
        self._remember(states, new)
        return [self._draw(s, own) for s, own in zip(states, guided)]

    def _feeds(self, states: Sequence[Painting]) -> dict[str, NDArray[Any]]:
        rows = [(s, r) for r in (0, 1) for s in states if r < len(s.at)]
        rough = [int(s.codes[s.step - CELLS]) if s.step >= CELLS else -1 for s, _ in rows]
        feeds: dict[str, NDArray[Any]] = {
            "before": np.array([self._before(s) for s, _ in rows], np.int64),
            "rough": np.array(rough, np.int64),
            "at": np.array([s.step for s, _ in rows], np.int64),
        }
        return feeds | states[0].memory.arrays

    def _remember(self, states: Sequence[Painting], new: Floats) -> None:
        """Write what was drawn where nothing was: a turn that is taken again writes the same, so nothing is copied."""
        rows, places = zip(*((row, s.step) for s in states for row in s.at))
        for i, name in enumerate(self.kept):
            states[0].memory.arrays[name][list(rows), :, list(places)] = new[list(rows), i]

    def _before(self, state: Painting) -> int:
        """The code drawn last as the network counts them; after all codes of all levels: none yet."""
        if not state.step:
            return self.levels * self.codes
        return int(state.codes[state.step - 1]) + (state.step - 1) // CELLS * self.codes

    def _guided(self, state: Painting, logits: Floats) -> Floats:
        told: Floats = logits[state.at[0]]
        if len(state.at) == 1:
            return told
        untold = logits[state.at[1]]
        return np.asarray(untold + np.float32(state.options.guidance_scale) * (told - untold), np.float32)

    def _draw(self, state: Painting, logits: Floats) -> Painting:
        codes = state.codes.copy()
        codes[state.step] = choose(logits, state.options, state.seed, state.step)
        return replace(state, codes=codes, step=state.step + 1)

    def preview(self, states: Sequence[Painting]) -> list[Floats]:
        """The codes drawn so far as small images."""
        return self._decode(states)

    def finish(self, states: Sequence[Painting]) -> list[Floats]:
        """The small images [3, 64, 64]."""
        return self._decode(states)

    def _decode(self, states: Sequence[Painting]) -> list[Floats]:
        return list(self.decoder.run(tokens=np.stack([s.codes for s in states]).reshape(-1, self.levels, CELLS)))


def load(card: ModelCard, network: Callable[[str], Network | None], text: TextEncoder) -> list[Stage]:
    """The model's stages. Raises BadRecipe, WeightsMissing, WeightsDamaged."""
    words, painter, decoder = (needed(card, network, n) for n in ("words", "painter", "token_decoder"))
    shape = {name: int(size) for name, size in card.stage_settings["tokens"].items()}
    stages: list[Stage] = [TokenStage(text, words, painter, decoder, shape)]
    upscaler = network("upscaler")
    return [*stages, UpscaleStage(upscaler)] if upscaler else stages
