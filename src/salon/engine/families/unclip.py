"""DALL·E 2's way: words to the CLIP embedding of an imagined picture, that to pixels, those to large ones. Three
stages: `prior`, `decoder`, `super_resolution`. The decoder is told the words too, as the paper's is, but not where a
given picture is varied."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salon.core.errors import BadRecipe
from salon.core.recipe import BlendOptions, DiffusionOptions, Recipe
from salon.engine.families.cascade import super_resolution
from salon.engine.families.clip import SIDE, Clip, towers
from salon.engine.families.sampling import (
    DiffusionStage,
    Floats,
    Told,
    Way,
    encode,
    own_noise,
    pad,
    way_of,
)
from salon.engine.models import ModelCard, needed
from salon.engine.runtime import Network
from salon.engine.stage import Stage
from salon.engine.text import TextEncoder

#: the role under which a recipe names the picture that is to be varied
IMAGE = "image"


def slerp(start: Floats, end: Floats, amount: float) -> Floats:
    """From one direction to another on the sphere, [D] of any lengths -> length 1."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    angle = np.arccos(np.clip(a @ b, -1, 1))
    if angle < 1e-4:
        return np.asarray(a, np.float32)
    mixed = (np.sin((1 - amount) * angle) * a + np.sin(amount * angle) * b) / np.sin(angle)
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def pixels_of(data: bytes) -> Floats:
    """The 64 x 64 RGB8 bytes of a picture to vary as [3, 64, 64] in [-1, 1]. Raises BadRecipe."""
    if len(data) != 3 * SIDE * SIDE:
        raise BadRecipe("The picture to vary must be 64 x 64 pixels of RGB.", "Crop it square and make it that small.")
    rgb = np.frombuffer(data, np.uint8).reshape(SIDE, SIDE, 3).transpose(2, 0, 1)
    return np.asarray(rgb.astype(np.float32) / 127.5 - 1, np.float32)


@dataclass(frozen=True)
class Settled:
    """An embedding that needs no guessing: there are no steps, only a finish."""

    embed: Floats
    seed: int
    step: int = 0
    steps: int = 0


