"""How sure ratings are where votes of one person resemble each other: a sandwich over voters with the CR2 correction
and Bell and McCaffrey's degrees of freedom (2002, Survey Methodology 28:169; Pustejovsky and Tipton 2018, J. Bus. Econ.
Stat. 36:672).

Voters pass by in batches and leave sums behind, so that memory does not grow with them. A voter of m cells is a table T
[m, directions] in coordinates where the information is the identity. What the voter brought of it is T'T (these sum to
the identity), and (1 - TT')^-1/2 undoes how far the fit bent towards that voter."""

from collections.abc import Iterator
from math import ceil, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: above this share of one voter in a direction nobody else has said anything about it
ALONE = 1 - 1e-9
#: numbers in the largest array of a batch
ROOM = 1_000_000
#: multiplications from which degrees of freedom are only bounded
WORK = 2e9
#: norm of a voter's share up to which a power series is exact to rounding, and quicker than eigenvalues
SMALL = 0.1


class Votes(NamedTuple):
    """What voters said: places of the names, residual and root of the information of each cell, in the order of
    `voter` (from 0, each there)."""

    a: NDArray[np.intp]
    b: NDArray[np.intp]
    residual: Floats
    told: Floats
    voter: NDArray[np.intp]


class Batch(NamedTuple):
    """Voters of as many cells each: `tables` [voters, cells, directions], `residuals` [voters, cells], and for how many
    voters each stands."""

    tables: Floats
    residuals: Floats
    number: Floats


class Spread(NamedTuple):
    """Of the contrasts: covariance [contrasts, contrasts], Bell and McCaffrey's degrees of freedom [contrasts], a lower
    bound of those of differences of two of them [contrasts, contrasts], and products of what only one voter has told of
    each [contrasts, contrasts]."""

    covariance: Floats
    freedom: Floats
    between: Floats
    lone: Floats


def batches(votes: Votes, rows: Floats, side: Floats) -> Iterator[Batch]:
    """Every voter once. `rows` [names, directions] and `side` [directions] make a cell's direction."""

    def tables(cells: NDArray[np.intp]) -> Floats:
        turned = rows[votes.a[cells]] - rows[votes.b[cells]] + side
        return np.asarray(votes.told[cells][..., None] * turned)

    number, width = np.bincount(votes.voter), rows.shape[1]
    first = np.cumsum(number) - number
    if (number == 1).any():
        cells, residuals, times = _alike(votes, first[number == 1])
        for some in _parts(len(cells), width):
            yield Batch(tables(cells[some])[:, None], residuals[some, None], times[some])
    for size in np.unique(number[(number > 1) & (number <= width)]).tolist():
        places = first[number == size][:, None] + np.arange(size)
        for some in _parts(len(places), size * width):
            yield Batch(tables(places[some]), votes.residual[places[some]], np.ones(len(places[some])))
    for place, size in zip(first[number > width].tolist(), number[number > width].tolist(), strict=True):
        cells = np.arange(place, place + size)
        yield _fewer(tables(cells), votes.residual[cells])


def _alike(votes: Votes, cells: NDArray[np.intp]) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Voters of one cell each, those of the same pair and weight as one: a cell of each kind, the root of their squared
    residuals, how many they are."""
    kinds = np.stack([votes.a[cells], votes.b[cells], votes.told[cells]])
    _, first, kind, times = np.unique(kinds, axis=1, return_index=True, return_inverse=True, return_counts=True)
    squares = np.bincount(kind.reshape(-1), votes.residual[cells] ** 2)
    return cells[first], np.sqrt(squares), times.astype(float)


def _fewer(table: Floats, residual: Floats) -> Batch:
    """A voter of more cells than directions, as one of as many cells who says the same: T'T and T' residual are."""
    part, axes = np.linalg.eigh(table.T @ table)
    part = np.where(part > 1e-15 * part[-1], part, 0.0)
    root = np.sqrt(part)
    told = axes.T @ (table.T @ residual)
    left = np.divide(told, root, out=np.zeros_like(root), where=part > 0)
    return Batch((axes * root).T[None], left[None], np.ones(1))


def _parts(number: int, size: int) -> list[slice]:
    step = max(1, ROOM // max(1, size))
    return [slice(start, start + step) for start in range(0, number, step)]


def bent(inner: Floats) -> tuple[Floats, Floats | None]:
    """(1 - inner)^-1/2 of matrices [voters, cells, cells], 0 in directions where they are 1; and the projections on
    those, None if there are none."""
    size = float(np.linalg.norm(inner, axis=(1, 2)).max(initial=0.0))
    if size < SMALL:
        return _series(inner, ceil(log(1e-18) / log(max(size, 1e-18))) + 1), None
    part, axes = np.linalg.eigh(inner)
    alone = part > ALONE
    stretch = np.where(alone, 0.0, 1 / np.sqrt(np.maximum(1 - part, 1e-12)))
    root = (axes * stretch[:, None]) @ np.swapaxes(axes, 1, 2)
    return root, (axes * alone[:, None]) @ np.swapaxes(axes, 1, 2) if alone.any() else None


def _series(inner: Floats, terms: int) -> Floats:
    """The binomial series of (1 - inner)^-1/2, by Horner's rule."""
    one = np.eye(inner.shape[-1])
    found = np.broadcast_to(one, inner.shape)
    for k in range(terms, 0, -1):
        found = one + (k - 0.5) / k * inner @ found
    return np.asarray(found)


