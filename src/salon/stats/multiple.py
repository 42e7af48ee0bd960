"""Many tests at once: p adjusted so that chance is not taken for a finding."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _checked(ps: Sequence[float] | Floats) -> Floats:
    found = np.asarray(ps, float)
    if found.ndim != 1 or not ((found >= 0) & (found <= 1)).all():
        raise ValueError("Every p is a number from 0 to 1.")
    return found


def _back(values: Floats, order: NDArray[Any]) -> Floats:
    out = np.empty_like(values)
    out[order] = np.minimum(values, 1)
    return out


def benjamini_hochberg(ps: Sequence[float] | Floats) -> Floats:
    """q of each p [m]: flagging q < a keeps the expected share of false flags below a, for tests that are independent
    or positively dependent. Raises ValueError. Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57:289."""
    found = _checked(ps)
    order = found.argsort()
    scaled = found[order] * len(found) / np.arange(1, len(found) + 1)
    return _back(np.minimum.accumulate(scaled[::-1])[::-1], order)


def holm(ps: Sequence[float] | Floats) -> Floats:
    """Adjusted p [m]: flagging < a keeps the chance of any false flag below a, whatever the dependence. Raises
    ValueError. Holm 1979, Scand. J. Stat. 6:65."""
    found = _checked(ps)
    order = found.argsort()
    return _back(np.maximum.accumulate(found[order] * np.arange(len(found), 0, -1)), order)


CORRECTIONS: dict[str, Callable[[Sequence[float] | Floats], Floats]] = {
    "benjamini-hochberg": benjamini_hochberg,
    "holm": holm,
}
