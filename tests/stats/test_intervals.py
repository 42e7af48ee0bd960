"""Intervals against statsmodels, exact sums and the defining inequality."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from salon.stats.intervals import none_of, wilson

RATES = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(RATES, st.sampled_from((0.5, 0.8, 0.9, 0.95, 0.99)))
def test_wilson_agrees_with_statsmodels(rate, level):
    expected = proportion_confint(*rate, alpha=1 - level, method="wilson")
    np.testing.assert_allclose(wilson(*rate, level), expected, rtol=1e-9, atol=1e-12)


def test_wilson_agrees_with_the_published_example():
    """Newcombe 1998, Stat. Med. 17:857, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@given(RATES)
def test_wilson_holds_the_rate_and_stays_inside(rate):
    low, high = wilson(*rate)
    assert 0 <= low <= rate[0] / rate[1] <= high <= 1
    assert low < high


def test_wilson_covers_as_it_says_where_the_textbook_interval_does_not():
    """Negative control: at n=20, rate 0.05 the textbook interval misses far more often than 5%."""
    n, rate = 20, 0.05
    weights = binom.pmf(np.arange(n + 1), n, rate)

    def coverage(bounds):
        return sum(w for w, (low, high) in zip(weights, bounds, strict=True) if low <= rate <= high)

    textbook = [proportion_confint(k, n, method="normal") for k in range(n + 1)]
    assert coverage([wilson(k, n) for k in range(n + 1)]) > 0.9
    assert coverage(textbook) < 0.7


def test_after_no_looks_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)
    assert none_of(0) == 1.0


@given(st.integers(1, 5_000), st.sampled_from((0.8, 0.95, 0.99)))
def test_none_of_is_exact(n, level):
    """At the bound, seeing nothing in n looks has exactly the probability that is left."""
    assert binom.pmf(0, n, none_of(n, level)) == pytest.approx(1 - level, rel=1e-6)


def test_none_of_is_the_rule_of_three():
    assert none_of(100) == pytest.approx(3 / 100, rel=0.02)


@pytest.mark.parametrize("bad", [(-1, 10), (11, 10), (0, -1), (1, 10, 0.0), (1, 10, 1.0)])
def test_impossible_counts_and_levels_are_refused(bad):
    with pytest.raises(ValueError, match=r"is no rate|is not between"):
        wilson(*bad)
