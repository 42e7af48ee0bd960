"""Before and after, on the same prompts and seeds."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, binomtest, norm

from salon.stats.clustered import checked, clustered_mean
from salon.stats.intervals import wilson

#: clusters that must differ from most before their spread is taken for what it seems
FEW = 5

Pair = tuple[float, float]


class Change(NamedTuple):
    """Means before and after, their difference (after - before) and its interval, the two-sided p of no difference
    over clusters (below 1 - level exactly where the interval leaves out 0), and how many clusters there are."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    clusters: int


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


def paired_difference(clusters: Sequence[Sequence[Pair]], level: float = 0.95) -> Change:
    """Mean of after - before over all pairs (before, after), with the interval of `clustered_mean`: the images of one
    prompt are no independent looks. Of one cluster it is all there is.

    Values lie between 0 and 1, so the ends between -1 and 1. Where most clusters moved alike and fewer than `FEW`
    otherwise, how far they vary has hardly been seen: then the interval also allows for as many others, of any change,
    as there may be where none was seen (Wilson's upper end). Raises ValueError if there is no cluster, or an empty
    one."""
    looks = [np.asarray(pairs, float).reshape(-1, 2) for pairs in clusters]
    moves = [pairs[:, 1] - pairs[:, 0] for pairs in looks]
    found = clustered_mean(moves)
    before, after = np.concatenate(looks).mean(0)
    (low, high), p = found.ends(checked(level)), found.p()
    if _nearly_alike([float(move.mean()) for move in moves]):
        unseen = wilson(0, len(clusters), level)[1]
        low = min(low, found.value - unseen * (1 + found.value))
        high = max(high, found.value + unseen * (1 - found.value))
        p = max(p, float(2 * norm.sf(np.sqrt(len(clusters) * abs(found.value)))))  # at which that end is 0
    ends = max(low, -1.0), min(high, 1.0)
    return Change(float(before), float(after), found.value, *ends, p, len(clusters))


def _nearly_alike(means: Sequence[float]) -> bool:
    """Whether most of them are the same, and fewer than `FEW` are not."""
    alike = Counter(round(mean, 9) for mean in means).most_common(1)[0][1]
    return len(means) - alike < FEW and 2 * alike > len(means)


def not_inferior(change: Change, margin: float) -> bool:
    """Whether a quality, the higher the better, has not fallen by as much as `margin`, which was fixed beforehand: the
    whole interval lies above -margin (CONSORT, Piaggio et al. 2012, JAMA 308:2594). Raises ValueError."""
    if not margin > 0:
        raise ValueError("A margin is more than 0, and chosen before the figures are seen.")
    return change.low > -margin
