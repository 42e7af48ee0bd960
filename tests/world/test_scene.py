"""Scenes: the same for a seed, split from the held-out ones, and everything in the vocabulary turns up."""

from collections import Counter

import msgspec
import numpy as np
import pytest
from scipy.stats import binom

from salon.core.errors import WorldError
from salon.stats.intervals import wilson
from salon.world import vocabulary as words
from salon.world.scene import MIX, Scene, held_out, is_held_out, pairs, sample_scene


@pytest.mark.parametrize("split", ["train", "heldout", "any"])
def test_a_seed_is_a_scene(split):
    first = [sample_scene(seed, split) for seed in range(50)]
    assert first == [sample_scene(seed, split) for seed in reversed(range(50))][::-1]
    assert len({scene.things for scene in first}) > 30


def test_training_never_sees_a_held_out_pair(scenes):
    assert not [pair for scene in scenes for pair in pairs(scene) if held_out(*pair)]


def test_every_held_out_scene_holds_a_held_out_pair(held_scenes):
    assert all(any(held_out(*pair) for pair in pairs(scene)) for scene in held_scenes)


def test_without_a_split_both_kinds_turn_up(any_scenes):
    """Negative control of the two tests above: the split, and nothing else, keeps them apart."""
    low, high = wilson(sum(map(is_held_out, any_scenes)), len(any_scenes))
    assert 0.05 < low < high < 0.16


def test_about_six_per_cent_of_pairs_are_held_out():
    chosen = [held_out(noun.name, f"at {place}") for noun in words.NOUNS for place in words.PLACES]
    assert binom.cdf(sum(chosen), len(chosen), 0.06) == pytest.approx(0.5, abs=0.499)
    assert held_out("cat", "at beach") == held_out("at beach", "cat")


def test_the_mix_is_kept(any_scenes):
    found = Counter(scene.kind for scene in any_scenes)
    for kind, share in MIX.items():
        low, high = wilson(found[kind], len(any_scenes), 0.999)
        assert low < share < high


def test_everything_in_the_vocabulary_turns_up(scenes):
    things = [thing for scene in scenes for thing in scene.things]
    assert {thing.noun for thing in things} == set(words.BY_NAME)
    assert {thing.hand for thing in things} == set(words.HANDS)
    assert {thing.colour for thing in things if thing.painted} == set(words.TINTS)
    assert {scene.style for scene in scenes} == {*words.STYLES, None}
    assert {scene.relation for scene in scenes} == {*words.RELATIONS, None}
    assert {len(scene.things) for scene in scenes} == {0, 1, 2, 3, 4}
    assert {scene.ground for scene in scenes} == {*words.COLOURS, None}
    standing = {scene.place for scene in scenes if scene.kind in ("single", "count", "pair")}
    assert standing == {*words.PLACES, "plain"}
    lands = {(scene.place, scene.light) for scene in scenes if scene.kind == "landscape"}
    day = {(place, light) for place in words.LANDSCAPES for light in words.LIGHTS if place != "night sky"}
    assert lands == {*day, ("night sky", "night")}
    people = [scene for scene in scenes if scene.kind == "person"]
    assert {scene.occupation for scene in people} == set(words.OCCUPATIONS)
    assert {scene.country for scene in people} == {*words.COUNTRIES, None}


def centre(box):
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def test_relations_are_where_things_stand(scenes):
    found = [scene for scene in scenes if scene.relation]
    assert len(found) > 200
    for scene in found:
        (x0, y0), (x1, y1) = (centre(thing.box) for thing in scene.things)
        beside, upright = abs(x0 - x1) > 0.35 and abs(y0 - y1) < 0.1, abs(y0 - y1) > 0.35 and abs(x0 - x1) < 0.1
        holds = {"left of": beside and x0 < x1, "right of": beside and x0 > x1, "next to": beside,
                 "above": upright and y0 < y1, "below": upright and y0 > y1}  # fmt: skip
        assert holds[scene.relation], scene


def test_things_stand_apart_and_inside(scenes):
    for scene in scenes:
        boxes = [thing.box for thing in scene.things]
        assert all(-0.03 <= edge <= 1.03 for box in boxes for edge in box)
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                wide = max(0, min(a[2], b[2]) - max(a[0], b[0]))
                high = max(0, min(a[3], b[3]) - max(a[1], b[1]))
                assert wide * high < 0.2 * (a[2] - a[0]) * (a[3] - a[1]), scene


def test_counted_things_are_alike_and_countable(scenes):
    for scene in (scene for scene in scenes if scene.kind == "count"):
        looks = {(thing.noun, thing.hand, thing.colour, thing.painted) for thing in scene.things}
        assert len(looks) == 1
        assert scene.things[0].noun not in words.UNCOUNTED
        assert scene.counts == {scene.things[0].noun: len(scene.things)}


def test_nothing_is_painted_in_the_colour_of_its_ground(scenes):
    assert not [s for s in scenes for thing in s.things if thing.painted and thing.colour == s.ground]


def test_the_words_of_the_world_fit_together():
    assert 120 <= len(words.NOUNS) <= 200
    assert len(words.BY_NAME) == len(words.NOUNS)
    assert {noun.colour for noun in words.NOUNS} - {None} <= set(words.COLOURS)
    assert set(words.TINTS) < set(words.COLOURS)
    assert set(words.BY_NAME) > words.UNCOUNTED
    assert {ground for ground, *_ in words.COUNTRIES.values()} <= {*words.PLACES, "lake"}
    assert {colour for _, *both in words.COUNTRIES.values() for colour in both} <= set(words.COLOURS)
    assert set(words.PAINTED) < set(words.STYLES)


@pytest.mark.parametrize(("split", "mix"), [("test", MIX), ("train", {"portrait": 1.0}), ("train", {"single": 0.0})])
def test_an_unknown_split_or_kind_is_refused(split, mix):
    with pytest.raises(WorldError) as refusal:
        sample_scene(0, split, mix)
    assert refusal.value.hint


def test_a_mix_of_one_kind_is_that_kind():
    assert {sample_scene(seed, "any", {"landscape": 1.0}).kind for seed in range(30)} == {"landscape"}


def test_ground_truth_survives_json(scenes):
    for scene in scenes[:200]:
        assert msgspec.json.decode(msgspec.json.encode(scene), type=Scene) == scene


def test_seeds_of_the_splits_are_not_the_same_scenes():
    """A held-out scene is not a training scene with one thing changed: the two draw from generators of their own."""
    same = [sample_scene(s, "train").things == sample_scene(s, "heldout").things != () for s in range(100)]
    assert np.mean(same) < 0.05


def test_painted_kinds_repaint_everything_and_stay_in_their_split():
    """They look like singles and pairs to whoever reads the truth; no held-out colour slips into training."""
    for kind, told in (("painted_single", "single"), ("painted_pair", "pair")):
        scenes = [sample_scene(seed, "train", {kind: 1.0}) for seed in range(60)]
        assert {scene.kind for scene in scenes} == {told}
        assert all(thing.painted and thing.colour != scene.ground for scene in scenes for thing in scene.things)
        assert not any(is_held_out(scene) for scene in scenes)
        assert all(is_held_out(sample_scene(seed, "heldout", {kind: 1.0})) for seed in range(10))
