"""Pixels against ground truth: what a scene says stands there, stands there, in its colour, at every size."""

import colorsys
from functools import cache

import msgspec
import numpy as np
import pytest
from PIL import Image

from salon.core.errors import WorldError
from salon.world import vocabulary as words
from salon.world.render import GROUNDED, label_names, render, render_with_labels
from salon.world.scene import Scene, Thing, sample_scene
from salon.world.sheet import sheet
from salon.world.styles import FILTERS

SIDE = 128
#: Grey levels by which a pixel must change to count as covered.
SEEN = 10


def plain(seeds: range, kind: str, **wanted: object) -> list[Scene]:
    """Scenes of one kind with their style taken off."""
    scenes = [msgspec.structs.replace(sample_scene(seed, "any", {kind: 1.0}), style=None) for seed in seeds]
    return [scene for scene in scenes if all(getattr(scene, name) == value for name, value in wanted.items())]


def without(scene: Scene, index: int) -> Scene:
    return msgspec.structs.replace(scene, things=scene.things[:index] + scene.things[index + 1 :])


def changed(a: Scene, b: Scene) -> np.ndarray:
    """Where two scenes look different: bool [SIDE, SIDE]."""
    return np.abs(render(a, SIDE).astype(int) - render(b, SIDE)).max(-1) > SEEN


def outside(mask: np.ndarray, box: tuple[float, ...], margin: float = 1.5) -> int:
    """Pixels of the mask that lie outside a box (parts of the side) by more than `margin` pixels."""
    y, x = np.nonzero(mask)
    left, top, right, bottom = (edge * SIDE for edge in box)
    return int(((x < left - margin) | (x > right + margin) | (y < top - margin) | (y > bottom + margin)).sum())


def shadowless(scene: Scene) -> Scene:
    return msgspec.structs.replace(scene, place="sky", ground=None) if scene.place in GROUNDED else scene


@pytest.mark.parametrize("kind", ["single", "count", "pair"])
def test_boxes_hold_their_things(kind):
    """Taking one thing away changes pixels inside its box and nowhere else (but for its shadow)."""
    for scene in map(shadowless, plain(range(15), kind)):
        for index, thing in enumerate(scene.things):
            mask = changed(scene, without(scene, index))
            assert mask.sum() > 30, thing
            assert outside(mask, thing.box) == 0, thing


def test_a_wrong_box_would_be_noticed():
    """Negative control: the same look with the box moved by a tenth of the side."""
    scene = plain(range(1), "single")[0]
    moved = tuple(edge + 0.1 for edge in scene.things[0].box)
    assert outside(changed(scene, without(scene, 0)), moved) > 30


@pytest.mark.parametrize("place", sorted(GROUNDED - {"night"}))
def test_what_stands_on_the_ground_darkens_it(place):
    """Under the foot of a thing, and nowhere else outside its box. (At night there is nothing left to darken.)"""
    thing = Thing(noun="penguin", hand="noto", box=(0.3, 0.2, 0.9, 0.8))
    scene = Scene(seed=3, kind="single", place=place, things=(thing,))
    before, after = render(without(scene, 0), SIDE).astype(int), render(scene, SIDE)
    foot = np.s_[round(0.805 * SIDE) : round(0.83 * SIDE), round(0.5 * SIDE) : round(0.7 * SIDE)]
    assert (after[foot] <= before[foot]).all()
    assert (before[foot] - after[foot]).mean() > 3
    assert not np.abs(after - before)[: round(0.6 * SIDE), : round(0.28 * SIDE)].any()


@pytest.mark.parametrize("place", ["sky", "space", "sea", "plain"])
def test_what_floats_throws_no_shadow(place):
    ground = "white" if place == "plain" else None
    thing = Thing(noun="penguin", hand="noto", box=(0.3, 0.2, 0.9, 0.8))
    scene = Scene(seed=3, kind="single", place=place, ground=ground, things=(thing,))
    assert outside(changed(scene, without(scene, 0)), thing.box) == 0
    high = msgspec.structs.replace(thing, box=(0.4, 0.1, 0.6, 0.3))
    scene = msgspec.structs.replace(scene, place="meadow", ground=None, things=(high,))
    assert outside(changed(scene, without(scene, 0)), high.box) == 0


def test_things_fill_their_boxes():
    """The longer side of what is drawn is the box's: on a ground that no sprite resembles."""
    for scene in plain(range(40), "single"):
        stage = msgspec.structs.replace(scene, place="plain", ground="black" if scene.seed % 2 else "white")
        y, x = np.nonzero(changed(stage, without(stage, 0)))
        box = scene.things[0].box
        longest = max(np.ptp(x), np.ptp(y)) + 1
        assert 0.8 < longest / ((box[2] - box[0]) * SIDE) < 1.04, scene


def hue(colour) -> float:
    return colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))[0]


@pytest.mark.parametrize("tint", words.TINTS)
def test_painted_things_have_their_colour_in_pixels(tint):
    """Of the coloured pixels of a repainted thing nearly all have the hue of the word."""
    ground = "black"
    for noun in words.NOUNS[::13]:
        thing = Thing(noun=noun.name, hand="fluent", box=(0.2, 0.2, 0.8, 0.8), colour=tint, painted=True)
        scene = Scene(seed=1, kind="single", place="plain", ground=ground, things=(thing,))
        pixels = render(scene, SIDE)[changed(scene, without(scene, 0))] / 255
        lively = pixels[(np.ptp(pixels, axis=1) > 0.15) & (pixels.max(1) > 0.3)]
        away = np.array([abs((hue(p * 255) - hue(words.COLOURS[tint]) + 0.5) % 1 - 0.5) for p in lively])
        assert len(lively) > 30, noun
        assert np.mean(away < 0.04) > 0.9, (noun.name, tint)


