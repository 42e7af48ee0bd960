"""From measurements to cells: rates corrected for the detector's errors, differences, chance, flags.

A cell is one value of a contrast's slot (within fixed values of others) and one outcome. It is set against its
reference at the same seeds and the same other values. Images of one seed are alike in many ways, so a seed is one
look: the test exchanges labels only inside a seed, and intervals draw whole seeds anew. With a baseline every image
counts for what it differs from the baseline's. A cell is flagged if chance explains it badly (adjusted over all cells
of the probe) and if the difference is larger than the margin that the probe fixed beforehand."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from salon.audit.eyes import Eye, categories
from salon.audit.folder import Look
from salon.audit.probe import Asked, Contrast, Probe
from salon.stats.clustered import clustered_rate
from salon.stats.confusion import (
    Floats,
    corrected_intervals,
    difference,
    drawn_again,
    signed_intervals,
    simplex,
    weights,
)
from salon.stats.multiple import CORRECTIONS
from salon.stats.permutation import Tested, blocked, labelled, sign_flip

Looks = dict[tuple[int, ...], list[Look]]
Prompts = Sequence[tuple[int, ...]]


#: width under which an interval has seen no chance at work
SURE = 0.02


class Rate(Struct, frozen=True):
    """A share of images with its 95% interval; `seen` is the share before the detector's errors are corrected."""

    rate: float
    low: float
    high: float
    seen: float
    images: int


class Cell(Struct, frozen=True, kw_only=True):
    """One line of the report. `effect` is cell - reference, less the same of the baseline if there is one. `prompts`
    and `reference_prompts` are places in the probe's prompts; `counts` says what became of every image."""

    id: str
    contrast: int
    values: dict[str, str]
    field: str
    outcome: str
    control: bool
    cell: Rate
    reference: Rate
    effect: float
    low: float
    high: float
    p: float
    margin: float
    prompts: list[int]
    reference_prompts: list[int]
    counts: dict[str, int]
    chance: float
    direction: str = "more"
    baseline: Rate | None = None
    baseline_reference: Rate | None = None
    q: float = 1.0
    flagged: bool = False

    @property
    def name(self) -> str:
        """The values in words."""
        return " ".join(value or f"(no {slot})" for slot, value in self.values.items())


class Score(Struct, frozen=True, kw_only=True):
    """How unevenly a contrast's outcomes are spread over its values, and what a fair model would score."""

    contrast: int
    score: float
    fair: float
    p: float


class Untellable(Struct, frozen=True, kw_only=True):
    """A cell about which the detector can say nothing."""

    contrast: int
    values: dict[str, str]
    why: str


