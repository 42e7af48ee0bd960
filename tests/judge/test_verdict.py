"""Requirements and geometry: every task's check says yes to the right picture and no to each wrong one."""

import numpy as np
import pytest

from salon.judge.verdict import Seen, Verdict, Want, Wanted, check, passes, relations


def seen(name, x=0.5, y=0.5, side=0.4, colour=None, score=0.9):
    return Seen(name=name, colour=colour, score=score, box=(x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def shows(*things, **whole):
    return Verdict(readable=True, things=things, **whole)


TWO_CATS = shows(seen("cat", 0.28), seen("cat", 0.72))
RED_APPLE_BLUE_CAR = shows(seen("apple", 0.28, colour="red"), seen("car", 0.72, colour="blue"), style="oil")
APPLE, CAR = Want(name="apple", colour="red"), Want(name="car", colour="blue")

CASES = {
    "single": (shows(seen("cat")), Wanted(things=(Want(name="cat"),)), True),
    "single, among others": (shows(seen("dog"), seen("cat")), Wanted(things=(Want(name="cat"),)), True),
    "single, another": (shows(seen("dog")), Wanted(things=(Want(name="cat"),)), False),
    "single, unsure": (shows(seen(None)), Wanted(things=(Want(name="cat"),)), False),
    "single, nothing": (shows(), Wanted(things=(Want(name="cat"),)), False),
    "two": (RED_APPLE_BLUE_CAR, Wanted(things=(Want(name="apple"), Want(name="car"))), True),
    "two, one lacks": (shows(seen("apple")), Wanted(things=(Want(name="apple"), Want(name="car"))), False),
    "count": (TWO_CATS, Wanted(things=(Want(name="cat", count=2),)), True),
    "count, one fewer": (shows(seen("cat")), Wanted(things=(Want(name="cat", count=2),)), False),
    "count, one more": (TWO_CATS, Wanted(things=(Want(name="cat", count=1),)), False),
    "count, of another": (TWO_CATS, Wanted(things=(Want(name="dog", count=2),)), False),
    "colour": (RED_APPLE_BLUE_CAR, Wanted(things=(APPLE,)), True),
    "colour, another": (RED_APPLE_BLUE_CAR, Wanted(things=(Want(name="apple", colour="green"),)), False),
    "colour, unknown": (shows(seen("apple")), Wanted(things=(APPLE,)), False),
    "attribution": (RED_APPLE_BLUE_CAR, Wanted(things=(APPLE, CAR)), True),
    "attribution, swapped": (
        shows(seen("apple", colour="blue"), seen("car", colour="red")), Wanted(things=(APPLE, CAR)), False),
    "position": (
        RED_APPLE_BLUE_CAR, Wanted(things=(Want(name="apple"), Want(name="car")), relation="left of"), True),
    "position, opposite": (
        RED_APPLE_BLUE_CAR, Wanted(things=(Want(name="apple"), Want(name="car")), relation="right of"), False),
    "position, other axis": (
        RED_APPLE_BLUE_CAR, Wanted(things=(Want(name="apple"), Want(name="car")), relation="above"), False),
    "position, one lacks": (
        shows(seen("apple")), Wanted(things=(Want(name="apple"), Want(name="car")), relation="left of"), False),
    "style": (RED_APPLE_BLUE_CAR, Wanted(style="oil"), True),
    "style, another": (RED_APPLE_BLUE_CAR, Wanted(style="mosaic"), False),
    "style, none": (TWO_CATS, Wanted(style="oil"), False),
    "place": (shows(place="at beach"), Wanted(place="at beach"), True),
    "place, landscape for ground": (shows(place="land sea"), Wanted(place="at sea"), False),
    "landscape": (
        shows(place="land river", style="oil", light="night"),
        Wanted(place="land river", style="oil", light="night"), True),
    "landscape, other light": (
        shows(place="land river", style="oil", light="day"),
        Wanted(place="land river", style="oil", light="night"), False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_task_tells_right_from_wrong(name):
    verdict, wanted, right = CASES[name]
    assert passes(verdict, wanted) is right


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[2]])
def test_what_cannot_be_read_meets_nothing(name):
    verdict, wanted, _ = CASES[name]
    blind = Verdict(**{field: getattr(verdict, field) for field in verdict.__struct_fields__} | {"readable": False})
    assert not any(check(blind, wanted).values())


def test_the_surest_of_a_name_counts_for_its_colour():
    pair = shows(seen("apple", colour="green", score=0.6), seen("apple", colour="red", score=0.9))
    assert passes(pair, Wanted(things=(APPLE,)))
    assert check(pair, Wanted(things=(APPLE,))) == {"apple": True, "apple is red": True}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((0.1, 0.5), {"left of"}),
        ((0.9, 0.5), {"right of"}),
        ((0.5, 0.1), {"above"}),
        ((0.5, 0.9), {"below"}),
        ((0.1, 0.1), {"left of", "above"}),
        ((0.5, 0.5), set()),
        ((0.54, 0.52), set()),
    ],
)
def test_relations_follow_the_boxes(at, expected):
    """The last: centres within a tenth of both sizes coincide. Control: without that slack they would not."""
    assert relations(seen("a", *at), seen("b")) == expected
    assert relations(seen("a", 0.54, 0.52, side=0.01), seen("b", side=0.01)) == {"right of"}


def as_in_geneval(first, second):
    """`relative_position` of evaluate_images.py (github.com/djghosh13/geneval), in its own terms."""
    boxes = np.array([first.box, second.box]).reshape(2, 2, 2)
    centres, sizes = boxes.mean(1), np.abs(np.diff(boxes, axis=1))[:, 0]
    offset = centres[0] - centres[1]
    free = np.maximum(np.abs(offset) - 0.1 * sizes.sum(0), 0) * np.sign(offset)
    if (np.abs(free) < 1e-3).all():
        return set()
    across, down = free / np.linalg.norm(offset)
    said = {"left of": across < -0.5, "right of": across > 0.5, "above": down < -0.5, "below": down > 0.5}
    return {word for word, holds in said.items() if holds}


def laxer(first, second):
    """The control: the offset divided by what is left of it."""
    gaps = [a - b for a, b in zip(first.centre, second.centre)]
    free = [np.sign(g) * max(0.0, abs(g) - 0.1 * (a + b)) for g, a, b in zip(gaps, first.size, second.size)]
    across, down = np.array(free) / (np.hypot(*free) or 1.0)
    said = {"left of": across < -0.5, "right of": across > 0.5, "above": down < -0.5, "below": down > 0.5}
    return {word for word, holds in said.items() if holds}


def test_positions_are_genevals():
    rng = np.random.default_rng(0)
    pairs = [[seen("a", *rng.random(2), side) for side in rng.uniform(0.1, 0.5, 2)] for _ in range(1_000)]
    assert all(relations(*pair) == as_in_geneval(*pair) for pair in pairs)
    others = [laxer(*pair) for pair in pairs]
    assert sum(relations(*pair) != other for pair, other in zip(pairs, others)) > 100
    assert all(relations(*pair) <= other for pair, other in zip(pairs, others))  # always laxer


def test_verdicts_are_said_in_one_line():
    assert TWO_CATS.said() == "2 x cat"
    assert RED_APPLE_BLUE_CAR.said() == "red apple, blue car; oil"
    assert Verdict(readable=False).said() == "nothing that can be read"
