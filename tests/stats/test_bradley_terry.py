"""Ratings against published ones, by their properties, and on input that is bad."""

import json
from math import exp, inf, isfinite
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.stats import bradley_terry
from salon.stats.bradley_terry import fit

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
#: Agresti, Categorical Data Analysis, table 11.10 (10.10 in the 2nd edition): American League East 1987, 13 games a
#: pair; the row's wins over the column
WINS = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
#: ratings relative to Baltimore and their standard errors
PUBLISHED = {
    "Boston": (1.1077, 0.3339), "Cleveland": (0.6839, 0.3319), "Detroit": (1.4364, 0.3396),
    "Milwaukee": (1.5814, 0.3433), "New York": (1.2476, 0.3359), "Toronto": (1.2945, 0.3367),
}  # fmt: skip
GOLDEN = json.loads((Path(__file__).parent / "data/llmfao.json").read_text("utf-8"))

NAMES = st.sampled_from(("ada", "Ωmega", "模型", "  ", "🦊", "e\u0301"))
BATTLES = st.lists(
    st.tuples(NAMES, NAMES, st.sampled_from(("a", "b", "tie")), st.integers(0, 6)).filter(lambda b: b[0] != b[1]),
    min_size=1,
    max_size=40,
)


def season():
    return [
        (one, other, "a")
        for one, row in zip(TEAMS, WINS)
        for other, wins in zip(TEAMS, row)
        for _ in range(wins)
    ]  # fmt: skip


def golden_votes():
    for left, right, *counts in GOLDEN["pairs"]:
        for winner, number in zip(("a", "b", "tie"), counts):
            yield from [(GOLDEN["names"][left], GOLDEN["names"][right], winner)] * number


def test_baseball_has_the_published_ratings_and_standard_errors():
    found = fit(season(), reference="Baltimore", clustered=False)
    for team, (rating, error) in PUBLISHED.items():
        assert found.ratings()[team] == pytest.approx(rating, abs=5e-5)
        assert found.errors()[team] == pytest.approx(error, abs=5e-5)
    assert found.intervals()["Baltimore"] == (0.0, 0.0)
    assert found.intervals()["Boston"] == pytest.approx((1.1077 - 1.96 * 0.3339, 1.1077 + 1.96 * 0.3339), abs=2e-4)


def test_where_nobody_votes_twice_the_sandwich_is_near_the_textbook():
    games = season()
    found, textbook = (fit(games, reference="Baltimore", clustered=c).errors() for c in (True, False))
    assert all(found[team] == pytest.approx(textbook[team], rel=0.06) for team in PUBLISHED)


def test_the_open_leaderboard_is_reproduced():
    """The golden file's rows `bradley_terry` (ties as half a win, scores that sum to 1): the same method. Its rows
    `counting` (wins, ties half) say that the votes are the same. `newman` models ties, `elo` depends on the order,
    `eigen`, `pagerank` and `average_win_rate` are other methods."""
    votes = list(golden_votes())
    assert len(votes) == 8931
    found = fit(votes, clustered=False).ratings()
    whole = sum(map(exp, found.values()))
    for name, score in zip(GOLDEN["names"], GOLDEN["bradley_terry"]):
        assert exp(found[name]) / whole == pytest.approx(score, rel=1e-9)
    won = dict.fromkeys(found, 0.0)
    for a, b, winner in votes:
        worth = {"a": 1, "b": 0, "tie": 0.5}[winner]
        won[a], won[b] = won[a] + worth, won[b] + 1 - worth
    assert [won[name] for name in GOLDEN["names"]] == pytest.approx(GOLDEN["counting"])


@given(BATTLES)
def test_sides_can_be_swapped(battles):
    swap = {"a": "b", "b": "a", "tie": "tie"}
    found, swapped = fit(battles), fit([(b, a, swap[winner], voter) for a, b, winner, voter in battles])
    for name, rating in found.ratings().items():
        assert swapped.ratings()[name] == pytest.approx(rating, abs=1e-6)
        assert swapped.intervals()[name] == pytest.approx(found.intervals()[name], abs=1e-4, rel=1e-4)


@given(BATTLES)
def test_winners_turned_round_turn_the_ratings_round(battles):
    turn = {"a": "b", "b": "a", "tie": "tie"}
    found, turned = fit(battles), fit([(a, b, turn[winner], voter) for a, b, winner, voter in battles])
    for name, rating in found.ratings().items():
        assert turned.ratings()[name] == pytest.approx(-rating, abs=1e-6)