class PriorStage(DiffusionStage):
    """Guesses the CLIP embedding that a picture of the words might have. Switched off (`PlainOptions`) the words' own
    embedding stands in for it; of a given picture it is that picture's, moved from what `source` says towards what the
    prompt says if `BlendOptions` ask for it (the paper's text diffs)."""

    def __init__(self, network: Network, way: Way, text: TextEncoder, clip: Clip, glimpse: "DecoderStage") -> None:
        super().__init__("prior", network, way)
        self.text, self.clip, self.glimpse = text, clip, glimpse
        self.length = np.float32(way.shape[0] ** 0.5)

    def begin(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[Any]:
        """States of those that guess, and of those whose embedding is settled already. Raises BadRecipe."""
        states: list[Any] = [self._settle(recipe, given) for recipe, given in zip(recipes, inputs, strict=True)]
        open_ = [i for i, state in enumerate(states) if state is None]
        for i, state in zip(open_, super().begin([recipes[i] for i in open_], [inputs[i] for i in open_])):
            states[i] = state
        return states

    def _settle(self, recipe: Recipe, given: Any) -> Settled | None:
        options = recipe.stages.get(self.name)
        picture = (given or {}).get(IMAGE)
        if isinstance(options, DiffusionOptions):
            if picture is not None:
                hint = "Leave the prior away (prior=False), or the picture."
                raise BadRecipe("A picture that is varied needs no prior.", hint)
            return None
        if picture is None:
            if isinstance(options, BlendOptions):
                raise BadRecipe("A blend begins with a picture.", "Give one, or draw from words alone.")
            return Settled(self.clip.encode_text([recipe.prompt])[0] * self.length, recipe.seed)
        embed = self.clip.encode_image(pixels_of(picture)[None])[0]
        if isinstance(options, BlendOptions):
            said, was = self.clip.encode_text([recipe.prompt, options.source])
            embed = slerp(embed, said - was, options.amount)
        return Settled(embed * self.length, recipe.seed)

    def told(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[tuple[Told, Told]]:
        """Tokens and CLIP embedding of prompt and negative prompt; zeros for none."""
        encoded = encode(self.text, recipes)
        names = [text for text in encoded if text]
        known = dict(zip(names, self.clip.encode_text(names) * self.length))
        nothing = np.zeros(self.way.shape, np.float32)
        rows = {t: {"tokens": encoded[t], "clip_text": known.get(t, nothing)} for t in encoded}
        return [(rows[r.prompt], rows[r.negative_prompt]) for r in recipes]

    def feeds(self, rows: list[Told]) -> dict[str, NDArray[Any]]:
        """Tokens of unlike length side by side, with a mask, and the embeddings."""
        embeds, mask = pad([row["tokens"] for row in rows])
        clip_text = np.stack([row["clip_text"] for row in rows])
        return {"clip_text": clip_text, "prompt_embeds": embeds, "prompt_mask": mask}

    def preview(self, states: Sequence[Any]) -> list[Floats]:
        """What the decoder sees at first glance in the embedding as it is guessed now."""
        embeds = [s.embed if isinstance(s, Settled) else s.denoised for s in states]
        return self.glimpse.glimpse(embeds, [s.seed for s in states])

    def finish(self, states: Sequence[Any]) -> list[Floats]:
        """Embeddings [256] of unit variance a number, for the decoder."""
        found = [s.embed if isinstance(s, Settled) else s.sampler.sample for s in states]
        return [np.asarray(e * self.length / max(float(np.linalg.norm(e)), 1e-6), np.float32) for e in found]


class DecoderStage(DiffusionStage):
    """Pixels of an embedding: it becomes four tokens, which stand before the prompt's. A picture that is varied is
    drawn of its embedding alone."""

    def __init__(self, network: Network, way: Way, text: TextEncoder, tokens: Network) -> None:
        super().__init__("decoder", network, way)
        self.text, self.tokens = text, tokens

    def told(self, recipes: Sequence[Recipe], inputs: Sequence[Floats]) -> list[tuple[Told, Told]]:
        """Tokens of each embedding and prompt; unguided, none, or the negative prompt's."""
        made, encoded = self.tokens.run(image_embed=np.stack(list(inputs))), encode(self.text, recipes)
        return [self._told(recipe, row, encoded) for recipe, row in zip(recipes, made, strict=True)]

    def _told(self, recipe: Recipe, made: Floats, encoded: dict[str, Floats]) -> tuple[Told, Told]:
        if IMAGE in recipe.inputs:
            return {"tokens": made}, {"tokens": made[:0]}
        tokens = np.concatenate([made, encoded[recipe.prompt]])
        return {"tokens": tokens}, {"tokens": encoded[recipe.negative_prompt]}

    def feeds(self, rows: list[Told]) -> dict[str, NDArray[Any]]:
        """Tokens and their mask."""
        embeds, mask = pad([row["tokens"] for row in rows])
        return {"prompt_embeds": embeds, "prompt_mask": mask}

    def glimpse(self, embeds: Sequence[Floats], seeds: Sequence[int]) -> list[Floats]:
        """x0 of embeddings from noise alone, one call: what they bring to mind before any detail."""
        made = self.tokens.run(image_embed=np.stack(list(embeds)))
        noise = np.stack([own_noise(self.way.shape, seed, part=self.way.part) for seed in seeds])
        level = np.ones(len(noise), np.float32)
        return list(self.network.run(sample=noise, timestep=level, **self.feeds([{"tokens": row} for row in made])))


def load(card: ModelCard, network: Callable[[str], Network | None], text: TextEncoder) -> list[Stage]:
    """The model's stages. Raises BadRecipe, WeightsMissing, WeightsDamaged."""
    decoder_way = way_of(card.sample_shape, card.prediction_type, card.shift, card.guidance, part=1)
    decoder = DecoderStage(
        needed(card, network, "transformer"), decoder_way, text, needed(card, network, "image_tokens")
    )
    clip = towers(card, network, text)
    prior_way = way_of((card.embed,), "sample", 1.0, {})
    prior = PriorStage(needed(card, network, "prior"), prior_way, text, clip, decoder)
    return [prior, decoder, super_resolution(card, network, text)]
