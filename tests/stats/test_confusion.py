"""Rates corrected for a detector that errs: right on the mean, inside [0, 1], with intervals that hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from salon.stats.confusion import (
    corrected,
    corrected_intervals,
    difference,
    drawn_again,
    rogan_gladen,
    simplex,
    weights,
)
from salon.stats.intervals import wilson

#: of 200 pictures of each: the detector takes a fifth of the second for the first
COUNTS = np.array([[190, 6, 4], [40, 150, 10], [4, 16, 180]])
TRUE = np.array([0.2, 0.5, 0.3])


def seen_of(n, rng):
    truth = rng.choice(3, n, p=TRUE)
    told = COUNTS / COUNTS.sum(1, keepdims=True)
    return np.array([rng.choice(3, p=told[t]) for t in truth])


def test_the_correction_finds_the_truth_and_leaving_it_out_does_not():
    seen = np.bincount(seen_of(20_000, np.random.default_rng(0)), minlength=3)
    assert np.allclose(corrected(seen, COUNTS), TRUE, atol=0.02)
    assert abs(seen[0] / seen.sum() - TRUE[0]) > 0.08  # the negative control: without it the estimate is biased


def test_two_outcomes_are_rogan_and_gladen():
    counts = [[90, 10], [20, 80]]
    assert corrected([50, 50], counts)[0] == pytest.approx(rogan_gladen(0.5, 0.9, 0.8))
    assert rogan_gladen(0.05, 0.9, 0.8) == 0.0
    with pytest.raises(ValueError, match="no better than chance"):
        rogan_gladen(0.5, 0.5, 0.5)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=6))
def test_the_nearest_point_of_the_simplex(point):
    found = simplex(point)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    assert np.allclose(simplex(found), found)
    rng = np.random.default_rng(0)
    others = rng.dirichlet(np.ones(len(point)), 50)
    assert (np.square(others - point).sum(1) >= np.square(found - point).sum() - 1e-9).all()


@given(st.permutations([0, 1, 2]))
def test_a_perfect_detector_changes_nothing(order):
    seen = np.array([3, 1, 6])[list(order)]
    assert np.allclose(corrected(seen, np.eye(3) * 50), seen / 10)
    assert np.allclose(weights(np.eye(3) * 50).sum(1), 1)


def test_intervals_hold_the_truth_and_know_the_detectors_own_luck():
    rng = np.random.default_rng(1)
    held, tries = 0, 120
    told = COUNTS / COUNTS.sum(1, keepdims=True)
    for i in range(tries):
        counts = np.stack([rng.multinomial(60, row) for row in told])
        looks = np.eye(3)[seen_of(60, rng)][:, None]
        low, high = corrected_intervals(looks, [drawn_again(counts, 300)], seed=i)[1]
        held += low <= TRUE[1] <= high
    assert held >= 0.89 * tries
    looks = np.eye(3)[seen_of(60, rng)][:, None]
    wide = np.diff(corrected_intervals(looks, [drawn_again(COUNTS // 10)])[1])
    assert wide > np.diff(corrected_intervals(looks, [drawn_again(COUNTS * 1000)])[1])


def test_all_of_them_is_no_certainty():
    looks = np.tile([1.0, 0, 0], (8, 1, 1))
    ends = corrected_intervals(looks, [drawn_again(np.eye(3) * 100)])
    assert ends[0, 0] == pytest.approx(wilson(8, 8)[0])
    assert ends[1, 1] == pytest.approx(wilson(0, 8)[1])


def test_images_of_one_cluster_are_no_independent_looks():
    rng = np.random.default_rng(0)
    single = np.eye(2)[rng.integers(2, size=60)]
    apart = corrected_intervals(single[:, None], [drawn_again(np.eye(2) * 500)])
    together = corrected_intervals(single[:12, None] * 5, [drawn_again(np.eye(2) * 500)])
    assert np.diff(together)[0] > 1.5 * np.diff(apart)[0]


def test_the_difference_of_two_rates_is_newcombes():
    low, high = difference(0.7, wilson(14, 20), 0.2, wilson(6, 30))
    theirs = confint_proportions_2indep(14, 20, 6, 30, method="newcomb", compare="diff")
    assert (low, high) == pytest.approx(theirs, abs=1e-6)


def test_what_cannot_be_corrected():
    with pytest.raises(ValueError, match="cannot tell"):
        weights([[50, 50], [49, 51]])
    with pytest.raises(ValueError, match="at least one look"):
        weights([[5, 0], [0, 0]])
    with pytest.raises(ValueError, match="by cluster"):
        corrected_intervals(np.zeros((0, 1, 2)), [drawn_again(np.eye(2))])