@given(BATTLES, st.randoms(use_true_random=False))
def test_order_does_not_matter(battles, chance):
    mixed = list(battles)
    chance.shuffle(mixed)
    found, other = fit(battles), fit(mixed)
    assert {frozenset(c) for c in found.components} == {frozenset(c) for c in other.components}
    for name, (low, high) in found.intervals().items():
        assert other.ratings()[name] == pytest.approx(found.ratings()[name], abs=1e-6)
        assert other.intervals()[name] == pytest.approx((low, high), abs=1e-4, rel=1e-4)


@given(BATTLES, st.booleans(), st.booleans())
def test_ratings_are_finite_and_inside_their_intervals(battles, clustered, side_bias):
    found = fit(battles, clustered=clustered, side_bias=side_bias)
    for name, (low, high) in found.intervals().items():
        assert isfinite(found.ratings()[name])
        assert low < found.ratings()[name] < high
    for component in found.components:
        assert sum(found.ratings()[name] for name in found.centre & {*component}) == pytest.approx(0, abs=1e-8)
    if not clustered:
        assert found.centre == {*found.names}


def test_no_votes_leave_nothing_known():
    assert fit([]).ratings() == {}
    found = fit([], names=("x", "y"))
    assert found.ratings() == {"x": 0.0, "y": 0.0}
    assert set(found.intervals().values()) == {(-inf, inf)}
    assert (found.components, found.voters, found.battles) == ((("x",), ("y",)), 0, 0)
    assert fit([], side_bias=True).side_interval() == (-inf, inf)


def test_of_one_voter_the_interval_has_no_end():
    """However often: how far people differ cannot be seen in one. The textbook's interval, the control, feigns it."""
    alone = [("x", "y", "a" if i % 3 else "b", "ada") for i in range(200)]
    assert fit(alone).intervals()["x"] == (-inf, inf)
    assert fit(alone).ratings()["x"] > 0
    low, high = fit(alone, clustered=False).intervals()["x"]
    assert high - low < 0.5


def alike(voters, share="aab"):
    return [("x", "y", winner, voter) for voter in range(voters) for winner in share]


def test_two_who_vote_alike_do_not_make_it_certain():
    """Control: they leave no residual, and the sandwich alone gives an interval of no width."""
    found = fit(alike(2))
    (low, high), independent = found.intervals()["x"], fit(alike(2), clustered=False)
    assert low < -2 < 2 < high
    assert found.variance == pytest.approx(independent.variance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bradley_terry, "FEW", 0.0)
        low, high = fit(alike(2)).intervals()["x"]
    assert high - low < 1e-6


@pytest.mark.parametrize("winners", ["aab", ["tie"]])
@pytest.mark.parametrize("voters", [6, 10, 40])
def test_nor_do_more_of_them_and_the_more_the_surer(monkeypatch, voters, winners):
    """Control: the floor of few voters alone ends at six, whose sandwich has no width."""
    found, independent = fit(alike(voters, winners)), fit(alike(voters, winners), clustered=False)
    share = bradley_terry.FEW / found.freedom[0]
    assert share == pytest.approx(5 / (voters - 1))
    assert found.variance == pytest.approx(share * independent.variance)
    low, high = found.difference("x", "y")
    assert (low > 0) == (voters == 40 and winners == "aab")  # forty who agree do say something
    monkeypatch.setattr(bradley_terry, "_least", lambda robust, *_: robust)
    low, high = fit(alike(voters, winners)).difference("x", "y")
    assert high - low < 1e-6


def crowd(voters=30, seed=0):
    """Three machines that do not differ, two votes of each visitor."""
    rng = np.random.default_rng(seed)
    pairs = [("x", "y"), ("y", "w"), ("w", "x")]
    return [(*pairs[rng.integers(3)], "ab"[rng.integers(2)], voter) for voter in range(voters) for _ in range(2)]


