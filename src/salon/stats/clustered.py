"""Intervals for means and rates whose looks come in clusters: several images of one prompt are not independent.

The variance is that between clusters (CR2), the quantile Student's with Bell and McCaffrey's degrees of freedom (2002,
Survey Methodology 28:169); of clusters of one size that is the t interval of their means. A percentile bootstrap over
few clusters is far too short: `python scripts/coverage.py clusters` counts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from salon.stats.intervals import wilson

Floats = NDArray[np.float64]


class Mean(NamedTuple):
    """A mean over all looks, its standard error (infinite for one cluster), and how many degrees of freedom it has."""

    value: float
    error: float
    freedom: float

    def ends(self, level: float) -> tuple[float, float]:
        """(low, high), two-sided."""
        if not np.isfinite(self.error):
            return -np.inf, np.inf
        half = float(student.ppf((1 + level) / 2, self.freedom)) * self.error
        return self.value - half, self.value + half

    def p(self) -> float:
        """Two-sided p of a mean of 0; of clusters that are all alike 0 or 1, which says too much of few."""
        if not np.isfinite(self.error) or not self.value:
            return 1.0
        return float(2 * student.sf(abs(self.value) / self.error, self.freedom)) if self.error else 0.0


def clustered_mean(clusters: Sequence[Any]) -> Mean:
    """The mean of all looks, sequences or arrays of them. Raises ValueError if there is no cluster, or an empty one."""
    if not len(clusters) or not all(len(looks) for looks in clusters):
        raise ValueError("There is nothing to draw from: every group and cluster needs at least one look.")
    sums = np.array([sum(looks) for looks in clusters], float)
    sizes = np.array([len(looks) for looks in clusters], float)
    value, share = sums.sum() / sizes.sum(), sizes / sizes.sum()
    if len(clusters) == 1:
        return Mean(float(value), np.inf, 0.0)
    left = sums / sizes - value
    left[np.abs(left) < 1e-12] = 0.0  # rounding is no difference
    error = np.sqrt((share**2 * left**2 / (1 - share)).sum())
    own, reach = share / (1 - share), share**2 / (1 - share)
    square = (own**2).sum() - 2 * (own * reach).sum() + reach.sum() ** 2
    return Mean(float(value), float(error), float(max(1.0, 1 / square)))


def checked(level: float) -> float:
    """`level`. Raises ValueError if it is none."""
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not between 0 and 1.")
    return level


def clustered_rate(clusters: Sequence[Sequence[float]], level: float = 0.95) -> tuple[float, float]:
    """(low, high) of the share of True over all looks, or of the mean of values from 0 to 1; never narrower than
    Wilson's of as many looks as there are clusters: near 0 and 1 the few looks that differ say little of how alike a
    cluster's are. Raises ValueError."""
    found = clustered_mean(clusters)
    least = wilson(min(found.value, 1.0) * len(clusters), len(clusters), checked(level))
    ends = found.ends(level)
    return float(max(0.0, min(ends[0], least[0]))), float(min(1.0, max(ends[1], least[1])))


def clustered_mean_of_rates(strata: Sequence[Sequence[Sequence[float]]], level: float = 0.95) -> tuple[float, float]:
    """(low, high) of the plain mean of several rates, the clusters of each independent of the others': the distances of
    their ends, squared and added (Zou and Donner 2008, Stat. Med. 27:1693). Raises ValueError."""
    if not strata:
        raise ValueError("There is nothing to draw from: no rates.")
    values = np.array([clustered_mean(clusters).value for clusters in strata])
    low, high = np.array([clustered_rate(clusters, level) for clusters in strata]).T
    down, up = (float(np.sqrt((gaps**2).sum())) / len(strata) for gaps in (values - low, high - values))
    return float(values.mean()) - down, float(values.mean()) + up