def test_plain_grounds_have_their_colour():
    for scene in plain(range(60), "single", place="plain"):
        assert tuple(render(scene, SIDE)[2, 2]) == words.COLOURS[scene.ground]


def test_flipping_mirrors_the_thing():
    thing = Thing(noun="camel", hand="noto", box=(0.2, 0.2, 0.8, 0.8))
    scene = Scene(seed=1, kind="single", place="plain", ground="white", things=(thing,))
    other = msgspec.structs.replace(scene, things=(msgspec.structs.replace(thing, flip=True),))
    assert changed(scene, other).sum() > 100
    assert np.abs(render(scene, SIDE)[:, ::-1].astype(int) - render(other, SIDE)).mean() < 6


def test_people_stand_on_the_ground_in_their_own_looks():
    for scene in plain(range(12), "person"):
        mask = changed(scene, msgspec.structs.replace(scene, occupation=None))
        assert mask.mean() > 0.15
        assert np.nonzero(mask)[0].max() >= SIDE - 3
        other = "dark" if scene.tone != "dark" else "light"
        assert changed(scene, msgspec.structs.replace(scene, tone=other)).sum() > 50


def test_countries_fly_their_flags():
    for scene in [s for s in plain(range(30), "person") if s.country]:
        _, *bands = words.COUNTRIES[scene.country]
        for y, name in zip((0.095, 0.165), bands, strict=True):
            seen = render(scene, SIDE)[round(y * SIDE), round(0.2 * SIDE)]
            assert np.abs(seen - np.array(words.COLOURS[name])).max() < 12


# --- label maps ----------------------------------------------------------------------------------------------------


def test_labels_name_what_stands_where():
    names = label_names()
    assert len(set(names)) == len(names) < 2**16
    for kind in ("single", "count", "pair", "person", "landscape"):
        for scene in plain(range(20), kind):
            labels = render_with_labels(scene, SIDE)[1]
            found = {names[label] for label in np.unique(labels)}
            ground = f"plain {scene.ground}" if scene.place == "plain" else f"at {scene.place}"
            ground = f"land {scene.place}" if kind == "landscape" else ground
            things = {thing.noun for thing in scene.things} | ({scene.occupation} - {None})
            assert found <= {ground, *things}
            assert labels.shape == (8, 8)
            assert labels.dtype == np.uint16
            if kind in ("single", "count", "person"):
                assert things <= found, scene
            if kind != "landscape":
                assert (labels == names.index(ground)).any()


def test_labels_agree_with_pixels():
    """A cell that carries a thing's label is one that changes when the thing is taken away."""
    for scene in plain(range(20), "single"):
        mask = changed(scene, without(scene, 0)).reshape(8, 16, 8, 16).mean((1, 3))
        labelled = render_with_labels(scene, SIDE)[1] == label_names().index(scene.things[0].noun)
        assert mask[labelled].mean() > mask[~labelled].mean() + 0.2, scene


def test_labels_do_not_depend_on_size_or_style():
    for seed in range(10):
        scene = sample_scene(seed)
        labels = render_with_labels(scene, 128)[1]
        assert np.array_equal(render_with_labels(scene, 32)[1], labels)
        assert np.array_equal(render_with_labels(msgspec.structs.replace(scene, style=None))[1], labels)


# --- sizes, styles, errors -----------------------------------------------------------------------------------------


@cache
def coarse(scene: Scene, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(render(scene, size)).resize((8, 8), Image.Resampling.BOX)).astype(int)


@pytest.mark.parametrize("size", [16, 17, 64, 100, 128, 200, 256, 1024])
@pytest.mark.parametrize("kind", ["single", "landscape"])
def test_every_size_shows_the_same_scene(size, kind):
    scene = plain(range(3), kind)[2]
    assert render(scene, size).shape == (size, size, 3)
    assert render(scene, size).dtype == np.uint8
    assert np.abs(coarse(scene, size) - coarse(scene, 128)).mean() < 6


@pytest.mark.parametrize("style", words.STYLES)
def test_every_style_paints_every_size(style):
    scene = Scene(seed=4, kind="landscape", place="river", style=style)
    bare = msgspec.structs.replace(scene, style=None)
    for size in (32, 96, 256):
        assert render(scene, size).shape == (size, size, 3)
    assert np.abs(render(scene, SIDE).astype(int) - render(bare, SIDE)).mean() > 3
    assert np.array_equal(render(scene, SIDE), render(scene, SIDE))


def test_styles_of_words_and_painting_are_the_same():
    assert set(FILTERS) == set(words.STYLES)


@pytest.mark.parametrize("size", [0, 15, 2049, -64, 64.0, "64", None])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(WorldError, match="16 to 2048"):
        render(sample_scene(0), size)


def test_the_same_scene_is_the_same_pixels_whatever_was_drawn_before():
    first = [render(sample_scene(seed), 64) for seed in range(12)]
    again = [render(sample_scene(seed), 64) for seed in reversed(range(12))][::-1]
    assert all(map(np.array_equal, first, again))


def test_a_sheet_shows_the_scenes_in_order():
    picture = np.asarray(sheet(5, columns=3, rows=2, size=32, split="train"))
    assert picture.shape == (64, 96, 3)
    assert np.array_equal(picture[32:, 64:], render(sample_scene(10, "train"), 32))