@pytest.mark.parametrize("winner", ["a", "b", "tie"])
def test_one_visitors_vote_on_a_new_machine_changes_nobody_elses_interval(winner):
    """Control: against the mean of all, with the new one in it, each interval is infinite."""
    before, after = fit(crowd()), fit([*crowd(), ("z", "x", winner, "new"), ("z", "y", winner, "new")])
    for name in "xyw":
        assert after.intervals()[name] == pytest.approx(before.intervals()[name], abs=1e-12)
        assert isfinite(after.intervals()[name][0])
    assert after.intervals()["z"] == (-inf, inf)
    assert after.difference("z", "x") == (-inf, inf)
    assert isfinite(after.difference("x", "y")[0])
    assert (after.ratings()["z"] > after.ratings()["x"]) is (winner == "a")
    assert (after.beside, [set(one) for one in after.components]) == ({"z"}, [{*"xywz"}])
    assert fit([*crowd(), ("z", "x", winner, "new")], reference="z").intervals()["x"] == (-inf, inf)


def test_who_few_have_met_does_not_widen_the_others():
    """Control: with as many voters needed as there are, the mean of all counts the new one, too."""
    more = [*crowd(), *[("z", "x", "ab"[i % 2], f"new {i}") for i in range(2)]]
    before, after = fit(crowd()), fit(more)
    assert after.centre == {"x", "y", "w"}
    for name in "xyw":
        assert after.intervals()[name] == pytest.approx(before.intervals()[name], abs=0.02)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bradley_terry, "ENOUGH", 1)
        wide = fit(more).intervals()["x"]
    assert wide[1] - wide[0] > 2 * (before.intervals()["x"][1] - before.intervals()["x"][0])
    assert isfinite(after.intervals()["z"][0])
    assert fit([*more, *[("z", "y", "ab"[i % 2], f"more {i}") for i in range(3)]]).centre == {"x", "y", "w", "z"}


def test_one_visitor_does_not_join_two_groups_that_stood_by_themselves():
    """Control: a second voter does join them. Else one vote across would open every interval of the smaller group."""
    others = [(a.upper(), b.upper(), winner, voter) for a, b, winner, voter in crowd(20, 1)]
    apart, joined = fit([*crowd(), *others]), fit([*crowd(), *others, ("x", "X", "a", "new")])
    assert joined.components == apart.components
    assert not joined.comparable("x", "X")
    for name, ends in apart.intervals().items():
        assert joined.intervals()[name] == pytest.approx(ends, abs=1e-12)
    both = fit([*crowd(), *others, ("x", "X", "a", "new"), ("x", "X", "b", "newer")])
    assert len(both.components) == 1
    assert isfinite(both.intervals()["X"][0])


def test_a_chain_through_a_newcomer_does_not_join_groups_either():
    others = [(a.upper(), b.upper(), winner, voter) for a, b, winner, voter in crowd(20, 1)]
    found = fit([*crowd(), *others, ("z", "x", "a", "new"), ("z", "X", "a", "newer")])
    assert sorted(map(len, found.components)) == [3, 4]
    assert all(isfinite(found.intervals()[name][0]) for name in "xywXYW")
    assert found.intervals()["z"] == (-inf, inf)


def test_a_difference_is_the_rating_against_the_other():
    found, against = fit(crowd()), fit(crowd(), reference="y")
    assert found.difference("x", "y") == pytest.approx(against.intervals()["x"], rel=0.05)
    gap = found.ratings()["x"] - found.ratings()["y"]
    assert np.mean(found.difference("x", "y")) == pytest.approx(gap)
    x, y = map(found.names.index, "xy")
    assert found.gap_variance[x, y] == pytest.approx(against.variance[x], rel=1e-9)
    assert found.gap_freedom[x, y] <= against.freedom[x]


def test_what_only_one_voter_has_looked_at_stays_unknown():
    shared = [("x", "y", winner, voter) for voter in range(30) for winner in ("a", "b")]
    found = fit([*shared, ("y", "z", "a", 0), ("y", "z", "b", 0)])
    assert found.intervals()["z"] == (-inf, inf)
    assert found.components == (("x", "y", "z"),)


def test_a_winner_of_all_stays_finite_and_its_interval_wide():
    votes = [("best", "x", "a", v) for v in range(20)] + [("x", "best", "b", v) for v in range(20)]
    found = fit(votes)
    assert found.separated == {"best", "x"}
    assert 1 < found.ratings()["best"] < 5
    low, high = found.intervals()["best"]
    assert isfinite(high)
    assert high - low > 2
    assert low > 0  # and better it is, after twenty voters


def test_firths_penalty_is_half_a_vote_each_way():
    """One battle between two: the penalised likelihood is that of 1.5 wins in 2 (Firth 1993, section 3.3)."""
    found = fit([("x", "y", "a")], clustered=False)
    assert found.ratings()["x"] - found.ratings()["y"] == pytest.approx(np.log(1.5 / 0.5))