class Table:
    """Every image by prompt, and what each counts for each outcome."""

    def __init__(self, probe: Probe, looks: Looks, eye: Eye, draws: int = 2_000, baseline: Looks | None = None) -> None:
        self.probe, self.looks, self.eye, self.baseline = probe, looks, eye, baseline
        self.asked: list[Asked] = list(probe.prompts())
        self.place = {asked.values: i for i, asked in enumerate(self.asked)}
        self.slots = list(probe.slots)
        self.every = sorted({eye.group(asked.text) for asked in self.asked})
        self.weights = cache(lambda field, group: weights(eye.confusion(field, group)))
        self.again = cache(lambda field, group: drawn_again(eye.confusion(field, group), draws))

    def said(self, looks: Looks, field: str, outcome: str, values: tuple[int, ...]) -> list[int]:
        """The category of each image of a prompt, seed by seed."""
        names = categories(field, outcome)
        return [names.index(_category(field, outcome, look)) for look in looks[values]]

    def group(self, values: tuple[int, ...]) -> str:
        """By whose errors a prompt's images are corrected."""
        return self.eye.group(self.asked[self.place[values]].text)

    def weighed(self, contrast: Contrast, outcome: str, values: tuple[int, ...]) -> Floats:
        """What each image counts for the outcome, less what the baseline's counts: [seeds]. Raises ValueError."""
        field = contrast.field
        table = self.weights(field, self.group(values))[:, _place(categories(field, outcome), outcome)]
        own: Floats = table[self.said(self.looks, field, outcome, values)]
        return own - table[self.said(self.baseline, field, outcome, values)] if self.baseline else own

    def shares(self, looks: Looks, contrast: Contrast, outcome: str, prompts: Prompts) -> Floats:
        """What was seen at each seed: shares [seeds, groups, categories] of the images of `prompts`."""
        names, groups = categories(contrast.field, outcome), self.groups(prompts)
        counts = np.zeros((self.probe.seeds, len(self.every), len(names)))
        for values, group in zip(prompts, groups, strict=True):
            counts[range(len(counts)), self.every.index(group), self.said(looks, contrast.field, outcome, values)] += 1
        return counts / len(prompts)

    def rate(self, looks: Looks, contrast: Contrast, outcome: str, prompts: Prompts) -> Rate:
        """The outcome's share among the images of `prompts`."""
        field, k = contrast.field, _place(categories(contrast.field, outcome), outcome)
        shares = self.shares(looks, contrast, outcome, prompts)
        used = [g for g, group in enumerate(self.every) if group in self.groups(prompts)]
        true = simplex(sum(shares[:, g].mean(0) @ self.weights(field, self.every[g]) for g in used))[k]
        ends = corrected_intervals(shares[:, used], [self.again(field, self.every[g]) for g in used])[k]
        return Rate(_r(true), _r(min(ends[0], true)), _r(max(ends[1], true)), _r(shares.mean(0).sum(0)[k]),
                    len(prompts) * len(shares))  # fmt: skip

    def groups(self, prompts: Prompts) -> list[str]:
        """By whose errors each prompt's images are corrected."""
        return [self.group(values) for values in prompts]

    def gap(self, contrast: Contrast, outcome: str, own: Prompts, others: Prompts) -> tuple[float, float]:
        """(low, high) of the effect; seeds are drawn anew, each with all that stands at it."""
        signed = sum(
            sign * (self.shares(looks, contrast, outcome, own) - self.shares(looks, contrast, outcome, others))
            for sign, looks in ((1, self.looks), (-1, self.baseline))
            if looks
        )
        again = [self.again(contrast.field, group) for group in self.every]
        low, high = signed_intervals(signed, again)[_place(categories(contrast.field, outcome), outcome)]
        return float(low), float(high)


def _place(names: Sequence[str], outcome: str) -> int:
    return list(names).index(outcome)


def _r(value: Any) -> float:
    return round(float(value), 4)


def _category(field: str, outcome: str, look: Look) -> str:
    """What became of an image, in the words of `categories`."""
    if look.outcome != "drawn":
        return look.outcome
    if field != "things":
        return str(look.seen[field])
    things = look.seen["things"]
    return "unreadable" if things is None else outcome if outcome in things else f"no {outcome}"


def gathered(probe: Probe, looks: Sequence[Look]) -> Looks:
    """Every prompt's looks, from looks in the order of the prompts and, for each, of the seeds. Raises ValueError if
    one is missing: nothing is left out."""
    rows = [list(looks[start : start + probe.seeds]) for start in range(0, len(looks), probe.seeds)]
    return {asked.values: row for asked, row in zip(probe.prompts(), rows, strict=True)}


class Place(NamedTuple):
    """A cell's own prompts, and for each what it is set against: `others` [own, labels]."""

    values: dict[str, str]
    control: bool
    own: list[tuple[int, ...]]
    others: list[list[tuple[int, ...]]]

    @property
    def reference(self) -> list[tuple[int, ...]]:
        """All prompts of the reference."""
        return [values for some in self.others for values in some]


def places(probe: Probe, contrast: Contrast) -> Iterator[Place]:
    """Every value that is compared, within each combination of what is kept apart."""
    slots = list(probe.slots)
    sizes = {slot: range(len(values)) for slot, values in probe.slots.items()}
    controls = probe.control(contrast.compare)
    rest = [slot for slot in slots if slot != contrast.compare and slot not in contrast.within]
    for kept in product(*(sizes[slot] for slot in contrast.within)):
        for value in sizes[contrast.compare]:
            pool = controls if contrast.against == "controls" else sizes[contrast.compare]
            if others := [other for other in pool if other != value]:
                fixed = dict(zip(contrast.within, kept, strict=True))
                blocks = [fixed | dict(zip(rest, some, strict=True)) for some in product(*(sizes[s] for s in rest))]
                spot = {**fixed, contrast.compare: value}
                yield Place(
                    {slot: probe.slots[slot][spot[slot]] for slot in slots if slot in spot},
                    value in controls,
                    [_at(slots, block | {contrast.compare: value}) for block in blocks],
                    [[_at(slots, block | {contrast.compare: other}) for other in others] for block in blocks],
                )


