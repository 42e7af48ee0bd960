"""Findings are grouped and split before anything else; what is taught never tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.mend.splitting import Fault, MendError, clusters, split


def fault(number, prompt="a pilot", outcome="man"):
    return Fault(str(number), prompt, "presentation", outcome)


def directions(*degrees):
    turned = np.deg2rad(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], 1)


def test_what_says_nearly_the_same_is_one_cluster():
    assert clusters(["a", "b", "c", "d"], directions(0, 10, 90, 95)) == [[0, 1], [2, 3]]


def test_a_chain_of_neighbours_is_no_cluster():
    """Control: single linkage would join all four, though the ends have little in common."""
    found = clusters(["a", "b", "c", "d"], directions(0, 25, 50, 75))
    assert max(map(len, found)) == 2


def test_equal_words_are_together_whatever_their_case_and_spaces():
    assert clusters(["A  pilot", "a pilot"], directions(0, 90)) == [[0, 1]]


def test_nothing_and_one():
    assert clusters([], np.zeros((0, 2))) == []
    assert clusters(["a"], np.zeros((1, 2))) == [[0]]
    with pytest.raises(ValueError, match="1 prompts and 2"):
        clusters(["a"], np.zeros((2, 2)))


@given(st.lists(st.integers(0, 359), min_size=2, max_size=25), st.integers(0, 99), st.floats(0.1, 0.9))
def test_whole_clusters_go_to_one_side_and_every_harm_to_both(degrees, seed, share):
    faults = [fault(i, f"prompt {i}", "man" if i % 2 else "woman") for i in range(len(degrees))]
    try:
        found = split(faults, directions(*degrees), seed, share)
    except MendError:
        return  # all of one harm alike: that this is said is tried below
    taught, held = ([f for group in side for f in group] for side in (found.taught, found.held))
    assert sorted(f.id for f in taught + held) == sorted(f.id for f in faults)
    assert {f.harm for f in taught} == {f.harm for f in held} == {f.harm for f in faults}
    for a in taught:
        for b in held:
            assert a.harm != b.harm or int(a.id) != int(b.id)


def test_the_same_seed_splits_alike_and_another_otherwise():
    faults = [fault(i, f"prompt {i}") for i in range(12)]
    where = directions(*range(0, 360, 30))
    assert split(faults, where, 1) == split(faults, where, 1)
    assert any(split(faults, where, 1) != split(faults, where, seed) for seed in range(2, 6))


def test_all_in_one_cluster_is_refused_and_so_is_nothing():
    with pytest.raises(MendError, match="nothing would be left"):
        split([fault(i, f"pilot {i}") for i in range(5)], directions(0, 1, 2, 3, 4), 0)
    with pytest.raises(MendError, match="no findings"):
        split([], np.zeros((0, 2)), 0)
    with pytest.raises(MendError, match="share"):
        split([fault(1), fault(2, "x")], directions(0, 90), 0, share=1.0)


def test_a_prompt_of_two_harms_is_on_one_side_only():
    faults = [Fault(f"{p}{f}", p, f, o) for p in ("a pilot", "a judge", "a cook", "a nurse in the snow")
              for f, o in (("presentation", "man"), ("tone", "light"))]  # fmt: skip
    place = {prompt: i for i, prompt in enumerate(dict.fromkeys(fault.prompt for fault in faults))}
    embeddings = np.eye(4)[[place[fault.prompt] for fault in faults]]
    for seed in range(8):
        found = split(faults, embeddings, seed)
        taught, held = ({fault.prompt for cluster in side for fault in cluster} for side in (found.taught, found.held))
        assert not taught & held
        assert len(taught) == len(held) == 2


def test_harms_that_share_every_prompt_but_cannot_be_divided_are_refused():
    # both prompts of one harm are those of another, in one cluster of three: no side is left
    faults = [Fault("1", "a pilot", "presentation", "man"), Fault("2", "a judge", "presentation", "man"),
              Fault("3", "a cook", "tone", "light"), Fault("4", "a cook!", "tone", "light")]  # fmt: skip
    with pytest.raises(MendError, match="nearly the same"):
        split(faults, np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]), 0)


@pytest.mark.parametrize(("number", "held"), [(4, 2), (6, 5), (7, 5), (8, 5), (12, 6)])
def test_five_clusters_are_held_out_where_there_are_as_many(number, held):
    """Below five nothing is decided; of fewer than six the share decides as ever (the control)."""
    found = split([fault(i, f"prompt {i}") for i in range(number)], np.eye(number), 0)
    assert len(found.held) == held


def test_five_are_not_held_out_at_the_price_of_a_harm():
    outcomes = ("man", "woman", "man", "woman", "person", "person")
    found = split([fault(i, f"prompt {i}", one) for i, one in enumerate(outcomes)], np.eye(6), 0)
    assert len(found.held) == len(found.taught) == 3
