"""Intervals for rates whose looks come in clusters: several images of one prompt are not independent."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from salon.stats.intervals import wilson

DRAWS = 4_000


def _means(groups: Sequence[Sequence[float]], draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """`draws` means of the groups, each time of as many clusters drawn with replacement."""
    sums = np.array([sum(group) for group in groups], float)
    sizes = np.array([len(group) for group in groups], float)
    chosen = rng.integers(len(groups), size=(draws, len(groups)))
    means: NDArray[np.float64] = sums[chosen].sum(1) / sizes[chosen].sum(1)
    return means


def _checked(groups: Sequence[Sequence[float]], level: float) -> None:
    if not groups or not all(len(group) for group in groups):
        raise ValueError("There is nothing to draw from: every group and cluster needs at least one look.")
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not between 0 and 1.")


def _ends(means: NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def clustered_rate(
    clusters: Sequence[Sequence[bool]], level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """(low, high) of the share of True over all looks, by drawing whole clusters anew (percentile bootstrap; Davison
    and Hinkley 1997, section 3.8). Where all clusters are all True or all False there is nothing to draw, and the
    Wilson interval of as many looks as there are clusters is given: the cautious end. Raises ValueError."""
    _checked(clusters, level)
    rate = sum(map(sum, clusters)) / sum(map(len, clusters))
    if rate in (0.0, 1.0):
        return wilson(round(rate * len(clusters)), len(clusters), level)
    return _ends(_means(clusters, draws, np.random.default_rng(seed)), level)


def clustered_mean_of_rates(
    strata: Sequence[Sequence[Sequence[bool]]], level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """(low, high) of the plain mean of several rates, the clusters of each drawn on their own. Raises ValueError."""
    if not strata:
        raise ValueError("There is nothing to draw from: no rates.")
    for clusters in strata:
        _checked(clusters, level)
    rng = np.random.default_rng(seed)
    means: NDArray[np.float64] = np.mean([_means(clusters, draws, rng) for clusters in strata], axis=0)
    return _ends(means, level)