def test_a_healthy_component_is_not_penalised():
    healthy = [("x", "y", "a")] * 6 + [("x", "y", "b")] * 3
    found = fit([*healthy, ("best", "other", "a")])
    assert found.ratings()["x"] - found.ratings()["y"] == pytest.approx(np.log(2))
    assert found.separated == {"best", "other"}


def test_what_is_not_connected_is_not_compared():
    found = fit([("x", "y", "a", 1), ("x", "y", "b", 2), ("p", "q", "tie", 1), ("q", "r", "a", 2)])
    assert found.components == (("p", "q", "r"), ("x", "y"))
    assert not found.comparable("x", "p")
    assert found.comparable("p", "r")
    assert found.gain("x", "p") == inf
    assert found.gain("p", "r") < inf


def test_stuffed_votes_weigh_no_more_than_the_cap():
    honest = [("x", "y", "a" if voter % 3 else "b", voter) for voter in range(60)]
    stuffed = [*honest, *[("x", "y", "b", "stuffer")] * 2_000]
    assert fit(stuffed).ratings()["x"] < -1.5  # the control: without a cap one person turns the house round
    capped = fit(stuffed, cap=3)
    assert capped.ratings()["x"] == pytest.approx(fit([*honest, *[("x", "y", "b", "s")] * 3]).ratings()["x"])
    assert capped.ratings()["x"] > 0
    both_ways = [*honest, *[("x", "y", "b", "s")] * 1_000, *[("y", "x", "a", "s")] * 1_000]
    assert fit(both_ways, cap=3).ratings()["x"] == pytest.approx(capped.ratings()["x"])


def test_a_leaning_to_one_side_is_found_and_taken_off():
    """x always stands at a and people lean to a: the side term puts the blame where it belongs."""
    rng = np.random.default_rng(3)

    def votes(strength, first, second):
        lean = 1 / (1 + np.exp(-strength - 0.8))
        return [(first, second, "a" if rng.random() < lean else "b", int(rng.integers(80))) for _ in range(800)]

    battles = [*votes(0, "x", "y"), *votes(0, "y", "z"), *votes(0, "z", "x")]
    found = fit(battles, side_bias=True)
    low, high = found.side_interval()
    assert low < 0.8 < high
    assert low > 0
    always_left = [*votes(0, "x", "y"), *votes(0, "y", "x")[:200]]
    assert fit(always_left).ratings()["x"] > 0.15  # the control
    assert abs(fit(always_left, side_bias=True).ratings()["x"]) < 0.15
    with pytest.raises(ValueError, match="side_bias=True"):
        fit(battles).side_interval()


def test_a_side_that_wins_all_stays_finite():
    found = fit([("x", "y", "a", v) for v in range(9)] + [("y", "x", "a", v) for v in range(9)], side_bias=True)
    assert 1 < found.side < 6
    assert found.ratings()["x"] == pytest.approx(0, abs=1e-6)


def test_the_gain_is_what_one_more_battle_brings():
    """Against the information matrix with the battle in it; a pair hardly seen gains more than one seen often."""
    votes = [("x", "y", "a"), ("x", "y", "b")] * 30 + [("y", "z", "a"), ("y", "z", "b")] * 3
    before = fit(votes, clustered=False)
    after = fit([*votes, ("y", "z", "tie")], clustered=False)
    assert before.gain("y", "z") == pytest.approx(before.variance.sum() - after.variance.sum(), rel=1e-3)
    assert before.gain("y", "z") > 5 * before.gain("x", "y")


@pytest.mark.parametrize(
    ("battles", "options", "says"),
    [
        ([("x", "y", "both_bad")], {}, "no winner"),
        ([("x", "y", "x")], {}, "no winner"),
        ([("x", "x", "a")], {}, "with itself"),
        ([("x", "y", "a")], {"reference": "z"}, "no battle of 'z'"),
        ([("x", "y", "a")], {"cap": 0}, "cap of 0"),
    ],
)
def test_what_is_no_vote_is_refused(battles, options, says):
    with pytest.raises(ValueError, match=says):
        fit(battles, **options)


def test_levels_are_checked():
    with pytest.raises(ValueError, match="not between"):
        fit(season()).intervals(1.0)
