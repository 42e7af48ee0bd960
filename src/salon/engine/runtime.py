"""Networks on ONNX Runtime. A file carries the traced variant; the plain one is cut from it at first start."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx.utils import Extractor

from salon.core.errors import WeightsDamaged, WeightsMissing
from salon.core.hashing import file_hash
from salon.engine.adapters import with_adapter
from salon.engine.files import cache_folder, keep, unpacked
from salon.engine.models import NetworkFile
from salon.engine.text import session_options

Floats = NDArray[np.float32]
Feeds = dict[str, NDArray[Any]]

#: rows of one piece of a call: what they make on their way through a network stays in a core's own cache
PIECE = 9


def check_file(path: Path, sha256: str, borrower: str = "") -> None:
    """Raises WeightsMissing if the file cannot be read, WeightsDamaged if it is not what its card says. `borrower` is
    the model whose card it is, if the file lies in another model's folder."""
    try:
        digest = file_hash(path)
    except OSError as error:
        raise WeightsMissing(
            f"The weights file {path.parent.name}/{path.name} cannot be read ({error.strerror}).",
            "Put it back (git checkout, or install again).",
        ) from error
    if digest != sha256 and borrower:
        raise WeightsDamaged(
            f"{borrower} was made for another version of {path.parent.name}/{path.name} than the one that is here.",
            f"Export {borrower} again, or put back the {path.parent.name} that it was made for.",
        )
    if digest != sha256:
        raise WeightsDamaged(
            f"The weights file {path.parent.name}/{path.name} is not what its card says: it is damaged or was changed.",
            "Put the original back (git checkout, or install again).",
        )


def graph(path: Path, adapter: Path | None) -> onnx.ModelProto:
    """The graph in `path`, with the adapter, if there is one, added to its weights. Raises WeightsDamaged."""
    model = onnx.load_from_string(unpacked(path))
    return with_adapter(model, adapter) if adapter else model


def cut(model: onnx.ModelProto) -> bytes:
    """The graph reduced to what its main outputs need, as ONNX bytes: the first, or as many as it says itself
    (`salon.outputs`), of those that do not only serve looking inside."""
    about = {entry.key: entry.value for entry in model.metadata_props}
    main = [value.name for value in model.graph.output][: int(about.get("salon.outputs", "1"))]
    plain = Extractor(model).extract_model([value.name for value in model.graph.input], main)
    data: bytes = plain.SerializeToString()
    return data


def pieces(feeds: Feeds, threads: int) -> list[Feeds]:
    """The call cut along its first axis: about PIECE rows each, and as many pieces as keep all threads at work."""
    rows = len(next(iter(feeds.values())))
    rounds = -(-rows // (PIECE * threads))
    edges = np.linspace(0, rows, min(rows, rounds * threads) + 1).astype(int)
    return [{name: value[a:b] for name, value in feeds.items()} for a, b in pairwise(edges)]


class Network:
    """One network. `run` gives its first output, the main one; `trace` all. Read-only: share it freely.

    A call is cut into pieces that run side by side on one thread each. That is 1.5 times as fast here as one call
    whose every operation is shared among the threads, which then wait for each other hundreds of times.
    """

    def __init__(
        self, path: Path, facts: NetworkFile, cache: Path | None = None, threads: int = 2, adapter: Path | None = None
    ) -> None:
        """`adapter` is the file that `facts.adapter` tells of. Raises WeightsMissing or WeightsDamaged."""
        check_file(path, facts.sha256)
        self.path, self.threads, self.adapter = path, threads, adapter
        name = facts.sha256[:32]
        if adapter and facts.adapter:
            check_file(adapter, facts.adapter.sha256)
            name += f"-{facts.adapter.sha256[:32]}"
        self._pool = ThreadPoolExecutor(threads, "network")
        self._traced: ort.InferenceSession | None = None
        try:
            self._plain = self._open((cache or cache_folder()) / f"{name}-plain.onnx")
        except WeightsDamaged:
            raise
        except Exception as error:  # ONNX and its runtime raise many kinds, all meaning: not a graph we can run
            raise WeightsDamaged(
                f"The weights file {path.parent.name}/{path.name} cannot be loaded: {error}.",
                "Put the original back (git checkout, or install again).",
            ) from error
        self.outputs = [value.name for value in self._plain.get_outputs()]
        self.output = self.outputs[0]

    def _session(self, model: bytes | str) -> ort.InferenceSession:
        return ort.InferenceSession(model, session_options(1, arena=True), providers=["CPUExecutionProvider"])

    def _open(self, cached: Path) -> ort.InferenceSession:
        if cached.is_file():
            try:
                return self._session(str(cached))
            except Exception:  # whatever is wrong with it: it is only a cache
                cached.unlink(missing_ok=True)
        data = cut(graph(self.path, self.adapter))
        keep(data, cached)
        return self._session(data)

    def _call(self, session: ort.InferenceSession, names: Sequence[str], feeds: Feeds) -> list[Floats]:
        """The outputs `names` of all rows."""

        def one(piece: Feeds) -> list[Floats]:
            outputs: list[Floats] = session.run(names, piece)
            return outputs

        cut = pieces(feeds, self.threads)
        if len(cut) < 2:
            return one(feeds)
        return [np.concatenate(parts) for parts in zip(*self._pool.map(one, cut))]

    def run(self, **feeds: NDArray[Any]) -> Floats:
        """The main output, float32 [B, ...]."""
        return self._call(self._plain, [self.output], feeds)[0]

    def run_all(self, **feeds: NDArray[Any]) -> list[Floats]:
        """The main outputs in their order."""
        return self._call(self._plain, self.outputs, feeds)

    def trace(self, **feeds: NDArray[Any]) -> dict[str, Floats]:
        """Every output by name: the main one, and the inner tensors for looking inside."""
        if self._traced is None:
            self._traced = self._session(graph(self.path, self.adapter).SerializeToString())
        names = [value.name for value in self._traced.get_outputs()]
        return dict(zip(names, self._call(self._traced, names, feeds)))
