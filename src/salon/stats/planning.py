"""How much is needed to see a difference, before or while one looks for it."""

from math import ceil, log, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from salon.stats.places import width

#: more of them than this is never
MOST = 10_000_000


def looks_needed(gap: float, error: float, looks: float, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """How many looks (voters, say) it takes until a sequence of that `alpha` (`places.width`) tells a difference of
    `gap` with a chance of at least `power`, if `looks` of them leave a standard error of `error`. None for a difference
    that nobody would live to see. Raises ValueError."""
    if not (error >= 0 and looks > 0 and 0 < power < 1):
        raise ValueError("A standard error of some looks is needed, and a power between 0 and 1.")
    spread, sure = error * sqrt(looks), float(norm.ppf(power))

    def lacks(number: float) -> float:
        return (float(width(np.array(number), alpha)) + sure) * spread - abs(gap) * sqrt(number)

    if not gap or not np.isfinite(spread) or lacks(MOST) > 0:
        return None
    return 1 if lacks(1) <= 0 else ceil(brentq(lacks, 1, MOST))


def voters_needed(share: float, votes: int = 1, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """How many visitors of `votes` votes each it takes to tell two machines apart one of which is preferred in a
    `share` of battles, if votes were independent: more, the more people's tastes differ. None for one half. Raises
    ValueError."""
    if not 0 < share < 1 or votes < 1:
        raise ValueError("A share is between 0 and 1, and a visitor votes at least once.")
    return looks_needed(log(share / (1 - share)), 1 / sqrt(share * (1 - share) * votes), 1, alpha, power)


def seeds_needed(one: float, other: float, level: float = 0.95, power: float = 0.8) -> int | None:
    """How many seeds of each of two prompts it takes to tell two rates apart at one look (Fleiss, Levin and Paik 2003,
    ch. 4), images of different seeds being independent. None for equal rates. Raises ValueError."""
    if not (0 <= one <= 1 and 0 <= other <= 1 and 0 < level < 1 and 0 < power < 1):
        raise ValueError("Rates, level and power are between 0 and 1.")
    if one == other:
        return None
    mean = (one + other) / 2
    null = float(norm.ppf((1 + level) / 2)) * sqrt(2 * mean * (1 - mean))
    real = float(norm.ppf(power)) * sqrt(one * (1 - one) + other * (1 - other))
    return ceil(((null + real) / (one - other)) ** 2)
