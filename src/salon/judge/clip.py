"""The house's CLIP for those who measure or search: one of it a process, loaded when first asked for."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from salon.core.errors import SalonError, WeightsDamaged, WeightsMissing
from salon.engine.families.clip import SIDE, Clip
from salon.engine.pictures import small
from salon.engine.registry import Registry

__all__ = ["SIDE", "Clip", "Installed", "forget_clip", "installed_clip", "load_clip", "pixels", "see"]

#: seconds for which a CLIP that is missing or damaged is not looked for again: looking reads every model's files
PATIENCE = 60.0
REINSTALL = "Put src/salon/weights/clip back (git checkout, or install again)."


class Installed(NamedTuple):
    """A CLIP that is whole, not yet opened: its name, and the hash of its weights by which embeddings are kept."""

    name: str
    weights: str
    registry: Registry


_looking = threading.Lock()
_found: Installed | None = None
_failed: tuple[float, SalonError] | None = None


@contextmanager
def _patience() -> Iterator[None]:
    """One thread at a time; what went wrong is said again for a while without looking."""
    global _failed
    with _looking:
        if _failed and time.monotonic() - _failed[0] < PATIENCE:
            raise type(_failed[1])(_failed[1].message, _failed[1].hint)
        try:
            yield
        except SalonError as error:
            _failed = (time.monotonic(), error)
            raise


def _find() -> Installed:
    registry = Registry()
    infos = registry.infos()
    for info in infos:
        if info.family == "clip" and info.ready:
            return Installed(info.name, info.weights_sha256, registry)
    for info in infos:
        if info.name == "clip":
            raise WeightsDamaged("CLIP cannot be used.", info.problem)
    raise WeightsMissing("CLIP is not installed.", REINSTALL)


def installed_clip() -> Installed:
    """The first ready model of the family clip; its networks are not opened. Raises WeightsMissing, WeightsDamaged."""
    global _found
    with _patience():
        _found = _found or _find()
        return _found


def load_clip() -> Clip:
    """The first ready model of the family clip. Raises WeightsMissing, WeightsDamaged."""
    found = installed_clip()
    with _patience():
        return found.registry.clip(found.name)


def forget_clip() -> None:
    """The next question looks again, as after weights were put back."""
    global _found, _failed
    _found = _failed = None


def pixels(pictures: Iterable[Image.Image]) -> NDArray[np.float32]:
    """What the image tower reads of pictures [B,3,64,64] in [-1,1]: the middle square of each, on white where it is
    transparent, averaged down (or enlarged) to 64."""
    return np.stack([_square(picture) for picture in pictures])


def _square(picture: Image.Image) -> NDArray[np.float32]:
    return np.ascontiguousarray((np.asarray(small(picture), np.float32) / 127.5 - 1).transpose(2, 0, 1))


def see(pictures: Iterable[Image.Image]) -> NDArray[np.float16]:
    """Embeddings [B,256] of pictures as they are kept. Raises WeightsMissing, WeightsDamaged."""
    return load_clip().encode_image(pixels(pictures)).astype(np.float16)
