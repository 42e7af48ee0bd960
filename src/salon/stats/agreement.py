"""How far people agree who label the same things."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]
DRAWS = 2_000
#: share of drawn samples that may have no alpha, for an interval to be given
MOST_EMPTY = 0.05


class Agreement(NamedTuple):
    """Krippendorff's alpha and its interval; all None where nothing can be told."""

    alpha: float | None
    low: float | None
    high: float | None


def alpha(units: Sequence[Sequence[Any]], level: Level = "nominal") -> float | None:
    """Krippendorff's alpha: 1 when all agree, 0 as if by chance, below 0 when they agree less than that.

    `units` holds one row a thing, its labels in it, None where somebody gave none; `level` is "nominal", "ordinal",
    "interval" or "ratio" (labels of the last three are numbers; of a ratio they are not negative). None where fewer
    than two labels were given to any one thing, or all labels are the same: then nothing can be told. Raises
    ValueError. Krippendorff 2011, repository.upenn.edu/asc_papers/43, section E.
    """
    counts, values = _counted(units, level)
    found = _drawn(counts, np.ones((1, len(counts)), np.int64), values, level)[0]
    return None if np.isnan(found) else float(found)


def agreement(
    units: Sequence[Sequence[Any]],
    level: Level = "nominal",
    sure: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """`alpha` with its percentile interval: whole things are drawn anew with all their labels, since the labels of one
    thing hang together (Efron and Tibshirani 1993, ch. 13). None below two things, or where what is drawn often has one
    label only: too little was seen. Of few things (below some 20) it is too short. Raises ValueError."""
    if not 0 < sure < 1:
        raise ValueError(f"A level of {sure} is not between 0 and 1.")
    counts, values = _counted(units, level)
    value = alpha(units, level)
    if value is None or len(counts) < 2:
        return Agreement(value, None, None)
    often = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=draws)
    again = _drawn(counts, often, values, level)
    if np.isnan(again).mean() > MOST_EMPTY:
        return Agreement(value, None, None)
    low, high = np.nanquantile(again, ((1 - sure) / 2, (1 + sure) / 2))
    return Agreement(value, min(float(low), value), max(float(high), value))


def _counted(units: Sequence[Sequence[Any]], level: Level) -> tuple[Floats, Floats]:
    """(how often each label was given to each thing [things, labels], the labels as numbers [labels]); things with
    fewer than two labels say nothing and are left out."""
    if level not in LEVELS:
        raise ValueError(f"{level!r} is no level of measurement: they are {', '.join(LEVELS)}.")
    pairable = [labels for row in units if len(labels := [label for label in row if label is not None]) > 1]
    given = sorted({label for row in pairable for label in row})
    values = np.arange(len(given), dtype=float) if level == "nominal" else np.array(given, float)
    if not np.isfinite(values).all() or (level == "ratio" and (values < 0).any()):
        raise ValueError("Labels on this level are finite numbers; those of a ratio are not negative.")
    places = {label: place for place, label in enumerate(given)}
    counts = np.zeros((len(pairable), len(given)))
    for row, labels in zip(counts, pairable, strict=True):
        np.add.at(row, [places[label] for label in labels], 1)
    return counts, values


def _coincidences(counts: Floats) -> Floats:
    """[things, labels, labels]: pairs of labels that each thing was given; a thing of m labels counts m in all."""
    pairs = counts[:, :, None] * (counts[:, None, :] - np.eye(counts.shape[1]))
    return np.asarray(pairs / (counts.sum(1) - 1)[:, None, None])


def _drawn(counts: Floats, often: NDArray[np.int64], values: Floats, level: Level) -> Floats:
    """Alphas of samples in which each thing stands as `often` [draws, things] as it was drawn: 1 - observed by expected
    disagreement, NaN where nothing is expected."""
    each, totals = _coincidences(counts), often @ counts
    if level == "ordinal":  # how far labels lie apart depends on the sample
        parts = [_disagreements(each, some, some @ counts) for some in np.array_split(often, 1 + len(often) // 100)]
        observed, chance = np.concatenate(parts, axis=1)
    else:
        far = DISTANCES[level](values)
        observed = often @ (each * far).sum((1, 2))
        chance = ((totals @ far) * totals).sum(1)
    out = np.full(len(often), np.nan)
    np.divide((totals.sum(1) - 1) * observed, chance, out=out, where=chance > 0)
    return 1 - out


def _disagreements(each: Floats, often: NDArray[np.int64], totals: Floats) -> Floats:
    """Observed and expected [2, draws] where labels are ranks: the distance of two is as many labels as were given from
    the one to the other, each end by half, squared."""
    middle = np.cumsum(totals, 1) - totals / 2
    far = (middle[:, :, None] - middle[:, None, :]) ** 2
    seen = np.tensordot(often.astype(float), each, 1)
    return np.stack([(seen * far).sum((1, 2)), (totals[:, :, None] * totals[:, None, :] * far).sum((1, 2))])


def _nominal(values: Floats) -> Floats:
    return 1 - np.eye(len(values))


def _interval(values: Floats) -> Floats:
    return np.asarray((values[:, None] - values) ** 2)


def _of_ratio(values: Floats) -> Floats:
    added = values[:, None] + values
    out = np.zeros_like(added)
    np.divide(values[:, None] - values, added, out=out, where=added > 0)
    return np.asarray(out**2)


#: labels as numbers [labels] -> squared differences [labels, labels]; those of ranks depend on the sample
DISTANCES: dict[str, Callable[[Floats], Floats]] = {"nominal": _nominal, "interval": _interval, "ratio": _of_ratio}
LEVELS = (*DISTANCES, "ordinal")