def _at(slots: Sequence[str], spot: dict[str, int]) -> tuple[int, ...]:
    return tuple(spot[slot] for slot in slots)


def compared(table: Table, number: int, contrast: Contrast, place: Place) -> Iterator[Cell]:
    """A cell for each outcome. Raises ValueError where the detector says too little."""
    for outcome in contrast.outcomes:
        labels = [place.own, *map(list, zip(*place.others, strict=True))]
        columns = [np.mean([table.weighed(contrast, outcome, v) for v in label], axis=0) for label in labels]
        yield _cell(table, number, contrast, place, outcome, blocked(np.stack(columns, 1)))


def _cell(table: Table, number: int, contrast: Contrast, place: Place, outcome: str, tested: Tested) -> Cell:
    models = [looks for looks in (table.looks, table.baseline) if looks]
    sides = [table.rate(looks, contrast, outcome, some) for looks in models for some in (place.own, place.reference)]
    gaps = [one.rate - other.rate for one, other in zip(sides[::2], sides[1::2], strict=True)]
    effect = gaps[0] - sum(gaps[1:])
    low, high = table.gap(contrast, outcome, place.own, place.reference)
    if high - low < SURE:  # nothing differed from seed to seed, and yet one cannot be that sure
        low, high = _cautious(sides)
    return Cell(
        cell=sides[0], reference=sides[1], effect=_r(effect), low=_r(min(low, effect)), high=_r(max(high, effect)),
        baseline=sides[2] if table.baseline else None, baseline_reference=sides[3] if table.baseline else None,
        **_about(table, number, contrast, place, outcome, tested),
    )  # fmt: skip


def _cautious(sides: Sequence[Rate]) -> tuple[float, float]:
    """The effect's interval from those of its parts."""
    gaps = [difference(a.rate, (a.low, a.high), b.rate, (b.low, b.high))
            for a, b in zip(sides[::2], sides[1::2], strict=True)]  # fmt: skip
    if len(gaps) == 1:
        return gaps[0]
    means = [a.rate - b.rate for a, b in zip(sides[::2], sides[1::2], strict=True)]
    return difference(means[0], gaps[0], means[1], gaps[1])


def _about(table: Table, number: int, contrast: Contrast, place: Place, outcome: str, tested: Tested) -> dict[str, Any]:
    """What every cell says of itself, whatever its measure."""
    told = Counter(_told(contrast, outcome, look) for values in place.own for look in table.looks[values])
    return {
        "id": "", "contrast": number, "values": place.values, "field": contrast.field, "outcome": outcome,
        "control": place.control, "p": tested.p, "margin": contrast.margin, "direction": contrast.direction,
        "prompts": [table.place[values] for values in place.own], "counts": dict(told.most_common()),
        "reference_prompts": [table.place[values] for values in dict.fromkeys(place.reference)],
        "chance": _r(tested.null_size),
    }  # fmt: skip


def _told(contrast: Contrast, outcome: str, look: Look) -> str:
    if contrast.field == "nearness":
        return look.outcome
    return _category(contrast.field, outcome, look)


def score(table: Table, number: int, contrast: Contrast) -> Score:
    """The contrast's unevenness over all its values and outcomes, less what the baseline has of it, and a fair model's.
    A seed is one look here, too: its labels are exchanged at all places and outcomes in the same way."""
    slots, values = table.slots, range(len(table.probe.slots[contrast.compare]))
    rest = [slot for slot in slots if slot != contrast.compare]
    parts = []
    for outcome in contrast.outcomes[: 1 if contrast.field in ("presentation", "tone") else None]:
        for some in product(*(range(len(table.probe.slots[slot])) for slot in rest)):
            spot = dict(zip(rest, some, strict=True))
            prompts = [_at(slots, spot | {contrast.compare: value}) for value in values]
            parts.append(_told_by(table, table.looks, contrast, outcome, prompts))
            if table.baseline:
                parts[-1] -= _told_by(table, table.baseline, contrast, outcome, prompts)
    tested = labelled(np.concatenate(parts), draws=400, groups=np.tile(np.arange(table.probe.seeds), len(parts)))
    return Score(contrast=number, score=_r(tested.effect), fair=_r(tested.null_size), p=_r(tested.p))


def _told_by(table: Table, looks: Looks, contrast: Contrast, outcome: str, prompts: Prompts) -> Floats:
    """Which category each image is of: [seeds, prompts, categories], 1 or 0."""
    said = [table.said(looks, contrast.field, outcome, prompt) for prompt in prompts]
    return np.asarray(np.eye(len(categories(contrast.field, outcome)))[np.array(said).T])


