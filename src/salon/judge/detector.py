"""The judge's eyes: images in, verdicts out, on the torch-free runtime."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from salon.core.errors import WeightsDamaged, WeightsMissing
from salon.engine.models import NetworkFile
from salon.engine.runtime import Network
from salon.judge.decode import CELL_TABLES, FIELDS, GEOMETRY, decode
from salon.judge.verdict import Verdict

SIDE = 64
BATCH = 32
BUILT_IN = Path(__file__).parents[1] / "weights"
TRAIN = "Put it back (git checkout, or install again), or train a judge: docs/judge.md says how."


class JudgeCard(msgspec.Struct, frozen=True):
    """`judge.json`: the detector's file, the world it learnt, and what each of its logits stands for."""

    name: str
    licence: str
    world: str
    world_version: str
    detector: NetworkFile
    thresholds: dict[str, float]
    names: dict[str, list[str]]


def folder() -> Path:
    """Where the judge's weights are: `judge` in SALON_WEIGHTS if it is there, else the built-in one."""
    own = os.environ.get("SALON_WEIGHTS")
    if own and (Path(own) / "judge" / "judge.json").is_file():
        return Path(own) / "judge"
    return BUILT_IN / "judge"


def read_card(place: Path) -> JudgeCard:
    """The folder's `judge.json`. Raises WeightsMissing, WeightsDamaged."""
    try:
        card = msgspec.json.decode((place / "judge.json").read_bytes(), type=JudgeCard)
    except OSError as error:
        message = f"The judge's weights ({place.name}/judge.json) are not there ({error.strerror})."
        raise WeightsMissing(message, TRAIN) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise WeightsDamaged(f"{place.name}/judge.json is not a judge's card: {error}.", TRAIN) from error
    wanted = {*CELL_TABLES, *FIELDS.values()}
    if set(card.names) != wanted or not {"heat", "name", "readable"} <= set(card.thresholds):
        raise WeightsDamaged(f"{place.name}/judge.json lacks tables or thresholds.", TRAIN)
    return card


def small(image: Image.Image) -> Image.Image:
    """An image as the detector sees it: 64 px RGB, averaged over squares."""
    rgb = image.convert("RGB")
    return rgb if rgb.size == (SIDE, SIDE) else rgb.resize((SIDE, SIDE), Image.Resampling.BOX)


def pixels(image: Image.Image) -> NDArray[np.float32]:
    """The small image as [3,64,64] in [-1,1]."""
    return np.asarray(small(image), np.float32).transpose(2, 0, 1) / 127.5 - 1


class Detector:
    """Reads images. Read-only after construction: share it freely."""

    def __init__(self, place: Path | None = None, cache: Path | None = None, threads: int = 2) -> None:
        """Raises WeightsMissing or WeightsDamaged."""
        place = place or folder()
        self.card = read_card(place)
        self._network = Network(place / self.card.detector.file, self.card.detector, cache, threads)

    @property
    def sha256(self) -> str:
        """Of the weights."""
        return self.card.detector.sha256

    def raw(self, pictures: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`cells` and `summary` of pictures [B,3,64,64]. Raises WeightsDamaged if they do not fit the card."""
        told = self._network.trace(image=pictures)
        cells, summary = told["cells"], told["summary"]
        sizes = {name: len(table) for name, table in self.card.names.items()}
        inside = sum(sizes[name] for name in CELL_TABLES)
        if cells.shape[1] != GEOMETRY + inside or summary.shape[1] != 1 + sum(sizes.values()) - inside:
            raise WeightsDamaged("The judge's detector and its judge.json do not fit together.", TRAIN)
        return cells, summary

    def see(self, images: Iterable[Image.Image]) -> list[Verdict]:
        """A verdict for each image, of any size; they are shrunk to 64 px."""
        pictures = [pixels(image) for image in images]
        parts = [pictures[i : i + BATCH] for i in range(0, len(pictures), BATCH)]
        return [verdict for part in parts for verdict in self._verdicts(part)]

    def _verdicts(self, pictures: Sequence[NDArray[np.float32]]) -> list[Verdict]:
        cells, summary = self.raw(np.stack(pictures))
        tables, thresholds = self.card.names, self.card.thresholds
        return [decode(c, s, tables, thresholds) for c, s in zip(cells, summary, strict=True)]
