"""Who is liked better, and how sure that is: Bradley-Terry ratings from battles, with intervals clustered by voter.

The chance that `a` is preferred to `b` is 1 / (1 + exp(rating_b - rating_a)): ratings are natural logarithms of odds.
Bradley and Terry 1952, Biometrika 39:324; a tie is half a win each, as in quasi-likelihood (Davidson 1970 models ties
apart). Votes of one person resemble each other, so the covariance is a sandwich over voters (`sandwich`), which no
voter's votes alone may make infinite for others (`circles`). docs/arena.md tells when that is more than the textbook's
interval.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import t as student

from salon.stats.cells import Cells, Floats, Places, gathered, summed
from salon.stats.circles import Circles, anchors, circles, components
from salon.stats.likelihood import basis_of, climb, contrasts_of, design_of, separated
from salon.stats.sandwich import Spread, Votes, spread

#: degrees of freedom below which a sandwich is not believed to be narrower than independent votes: voters who vote
#: alike leave no residual, and it would say that nothing is uncertain. Above, the share FEW / freedom of that remains
FEW = 5.0
#: voters who must have met a machine before it counts for the average that others stand against
ENOUGH = 5


@dataclass(frozen=True)
class Fit:
    """Ratings of `names`, in their order. `variance` and `freedom` [names] belong to them: infinite variance where
    nothing is known, or only by a single voter. `components`: only names in the same one can be compared; `centre`:
    those whose mean is 0 in it; `beside`: those that only one voter has joined to it. `separated`: names whose ratings
    would be infinite without the penalty. `side`: what standing at `a` adds to the logarithm of the odds, None if it
    was not asked for; `side_variance`, `side_freedom` belong to it."""

    names: tuple[str, ...]
    rating: Floats
    variance: Floats
    freedom: Floats
    components: tuple[tuple[str, ...], ...]
    centre: frozenset[str]
    beside: frozenset[str]
    separated: frozenset[str]
    battles: int
    voters: int
    side: float | None
    side_variance: float
    side_freedom: float
    #: covariance of the ratings as if votes were independent [names, names], for `gain`
    independent: Floats
    #: variance of differences of two ratings, and at least so many degrees of freedom [names, names]
    gap_variance: Floats
    gap_freedom: Floats

    def ratings(self) -> dict[str, float]:
        """Natural logarithm of odds; the mean of a component's `centre` is 0, or its reference is."""
        return dict(zip(self.names, self.rating.tolist()))

    def errors(self) -> dict[str, float]:
        """Standard errors, infinite where nothing is known."""
        return dict(zip(self.names, np.sqrt(self.variance).tolist()))

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """name -> (low, high), two-sided; (-inf, inf) where nothing is known. Raises ValueError."""
        values = zip(self.rating, self.variance, self.freedom)
        return {name: _ends(*value, level) for name, value in zip(self.names, values)}

    def difference(self, a: str, b: str, level: float = 0.95) -> tuple[float, float]:
        """(low, high) of rating of a - rating of b: by this two are told apart, not by whether their own intervals
        overlap. Raises ValueError."""
        one, other = self.names.index(a), self.names.index(b)
        gap = float(self.rating[one] - self.rating[other])
        return _ends(gap, float(self.gap_variance[one, other]), float(self.gap_freedom[one, other]), level)

    def side_interval(self, level: float = 0.95) -> tuple[float, float]:
        """(low, high) of `side`. Raises ValueError if it was not asked for."""
        if self.side is None:
            raise ValueError("There is no side term in this fit: ask for it with side_bias=True.")
        return _ends(self.side, self.side_variance, self.side_freedom, level)

    def comparable(self, a: str, b: str) -> bool:
        """Whether a chain of battles leads from one to the other."""
        return any(a in component and b in component for component in self.components)

    def gain(self, a: str, b: str) -> float:
        """By how much one more battle of these two shrinks the sum of the ratings' variances; infinite where it joins
        what could not be compared, or only through one voter."""
        one, other = self.names.index(a), self.names.index(b)
        if not self.comparable(a, b) or {a, b} & self.beside:
            return inf
        chance = float(expit(self.rating[one] - self.rating[other]))
        column = self.independent[:, one] - self.independent[:, other]
        told = chance * (1 - chance)
        return float(told * (column @ column) / (1 + told * (column[one] - column[other])))


