"""Places of what was compared, and which two can be told apart, as far as everybody may know who looks all the time.

People look at a live board after every vote, and at all pairs of it. An interval that is right at one look is wrong at
some look of an evening in half of all evenings with nothing to tell. So differences have confidence sequences, which
hold at all looks at once (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476: a normal mixture), and all
pairs of a circle share one chance of error (Bonferroni): that any two are wrongly told apart, ever, happens in at most
so many evenings. Quantiles are Student's, as elsewhere, since voters are few at first."""

from collections.abc import Sequence
from math import inf, log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from salon.stats.bradley_terry import Fit

Floats = NDArray[np.float64]
#: voters at which a sequence is narrowest; it is nearly so from a quarter of them to ten times as many
BEST = 200
ERROR = 0.05


class Place(NamedTuple):
    """Places that a name may have, counted from 1, and how many of its circle are surely worse or better."""

    best: int
    worst: int


def width(looks: Floats, error: float, best: int = BEST) -> Floats:
    """Standard errors on each side of a mean of as many `looks` as a sequence needs to hold at all of them, but in a
    share of `error`. Raises ValueError."""
    if not 0 < error < 1:
        raise ValueError(f"An error of {error} is not between 0 and 1.")
    rate = -2 * log(error)
    mixed = best / (rate + log(rate) + 1)  # nearly the narrowest there
    seen = np.maximum(looks, 1.0)
    return np.asarray(np.sqrt((seen + mixed) / seen * (np.log((seen + mixed) / mixed) + rate)))


def halves(variance: Floats, freedom: Floats, error: float) -> Floats:
    """Half widths of sequences of estimates with these variances; as many looks as degrees of freedom and one."""
    far = width(np.minimum(freedom, 1e12) + 1, error)
    wide = student.isf(norm.sf(far), freedom)
    known = np.isfinite(variance)
    return np.asarray(np.where(known, wide * np.sqrt(np.where(known, variance, 0.0)), inf))


def always(found: Fit, error: float = ERROR) -> dict[str, tuple[float, float]]:
    """name -> (low, high) of its rating, however often one looks; (-inf, inf) where nothing is known."""
    half = halves(found.variance, found.freedom, error)
    return {name: (float(r - h), float(r + h)) for name, r, h in zip(found.names, found.rating, half)}


def apart(found: Fit, names: Sequence[str], error: float = ERROR) -> NDArray[np.int_]:
    """[names, names]: 1 where the first is surely better, -1 where it is surely worse, 0 where nothing can be told.
    That any of them is wrong, at any look, has a chance of at most `error`."""
    at = [found.names.index(name) for name in names]
    grid = np.ix_(at, at)
    half = halves(found.gap_variance[grid], found.gap_freedom[grid], error / max(1, len(at) * (len(at) - 1) // 2))
    gap = found.rating[at][:, None] - found.rating[at]
    return np.asarray(np.sign(gap) * (np.abs(gap) > half), int)


def places(told: NDArray[np.int_]) -> list[Place]:
    """The places that each may have, from what `apart` tells: all of them are right together with its certainty."""
    better, worse = (told < 0).sum(1).tolist(), (told > 0).sum(1).tolist()
    return [Place(1 + above, len(told) - below) for above, below in zip(better, worse)]


def spread_of(found: Fit, a: str, b: str) -> tuple[float, float, float]:
    """(difference of two ratings, its standard error, as how many looks it counts), for `planning`."""
    one, other = found.names.index(a), found.names.index(b)
    gap = float(found.rating[one] - found.rating[other])
    return gap, sqrt(float(found.gap_variance[one, other])), float(found.gap_freedom[one, other]) + 1
