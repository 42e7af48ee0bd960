"""Intervals for rates: how sure one may be after n looks."""

from math import sqrt

from scipy.stats import norm


def _check(successes: float, n: int, level: float) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no rate: count from 0 to the number of looks.")
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not between 0 and 1.")


def wilson(successes: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """(low, high) of a rate seen `successes` times in `n` looks, two-sided, without continuity correction.

    It stays inside [0, 1] and is of use at 0 of n and n of n, where the textbook interval shrinks to a point; after
    no looks at all it is (0, 1). `successes` may hold parts of one. Raises ValueError. Wilson 1927, J. Am. Stat. Assoc.
    22:209.
    """
    _check(successes, n, level)
    if n == 0:
        return 0.0, 1.0
    z = float(norm.ppf((1 + level) / 2))
    rate, scale = successes / n, 1 + z * z / n
    middle = (rate + z * z / (2 * n)) / scale
    half = z / scale * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return low, high


def none_of(n: int, level: float = 0.95) -> float:
    """Upper bound of a rate that was not seen once in `n` looks: 1 - (1 - level)^(1/n), one-sided and exact.

    At level 0.95 it is close to 3/n, the rule of three (Hanley and Lippman-Hand 1983, JAMA 249:1743); after no looks
    it is 1. Raises ValueError.
    """
    _check(0, n, level)
    return 1.0 - float((1 - level) ** (1 / n)) if n else 1.0
