"""CLIP: pictures and words in one place. It draws nothing; it says how near they are."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from salon.core.errors import BadRecipe
from salon.engine import pictures
from salon.engine.models import ModelCard
from salon.engine.runtime import Network
from salon.engine.stage import Stage
from salon.engine.text import TextEncoder

Floats = NDArray[np.float32]
#: side of the pictures that the image tower reads
SIDE = pictures.SIDE
#: pictures of one call
BATCH = 32


def shrink(images: Floats) -> Floats:
    """Pictures [B,3,S,S] averaged down to [B,3,64,64]; S must be a multiple of 64. Raises BadRecipe."""
    factor, rest = divmod(images.shape[-1], SIDE)
    if rest or not factor or images.shape[-1] != images.shape[-2]:
        raise BadRecipe("CLIP reads square pictures of 64, 128, 192, 256 ... pixels.", "Crop and resize it first.")
    return np.ascontiguousarray(images.reshape(len(images), 3, SIDE, factor, SIDE, factor).mean((3, 5)))


class Clip:
    """Both towers on the torch-free runtime. Read-only after construction: share it freely. Embeddings have length 1,
    so that their dot product is the cosine; `scale` is the temperature by which logits are multiplied."""

    def __init__(self, image: Network, text: Network, encoder: TextEncoder, scale: float) -> None:
        self.image, self.text, self.encoder, self.scale = image, text, encoder, scale

    def encode_image(self, images: Floats) -> Floats:
        """Pictures [B,3,S,S] in [-1,1], S a multiple of 64 -> [B,256]. Raises BadRecipe."""
        small = shrink(np.asarray(images, np.float32))
        parts = [self.image.run(image=small[i : i + BATCH]) for i in range(0, len(small), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, 256), np.float32)

    def encode_text(self, texts: Sequence[str]) -> Floats:
        """Texts -> [B,256], each read alone, so that none depends on its company."""
        rows = []
        for text in texts:
            embeds, mask = self.encoder.encode([text])
            rows.append(self.text.run(prompt_embeds=embeds, prompt_mask=mask)[0])
        return np.stack(rows) if rows else np.zeros((0, 256), np.float32)

    def similarity(self, images: Floats, texts: Sequence[str]) -> Floats:
        """Cosines [images, texts]."""
        return self.encode_image(images) @ self.encode_text(texts).T

    def where(self, images: Floats, texts: Sequence[str]) -> Floats:
        """Cosines of what each token of a picture says alone with each text: [images, texts, 8, 8], rows from the top.
        Tokens have looked at each other by then, and it shows: the highest lies on the thing named in .27 of the things
        in unseen pairs, where their boxes cover .21 of the picture."""
        small, said = shrink(np.asarray(images, np.float32)), self.encode_text(texts)
        tokens = self.image.trace(image=small)["tokens"]
        return np.asarray((tokens @ said.T).transpose(0, 2, 1).reshape(len(small), len(texts), 8, 8), np.float32)

    def zero_shot(self, images: Floats, labels: Sequence[str]) -> Floats:
        """How likely each label is for each picture, if one of them is right: [images, labels], rows add up to 1."""
        logits = self.scale * self.similarity(images, labels)
        chances = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(chances / chances.sum(1, keepdims=True), np.float32)


def towers(card: ModelCard, network: Callable[[str], Network | None], text: TextEncoder) -> Clip:
    """The towers of a card whose networks are `image` and `text`. Raises BadRecipe, WeightsMissing, WeightsDamaged."""
    image, words = network("image"), network("text")
    if image is None or words is None:
        raise BadRecipe(f"The card of {card.name} names no image or text tower.", "Correct its model.json.")
    return Clip(image, words, text, float(card.defaults.get("scale", 100.0)))


def load(card: ModelCard, network: Callable[[str], Network | None], text: TextEncoder) -> list[Stage]:
    """No stages: CLIP draws nothing. Its networks are opened, so that damage shows. Raises as `towers`."""
    towers(card, network, text)
    return []
