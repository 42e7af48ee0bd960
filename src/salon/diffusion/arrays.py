"""The little that NumPy and torch do not name alike."""

import sys
from typing import Any

#: a NumPy array or a torch tensor
Array = Any


def namespace(array: Array) -> Any:
    """The module that made `array` (numpy or torch), without importing either."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def expand(vector: Array, like: Array) -> Array:
    """[B] -> [B, 1, 1 ...], so that it multiplies `like` [B, ...] sample by sample."""
    return vector.reshape((-1,) + (1,) * (like.ndim - 1))
