"""Label tests: right about luck, and about differences."""

from itertools import product

import numpy as np
import pytest
from scipy import stats as scipy_stats

from salon.stats.permutation import blocked, labelled, sign_flip, unevenness


def test_blocked_agrees_with_every_assignment():
    table = np.array([[1, 0, 0], [1, 0, 1], [1, 0, 0], [0, 1, 0]], float)
    every = []
    for chosen in product(range(3), repeat=4):
        mine = table[range(4), chosen].sum()
        every.append(mine / 4 - (table.sum() - mine) / 8)
    exact = np.mean(np.abs(every) >= abs(every[0]) - 1e-9)
    found = blocked(table, 40_000)
    assert found.effect == pytest.approx(every[0])
    assert found.p == pytest.approx(exact, abs=0.01)
    assert found.null_size == pytest.approx(np.abs(every).mean(), abs=0.01)


def test_one_false_alarm_in_twenty_where_nothing_is_the_matter():
    """Type I error of the permutation null, blocks of very different rates, at most 5% and not far below."""
    rng = np.random.default_rng(1)
    rates = rng.random((400, 24, 1))
    ps = [blocked(rng.random((24, 5)) < rate, 499, seed=i).p for i, rate in enumerate(rates)]
    alarms = sum(p < 0.05 for p in ps)
    assert scipy_stats.binomtest(alarms, 400, 0.05).pvalue > 0.01
    assert alarms <= 32


def test_shuffled_labels_take_a_difference_away():
    """The negative control: the same outcomes, labels shuffled inside their blocks."""
    rng = np.random.default_rng(0)
    table = (rng.random((40, 5)) < 0.2).astype(float)
    table[:, 0] = rng.random(40) < 0.9
    assert blocked(table).p < 1e-3
    assert blocked(rng.permuted(table, axis=1)).p > 0.05


def test_a_fair_model_does_not_score_zero():
    """HEIM's figure at 8 images: the expected score of a fair model is far from 0, and the null says so."""
    rng = np.random.default_rng(0)
    table = np.eye(2)[rng.integers(2, size=(8, 12))]
    found = labelled(table, 400)
    assert found.null_size > 0.08
    assert found.p > 0.05
    skewed = table.copy()
    skewed[:, :3] = [1, 0]
    assert labelled(skewed, 400).p < 0.01
    assert unevenness(np.tile([1.0, 0.0], (8, 12, 1))) == 0


@pytest.mark.parametrize("number", range(3, 12))
def test_sign_flips_agree_with_scipy(number):
    found = np.random.default_rng(number).normal(0.3, 1, number)
    theirs = scipy_stats.permutation_test((found,), lambda x, axis: x.mean(axis), permutation_type="samples",
                                          n_resamples=np.inf, vectorized=True)  # fmt: skip
    assert sign_flip(found).p == pytest.approx(theirs.pvalue)


def test_sign_flips_of_many_pairs_are_drawn():
    found = sign_flip(np.full(30, 0.2), draws=500)
    assert found.p == pytest.approx(1 / 501)
    assert sign_flip([0.2] * 8).p == 2 / 2**8


@pytest.mark.parametrize("bad", [np.zeros((0, 2)), np.zeros((3, 1)), np.zeros(3)])
def test_nothing_to_exchange(bad):
    with pytest.raises(ValueError, match="needed"):
        blocked(bad)
    with pytest.raises(ValueError, match="needed"):
        labelled(bad[..., None, None][..., 0] if bad.ndim < 2 else np.zeros((0, 1, 1)))
    with pytest.raises(ValueError, match="no pairs"):
        sign_flip([])


def test_what_hangs_together_is_shuffled_as_one():
    """Two blocks that repeat each other say no more than one; shuffled by themselves (the control) they seem to."""
    rng = np.random.default_rng(0)
    once = rng.random((6, 4, 2))
    twice = np.repeat(once, 8, axis=0)
    own, doubled = labelled(once), labelled(twice, groups=np.repeat(np.arange(6), 8))
    assert doubled.effect == pytest.approx(own.effect)
    assert doubled.p == pytest.approx(own.p, abs=0.03)
    assert labelled(twice).null_size < 0.5 * doubled.null_size
    with pytest.raises(ValueError, match="3 groups for 6 blocks"):
        labelled(once, groups=[0, 1, 2])
