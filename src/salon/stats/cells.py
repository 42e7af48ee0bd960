"""Votes as cells: what one voter said of one pair, together."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
#: what a vote says for `a`; `both_bad` says nothing of who is better, and is no vote here
WORTH = {"a": 1.0, "tie": 0.5, "b": 0.0}


class Cells(NamedTuple):
    """A voter's battles on a pair, together: places of the names, mean worth for `a`, weight, the voter's place, in the
    order of voters. Summed over voters `voter` is 0."""

    a: Places
    b: Places
    worth: Floats
    weight: Floats
    voter: Places

    def where(self, chosen: NDArray[np.bool_]) -> "Cells":
        """Those that are chosen, voters numbered anew."""
        voter = np.unique(self.voter[chosen], return_inverse=True)[1].reshape(-1).astype(np.intp)
        return Cells(self.a[chosen], self.b[chosen], self.worth[chosen], self.weight[chosen], voter)


def gathered(battles: Iterable[Sequence[Any]], places: dict[str, int], cap: float | None) -> tuple[Cells, int]:
    """Battles as cells; `places` learns the names. Raises ValueError."""
    voters: dict[Any, int] = {}
    ones, others, worths, whose = [], [], [], []
    for number, (a, b, winner, *rest) in enumerate(battles):
        if a == b:
            raise ValueError(f"{a!r} cannot be compared with itself.")
        if winner not in WORTH:
            raise ValueError(f"{winner!r} is no winner: a, b or tie. Where both are bad nobody has won: leave it out.")
        voter = rest[0] if rest else None
        ones.append(places.setdefault(a, len(places)))
        others.append(places.setdefault(b, len(places)))
        worths.append(WORTH[winner])
        whose.append(number if voter is None else voters.setdefault(voter, number))
    a, b, voter = (np.array(column, np.intp) for column in (ones, others, whose))
    return _celled(len(places), a, b, voter, np.array(worths, float), cap), len(ones)


def _celled(
    size: int,
    a: Places,
    b: Places,
    voter: Places,
    worth: Floats,
    cap: float | None,
) -> Cells:
    """Votes [battles] as cells, voters numbered in the order of their first vote."""
    keys, cell, number = np.unique((voter * size + a) * size + b, return_inverse=True, return_counts=True)
    won = np.bincount(cell, worth, len(keys)) / number
    base = max(size, 1)
    who, one, other = keys // base**2, keys // base % base, keys % base
    weight = np.asarray(number, np.float64)
    if cap:
        pairs = (who * size + np.minimum(one, other)) * size + np.maximum(one, other)
        _, pair = np.unique(pairs, return_inverse=True)
        weight *= np.minimum(1.0, cap / np.bincount(pair, number)[pair])
    return Cells(one, other, won, weight, np.unique(who, return_inverse=True)[1].astype(np.intp))


def summed(cells: Cells, size: int) -> Cells:
    """The same votes, summed over voters: all that the likelihood knows of them."""
    keys, pair = np.unique(cells.a * size + cells.b, return_inverse=True)
    weight = np.bincount(pair, cells.weight, len(keys))
    worth = np.bincount(pair, cells.weight * cells.worth, len(keys)) / weight
    base = max(size, 1)
    return Cells(keys // base, keys % base, worth, np.asarray(weight, float), np.zeros(len(keys), np.intp))