class _Sums:
    """What batches leave behind, for contrasts [contrasts, directions]. `exact`: with the degrees of freedom
    themselves, not a lower bound."""

    def __init__(self, contrasts: Floats, exact: bool) -> None:
        number, width = contrasts.shape
        self.contrasts, self.exact = contrasts, exact
        self.meat, self.lone = np.zeros((width, width)), np.zeros((width, width))
        self.trace, self.square = np.zeros(number), np.zeros(number)
        self.cross = np.zeros((number, width, width))
        self.left, self.apart = np.zeros((number, number)), np.zeros((number, number))

    def add(self, batch: Batch) -> None:
        """The voters of a batch, not too many at once."""
        (number, width), cells = self.contrasts.shape, batch.tables.shape[1]
        for some in _parts(len(batch.number), number * max(width if self.exact else 1, _products(cells, number))):
            self._add(Batch(*(part[some] for part in batch)))

    def _add(self, batch: Batch) -> None:
        tables, residuals, times = batch
        inner = tables @ np.swapaxes(tables, 1, 2)
        root, alone = bent(inner)
        pulls = np.swapaxes(tables, 1, 2) @ (root @ residuals[..., None])  # [voters, directions, 1]
        self.meat += pulls[..., 0].T @ pulls[..., 0]
        if alone is not None:
            directions = alone @ tables
            self.lone += np.tensordot(directions, directions, ((0, 1), (0, 1)))
        told = root @ (tables @ self.contrasts.T)  # [voters, cells, contrasts]
        self._freedoms(tables, told, inner @ told, times)

    def _freedoms(self, tables: Floats, told: Floats, again: Floats, times: Floats) -> None:
        """P = diag(own) - reach reach' of each contrast: its trace, and its squares as sums over voters. Without what
        is reached, a projection, the norm can only be larger: the cautious end, at a fraction of the work."""
        own, reached = (told**2).sum(1), (told * again).sum(1)
        self.trace += times @ (own - reached)
        self.square += times @ (own**2 - 2 * own * reached if self.exact else own**2)
        if self.exact:
            reach = (np.swapaxes(told, 1, 2) @ tables).transpose(1, 2, 0)  # [contrasts, directions, voters]
            self.cross += (reach * times) @ np.swapaxes(reach, 1, 2)
        rows = (told * times[:, None, None]).reshape(-1, told.shape[2])
        self.left += rows.T @ (told - again).reshape(rows.shape)
        self.apart += _fourths(told, own, times)


def _products(cells: int, contrasts: int) -> int:
    """Numbers a voter and contrast that `_fourths` works with."""
    return min(cells * (cells + 1) // 2, contrasts)


def _fourths(told: Floats, own: Floats, times: Floats) -> Floats:
    """Sum over voters of the fourth power of the distance of two contrasts' columns, from `told` [voters, cells,
    contrasts] and their squares `own`: of voters of few cells by products of cells, else by products of contrasts."""
    cells, number = told.shape[1:]
    if _products(cells, number) == number:
        return np.asarray(np.tensordot(times, _gaps(np.swapaxes(told, 1, 2) @ told) ** 2, 1))
    one, other = np.triu_indices(cells)
    pairs = told[:, one] * told[:, other] * np.sqrt(times[:, None] * np.where(one == other, 1, 2))[..., None]
    pairs = pairs.reshape(-1, number)
    rows = told.reshape(-1, number)
    mixed = (told * (own * times[:, None])[:, None]).reshape(-1, number).T @ rows  # [i, j]: own_i told_i told_j
    alone, weighed = (own * times[:, None]).T @ own, times @ own**2
    return np.asarray(weighed[:, None] + weighed + 2 * alone + 4 * pairs.T @ pairs - 4 * (mixed + mixed.T))


def _gaps(products: Floats) -> Floats:
    """Squares of differences from products [..., n, n]."""
    own = np.diagonal(products, axis1=-2, axis2=-1)
    return np.asarray(own[..., :, None] + own[..., None, :] - products - np.swapaxes(products, -1, -2))


def spread(votes: Votes, rows: Floats, side: Floats, contrasts: Floats) -> Spread:
    """`rows` [names, directions], `side` [directions] and `contrasts` [contrasts, directions] in coordinates where the
    information is the identity. Degrees of freedom of the contrasts are a lower bound, too, where exact ones would take
    more than `WORK`: so many voters' are as good as infinite."""
    several = int((np.bincount(votes.voter) > 1).sum())
    sums = _Sums(contrasts, exact=several * contrasts.size * contrasts.shape[1] < WORK)
    for batch in batches(votes, rows, side):
        sums.add(batch)
    return Spread(
        covariance=contrasts @ sums.meat @ contrasts.T,
        freedom=_freedom(sums.trace, sums.square + (sums.cross**2).sum((1, 2))),
        between=_freedom(_gaps(sums.left), sums.apart),
        lone=contrasts @ sums.lone @ contrasts.T,
    )


def _freedom(trace: Floats, square: Floats) -> Floats:
    """trace(P)^2 / |P|^2, never below 1."""
    freedom: Floats = np.ones_like(trace)
    np.divide(trace**2, square, out=freedom, where=square > 1e-15)
    return np.maximum(freedom, 1.0)
