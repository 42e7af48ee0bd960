"""Prompts to vectors: the frozen text encoder, without torch. Training and drawing use this very code."""

import logging
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from salon.core.errors import WeightsDamaged, WeightsMissing
from salon.core.hashing import file_hash
from salon.engine.files import cache_folder, keep, unpacked

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

FOLDER = Path(__file__).parents[1] / "weights" / "minilm"
REINSTALL = "Install Latent Salon again, or run scripts/export_text_encoder.py."


class TokenizerFile(msgspec.Struct, frozen=True):
    """The vocabulary's file and its SHA-256."""

    file: str
    sha256: str


class EncoderFacts(msgspec.Struct, frozen=True):
    """`encoder.json`: what a text encoder's folder holds."""

    name: str
    licence: str
    file: str
    sha256: str
    parameters: int
    tokenizer: TokenizerFile
    width: int
    max_tokens: int


class Tokens(NamedTuple):
    """`ids` and `mask` int64 [B, L] padded to the longest; `truncated[i]`: prompt i lost its end."""

    ids: Ints
    mask: Ints
    truncated: list[bool]


def read_facts(folder: Path) -> EncoderFacts:
    """`encoder.json`, its files checked against their SHA-256. Raises WeightsMissing, WeightsDamaged."""
    try:
        facts = msgspec.json.decode((folder / "encoder.json").read_bytes(), type=EncoderFacts)
        for file, digest in ((facts.file, facts.sha256), (facts.tokenizer.file, facts.tokenizer.sha256)):
            if file_hash(folder / file) != digest:
                raise WeightsDamaged(f"The text encoder's file {file} is damaged.", REINSTALL)
    except OSError as error:
        raise WeightsMissing(f"The text encoder's file {error.filename} cannot be read.", REINSTALL) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise WeightsDamaged(f"The text encoder's encoder.json is damaged: {error}.", REINSTALL) from error
    return facts


def sentence(embeds: Floats, mask: Ints) -> Floats:
    """Mean of the real tokens' vectors, scaled to length 1: [B, L, D], [B, L] -> [B, D]."""
    weights = mask[..., None].astype(np.float32)
    mean = (embeds * weights).sum(1) / np.maximum(weights.sum(1), 1)
    return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-12), np.float32)


def sentence_mean(tokens: Floats) -> Floats:
    """Mean [D] of a text's token vectors [L, D]; zeros of no tokens."""
    return np.asarray(tokens.sum(0) / max(1, len(tokens)), np.float32)


class TextEncoder:
    """all-MiniLM-L6-v2 (Apache-2.0) on ONNX Runtime. Read-only after construction: share it freely."""

    def __init__(self, path: Path | str | None = None, threads: int = 2) -> None:
        """Raises WeightsMissing or WeightsDamaged if the folder (default: the built-in one) is not whole."""
        folder = Path(path) if path else FOLDER
        self.facts = read_facts(folder)
        try:
            self._tokenizer = Tokenizer.from_buffer(unpacked(folder / self.facts.tokenizer.file))
            self._session = self._open(folder / self.facts.file, threads)
        except Exception as error:  # tokenizers and ONNX Runtime raise bare Exception kinds
            raise WeightsDamaged(f"The text encoder in {folder.name} cannot be loaded: {error}.", REINSTALL) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def _open(self, path: Path, threads: int) -> ort.InferenceSession:
        """The graph; a packed one is unpacked once, into the cache of graphs."""
        options, providers = session_options(threads), ["CPUExecutionProvider"]
        if path.suffix != ".xz":
            return ort.InferenceSession(str(path), options, providers=providers)
        cached = cache_folder() / f"{self.facts.sha256[:32]}-text.onnx"
        if cached.is_file():
            try:
                return ort.InferenceSession(str(cached), options, providers=providers)
            except Exception:  # whatever is wrong with it: it is only a cache
                cached.unlink(missing_ok=True)
        data = unpacked(path)
        keep(data, cached)
        return ort.InferenceSession(data, options, providers=providers)

    @property
    def max_tokens(self) -> int:
        """A prompt's tokens, the two that mark its ends included; what stands beyond is cut off."""
        return self.facts.max_tokens

    def tokens(self, texts: list[str]) -> Tokens:
        """Token ids of each text, cut to `max_tokens` and padded with zeros to the longest."""
        rows = [encoded.ids for encoded in self._tokenizer.encode_batch(texts)]
        truncated = [len(row) > self.max_tokens for row in rows]
        rows = [[*row[: self.max_tokens - 1], row[-1]] if cut else row for row, cut in zip(rows, truncated)]
        length = max((len(row) for row in rows), default=0)
        ids, mask = np.zeros((len(rows), length), np.int64), np.zeros((len(rows), length), np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)], mask[index, : len(row)] = row, 1
        return Tokens(ids, mask, truncated)

    def words(self, text: str) -> list[str]:
        """The text's tokens, one for each column of the mask: '[CLS]', 'fox', '##es' ... '[SEP]'."""
        tokens: list[str] = self._tokenizer.encode(text).tokens
        return tokens if len(tokens) <= self.max_tokens else [*tokens[: self.max_tokens - 1], tokens[-1]]

    def encode(self, texts: list[str]) -> tuple[Floats, Ints]:
        """(embeds float32 [B, L, 384], mask int64 [B, L]); padding is zeros, each text on its own."""
        tokens = self.tokens(texts)
        if any(tokens.truncated):
            logging.getLogger(__name__).info("%d prompts cut to %d tokens", sum(tokens.truncated), self.max_tokens)
        if not tokens.ids.size:
            return np.zeros((len(texts), 0, self.facts.width), np.float32), tokens.mask
        feeds = {"input_ids": tokens.ids, "attention_mask": tokens.mask}
        embeds = self._session.run(["last_hidden_state"], feeds)[0]
        return embeds * tokens.mask[..., None].astype(np.float32), tokens.mask

    def embed(self, texts: list[str]) -> Floats:
        """One vector of length 1 for each text, [B, 384]: their dot product says how near two texts are."""
        return sentence(*self.encode(texts))


def session_options(threads: int = 2, arena: bool = False) -> ort.SessionOptions:
    """Few threads, none of them spinning (web and desk share the cores). An arena keeps its peak of memory: it
    pays where calls are of like size and many."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = arena
    options.log_severity_level = 3
    return options
