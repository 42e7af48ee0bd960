"""Before and after, on the same prompts and seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, binomtest

DRAWS = 4_000

Pair = tuple[float, float]


class Change(NamedTuple):
    """Means before and after, their difference (after - before) and its interval."""

    before: float
    after: float
    difference: float
    low: float
    high: float


def mcnemar_exact(only_before: int, only_after: int) -> float:
    """Two-sided p that as many pairs changed one way as the other, given how many changed each way. Pairs that did not
    change say nothing; without any that did p is 1. Raises ValueError. McNemar 1947, Psychometrika 12:153, exact."""
    if only_before < 0 or only_after < 0:
        raise ValueError("Counts of pairs are not negative.")
    changed = only_before + only_after
    return float(binomtest(only_before, changed).pvalue) if changed else 1.0


def mcnemar_mid(only_before: int, only_after: int) -> float:
    """The same with half the chance of what was seen (Fagerland, Lydersen and Laake 2013, BMC Med. Res. Methodol.
    13:91): less cautious, close to its nominal size. Raises ValueError."""
    exact = mcnemar_exact(only_before, only_after)
    few, changed = min(only_before, only_after), only_before + only_after
    if only_before == only_after:
        return float(1 - binom.pmf(few, changed, 0.5) / 2)
    return float(exact - binom.pmf(few, changed, 0.5))


def paired_difference(
    clusters: Sequence[Sequence[Pair]], level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Change:
    """Mean of after - before over all pairs (before, after), with the percentile interval of whole clusters drawn anew:
    the images of one prompt are no independent looks (Davison and Hinkley 1997, section 3.8). Raises ValueError if
    there are no clusters or an empty one. Where all pairs differ alike the interval shrinks to a point: give the counts
    beside it."""
    if not clusters or not all(len(pairs) for pairs in clusters):
        raise ValueError("There is nothing to draw from: every cluster needs at least one pair.")
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not between 0 and 1.")
    sums = np.array([np.asarray(pairs, float).sum(0) for pairs in clusters])
    sizes = np.array([len(pairs) for pairs in clusters], float)
    chosen = np.random.default_rng(seed).integers(len(clusters), size=(draws, len(clusters)))
    gaps = (sums[:, 1] - sums[:, 0])[chosen].sum(1) / sizes[chosen].sum(1)
    low, high = np.quantile(gaps, ((1 - level) / 2, (1 + level) / 2))
    before, after = sums.sum(0) / sizes.sum()
    return Change(float(before), float(after), float(after - before), float(low), float(high))


def not_inferior(change: Change, margin: float) -> bool:
    """Whether a quality, the higher the better, has not fallen by as much as `margin`, which was fixed beforehand: the
    whole interval lies above -margin (CONSORT, Piaggio et al. 2012, JAMA 308:2594). Raises ValueError."""
    if not margin > 0:
        raise ValueError("A margin is more than 0, and chosen before the figures are seen.")
    return change.low > -margin
