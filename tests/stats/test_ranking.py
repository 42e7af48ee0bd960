"""Ranking: jurors' severity comes out, intervals cover what they say, equals share a place."""

import numpy as np
import pytest

from salon.stats import ranking
from salon.stats.ranking import rank


def judged(rng, things, jurors, each, spread, severity, noise, whole_points=False):
    """Scores of jurors met by chance, and what the whole jury would have given."""
    own, strict = rng.normal(0, spread, things), rng.normal(0, severity, jurors)
    scores = []
    for thing in range(things):
        for juror in rng.choice(jurors, each, replace=False):
            value = 50 + own[thing] + strict[juror] + rng.normal(0, noise)
            value = float(np.clip(round(value / 10) * 10, 0, 100)) if whole_points else value
            scores.append((thing, int(juror), value))
    return scores, 50 + own + strict.mean()


def test_the_equations_are_those_of_the_dense_textbook_form():
    """Generalised least squares with whole matrices, at one pair of ratios."""
    scores, _ = judged(np.random.default_rng(3), 7, 4, 3, 5, 5, 5)
    table = ranking._table(scores)
    a, b, n = 1.7, 0.6, len(scores)
    things, jurors = (np.eye(size)[at] for size, at in ((7, table.thing), (4, table.juror)))
    whole = np.eye(n) + a * things @ things.T + b * jurors @ jurors.T
    inverse, ones = np.linalg.inv(whole), np.ones(n)
    level = ones @ inverse @ table.score / (ones @ inverse @ ones)
    rest = inverse @ (table.score - level)
    found = ranking._solved(table, a, b)
    assert found.fixed == pytest.approx([level, *(b * jurors.T @ rest)])
    assert found.things - found.pull @ found.fixed == pytest.approx(a * things.T @ rest)
    assert found.left == pytest.approx((table.score - level) @ rest)
    log = -np.linalg.slogdet(whole)[1] - np.log(ones @ inverse @ ones)
    other = ranking._solved(table, 0.2, 3.0).log_likelihood
    dense = np.eye(n) + 0.2 * things @ things.T + 3.0 * jurors @ jurors.T
    log -= -np.linalg.slogdet(dense)[1] - np.log(ones @ np.linalg.inv(dense) @ ones)
    assert found.log_likelihood - other == pytest.approx(log)


@pytest.mark.parametrize(
    ("shape", "whole_points"),
    [((20, 5, 3, 10, 8, 8), False), ((20, 5, 3, 10, 8, 8), True), ((12, 4, 2, 3, 10, 10), False)],
)
def test_intervals_cover_what_they_say(shape, whole_points):
    """Simulated juries, in whole points as well. The control: the bars that are usually drawn, 1.96 standard errors of
    the plain mean, cover far less than they say."""
    rng, hits, plain, places, of = np.random.default_rng(1), 0, 0, 0, 0
    for _ in range(40):
        scores, truth = judged(rng, *shape, whole_points)
        order = (-truth).argsort().argsort() + 1
        for one in rank(scores, draws=1_000).placed:
            hits += one.low <= truth[one.key] <= one.high
            places += one.best <= order[one.key] <= one.worst
            plain += abs(one.mean - truth[one.key]) <= 1.96 * one.spread / one.reviews**0.5
            of += 1
    assert 0.93 <= hits / of <= 0.985
    assert places / of >= 0.95
    assert plain / of < 0.87


def test_who_met_the_strict_is_not_punished():
    """Two jurors of ten points' difference. The plain mean takes the better application for the worse."""
    scores = [(thing, juror, 50 + 2 * thing + (-20, 0)[juror]) for thing in range(6) for juror in (0, 1)]
    scores += [("good", 0, 50 + 14 - 20), ("fair", 1, 50 + 4)]
    found = rank(scores)
    means = {one.key: one for one in found.placed}
    assert means["good"].mean < means["fair"].mean
    assert found.placed[0].key == "good"
    assert found.severity[0] < -8 < 8 < found.severity[1]
    assert means["good"].corrected < 54 + 10  # one review: drawn towards the middle


def test_few_reviews_are_drawn_to_the_middle():
    rng = np.random.default_rng(2)
    scores = [(thing, juror, 50 + rng.normal(0, 10)) for thing in range(8) for juror in range(6)]
    scores += [("one", 0, 80.0), *(("six", juror, 80.0) for juror in range(6))]
    found = {placed.key: placed for placed in rank(scores).placed}
    assert found["one"].mean == found["six"].mean == 80
    assert found["one"].corrected < found["six"].corrected < 80
    assert found["one"].high - found["one"].low > found["six"].high - found["six"].low


def test_equals_share_a_place_and_are_not_told_apart():
    scores = [(key, juror, value) for key, value in (("a", 90), ("b", 50), ("c", 50), ("d", 10)) for juror in range(4)]
    found = rank(scores)
    assert [(one.key, one.place) for one in found.placed] == [("a", 1), ("b", 2), ("c", 2), ("d", 4)]
    assert found.runs == [(1, 2)]


def test_runs_hold_only_what_is_not_told_apart():
    rng = np.random.default_rng(5)
    scores = [(thing, juror, 5.0 * thing + rng.normal(0, 6)) for thing in range(12) for juror in range(5)]
    found = rank(scores)
    assert len(found.runs) > 1  # some are told apart: the control
    assert all(first < last for first, last in found.runs)
    firsts, lasts = zip(*found.runs)
    assert list(firsts) == sorted(set(firsts))
    assert list(lasts) == sorted(set(lasts))


@pytest.mark.parametrize(
    "scores", [[("a", 1, 5.0)], [("a", 1, 5.0), ("b", 2, 5.0)], [(key, juror, 0.0) for key in "ab" for juror in "xy"]]
)
def test_where_nothing_can_be_told_nothing_is_told(scores):
    found = rank(scores)
    assert {one.place for one in found.placed} == {1}
    assert all(np.isinf(one.low) and np.isinf(one.high) for one in found.placed)
    assert found.runs == ([(0, 1)] if len(found.placed) > 1 else [])


def test_the_same_scores_give_the_same_answer_and_points_do_not_matter():
    scores, _ = judged(np.random.default_rng(4), 9, 4, 2, 5, 5, 5)
    assert rank(scores) == rank(scores)
    scaled = rank([(thing, juror, 1000 + score / 7) for thing, juror, score in scores])
    for one, other in zip(rank(scores).placed, scaled.placed, strict=True):
        assert (one.key, one.best, one.worst) == (other.key, other.best, other.worst)
        assert 1000 + one.corrected / 7 == pytest.approx(other.corrected)


def test_what_is_no_score_is_refused():
    for scores in ([("a", 1, float("nan"))], [("a", 1, float("inf"))], [("a", 1, 1.0), ("a", 1, 2.0)]):
        with pytest.raises(ValueError, match=r"finite|one score"):
            rank(scores)
    with pytest.raises(ValueError, match="level"):
        rank([], level=1.0)
    assert rank([]).placed == []
