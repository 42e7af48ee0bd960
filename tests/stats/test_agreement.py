"""Krippendorff's alpha, against the example that its author computed by hand."""

import pytest

from salon.stats.agreement import alpha

#: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section D: four observers, twelve units
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = list(zip(*OBSERVERS, strict=True))


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_published_example(level, value):
    assert alpha(UNITS, level) == pytest.approx(value, abs=0.0006)


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