def fit(
    battles: Iterable[Sequence[Any]],
    *,
    names: Iterable[str] = (),
    reference: str | None = None,
    clustered: bool = True,
    side_bias: bool = False,
    cap: float | None = None,
) -> Fit:
    """Ratings by maximum likelihood from `(a, b, winner)` or `(a, b, winner, voter)`; winner in {"a", "b", "tie"}.

    A battle without a voter (or with None) is a voter of its own. `names` have a rating even without a battle.
    `reference` has rating 0 in its component; elsewhere the mean of a component is 0, taken over those names that
    `ENOUGH` voters met. What only one voter has joined to the others is rated beside them, without an interval, and
    they without it. `clustered=False` takes battles as independent (inverse information, normal quantiles, the mean of
    all): too narrow where people vote more than once, and here to show that. `side_bias` adds a term for standing at
    `a`. `cap` is the most that one voter's votes on one pair weigh together: more of them weigh less each, so that
    nobody can stuff the box.

    Where the likelihood has no maximum (somebody won all: Albert and Anderson 1984, Biometrika 71:1) the names
    concerned get Firth's penalty (1993, Biometrika 80:27). There, and below `FEW` degrees of freedom, variances are no
    smaller than independent votes would give; with more of them no smaller than `FEW` / freedom of that. Raises
    ValueError: a winner that is none, a battle against itself, an unknown reference, a cap that is not above 0.
    """
    if cap is not None and not cap > 0:
        raise ValueError(f"A cap of {cap} is not above 0: leave it out, or let a voter count at least once.")
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    cells, number = gathered(battles, places, cap)
    if reference is not None and reference not in places:
        raise ValueError(f"There is no battle of {reference!r} to compare the others with.")
    found = circles(list(places), cells.a, cells.b, cells.voter) if clustered else _plain(len(places), cells)
    mean = anchors(found.inner, cells.a, cells.b, cells.voter, ENOUGH if clustered else 0)
    zero = None if reference is None else places[reference]
    together = cells.where(found.inner[cells.a] == found.inner[cells.b])
    solved = _solve(together, found.inner, mean, zero, clustered, side_bias)
    solved = _beside(solved, cells, found, mean, zero, side_bias)
    return Fit(
        names=tuple(places),
        components=_listed(tuple(places), found.members),
        centre=frozenset(name for name, place in places.items() if mean[place] and place not in found.beside),
        beside=frozenset(name for name, place in places.items() if place in found.beside),
        separated=frozenset(name for name, place in places.items() if solved.doomed[place]),
        battles=number,
        voters=int(cells.voter.max(initial=-1)) + 1,
        **{field: value for field, value in solved._asdict().items() if field != "doomed"},
    )


class _Solved(NamedTuple):
    """As in `Fit`; `doomed` [names]: whose ratings would run away."""

    rating: Floats
    variance: Floats
    freedom: Floats
    doomed: NDArray[np.bool_]
    independent: Floats
    gap_variance: Floats
    gap_freedom: Floats
    side: float | None
    side_variance: float
    side_freedom: float


def _solve(
    cells: Cells,
    members: Places,
    mean: NDArray[np.bool_],
    zero: int | None,
    clustered: bool,
    side_bias: bool,
) -> _Solved:
    """The ratings of names that are joined by `members`; the mean of those in `mean`, or the rating of `zero`, is 0."""
    size, sums, basis = len(members), summed(cells, len(members)), basis_of(members)
    design = design_of(basis, sums, side_bias)
    doomed = separated(design, sums, members, side_bias)
    beta, information = climb(design, sums, doomed[sums.a].astype(float))
    contrasts = contrasts_of(basis, members, mean, zero, side_bias)
    certain = _uncertainty(basis, cells, beta, information, contrasts, doomed, clustered)
    values, variance = contrasts @ beta, certain.variance
    variance[:size][np.bincount(members, minlength=1)[members] == 1] = inf
    if zero is not None:
        variance[zero] = 0.0
    apart = members[:, None] != members
    return _Solved(
        rating=values[:size],
        variance=variance[:size],
        freedom=certain.freedom[:size],
        doomed=doomed,
        independent=certain.independent[:size, :size],
        gap_variance=np.where(apart, inf, certain.gap_variance[:size, :size]),
        gap_freedom=certain.gap_freedom[:size, :size],
        side=float(values[-1]) if side_bias else None,
        side_variance=float(variance[-1]) if side_bias else inf,
        side_freedom=float(certain.freedom[-1]) if side_bias else inf,
    )


