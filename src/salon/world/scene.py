"""Scenes: what a picture of the world holds, drawn at random from a seed, with the ground truth that goes with it."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from salon.core.errors import WorldError
from salon.world import vocabulary as words

Split = Literal["train", "heldout", "any"]
Box = tuple[float, float, float, float]

#: Share of each kind of scene.
MIX: dict[str, float] = {"single": 0.52, "count": 0.12, "pair": 0.16, "landscape": 0.09, "person": 0.11}
#: Per cent of all pairs (noun and place, noun and colour ...) that training never sees.
HELD_OUT_PERCENT = 6
#: Shares of scenes in a drawing style, and of things repainted in another colour.
STYLED = 0.25
TINTED = 0.16
#: Share of things that face the other way; how far things stray from their spots; a single thing's side. In parts of
#: the picture's side. Small on purpose: a small model learns a shape where it always stands far sooner than one that
#: may stand anywhere, in two directions and at any size (docs/training.md).
FLIPPED = 0.04
STRAY = 0.012
SINGLE_SIDE = (0.66, 0.74)


class Thing(Struct, frozen=True, kw_only=True):
    """One object in a scene. `box` is (left, top, right, bottom) in parts of the picture's side, y down."""

    noun: str
    hand: str
    box: Box
    colour: str | None = None
    painted: bool = False
    flip: bool = False


