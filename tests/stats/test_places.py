"""What may be said to people who look all the time: sequences, places, and how much more is needed."""

from math import inf, sqrt

import numpy as np
import pytest
from scipy.stats import norm

from salon.stats.bradley_terry import fit
from salon.stats.places import ERROR, Place, always, apart, halves, places, spread_of, width
from salon.stats.planning import looks_needed, seeds_needed, voters_needed


def crowd(strength, voters, seed=0):
    """Votes of visitors on three machines each apart by `strength`, four a visitor."""
    rng, names = np.random.default_rng(seed), "abc"
    for voter in range(voters):
        for _ in range(4):
            one, other = rng.choice(3, 2, replace=False).tolist()
            yield names[one], names[other], "a" if (other - one) * strength + rng.logistic() > 0 else "b", voter


def test_a_sequence_is_the_normal_mixtures_boundary():
    """Robbins 1970: a random walk S_n leaves +-sqrt((n + m) log((n + m) / (m error^2))) with chance `error` at most."""
    rate = -2 * np.log(0.05)
    m = 200 / (rate + np.log(rate) + 1)
    n = np.array([1.0, 50.0, 200.0, 10_000.0])
    boundary = np.sqrt((n + m) * np.log((n + m) / (m * 0.05**2)))
    assert width(n, 0.05) == pytest.approx(boundary / np.sqrt(n))
    assert width(np.array(200.0), 0.05) == pytest.approx(3.03, abs=0.01)
    assert (width(n, 0.05) > norm.ppf(0.975)).all()
    with pytest.raises(ValueError, match="not between"):
        width(n, 1.0)


def test_a_walk_that_is_watched_leaves_it_seldom():
    """2,000 walks of 2,000 steps. Control: the interval that is right at one look is left by more than half of them."""
    steps = np.arange(1.0, 2_001)
    rng, left, control = np.random.default_rng(0), 0, 0
    for _ in range(2_000):
        far = np.abs(rng.standard_normal(2_000).cumsum()) / np.sqrt(steps)
        left += (far > width(steps, 0.05)).any()
        control += (far > norm.ppf(0.975)).any()
    assert left / 2_000 < 0.05
    assert control / 2_000 > 0.5


def test_few_voters_are_given_students_tails():
    one = halves(np.ones(3), np.array([2.0, 20.0, inf]), 0.05)
    assert one[0] > 3 * one[1] > one[2] > norm.ppf(0.975)
    assert halves(np.array([inf]), np.array([5.0]), 0.05) == inf


def test_what_is_surely_better_is_told_and_the_rest_is_not():
    found = fit(crowd(1.0, 150), names="abc")
    told = apart(found, "abc")
    assert (told == -told.T).all()
    assert told[0].tolist() == [0, 1, 1]
    assert places(told) == [Place(1, 1), Place(2, 2), Place(3, 3)]
    even = apart(fit(crowd(0.0, 150), names="abc"), "abc")
    assert not even.any()
    assert set(places(even)) == {Place(1, 3)}
    assert not apart(fit([], names="abc"), "abc").any()
    assert places(apart(found, "a")) == [Place(1, 1)]


def test_always_is_wider_than_at_one_look():
    found = fit(crowd(0.4, 60), names="abc")
    for name, (low, high) in always(found).items():
        once = found.intervals()[name]
        assert low < once[0] < once[1] < high
    assert always(fit([], names="a"))["a"] == (-inf, inf)


def test_as_many_visitors_as_planned_are_enough():
    """Of evenings with the planned number of visitors about eight in ten tell the two apart; of those with a quarter of
    them (the control) hardly one."""
    needed = voters_needed(0.7, alpha=ERROR)
    rng, told = np.random.default_rng(0), []
    for visitors in (needed, needed // 4):
        wins = [rng.random(visitors) < 0.7 for _ in range(60)]
        fits = [fit([("x", "y", "a" if won else "b", i) for i, won in enumerate(one)]) for one in wins]
        told.append(np.mean([apart(found, "xy")[0, 1] == 1 for found in fits]))
    assert told[0] > 0.65
    assert told[1] < 0.25


def test_half_the_difference_needs_four_times_as_many():
    near, far = looks_needed(0.1, 1.0, 1), looks_needed(0.2, 1.0, 1)
    assert 4 < near / far < 4.6  # a little more than four times: the sequence widens
    assert looks_needed(0.2, sqrt(1 / 50), 50) == far  # what fifty leave, said of fifty
    assert looks_needed(0.0, 1.0, 1) is None
    assert looks_needed(0.0, 0.0, 5) is None
    assert looks_needed(1.0, inf, 1) is None
    assert voters_needed(0.5) is None
    assert voters_needed(0.7, votes=4) < voters_needed(0.7) / 3


def test_what_is_planned_from_is_what_was_seen():
    found = fit(crowd(0.3, 40), names="abc")
    gap, error, looks = spread_of(found, "a", "b")
    assert gap == found.ratings()["a"] - found.ratings()["b"]
    assert error == pytest.approx(np.sqrt(found.gap_variance[0, 1]))
    assert 20 < looks < 41


def test_seeds_for_two_rates():
    """Fleiss, Levin and Paik's formula without continuity correction: .95 and .8 take 76 of each."""
    assert seeds_needed(0.95, 0.8) == 76
    assert seeds_needed(0.2, 0.65) < 20 < seeds_needed(0.2, 0.4) < 100
    assert seeds_needed(0.4, 0.4) is None
    rng, n = np.random.default_rng(0), seeds_needed(0.2, 0.5)
    one, other = rng.binomial(n, 0.2, 4_000) / n, rng.binomial(n, 0.5, 4_000) / n
    pooled = (one + other) / 2
    z = (other - one) / np.sqrt(2 * pooled * (1 - pooled) / n)
    assert np.mean(z > norm.ppf(0.975)) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    "call",
    [
        lambda: looks_needed(1, -1, 5), lambda: looks_needed(1, 1, 0), lambda: looks_needed(1, 1, 5, power=1.0),
        lambda: voters_needed(0.0), lambda: voters_needed(0.6, votes=0), lambda: seeds_needed(1.1, 0.2),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused(call):
    with pytest.raises(ValueError, match=r"needed|between"):
        call()