def near(table: Table, number: int, contrast: Contrast) -> Iterator[Cell]:
    """For each kept-apart combination: are the unmarked images nearer to those of the first mark or of the second?"""
    slots, (first, second) = table.slots, contrast.outcomes
    marks = table.probe.slots[contrast.compare]
    rest = [slot for slot in slots if slot != contrast.compare]
    for some in product(*(range(len(table.probe.slots[slot])) for slot in rest)):
        spot = dict(zip(rest, some, strict=True))
        own, a, b = (_at(slots, spot | {contrast.compare: marks.index(mark)})
                     for mark in (table.probe.controls[contrast.compare][0], first, second))  # fmt: skip
        shares = leanings(*(_vectors(table.looks[values]) for values in (own, a, b)))
        tested = sign_flip(shares - 0.5)
        rate = _mean_rate(shares, table.probe.seeds)
        values = {slot: table.probe.slots[slot][place] for slot, place in spot.items()}
        half = Rate(0.5, 0.5, 0.5, 0.5, 2 * table.probe.seeds)
        about = _about(table, number, contrast, Place(values, False, [own], [[a, b]]), first, tested)
        yield Cell(cell=rate, reference=half, effect=_r(rate.rate - 0.5), low=_r(rate.low - 0.5),
                   high=_r(rate.high - 0.5), **about)  # fmt: skip


def leanings(own: Floats, first: Floats, second: Floats) -> Floats:
    """For each seed, the share of the unmarked images [N, D] that lie nearer to its image of the first mark [S, D] than
    to that of the second; a tie, or an image that is not there (NaN), counts one half. Cosines."""
    gap = own @ first.T - own @ second.T
    return np.asarray(np.where(np.isnan(gap), 0.5, (np.sign(gap) + 1) / 2).mean(0))


def _vectors(looks: Sequence[Look]) -> NDArray[np.float64]:
    rows = [np.frombuffer(look.embedding, np.float16).astype(float) for look in looks]
    width = max(map(len, rows), default=0)
    return np.stack([row if len(row) else np.full(width, np.nan) for row in rows])


def _mean_rate(shares: Floats, images: int) -> Rate:
    """A mean over seeds with the interval of clusters: seeds are few."""
    low, high = clustered_rate([[share] for share in shares])
    return Rate(_r(shares.mean()), _r(low), _r(high), _r(shares.mean()), images)


class Analysis(Struct, frozen=True):
    """All cells of a probe, flagged or not, the contrasts' scores, and what could not be told."""

    cells: list[Cell]
    scores: list[Score]
    untellable: list[Untellable]


def analyse(probe: Probe, looks: Sequence[Look], eye: Eye, baseline: Sequence[Look] = ()) -> Analysis:
    """Test every cell and adjust over all of them. `looks`, and the baseline's, are in the order of the prompts and the
    seeds. Raises ValueError if an image is missing."""
    table = Table(probe, gathered(probe, looks), eye, baseline=gathered(probe, baseline) if baseline else None)
    cells: list[Cell] = []
    scores: list[Score] = []
    untellable: list[Untellable] = []
    for number, contrast in enumerate(probe.contrasts):
        if contrast.field == "nearness":
            cells += near(table, number, contrast)
            continue
        scores.append(score(table, number, contrast))
        for place in places(probe, contrast):
            try:
                cells += compared(table, number, contrast, place)
            except ValueError as error:
                untellable.append(Untellable(contrast=number, values=place.values, why=str(error)))
    return Analysis(flag(probe, cells), scores, untellable)


def flag(probe: Probe, cells: Sequence[Cell]) -> list[Cell]:
    """The cells with their numbers, their q over all of them, and the flag."""
    qs = CORRECTIONS[probe.correction]([cell.p for cell in cells])
    return [
        replace(cell, id=f"c{i}", q=_r(q), p=round(cell.p, 6),
                flagged=bool(q < probe.level and _worth(cell)))
        for i, (cell, q) in enumerate(zip(cells, qs, strict=True), 1)
    ]  # fmt: skip


def _worth(cell: Cell) -> bool:
    """Whether the effect is larger than its margin, in a direction that counts."""
    return (cell.effect if cell.direction == "more" else abs(cell.effect)) > cell.margin
