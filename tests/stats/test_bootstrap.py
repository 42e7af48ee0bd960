"""Clustered intervals: right where looks are independent, wider where they are not."""

import numpy as np
import pytest

from salon.stats.bootstrap import clustered_mean_of_rates, clustered_rate
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
    assert width(clustered_rate(four)) == pytest.approx(width(clustered_rate(ALONE)), rel=0.05)
    hits = sum(map(sum, four))
    assert width(wilson(hits, 4 * len(four))) < 0.55 * width(clustered_rate(four))


def test_it_covers_as_it_says():
    """Of 200 samples of 60 prompts with 4 images each, whose rates vary by prompt, the interval holds the true mean in
    about 95 of 100. Control: Wilson over the images holds it far less often."""
    rng, found, control = np.random.default_rng(1), 0, 0
    for _ in range(200):
        rates = rng.beta(0.5, 0.5, 60)
        looks = [[bool(hit) for hit in rng.random(4) < rate] for rate in rates]
        low, high = clustered_rate(looks, draws=400)
        found += low <= 0.5 <= high
        low, high = wilson(sum(map(sum, looks)), 240)
        control += low <= 0.5 <= high
    assert found >= 182
    assert control < 170


@pytest.mark.parametrize("hit", [True, False])
def test_all_alike_still_leaves_doubt(hit):
    assert clustered_rate([[hit] * 4] * 50) == wilson(50 * hit, 50)


def test_the_mean_of_rates_is_surer_than_each():
    strata = [[[bool(hit)] for hit in RNG.random(200) < rate] for rate in (0.2, 0.5, 0.8)]
    mean = np.mean([np.mean(groups) for groups in strata])
    low, high = clustered_mean_of_rates(strata)
    assert low < mean < high
    assert width((low, high)) < min(width(clustered_rate(groups)) for groups in strata)
    assert clustered_mean_of_rates(strata) == (low, high)  # the same draws each time


@pytest.mark.parametrize("bad", [[], [[]], [[True], []]])
def test_nothing_to_draw_from_is_refused(bad):
    with pytest.raises(ValueError, match="nothing to draw from"):
        clustered_rate(bad)
    with pytest.raises(ValueError, match="nothing to draw from"):
        clustered_mean_of_rates([bad] if bad else [])


def test_levels_are_checked():
    with pytest.raises(ValueError, match="not between"):
        clustered_rate([[True]], level=1.0)
