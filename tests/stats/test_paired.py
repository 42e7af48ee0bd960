"""Before and after: figures of statsmodels and scipy, and margins that were fixed beforehand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel
from statsmodels.stats.contingency_tables import mcnemar

from salon.stats.clustered import clustered_mean
from salon.stats.paired import mcnemar_exact, mcnemar_mid, not_inferior, paired_difference

COUNT = st.integers(0, 60)


@given(COUNT, COUNT)
def test_mcnemar_as_in_statsmodels(b, c):
    theirs = mcnemar([[7, b], [c, 9]], exact=True).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(min(theirs, 1.0))
    assert 0 <= mcnemar_mid(b, c) <= mcnemar_exact(b, c)


def test_mid_p_of_a_known_table():
    """Fagerland et al. 2013, table 1 (Bentur et al. 2009): 1 and 7 changed; exact .070, mid-p .039."""
    assert mcnemar_exact(1, 7) == pytest.approx(0.0703, abs=1e-4)
    assert mcnemar_mid(1, 7) == pytest.approx(0.0391, abs=1e-4)


def test_the_difference_is_scipys_t_interval():
    rng = np.random.default_rng(0)
    before, after = rng.random(40) / 2, rng.random(40) / 2 + 0.3
    change = paired_difference([[pair] for pair in zip(before, after, strict=True)])
    theirs = ttest_rel(after, before)
    assert (change.low, change.high) == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-12)
    assert change.p == pytest.approx(theirs.pvalue, rel=1e-12)
    assert change.difference == pytest.approx((after - before).mean())


def test_images_of_one_prompt_hang_together():
    moves = np.random.default_rng(0).random(12)
    single = paired_difference([[(0.0, m)] for m in moves for _ in range(8)])
    clustered = paired_difference([[(0.0, m)] * 8 for m in moves])
    assert clustered.high - clustered.low > 2 * (single.high - single.low)
    assert clustered.clusters == 12


def test_clusters_that_all_moved_alike_still_leave_doubt():
    """Control: their own spread is none, and the interval without the allowance a point."""
    alike = [[(0.5, 0.25)] * 4] * 6
    change = paired_difference(alike)
    assert clustered_mean([[-0.25] * 4] * 6).error == 0
    assert change.low < change.difference - 0.2
    assert change.high > change.difference + 0.2
    assert paired_difference(alike * 20).high - paired_difference(alike * 20).low < 0.1
    one = paired_difference([[(0.9, 0.1)] * 12])
    assert (one.low, one.high, one.p) == (-1, 1, 1)


@pytest.mark.parametrize("fall", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("clusters", [2, 3, 4, 5, 8, 20])
def test_their_p_says_what_their_interval_says(clusters, fall):
    """Control: a t test of clusters without a spread gives 0, of two of them, too."""
    moved = [[(fall, 0.0)] * 4] * clusters
    assert clustered_mean([[-fall] * 4] * clusters).p() == 0
    change = paired_difference(moved)
    assert (change.p < 0.05) == (change.high < 0)
    level = 1 - change.p  # an interval of this level ends at 0
    assert paired_difference(moved, level).high == pytest.approx(0, abs=1e-9)
    rise = paired_difference([[(0.0, fall)] * 4] * clusters)
    assert (rise.p, rise.low) == (pytest.approx(change.p), pytest.approx(-change.high))


def test_few_that_differ_do_not_make_it_surer_than_none():
    still = [[(1.0, 1.0)] * 8] * 40
    moved = [*still[:-1], [(1.0, 1.0)] * 7 + [(1.0, 0.0)]]
    assert paired_difference(moved).low <= paired_difference(still).low < -0.05


def test_not_inferior_needs_the_whole_interval():
    change = paired_difference([[(0.8, 0.79)], [(0.7, 0.71)], [(0.9, 0.86)], [(0.5, 0.5)]] * 4)
    assert not_inferior(change, 0.05)
    assert not not_inferior(change, 0.02)
    with pytest.raises(ValueError, match="before the figures"):
        not_inferior(change, 0.0)


def test_nothing_to_compare():
    for bad in ([], [[]]):
        with pytest.raises(ValueError, match="nothing to draw"):
            paired_difference(bad)
    with pytest.raises(ValueError, match="not negative"):
        mcnemar_exact(-1, 2)
