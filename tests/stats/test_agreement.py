"""Krippendorff's alpha, against the example that its author computed by hand and against the package of its name."""

from math import inf

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.stats.agreement import Agreement, agreement, alpha

#: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section D: four observers, twelve units
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = list(zip(*OBSERVERS, strict=True))
LEVELS = ("nominal", "ordinal", "interval", "ratio")
LABEL = st.one_of(st.none(), st.integers(0, 6))


@pytest.mark.parametrize(
    ("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_the_published_example(level, value):
    assert alpha(UNITS, level) == pytest.approx(value, abs=0.0006)


@pytest.mark.parametrize("level", LEVELS)
@given(units=st.lists(st.lists(LABEL, min_size=3, max_size=3), min_size=1, max_size=12))
def test_as_in_the_package_whatever_is_missing(level, units):
    """The package takes NaN for missing, observers by things; it refuses what has no two labels."""
    data = np.array([[np.nan if label is None else label for label in row] for row in units], float).T
    pairable = data[:, (~np.isnan(data)).sum(0) > 1]
    if len(np.unique(pairable[~np.isnan(pairable)])) < 2:
        assert alpha(units, level) is None
        return
    theirs = krippendorff.alpha(reliability_data=data, level_of_measurement=level)
    assert alpha(units, level) == pytest.approx(theirs, abs=1e-12)


def test_words_are_labels_too():
    numbers = [(1, 1), (2, 1), (2, 2), (3, 3)]
    assert alpha([("abc"[a - 1], "abc"[b - 1]) for a, b in numbers]) == pytest.approx(alpha(numbers))


def test_all_alike_is_1_and_chance_about_0():
    assert alpha([("a", "a"), ("b", "b")]) == 1
    assert abs(alpha([(a, b) for a in "ab" for b in "ab"] * 50)) < 0.01
    assert alpha([("a", "b"), ("b", "a")]) < 0


@pytest.mark.parametrize("units", [[], [()], [("a",), ("b",)], [("a", "a")], [("a", None), ("b", None)]])
def test_nothing_to_tell(units):
    assert alpha(units) is None
    assert agreement(units) == Agreement(None, None, None)


@pytest.mark.parametrize(
    ("units", "level", "says"),
    [(UNITS, "cardinal", "no level"), ([(-1, 2)], "ratio", "not negative"), ([(1, inf)], "interval", "finite")],
)
def test_what_is_no_label_of_its_level_is_refused(units, level, says):
    with pytest.raises(ValueError, match=says):
        alpha(units, level)


def reviews(rng, things, share=0.7):
    """Two reviewers of as many things, who both see the truth in a `share` of cases and else say what they like."""
    truth = rng.integers(3, size=things)
    said = np.where(rng.random((2, things)) < share, truth, rng.integers(3, size=(2, things)))
    return said.T.tolist()


def test_the_interval_is_wide_for_few_things_and_holds_the_value():
    rng = np.random.default_rng(0)
    few, many = agreement(reviews(rng, 20)), agreement(reviews(rng, 320))
    for found in (few, many):
        assert found.low < found.alpha < found.high <= 1
    assert many.high - many.low < 0.5 * (few.high - few.low)
    assert agreement(UNITS, "ordinal") == agreement(UNITS, "ordinal")  # the same draws each time
    with pytest.raises(ValueError, match="not between"):
        agreement(UNITS, sure=1.0)


def test_of_almost_one_label_there_is_no_interval():
    """Drawn anew, the one thing with another label is missing in a third of the samples."""
    found = agreement([("a", "a")] * 30 + [("b", "b")])
    assert found.alpha == 1
    assert (found.low, found.high) == (None, None)


@pytest.mark.slow
def test_the_interval_of_alpha_covers():
    """Of 40 things about .93. Control: taking labels for unconnected, as if each thing had been labelled three times by
    other people, covers far less."""
    rng, held, control, truth = np.random.default_rng(1), 0, 0, alpha(reviews(np.random.default_rng(9), 200_000))
    for _ in range(400):
        units = reviews(rng, 40)
        low, high = agreement(units, draws=400)[1:]
        held += low <= truth <= high
        low, high = agreement(units * 3, draws=400)[1:]
        control += low <= truth <= high
    assert held / 400 > 0.91
    assert control / 400 < 0.8
