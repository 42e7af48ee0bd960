"""From the detector's numbers to a Verdict: peaks of the heat map, then names, colours and words of the whole."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from salon.judge.verdict import Seen, Verdict
from salon.world.vocabulary import OCCUPATIONS

Floats = NDArray[np.float32]
Tables = Mapping[str, list[str]]

#: numbers of a cell before its tables (heat, x, y, size), and what sizes are counted in
GEOMETRY = 4
SIZE_UNIT = 0.25
#: two centres nearer than this part of the smaller size are one thing
APART = 0.45
CELL_TABLES = ("things", "colours")
#: fields of a Verdict and the tables that hold their words
FIELDS = {"style": "styles", "place": "places", "light": "lights", "presentation": "presentations",
          "tone": "tones", "country": "countries"}  # fmt: skip
COLOURLESS = ("pencil",)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-np.clip(x, -60, 60)))


def softmax(x: Floats) -> Floats:
    """Over the first axis."""
    e = np.exp(x - x.max(0))
    return e / e.sum(0)


def peaks(heat: Floats, threshold: float) -> list[tuple[int, int]]:
    """(y, x) of the local maxima (3x3) of probabilities [H,W] above `threshold`, the highest first."""
    tops = (heat == ndimage.maximum_filter(heat, 3, mode="constant")) & (heat > threshold)
    spots = [(int(y), int(x)) for y, x in np.argwhere(tops)]
    return sorted(spots, key=lambda spot: -heat[spot])


def _thing(cell: Floats, y: int, x: int, grid: int, tables: Tables, sure: float) -> Seen:
    """The thing whose centre is in cell (y, x)."""
    split = GEOMETRY + len(tables["things"])
    names, colours = softmax(cell[GEOMETRY:split]), softmax(cell[split:])
    name, colour = int(names.argmax()), int(colours.argmax())
    cx, cy = (x + 0.5 + float(cell[1])) / grid, (y + 0.5 + float(cell[2])) / grid
    half = float(np.clip(cell[3] * SIZE_UNIT, 0.02, 1)) / 2
    certain = bool(names[name] >= sure)
    return Seen(
        box=(cx - half, cy - half, cx + half, cy + half),
        score=float(sigmoid(cell[0]) * names[name]),
        name=tables["things"][name] if certain else None,
        colour=tables["colours"][colour] or None,
    )


def _one(first: Seen, second: Seen) -> bool:
    """Whether two centres are so near that they are one thing."""
    distance = np.hypot(first.centre[0] - second.centre[0], first.centre[1] - second.centre[1])
    return bool(distance < APART * min(first.size[0], second.size[0]))


def things(cells: Floats, tables: Tables, thresholds: Mapping[str, float]) -> tuple[Seen, ...]:
    """Everything that stands in an image, from `cells` [4+things+colours, H, W]; the surest first."""
    kept: list[Seen] = []
    for y, x in peaks(sigmoid(cells[0]), thresholds["heat"]):
        thing = _thing(cells[:, y, x], y, x, cells.shape[-1], tables, thresholds["name"])
        if not any(_one(thing, other) for other in kept):
            kept.append(thing)
    return tuple(sorted(kept, key=lambda thing: -thing.score))


def words(summary: Floats, tables: Tables) -> tuple[dict[str, str | None], dict[str, float]]:
    """The likeliest word of each field, from the logits behind `readable`, and its probability."""
    told: dict[str, Floats] = {}
    start = 1
    for table, names in tables.items():
        if table not in CELL_TABLES:
            told[table] = softmax(summary[start : start + len(names)])
            start += len(names)
    found = {field: tables[table][int(told[table].argmax())] or None for field, table in FIELDS.items()}
    return found, {field: round(float(told[table].max()), 4) for field, table in FIELDS.items()}


def decode(cells: Floats, summary: Floats, tables: Tables, thresholds: Mapping[str, float]) -> Verdict:
    """One image's numbers (nets/detector.py) as a Verdict."""
    readable = float(sigmoid(summary[0]))
    if readable < thresholds["readable"]:
        return Verdict(readable=False, sure={"readable": round(readable, 4)})
    said, sure = words(summary, tables)
    seen = things(cells, tables, thresholds)
    if said["style"] in COLOURLESS:
        seen = tuple(Seen(box=t.box, score=t.score, name=t.name) for t in seen)
    if not (said["place"] or "").startswith("land "):
        said["light"] = None
    if not any(thing.name in OCCUPATIONS for thing in seen):
        said |= {"presentation": None, "tone": None, "country": None}
    return Verdict(readable=True, things=seen, sure={"readable": round(readable, 4)} | sure, **said)