def _beside(
    solved: _Solved, cells: Cells, found: Circles, mean: NDArray[np.bool_], zero: int | None, side_bias: bool
) -> _Solved:
    """With the ratings of those who stand beside a circle: of a fit to all votes, and without a variance."""
    if not found.beside:
        return solved
    members = components(len(found.members), cells.a, cells.b)
    sums, basis = summed(cells, len(members)), basis_of(members)
    design = design_of(basis, sums, side_bias)
    doomed = separated(design, sums, members, side_bias)
    beta, _ = climb(design, sums, doomed[sums.a].astype(float))
    whole = basis @ beta[: basis.shape[1]]
    rating, variance = solved.rating.copy(), solved.variance.copy()
    for place in found.beside:
        own = (found.inner == found.members[place]) & mean
        at = zero if zero is not None and found.inner[zero] == found.members[place] else own
        rating[place] = whole[place] - np.mean(whole[at])
    if zero in found.beside:  # who is measured by what one voter has told knows nothing
        own = found.members == found.members[zero]
        rating[own] -= rating[zero]
        variance[own] = inf
        variance[zero] = 0.0
    runs = solved.doomed.copy()
    runs[list(found.beside)] = doomed[list(found.beside)]
    return solved._replace(rating=rating, variance=variance, doomed=runs)


class _Certain(NamedTuple):
    """Of contrasts: covariance as if votes were independent, variances, degrees of freedom, and those of their
    differences."""

    independent: Floats
    variance: Floats
    freedom: Floats
    gap_variance: Floats
    gap_freedom: Floats


def _uncertainty(
    basis: Floats,
    cells: Cells,
    beta: Floats,
    information: Floats,
    contrasts: Floats,
    doomed: NDArray[np.bool_],
    clustered: bool,
) -> _Certain:
    inverse: Floats = np.linalg.pinv(information, hermitian=True).astype(float)
    independent = contrasts @ inverse @ contrasts.T
    runs = np.append(doomed, np.full(len(contrasts) - len(doomed), doomed.any()))
    off = contrasts - contrasts @ information @ inverse
    unknown = np.abs(off).max(1, initial=0.0) > 1e-6
    between = np.abs(off[:, None] - off).max(2, initial=0.0) > 1e-6
    gaps = _gaps(independent)
    if not clustered or not len(cells.a):
        variance, free = np.diag(independent), np.full(len(contrasts), inf)
        return _Certain(independent, np.where(unknown, inf, variance), free, np.where(between, inf, gaps), gaps + inf)
    robust = _robust(basis, cells, beta, inverse, contrasts)
    variance = _least(np.diag(robust.covariance), np.diag(independent), robust.freedom, runs)
    apart = _least(_gaps(robust.covariance), gaps, robust.between, runs[:, None] | runs)
    return _Certain(
        independent,
        np.where(unknown | (np.diag(robust.lone) > 1e-9), inf, variance),
        robust.freedom,
        np.where(between | (_gaps(robust.lone) > 1e-9), inf, apart),
        robust.between,
    )


def _least(robust: Floats, independent: Floats, freedom: Floats, runs: NDArray[np.bool_]) -> Floats:
    """Variances, where the sandwich says too little those of independent votes at least: of a few voters, and near a
    rating that would run away, every residual is small. The more voters agree, the less of that is left, never none."""
    share = np.where(runs, 1.0, np.minimum(1.0, FEW / freedom))
    return np.maximum(robust, share * independent)


def _gaps(covariance: Floats) -> Floats:
    """Variances of differences."""
    own = np.diag(covariance)
    return np.asarray(np.maximum(own[:, None] + own - covariance - covariance.T, 0.0))


def _robust(basis: Floats, cells: Cells, beta: Floats, inverse: Floats, contrasts: Floats) -> Spread:
    """The sandwich over voters, in coordinates where the information is the identity."""
    values, vectors = np.linalg.eigh(inverse)
    root = vectors * np.sqrt(np.maximum(values, 0))  # inverse = root root'
    rows, side = basis @ root[: basis.shape[1]], root[basis.shape[1] :].sum(0)
    level = basis @ beta[: basis.shape[1]]
    chance = expit(level[cells.a] - level[cells.b] + beta[basis.shape[1] :].sum())
    told = np.sqrt(np.maximum(cells.weight * chance * (1 - chance), np.finfo(float).tiny))
    residual = cells.weight * (cells.worth - chance) / told
    return spread(Votes(cells.a, cells.b, residual, told, cells.voter), rows, side, contrasts @ root)


def _ends(value: float, variance: float, freedom: float, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not between 0 and 1.")
    if not np.isfinite(variance):
        return -inf, inf
    half = float(student.ppf((1 + level) / 2, freedom) * np.sqrt(variance)) if variance else 0.0
    return float(value) - half, float(value) + half


def _plain(size: int, cells: Cells) -> Circles:
    """Circles of votes that nobody gave twice."""
    members = components(size, cells.a, cells.b)
    return Circles(members, members)


def _listed(names: Sequence[str], members: Places) -> tuple[tuple[str, ...], ...]:
    """The components by name, largest first."""
    found = [tuple(name for name, at in zip(names, members) if at == one) for one in dict.fromkeys(members.tolist())]
    return tuple(sorted(found, key=lambda component: -len(component)))