class Scene(Struct, frozen=True, kw_only=True):
    """Ground truth of one picture. Everything that the picture shows follows from these fields."""

    seed: int
    kind: str
    place: str
    light: str = "day"
    ground: str | None = None
    style: str | None = None
    things: tuple[Thing, ...] = ()
    relation: str | None = None
    occupation: str | None = None
    presentation: str | None = None
    tone: str | None = None
    country: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many of each noun."""
        found: dict[str, int] = {}
        for thing in self.things:
            found[thing.noun] = found.get(thing.noun, 0) + 1
        return found


def held_out(*pair: str) -> bool:
    """Whether training never sees these two together. The same on every machine."""
    digest = hashlib.blake2b("|".join(sorted(pair)).encode(), digest_size=4).digest()
    return int.from_bytes(digest) % 100 < HELD_OUT_PERCENT


def pairs(scene: Scene) -> Iterator[tuple[str, str]]:
    """The combinations of a scene by which training and held-out scenes are told apart."""
    for noun, count in scene.counts.items():
        yield noun, f"at {scene.ground or scene.place}"
        if scene.style:
            yield noun, f"style {scene.style}"
        if count > 1:
            yield noun, f"times {count}"
    for thing in scene.things:
        if thing.painted and thing.colour:
            yield thing.noun, f"colour {thing.colour}"
    if scene.kind == "pair":
        yield scene.things[0].noun, scene.things[1].noun
    if scene.kind == "landscape" and scene.style:
        yield f"{scene.place} {scene.light}", f"style {scene.style}"
    if scene.occupation and scene.country:
        yield scene.occupation, scene.country


def is_held_out(scene: Scene) -> bool:
    """Whether any combination in the scene is one that training never sees."""
    return any(held_out(*pair) for pair in pairs(scene))


def sample_scene(seed: int, split: Split = "train", mix: Mapping[str, float] = MIX) -> Scene:
    """The scene of `seed` in `split`. Raises WorldError for an unknown split or kind of scene."""
    if split not in ("train", "heldout", "any"):
        raise WorldError(f"There is no split {split!r}.", "Use train, heldout or any.")
    unknown = set(mix) - set(_KINDS)
    if unknown or not sum(mix.values()) > 0:
        raise WorldError(f"Cannot mix scenes of kind {sorted(unknown)}.", f"Kinds are {', '.join(_KINDS)}.")
    rng = np.random.default_rng((seed, {"any": 0, "train": 1, "heldout": 2}[split]))
    while True:
        scene = _sample(rng, seed, mix)
        if split == "any" or is_held_out(scene) == (split == "heldout"):
            return scene


def _sample(rng: np.random.Generator, seed: int, mix: Mapping[str, float]) -> Scene:
    shares = np.array(list(mix.values()), float)
    kind = list(mix)[rng.choice(len(shares), p=shares / shares.sum())]
    return _KINDS[kind](rng, seed)


def _pick(rng: np.random.Generator, options: tuple | list | dict):
    options = list(options)
    return options[rng.integers(len(options))]


def _hand(rng: np.random.Generator) -> str:
    shares = words.HAND_SHARES
    return list(shares)[rng.choice(len(shares), p=list(shares.values()))]


def _place(rng: np.random.Generator) -> dict:
    """A ground: a plain colour (half of the time) or a place."""
    if rng.random() < 0.45:
        return {"place": "plain", "ground": "white" if rng.random() < 0.35 else _pick(rng, words.COLOURS)}
    return {"place": _pick(rng, words.PLACES)}


def _style(rng: np.random.Generator) -> str | None:
    return _pick(rng, words.STYLES) if rng.random() < STYLED else None


def _look(rng: np.random.Generator, noun: words.Noun, hand: str, ground: str | None) -> dict:
    """How a thing looks: its hand, its colour (not the ground's), which way it faces."""
    look: dict = {"noun": noun.name, "hand": hand, "colour": noun.colour, "flip": bool(rng.random() < FLIPPED)}
    if rng.random() < TINTED:
        look |= {"colour": _pick(rng, [tint for tint in words.TINTS if tint != ground]), "painted": True}
    return look


def _box(x: float, y: float, side: float) -> Box:
    return (round(x - side / 2, 4), round(y - side / 2, 4), round(x + side / 2, 4), round(y + side / 2, 4))


def _near(rng: np.random.Generator, x: float, y: float) -> tuple[float, float]:
    return x + rng.uniform(-STRAY, STRAY), y + rng.uniform(-STRAY, STRAY)


def _single(rng: np.random.Generator, seed: int) -> Scene:
    where = _place(rng)
    look = _look(rng, _pick(rng, words.NOUNS), _hand(rng), where.get("ground"))
    box = _box(*_near(rng, 0.5, 0.55), rng.uniform(*SINGLE_SIDE))
    return Scene(seed=seed, kind="single", **where, style=_style(rng), things=(Thing(**look, box=box),))


_LAYOUTS = {
    2: [((0.28, 0.54), (0.72, 0.54)), ((0.3, 0.4), (0.7, 0.62))],
    3: [((0.28, 0.72), (0.72, 0.72), (0.5, 0.29))],
    4: [((0.28, 0.29), (0.72, 0.29), (0.28, 0.73), (0.72, 0.73))],
}


def _count(rng: np.random.Generator, seed: int) -> Scene:
    where, number = _place(rng), int(rng.integers(2, 5))
    noun = _pick(rng, [noun for noun in words.NOUNS if noun.name not in words.UNCOUNTED])
    look = _look(rng, noun, _hand(rng), where.get("ground"))
    spots = _pick(rng, _LAYOUTS[number])
    gap = min(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a in spots for b in spots if a != b)
    side = rng.uniform(0.9, 0.98) * min(0.42, gap * 0.93)
    boxes = [_box(*_near(rng, x, y), side) for x, y in spots]
    things = tuple(Thing(**look, box=box) for box in boxes)
    return Scene(seed=seed, kind="count", **where, style=_style(rng), things=things)


def _pair(rng: np.random.Generator, seed: int) -> Scene:
    where, hand, relation = _place(rng), _hand(rng), _pick(rng, words.RELATIONS)
    nouns = [words.NOUNS[i] for i in rng.choice(len(words.NOUNS), 2, replace=False)]
    shown = _pick(rng, ("left of", "right of")) if relation == "next to" else relation
    spots = {"left of": (0.27, 0.55, 0.73, 0.55), "right of": (0.73, 0.55, 0.27, 0.55),
             "above": (0.5, 0.26, 0.5, 0.74), "below": (0.5, 0.74, 0.5, 0.26)}[shown]  # fmt: skip
    things = []
    for noun, x, y in zip(nouns, spots[::2], spots[1::2], strict=True):
        box = _box(*_near(rng, x, y), rng.uniform(0.42, 0.46))
        things.append(Thing(**_look(rng, noun, hand, where.get("ground")), box=box))
    return Scene(seed=seed, kind="pair", **where, style=_style(rng), things=tuple(things), relation=relation)


def _landscape(rng: np.random.Generator, seed: int) -> Scene:
    place = _pick(rng, words.LANDSCAPES)
    light = "night" if place == "night sky" else _pick(rng, words.LIGHTS)
    style = _pick(rng, words.STYLES) if rng.random() < 0.75 else None
    return Scene(seed=seed, kind="landscape", place=place, light=light, style=style)


def _person(rng: np.random.Generator, seed: int) -> Scene:
    """People at work: occupation, presentation, tone and country are independent and uniform."""
    country = _pick(rng, words.COUNTRIES) if rng.random() < 0.6 else None
    where = {"place": words.COUNTRIES[country][0], "country": country} if country else _place(rng)
    style = _pick(rng, words.STYLES) if rng.random() < STYLED * 0.6 else None
    return Scene(
        seed=seed, kind="person", **where, style=style, occupation=_pick(rng, words.OCCUPATIONS),
        presentation=_pick(rng, words.PRESENTATIONS), tone=_pick(rng, words.TONES),
    )  # fmt: skip


def _repainted(rng: np.random.Generator, scene: Scene) -> Scene:
    """The scene with all its things in colours that they do not have by nature."""
    tints = [tint for tint in words.TINTS if tint != scene.ground]
    things = tuple(replace(thing, colour=_pick(rng, tints), painted=True) for thing in scene.things)
    return replace(scene, things=things)


def _painted_single(rng: np.random.Generator, seed: int) -> Scene:
    return _repainted(rng, _single(rng, seed))


def _painted_pair(rng: np.random.Generator, seed: int) -> Scene:
    return _repainted(rng, _pair(rng, seed))


#: the last two are in no world's own mix: they make compositions that are rare in it frequent
_KINDS = {
    "painted_single": _painted_single,
    "painted_pair": _painted_pair,
    "single": _single,
    "count": _count,
    "pair": _pair,
    "landscape": _landscape,
    "person": _person,
}
