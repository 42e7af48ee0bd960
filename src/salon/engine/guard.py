"""The image filter: what is drawn for people passes it before it leaves the engine (docs/guard.md).

NudeNet finds parts of bodies; a picture that shows one of EXPOSED is withheld. It fails closed: without a filter that
works nothing is drawn, unless whoever runs the house has switched it off.
"""

import logging
import os
from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from salon.core.errors import GuardUnavailable
from salon.core.update import Picture

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
HINT = (
    "Install it (pip install nudenet==3.4.2), or open without one: SALON_IMAGE_GUARD=off. Then every screen needs eyes."
)


class Guard(Protocol):
    """What the runner needs of a filter."""

    def check(self) -> None:
        """Raises GuardUnavailable if it cannot look at pictures."""

    def withheld(self, pictures: Sequence[Picture]) -> set[int]:
        """The `index` of each picture that must not be shown. Raises GuardUnavailable: then none may be."""


class ImageGuard:
    """NudeNet 3.4.2 (320n, ONNX). `unsafe` are its labels, `threshold` their least score."""

    def __init__(self, unsafe: Collection[str] = EXPOSED, threshold: float = THRESHOLD) -> None:
        """Raises GuardUnavailable if the detector cannot be loaded."""
        self.unsafe, self.threshold = frozenset(unsafe), threshold
        try:
            from nudenet import NudeDetector  # inline: 0.2 s and OpenCV, for the process that looks at pictures only

            self._detector = NudeDetector(inference_resolution=SIDE)
        except Exception as error:  # a broken wheel, a missing system library, a damaged file: all one to the visitor
            raise GuardUnavailable(f"The image filter cannot be loaded ({error}).", HINT) from error

    def check(self) -> None:
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

    def check(self) -> None:
        """Raises what is wrong."""
        raise GuardUnavailable(self.why.message, self.why.hint)

    def withheld(self, pictures: Sequence[Picture]) -> set[int]:
        """Raises what is wrong."""
        raise GuardUnavailable(self.why.message, self.why.hint)


def bgr(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """[H, W, 3] as OpenCV reads a file."""
    rgb = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)
    return np.ascontiguousarray(rgb[:, :, ::-1])


def house_guard() -> Guard | None:
    """The filter that this process is to use: none only where SALON_IMAGE_GUARD says off."""
    wanted = os.environ.get("SALON_IMAGE_GUARD", "on").strip().lower()
    if wanted in ("off", "0", "no"):
        log.warning("the image filter is off")
        return None
    try:
        return ImageGuard()
    except GuardUnavailable as why:
        log.error("%s", why)
        return ClosedGuard(why)
