"""From a scene to pixels, at any size, and a coarse map of what stands where."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from salon.core.errors import WorldError
from salon.world import vocabulary as words
from salon.world.places import paint
from salon.world.scene import Scene, Thing
from salon.world.sprites import draw
from salon.world.styles import FILTERS

MIN_SIDE, MAX_SIDE = 16, 2048
#: Scenes are painted at least this large and then scaled down, so that styles look alike at every size.
CANVAS = 128
GRID = 8
#: Places where what stands on the ground throws a shadow; a foot above this height (parts of the side) floats.
GROUNDED = frozenset({"meadow", "beach", "snow", "desert", "mountains", "forest", "city", "night"})
FLOATING = 0.62


@cache
def label_names() -> tuple[str, ...]:
    """What each number in a label map means: nouns, occupations, then grounds."""
    grounds = [f"plain {colour}" for colour in words.COLOURS]
    places = [f"at {place}" for place in (*words.PLACES, "lake")]
    lands = [f"land {place}" for place in words.LANDSCAPES]
    return (*(noun.name for noun in words.NOUNS), *words.OCCUPATIONS, *grounds, *places, *lands)


def _ground_label(scene: Scene) -> int:
    if scene.kind == "landscape":
        return label_names().index(f"land {scene.place}")
    return label_names().index(f"plain {scene.ground}" if scene.place == "plain" else f"at {scene.place}")


def _drawn(scene: Scene, thing: Thing, side: int) -> Image.Image:
    tint = words.COLOURS[thing.colour] if thing.painted and thing.colour else None
    length = max(4, round((thing.box[2] - thing.box[0]) * side))
    return draw((thing.noun, thing.hand), length, tint, thing.flip)


def _sprites(scene: Scene, side: int) -> list[tuple[int, Image.Image, int, int]]:
    """(label, image, left, top) of everything that stands on the ground, back to front."""
    placed = []
    for thing in scene.things:
        image = _drawn(scene, thing, side)
        x, y = (thing.box[0] + thing.box[2]) / 2 * side, (thing.box[1] + thing.box[3]) / 2 * side
        label = label_names().index(thing.noun)
        placed.append((label, image, round(x - image.width / 2), round(y - image.height / 2)))
    if scene.occupation:
        rng = np.random.default_rng((scene.seed, 5))
        key = (scene.occupation, scene.presentation or "person", scene.tone or "medium")
        image = draw(key, round(side * rng.uniform(0.78, 0.86)))
        left = round((0.54 + rng.uniform(-0.03, 0.03)) * side - image.width / 2)
        placed.append((label_names().index(scene.occupation), image, left, side - image.height))
    return placed


def _shadow(image: Image.Image, sprite: Image.Image, left: int, top: int) -> None:
    """Darken the ground under a thing's foot: a soft flat ellipse."""
    side, foot = image.width, top + sprite.height
    if foot < FLOATING * side:
        return
    mask = Image.new("L", image.size)
    middle, rx, ry = left + sprite.width / 2, sprite.width * 0.42, sprite.width * 0.07
    ImageDraw.Draw(mask).ellipse([middle - rx, foot - ry * 1.6, middle + rx, foot + ry * 0.4], fill=95)
    image.paste((12, 16, 34), (0, 0), mask.filter(ImageFilter.GaussianBlur(side * 0.012)))


def render(scene: Scene, size: int = 64) -> np.ndarray:
    """The scene as uint8 [size, size, 3]. The same scene and size give the same pixels. Raises WorldError."""
    return render_with_labels(scene, size)[0]


def render_with_labels(scene: Scene, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 [size, size, 3] and labels uint16 [8, 8]: what covers most of each cell (see label_names)."""
    if not isinstance(size, int) or not MIN_SIDE <= size <= MAX_SIDE:
        raise WorldError(f"Scenes cannot be drawn {size} pixels wide.", f"Use {MIN_SIDE} to {MAX_SIDE}.")
    side = max(size, CANVAS)
    image = Image.fromarray(paint(scene, side, np.random.default_rng((scene.seed, 1))))
    labels = np.full((GRID, GRID), _ground_label(scene), np.uint16)
    for label, sprite, left, top in _sprites(scene, side):
        if scene.place in GROUNDED and scene.things:
            _shadow(image, sprite, left, top)
        image.paste(sprite, (left, top), sprite)
        cover = Image.new("L", (side, side))
        cover.paste(sprite.getchannel("A"), (left, top))
        labels[np.asarray(cover.resize((GRID, GRID), Image.Resampling.BOX)) > 90] = label
    pixels = np.asarray(image)
    if scene.style:
        pixels = FILTERS[scene.style](pixels, np.random.default_rng((scene.seed, 2)))
    if side != size:
        filter_ = Image.Resampling.BOX if side % size == 0 else Image.Resampling.LANCZOS
        pixels = np.asarray(Image.fromarray(pixels).resize((size, size), filter_))
    return pixels, labels
