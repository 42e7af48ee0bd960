"""The image filter: what is drawn for people passes it before it leaves the engine (docs/guard.md).

NudeNet finds parts of bodies; a picture that shows one of EXPOSED is withheld. It is the extra `filter`, since it is
AGPL code. Without it only models of the sandbox world draw, whose pictures hold nothing of what it looks for; any other
model fails closed. A filter that is installed and does not work closes the house. Whoever runs the house may switch it
off.
"""

import logging
import os
from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from salon.core.errors import GuardUnavailable
from salon.core.update import Picture
from salon.engine.models import ModelInfo

log = logging.getLogger(__name__)

#: NudeNet's labels of what a house open to all ages does not show
EXPOSED = frozenset(
    {
        "ANUS_EXPOSED",
        "BUTTOCKS_EXPOSED",
        "FEMALE_BREAST_EXPOSED",
        "FEMALE_GENITALIA_EXPOSED",
        "MALE_GENITALIA_EXPOSED",
    }
)
#: the score from which a find counts; NudeNet says nothing below 0.2
THRESHOLD = 0.25
#: pixels of the longer side as the detector sees it: that of the pictures, so that nothing is blown up first
SIDE = 256
#: pixels of the longer side of a photograph or a painting that was sent in: what the detector was trained at
SIDE_OF_UPLOADS = 320
#: what looks, as it is noted beside what it said
NAME = "NudeNet 3.4.2"
HINT = (
    "Install it (pip install 'latent-salon[filter]'), or open without one: SALON_IMAGE_GUARD=off. "
    "Then every screen needs eyes."
)


class FilterMissing(GuardUnavailable):
    """The extra `filter` is not installed."""


class Guard(Protocol):
    """What the runner needs of a filter."""

    def check(self, model: ModelInfo) -> None:
        """Raises GuardUnavailable if what this model draws cannot be looked at and needs to be."""

    def withheld(self, pictures: Sequence[Picture]) -> set[int]:
        """The `index` of each picture that must not be shown. Raises GuardUnavailable: then none may be."""


class ImageGuard:
    """NudeNet 3.4.2 (320n, ONNX). `unsafe` are its labels, `threshold` their least score, `side` the pixels of the
    longer side at which it looks."""

    def __init__(self, unsafe: Collection[str] = EXPOSED, threshold: float = THRESHOLD, side: int = SIDE) -> None:
        """Raises FilterMissing if it is not installed, GuardUnavailable if the detector cannot be loaded."""
        self.unsafe, self.threshold = frozenset(unsafe), threshold
        try:
            from nudenet import NudeDetector  # inline: 0.2 s and OpenCV, for the process that looks at pictures only

            self._detector = NudeDetector(inference_resolution=side)
        except ModuleNotFoundError as error:
            if error.name == "nudenet":
                raise FilterMissing("The image filter is not installed.", HINT) from error
            raise GuardUnavailable(f"The image filter cannot be loaded ({error}).", HINT) from error
        except Exception as error:  # a broken wheel, a missing system library, a damaged file: all one to the visitor
            raise GuardUnavailable(f"The image filter cannot be loaded ({error}).", HINT) from error

    def check(self, model: ModelInfo) -> None:
        """It is there."""

    def withheld(self, pictures: Sequence[Picture]) -> set[int]:
        """The `index` of each picture with an unsafe find. Raises GuardUnavailable if the detector fails."""
        try:
            found = self.finds(pictures)
            return {picture.index for picture, finds in zip(pictures, found, strict=True) if self.is_unsafe(finds)}
        except Exception as error:
            log.error("the image filter failed", exc_info=error)
            raise GuardUnavailable("The image filter failed, so these pictures are not shown.", "Try again.") from error

    def finds(self, pictures: Sequence[Picture]) -> list[list[dict[str, object]]]:
        """What the detector finds in each picture: `class`, `score` and `box`, whether it counts or not."""
        found: list[list[dict[str, object]]] = self._detector.detect_batch([bgr(p) for p in pictures], len(pictures))
        return found

    def is_unsafe(self, finds: list[dict[str, object]]) -> bool:
        """Whether one of them counts."""
        return any(f["class"] in self.unsafe and float(str(f["score"])) >= self.threshold for f in finds)


class ClosedGuard:
    """Stands where a filter should be and lets nothing pass."""

    def __init__(self, why: GuardUnavailable) -> None:
        self.why = why

    def check(self, model: ModelInfo) -> None:
        """Raises what is wrong."""
        raise GuardUnavailable(self.why.message, self.why.hint)

    def withheld(self, pictures: Sequence[Picture]) -> set[int]:
        """Raises what is wrong."""
        raise GuardUnavailable(self.why.message, self.why.hint)


class WorldGuard:
    """Stands where no filter is installed: what models of the sandbox world draw may pass unseen, and nothing else is
    drawn. That a model learnt from nothing but such a world, its card says (`world`); whoever installs a card vouches
    for it."""

    def check(self, model: ModelInfo) -> None:
        """Raises GuardUnavailable for a model that learnt from anything else."""
        if not model.world:
            raise GuardUnavailable(
                f"{model.name} can draw what a house open to all ages does not show, and no image filter is installed.",
                HINT,
            )

    def withheld(self, pictures: Sequence[Picture]) -> set[int]:
        """None: only models that `check` let pass have drawn."""
        return set()


def bgr(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """[H, W, 3] as OpenCV reads a file."""
    rgb = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)
    return np.ascontiguousarray(rgb[:, :, ::-1])


def switched_off() -> bool:
    """Whether whoever runs the house wants no filter, even where one is installed."""
    return os.environ.get("SALON_IMAGE_GUARD", "").strip().lower() in ("off", "0", "no")


def house_guard() -> Guard | None:
    """The filter that this process is to use, by SALON_IMAGE_GUARD: not set, NudeNet where it is installed and
    WorldGuard where it is not; `off`, none; anything else, NudeNet or nothing is drawn."""
    if switched_off():
        log.warning("the image filter is off")
        return None
    try:
        return ImageGuard()
    except FilterMissing as why:
        if os.environ.get("SALON_IMAGE_GUARD", "").strip():
            log.error("%s", why)
            return ClosedGuard(why)
        log.warning("no image filter is installed: only models of the sandbox world draw. %s", why.hint)
        return WorldGuard()
    except GuardUnavailable as why:
        log.error("%s", why)
        return ClosedGuard(why)
