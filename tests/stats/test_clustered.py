"""Clustered intervals: right where looks are independent, wider where they are not."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from salon.stats.bradley_terry import fit
from salon.stats.clustered import clustered_mean, clustered_mean_of_rates, clustered_rate
from salon.stats.intervals import wilson

RNG = np.random.default_rng(5)
ALONE = [[bool(hit)] for hit in RNG.random(400) < 0.3]


def width(interval):
    return interval[1] - interval[0]


def test_single_looks_give_the_textbook_interval():
    rate = np.mean(ALONE)
    half = 1.96 * np.sqrt(rate * (1 - rate) / len(ALONE))
    np.testing.assert_allclose(clustered_rate(ALONE), (rate - half, rate + half), atol=0.006)


def test_looks_that_repeat_each_other_add_nothing():
    """Four equal images a prompt tell no more than one; Wilson over all looks (the control) would halve the width."""
    four = [look * 4 for look in ALONE]
    assert width(clustered_rate(four)) == pytest.approx(width(clustered_rate(ALONE)))
    hits = sum(map(sum, four))
    assert width(wilson(hits, 4 * len(four))) < 0.55 * width(clustered_rate(four))


def test_of_clusters_of_one_size_it_is_the_t_interval_of_their_means():
    clusters = RNG.random((9, 4))
    theirs = ttest_1samp(clusters.mean(1), 0.0)
    found = clustered_mean(clusters)
    np.testing.assert_allclose(found.ends(0.95), theirs.confidence_interval(0.95), rtol=1e-12)
    assert found.p() == pytest.approx(theirs.pvalue, rel=1e-12)


def test_of_clusters_of_other_sizes_it_is_what_votes_on_two_would_give():
    """One method in the house: the same sandwich as of ratings, at even odds."""
    sizes = (1, 2, 3, 5, 9)
    clusters = [[1.0, 0.0] * size for size in sizes]
    votes = [("x", "y", "a" if look else "b", voter) for voter, looks in enumerate(clusters) for look in looks]
    mean, rated = clustered_mean(clusters), fit(votes, reference="y")
    assert rated.ratings()["x"] == pytest.approx(0, abs=1e-12)
    assert mean.freedom == pytest.approx(rated.freedom[0], rel=1e-9)


def test_one_cluster_says_nothing_of_others():
    assert clustered_mean([[0.3, 0.4]]).ends(0.95) == (-np.inf, np.inf)
    assert clustered_mean([[0.3, 0.4]]).p() == 1
    low, high = clustered_rate([[True, False] * 50])
    assert low < 0.1 < 0.9 < high


def test_one_look_that_differs_makes_it_no_surer():
    """Control: the t interval alone, of fifty clusters one of which has a miss, would leave out what Wilson's of fifty
    clusters without one still holds."""
    right, missed = [[True] * 4] * 50, [[True] * 4] * 49 + [[True] * 3 + [False]]
    lows = [clustered_rate(clusters)[0] for clusters in (right, missed)]
    assert lows[1] < lows[0] == wilson(50, 50)[0]
    assert clustered_mean(missed).ends(0.95)[0] > 0.98


@pytest.mark.parametrize("hit", [True, False])
def test_all_alike_still_leaves_doubt(hit):
    assert clustered_rate([[hit] * 4] * 50) == wilson(50 * hit, 50)


def test_the_mean_of_rates_is_surer_than_each():
    strata = [[[bool(hit)] for hit in RNG.random(200) < rate] for rate in (0.2, 0.5, 0.8)]
    mean = np.mean([np.mean(groups) for groups in strata])
    low, high = clustered_mean_of_rates(strata)
    assert low < mean < high
    assert width((low, high)) < min(width(clustered_rate(groups)) for groups in strata)


@pytest.mark.parametrize("bad", [[], [[]], [[True], []]])
def test_nothing_to_draw_from_is_refused(bad):
    with pytest.raises(ValueError, match="nothing to draw from"):
        clustered_rate(bad)
    with pytest.raises(ValueError, match="nothing to draw from"):
        clustered_mean_of_rates([bad] if bad else [])


def test_levels_are_checked():
    with pytest.raises(ValueError, match="not between"):
        clustered_rate([[True]], level=1.0)
