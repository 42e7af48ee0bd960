"""Adjusted p, as those whom everyone trusts adjust it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from salon.stats.multiple import CORRECTIONS, benjamini_hochberg, holm

PS = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@settings(max_examples=25)  # statsmodels takes its time
@given(PS)
def test_as_scipy_and_statsmodels(ps):
    assert np.allclose(benjamini_hochberg(ps), false_discovery_control(ps))
    assert np.allclose(holm(ps), multipletests(ps, method="holm")[1])


@given(PS)
def test_never_below_p_and_in_its_order(ps):
    for adjust in CORRECTIONS.values():
        out = adjust(ps)
        assert (out >= np.array(ps) - 1e-12).all()
        assert (np.diff(out[np.argsort(ps, kind="stable")]) >= -1e-12).all()


def test_among_tests_of_nothing_few_are_flagged():
    rng = np.random.default_rng(0)
    runs = rng.random((300, 100))
    assert np.mean([(runs[i] < 0.05).any() for i in range(300)]) > 0.9  # the negative control: uncorrected
    assert np.mean([(benjamini_hochberg(ps) < 0.05).any() for ps in runs]) < 0.09
    assert np.mean([(holm(ps) < 0.05).any() for ps in runs]) < 0.09


def test_what_is_no_p():
    assert benjamini_hochberg([]).shape == (0,)
    for bad in ([1.2], [-0.1], [float("nan")]):
        with pytest.raises(ValueError, match="from 0 to 1"):
            holm(bad)
