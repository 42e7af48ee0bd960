"""Tests by exchanging labels: what differences would come about if the labels meant nothing?

A fair model's score is not 0 in a small sample; these say what it would be. All are two-sided, and all count what was
seen among the draws, so that no p is ever 0 (Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 20_000
#: differences that rounding alone can make
SAME = 1e-9
#: pairs up to which every pattern of signs is tried
ALL_SIGNS = 16


class Tested(NamedTuple):
    """What was seen, its two-sided p, and what the null gives: the mean of its size and the range of its middle 95%."""

    effect: float
    p: float
    null_size: float
    null_low: float
    null_high: float


def _tested(effect: float, null: Floats, exact: bool = False) -> Tested:
    extreme = int((np.abs(null) >= abs(effect) - SAME).sum())
    p = extreme / len(null) if exact else (1 + extreme) / (1 + len(null))
    low, high = np.quantile(null, (0.025, 0.975))
    return Tested(float(effect), float(p), float(np.abs(null).mean()), float(low), float(high))


def blocked(values: Any, draws: int = DRAWS, seed: int = 0) -> Tested:
    """Whether the first column of `values` [blocks, labels] differs from the others: the difference of their means,
    against the null that inside each block any of the labels might have stood first.

    Blocks hold what must not be exchanged (the same seed, the same place). Raises ValueError for fewer than two labels
    or no block. Fisher 1935; Good 2005, Permutation, Parametric and Bootstrap Tests, ch. 5."""
    table = np.asarray(values, float)
    if table.ndim != 2 or len(table) < 1 or table.shape[1] < 2:
        raise ValueError(f"A table of blocks by two labels or more is needed, not one of shape {table.shape}.")
    blocks, labels = table.shape
    rng, total = np.random.default_rng(seed), table.sum()
    chosen = rng.integers(labels, size=(draws, blocks))
    sums = np.append(table[np.arange(blocks), chosen].sum(1), table[:, 0].sum())
    differences = sums / blocks - (total - sums) / (blocks * (labels - 1))
    return _tested(differences[-1], differences[:-1])


def unevenness(table: Floats) -> Floats:
    """Mean total-variation distance of each label's distribution from that of all: `table` [..., blocks, labels,
    outcomes] of shares, or of differences of shares -> [...]. 0 if all labels are alike, in the sample."""
    rates = table.mean(-3)
    return np.asarray(np.abs(rates - rates.mean(-2, keepdims=True)).sum(-1).mean(-1) / 2)


def labelled(table: Any, draws: int = 2_000, seed: int = 0, groups: Any = None) -> Tested:
    """Whether outcomes depend on the labels at all: `unevenness` of `table` [blocks, labels, outcomes], against the
    null that the labels of each block are shuffled; those of blocks of one of `groups` [blocks] in the same way, since
    what resembles each other (a seed's images at several places) must be exchanged as a whole. `null_size` is what a
    fair model would score. Raises ValueError."""
    seen = np.asarray(table, float)
    if seen.ndim != 3 or len(seen) < 1 or seen.shape[1] < 2:
        raise ValueError(f"A table of blocks, labels and outcomes is needed, not one of shape {seen.shape}.")
    _, group = np.unique(np.arange(len(seen)) if groups is None else np.asarray(groups), return_inverse=True)
    if len(group) != len(seen):
        raise ValueError(f"{len(group)} groups for {len(seen)} blocks.")
    rng = np.random.default_rng(seed)
    null = np.empty(draws)
    for i in range(draws):
        order = rng.random((group.max() + 1, seen.shape[1])).argsort(1)[group]
        null[i] = unevenness(np.take_along_axis(seen, order[:, :, None], 1))
    return _tested(float(unevenness(seen)), null)


def sign_flip(differences: Any, draws: int = DRAWS, seed: int = 0) -> Tested:
    """Whether the mean of paired differences [n] is 0, if each might as well have had the other sign. Every pattern is
    tried for up to 16 pairs, else `draws` of them. Raises ValueError for no pair. Good 2005, ch. 3."""
    found = np.asarray(differences, float)
    if found.ndim != 1 or not len(found):
        raise ValueError("There are no pairs to compare.")
    if exact := len(found) <= ALL_SIGNS:
        patterns = (np.arange(2 ** len(found))[:, None] >> np.arange(len(found))) & 1
    else:
        patterns = np.random.default_rng(seed).integers(2, size=(draws, len(found)))
    return _tested(float(found.mean()), (patterns * 2 - 1) @ found / len(found), exact)
