"""Do 95% intervals hold what they promise? People differ in taste, and each votes many times.

`python tests/stats/test_bradley_terry_coverage.py` prints the table in docs/arena.md.
"""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from salon.stats.bradley_terry import fit

NAMES = ("a", "b", "c", "d", "e")
LIKED = np.array([0.8, 0.3, 0.0, -0.4, -0.7])
#: how far people's tastes differ (standard deviation of each rating), and how near is a tie
SPREAD, NEAR = 0.8, 0.25
#: voters, votes of each in turn
CROWDS = {"60 voters, 20 votes each": (60, (20,)), "40 voters, 5, 10 or 60 votes": (40, (5, 10, 60)),
          "12 voters, 30 votes each": (12, (30,))}  # fmt: skip


def truth():
    """What infinitely many such people would give: their mean worth of each pair, by quadrature, then the ratings that
    fit best. Ratings of a mean are nearer to 0 than the mean of ratings."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    one, other = (~np.eye(5, dtype=bool)).nonzero()
    far = (LIKED[one] - LIKED[other])[:, None] + SPREAD * np.sqrt(2) * nodes
    worth = (expit(far - NEAR) + expit(far + NEAR)) / 2 @ (weights / weights.sum())

    def loss(rating):
        gap = rating[one] - rating[other]
        return np.mean(np.logaddexp(0, gap) - worth * gap)

    rating = minimize(loss, LIKED, tol=1e-12).x
    return rating - rating.mean()


def election(rng, voters, each):
    for voter in range(voters):
        taste = LIKED + SPREAD * rng.standard_normal(5)
        for _ in range(each[voter % len(each)]):
            one, other = rng.choice(5, 2, replace=False)
            gap = taste[one] - taste[other] + rng.logistic()
            yield NAMES[one], NAMES[other], "tie" if abs(gap) < NEAR else "a" if gap > 0 else "b", voter


def coverage(crowd, elections, seed=1863):
    """Share of the ratings' intervals that hold the truth: clustered by voter, and as if votes were independent."""
    rng, aim, held = np.random.default_rng(seed), dict(zip(NAMES, truth())), np.zeros(2)
    for _ in range(elections):
        votes = list(election(rng, *crowd))
        for place, clustered in enumerate((True, False)):
            ends = fit(votes, clustered=clustered).intervals()
            held[place] += sum(low <= aim[name] <= high for name, (low, high) in ends.items())
    return held / (elections * len(NAMES))


@pytest.mark.parametrize("crowd", CROWDS)
def test_clustered_intervals_cover_and_independent_ones_do_not(crowd):
    clustered, independent = coverage(CROWDS[crowd], 160)
    assert 0.93 <= clustered <= 0.97
    assert independent < 0.88  # the control: people's votes are not independent


if __name__ == "__main__":
    for name, crowd in CROWDS.items():
        print(f"| {name} | {coverage(crowd, 1000)[0]:.3f} | {coverage(crowd, 1000)[1]:.3f} |", flush=True)
