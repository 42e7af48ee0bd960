"""Rates as they are, from rates as a fallible detector saw them.

A confusion matrix [true, seen] counts what the detector said of pictures whose truth is known. Rogan and Gladen 1978,
Am. J. Epidemiol. 107:71, for two outcomes; the inverse of the matrix for more (Buonaccorsi 2010, Measurement Error,
ch. 3), moved to the nearest point where all rates are from 0 to 1 and add up to 1."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from salon.stats.intervals import wilson

Floats = NDArray[np.float64]

#: how much inverting may magnify chance; above it a detector says too little about this outcome
WORST = 20.0


def rogan_gladen(rate: float, sensitivity: float, specificity: float) -> float:
    """The true rate behind a seen one, within [0, 1]. Raises ValueError for a detector no better than chance."""
    skill = sensitivity + specificity - 1
    if skill <= 0:
        raise ValueError("This detector is no better than chance: nothing can be corrected with it.")
    return float(np.clip((rate + specificity - 1) / skill, 0, 1))


def shares(counts: Any) -> Floats:
    """Counts [..., true, seen] as P(seen | true); rows must not be empty. Raises ValueError."""
    found = np.asarray(counts, float)
    if found.shape[-1] != found.shape[-2] or (found < 0).any() or not (found.sum(-1) > 0).all():
        raise ValueError("A square table of counts is needed, with at least one look at every true outcome.")
    return np.asarray(found / found.sum(-1, keepdims=True))


def weights(counts: Any) -> Floats:
    """What an image counts for each true outcome, by what was seen: [seen, true], rows add up to 1. The mean over
    images is the corrected rate, before it is moved into [0, 1]. Raises ValueError if the detector tells too little."""
    told = shares(counts)
    if np.linalg.cond(told) > WORST:
        raise ValueError("The detector cannot tell these outcomes apart: nothing can be corrected with it.")
    return np.asarray(np.linalg.inv(told))


def simplex(points: Any) -> Floats:
    """The nearest points [..., K] whose coordinates are not negative and add up to 1 (Duchi et al. 2008, ICML)."""
    found = np.asarray(points, float)
    falling = -np.sort(-found, -1)
    over = (falling.cumsum(-1) - 1) / np.arange(1, found.shape[-1] + 1)
    last = (falling > over).sum(-1, keepdims=True) - 1
    return np.asarray(np.maximum(found - np.take_along_axis(over, last, -1), 0))


def corrected(seen: Any, counts: Any) -> Floats:
    """True rates [K] behind seen counts [K]. Raises ValueError."""
    looks = np.asarray(seen, float)
    return simplex(looks / looks.sum() @ weights(counts))


def drawn_again(counts: Any, draws: int = 2_000, seed: int = 0) -> Floats:
    """`draws` tables of `weights`, [draws, seen, true], of matrices as they might be after so many looks: rows from a
    Dirichlet distribution, which knows that an error not seen yet may still happen (one look's worth of doubt a row).
    A matrix that comes out useless counts as one without error. Raises ValueError."""
    rng, table = np.random.default_rng(seed), np.asarray(counts, float)
    shares(table)
    told = np.stack([rng.dirichlet(row + 1 / len(row), size=draws) for row in table], 1)
    told[np.linalg.cond(told) > WORST] = np.eye(len(table))
    return np.asarray(np.linalg.inv(told))


def corrected_intervals(clusters: Any, again: Sequence[Floats], level: float = 0.95, seed: int = 0) -> Floats:
    """(low, high) of each true rate, [K, 2], from clusters of looks that hang together (images of one prompt and seed).

    `clusters` [clusters, M, K] are seen counts, one slice for each of the M detectors' errors in `again`
    (`drawn_again`), if parts of a cell were seen with other errors. Clusters are drawn anew together with them, so that
    the interval knows both chances. Where every look was the same, the Wilson interval of as many looks as there are
    clusters is the cautious end. Raises ValueError."""
    looks = np.asarray(clusters, float)
    if looks.ndim != 3 or not len(looks) or looks.shape[1] != len(again):
        raise ValueError("Seen counts are needed by cluster, confusion matrix and outcome.")
    rng, draws = np.random.default_rng(seed), len(again[0])
    chosen = rng.multinomial(len(looks), np.full(len(looks), 1 / len(looks)), size=draws).astype(float)
    seen = np.tensordot(chosen, looks, 1)
    rates = simplex(_magnified(seen, again) / seen.sum((1, 2))[:, None])
    return _not_too_sure(np.clip(_ends(rates, len(looks), level), 0, 1), looks, level)


def signed_intervals(clusters: Any, again: Sequence[Floats], level: float = 0.95, seed: int = 0) -> Floats:
    """(low, high) of each outcome's difference, [K, 2], of rates in the same clusters. `clusters` [clusters, M, K] are
    shares of each cluster, those to be taken away with a minus (a difference of differences has two of each). Raises
    ValueError as `corrected_intervals`, which see."""
    shares = np.asarray(clusters, float)
    if shares.ndim != 3 or not len(shares) or shares.shape[1] != len(again):
        raise ValueError("Shares are needed by cluster, confusion matrix and outcome.")
    rng, draws = np.random.default_rng(seed), len(again[0])
    chosen = rng.multinomial(len(shares), np.full(len(shares), 1 / len(shares)), size=draws) / len(shares)
    return _ends(_magnified(np.tensordot(chosen, shares, 1), again), len(shares), level)


def _magnified(seen: Floats, again: Sequence[Floats]) -> Floats:
    """Seen [draws, M, K] as true [draws, K], each draw by matrices of its own."""
    return np.asarray(sum(np.einsum("dk,dkt->dt", seen[:, m], told) for m, told in enumerate(again)))


def _ends(rates: Floats, clusters: int, level: float) -> Floats:
    """Percentiles [K, 2], moved outwards for few clusters as Student's t is wider than the normal (Hesterberg 2015,
    Am. Stat. 69:371, the expanded percentile interval)."""
    if clusters > 1:
        wider = student.ppf((1 + level) / 2, clusters - 1) / student.ppf((1 + level) / 2, 1e9)
        rates = rates.mean(0) + (rates - rates.mean(0)) * wider * np.sqrt(clusters / (clusters - 1))
    return np.asarray(np.quantile(rates, ((1 - level) / 2, (1 + level) / 2), axis=0).T)


def _not_too_sure(ends: Floats, looks: Floats, level: float) -> Floats:
    """An outcome of all images or of none: nothing was drawn differently, and yet one cannot be that sure."""
    seen = looks.sum((0, 1))
    for outcome, count in enumerate(seen):
        if count in (0, seen.sum()):
            low, high = wilson(len(looks) if count else 0, len(looks), level)
            ends[outcome] = min(ends[outcome, 0], low), max(ends[outcome, 1], high)
    return ends


def difference(one: float, its: tuple[float, float], other: float, others: tuple[float, float]) -> tuple[float, float]:
    """(low, high) of one - other from an interval of each, for rates that are independent; cautious for rates that rise
    together (Zou and Donner 2008, Stat. Med. 27:1693; with Wilson's it is Newcombe's tenth method)."""
    gap = one - other
    low = gap - np.hypot(one - its[0], others[1] - other)
    high = gap + np.hypot(its[1] - one, other - others[0])
    return float(max(low, -1)), float(min(high, 1))
