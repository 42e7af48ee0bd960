"""Who is liked better, and how sure that is: Bradley-Terry ratings from battles, with intervals clustered by voter.

The chance that `a` is preferred to `b` is 1 / (1 + exp(rating_b - rating_a)): ratings are natural logarithms of odds.
Bradley and Terry 1952, Biometrika 39:324; a tie is half a win each, as in quasi-likelihood (Davidson 1970 models ties
apart). Votes of one person resemble each other, so the covariance is a sandwich over voters with the CR2 correction,
and the t quantile has Bell and McCaffrey's degrees of freedom (2002, Survey Methodology 28:169; Pustejovsky and
Tipton 2018, J. Bus. Econ. Stat. 36:672). docs/arena.md tells when that is more than the textbook's interval.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit
from scipy.stats import t as student

Floats = NDArray[np.float64]
#: what a vote says for `a`; `both_bad` says nothing of who is better, and is no vote here
WORTH = {"a": 1.0, "tie": 0.5, "b": 0.0}
STEPS = 200
#: above this share of one voter in a direction nobody else has said anything about it
ALONE = 1 - 1e-9


class _Cells(NamedTuple):
    """A voter's battles on a pair, together: places of the names, mean worth for `a`, weight, the voter's place."""

    a: NDArray[np.intp]
    b: NDArray[np.intp]
    worth: Floats
    weight: Floats
    voter: NDArray[np.intp]


@dataclass(frozen=True)
class Fit:
    """Ratings of `names`, in their order. `variance` and `freedom` [names] belong to them: infinite variance where
    nothing is known, or only by a single voter. `components`: only names in the same one can be compared. `separated`:
    names whose ratings would be infinite without the penalty. `side`: what standing at `a` adds to the logarithm of
    the odds, None if it was not asked for; `side_variance`, `side_freedom` belong to it."""

    names: tuple[str, ...]
    rating: Floats
    variance: Floats
    freedom: Floats
    components: tuple[tuple[str, ...], ...]
    separated: frozenset[str]
    battles: int
    voters: int
    side: float | None
    side_variance: float
    side_freedom: float
    #: covariance of the ratings as if votes were independent [names, names], for `gain`
    independent: Floats

    def ratings(self) -> dict[str, float]:
        """Natural logarithm of odds; the mean of a component is 0, or its reference is."""
        return dict(zip(self.names, self.rating.tolist()))

    def errors(self) -> dict[str, float]:
        """Standard errors, infinite where nothing is known."""
        return dict(zip(self.names, np.sqrt(self.variance).tolist()))

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """name -> (low, high), two-sided; (-inf, inf) where nothing is known. Raises ValueError."""
        values = zip(self.rating, self.variance, self.freedom)
        return {name: _ends(*value, level) for name, value in zip(self.names, values)}

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
        what could not be compared."""
        if not self.comparable(a, b):
            return inf
        one, other = self.names.index(a), self.names.index(b)
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
    `reference` has rating 0 in its component; elsewhere the mean of a component is 0. `clustered=False` takes battles
    as independent (inverse information, normal quantiles): too narrow where people vote more than once, and here to
    show that. `side_bias` adds a term for standing at `a`. `cap` is the most that one voter's votes on one pair weigh
    together: more of them weigh less each, so that nobody can stuff the box.

    Where the likelihood has no maximum (somebody won all: Albert and Anderson 1984, Biometrika 71:1) the names
    concerned get Firth's penalty (1993, Biometrika 80:27), and variances no smaller than independent votes would give.
    Raises ValueError: a winner that is none, a battle against itself, an unknown reference, a cap that is not above 0.
    """
    if cap is not None and not cap > 0:
        raise ValueError(f"A cap of {cap} is not above 0: leave it out, or let a voter count at least once.")
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    cells, number = _gather(battles, places, cap)
    if reference is not None and reference not in places:
        raise ValueError(f"There is no battle of {reference!r} to compare the others with.")
    members = _components(len(places), cells)
    basis = _basis(members)
    design = _design(basis, cells, side_bias)
    doomed = _separated(design, cells, members, side_bias)
    beta, information = _climb(design, cells, doomed[cells.a].astype(float))
    contrasts = _contrasts(basis, members, None if reference is None else places[reference], side_bias)
    independent, variance, freedom = _uncertainty(design, cells, beta, information, contrasts, doomed, clustered)
    size, values = len(places), contrasts @ beta
    variance[:size][np.bincount(members, minlength=1)[members] == 1] = inf
    if reference is not None:
        variance[places[reference]] = 0.0
    return Fit(
        names=tuple(places),
        rating=values[:size],
        variance=variance[:size],
        freedom=freedom[:size],
        components=_listed(tuple(places), members),
        separated=frozenset(name for name, place in places.items() if doomed[place]),
        battles=number,
        voters=int(cells.voter.max(initial=-1)) + 1,
        side=float(values[-1]) if side_bias else None,
        side_variance=float(variance[-1]) if side_bias else inf,
        side_freedom=float(freedom[-1]) if side_bias else inf,
        independent=independent[:size, :size],
    )


def _uncertainty(
    design: Floats,
    cells: _Cells,
    beta: Floats,
    information: Floats,
    contrasts: Floats,
    doomed: NDArray[np.bool_],
    clustered: bool,
) -> tuple[Floats, Floats, Floats]:
    """Of the contrasts: covariance as if votes were independent, variances, degrees of freedom."""
    inverse: Floats = np.linalg.pinv(information, hermitian=True).astype(float)
    independent = contrasts @ inverse @ contrasts.T
    variance, freedom = np.diag(independent).copy(), np.full(len(contrasts), inf)
    if clustered and len(cells.a):
        robust, freedom = _sandwich(design, cells, beta, inverse, contrasts)
        # near a rating that would run away every residual is small, and a sandwich of them says nothing
        least = np.append(doomed, np.full(len(contrasts) - len(doomed), doomed.any()))
        variance = np.where(least, np.maximum(robust, variance), robust)
    unknown = np.abs(contrasts - contrasts @ information @ inverse).max(1, initial=0.0) > 1e-6
    return independent, np.where(unknown, inf, variance), freedom


def _ends(value: float, variance: float, freedom: float, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not between 0 and 1.")
    if not np.isfinite(variance):
        return -inf, inf
    half = float(student.ppf((1 + level) / 2, freedom) * np.sqrt(variance)) if variance else 0.0
    return float(value) - half, float(value) + half


def _gather(battles: Iterable[Sequence[Any]], places: dict[str, int], cap: float | None) -> tuple[_Cells, int]:
    """Battles as cells; `places` learns the names. Raises ValueError."""
    sums: dict[tuple[int, int, Any], list[float]] = {}
    seen: dict[tuple[Any, frozenset[int]], float] = {}
    number, nobody = 0, count()
    for a, b, winner, *rest in battles:
        if a == b:
            raise ValueError(f"{a!r} cannot be compared with itself.")
        if winner not in WORTH:
            raise ValueError(f"{winner!r} is no winner: a, b or tie. Where both are bad nobody has won: leave it out.")
        pair = places.setdefault(a, len(places)), places.setdefault(b, len(places))
        voter = ("voter", rest[0]) if rest and rest[0] is not None else ("nobody", next(nobody))
        cell = sums.setdefault((*pair, voter), [0.0, 0.0])
        cell[0] += WORTH[winner]
        cell[1] += 1
        seen[voter, frozenset(pair)] = seen.get((voter, frozenset(pair)), 0.0) + 1
        number += 1
    voters: dict[Any, int] = {}
    rows = [
        (a, b, won / n, n * (min(1.0, cap / seen[voter, frozenset((a, b))]) if cap else 1.0),
         voters.setdefault(voter, len(voters)))
        for (a, b, voter), (won, n) in sums.items()
    ]  # fmt: skip
    columns = list(zip(*rows)) or [(), (), (), (), ()]
    kinds = (np.intp, np.intp, float, float, np.intp)
    return _Cells(*(np.array(column, kind) for column, kind in zip(columns, kinds))), number


def _components(size: int, cells: _Cells) -> NDArray[np.intp]:
    """For each name the number of its component."""
    if not size:
        return np.zeros(0, np.intp)
    graph = coo_array((np.ones(len(cells.a)), (cells.a, cells.b)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)


def _listed(names: Sequence[str], members: NDArray[np.intp]) -> tuple[tuple[str, ...], ...]:
    """The components by name, largest first."""
    found = [tuple(name for name, at in zip(names, members) if at == one) for one in dict.fromkeys(members.tolist())]
    return tuple(sorted(found, key=lambda component: -len(component)))


def _basis(members: NDArray[np.intp]) -> Floats:
    """[names, names - components]: orthonormal directions in which no component's mean moves."""
    if not len(members):
        return np.zeros((0, 0))
    basis: Floats = null_space((members == np.unique(members)[:, None]).astype(float))
    return basis


def _design(basis: Floats, cells: _Cells, side_bias: bool) -> Floats:
    """[cells, directions], a last column of ones for the side."""
    rows = basis[cells.a] - basis[cells.b]
    return np.hstack([rows, np.ones((len(rows), 1))]) if side_bias else rows


def _contrasts(basis: Floats, members: NDArray[np.intp], reference: int | None, side_bias: bool) -> Floats:
    """[names (+ 1 for the side), directions]: what makes ratings out of directions."""
    rows = basis
    if reference is not None:
        rows = np.where((members == members[reference])[:, None], basis - basis[reference], basis)
    if not side_bias:
        return rows
    whole = np.zeros((rows.shape[0] + 1, rows.shape[1] + 1))
    whole[:-1, :-1], whole[-1, -1] = rows, 1.0
    return whole


def _separated(design: Floats, cells: _Cells, members: NDArray[np.intp], side_bias: bool) -> NDArray[np.bool_]:
    """[names]: whose ratings would run away: all of a component where not everybody is beaten, or tied with, in a chain
    by everybody else (Ford 1957, Am. Math. Mon. 64:28). With a side term `_runaway` decides."""
    if not len(design):
        return np.zeros(len(members), bool)
    if side_bias:
        return np.isin(members, members[cells.a[_runaway(design, cells)]])
    beats, loses = cells.worth > 0, cells.worth < 1
    ends = np.append(cells.a[beats], cells.b[loses]), np.append(cells.b[beats], cells.a[loses])
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(len(members), len(members)))
    strong = connected_components(graph, directed=True, connection="strong")[1]
    alike = {one: len(set(strong[members == one].tolist())) == 1 for one in set(members.tolist())}
    return np.array([not alike[one] for one in members.tolist()])


def _runaway(design: Floats, cells: _Cells) -> NDArray[np.bool_]:
    """[cells]: whose odds would be infinite. They are if some direction offends no vote and pleases one, which a linear
    program finds (Konis 2007, thesis, Oxford)."""
    sign = np.select([cells.worth == 1, cells.worth == 0], [1.0, -1.0], 0.0)
    kinds, first = np.unique(np.stack([cells.a, cells.b, sign]), axis=1, return_index=True)
    pleased = (design[first] * sign[first, None])[kinds[2] != 0]
    equal = design[first][kinds[2] == 0]
    none, level = np.zeros(len(pleased)), np.zeros(len(equal))
    solved = linprog(-pleased.sum(0), A_ub=-pleased, b_ub=none, A_eq=equal, b_eq=level, bounds=(-1, 1))
    return np.asarray(np.abs(design @ solved.x) > 1e-7)


def _climb(design: Floats, cells: _Cells, penalty: Floats) -> tuple[Floats, Floats]:
    """The maximum of the (penalised) likelihood by Newton's method, and the information there."""
    beta = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = expit(design @ beta)
        told = cells.weight * chance * (1 - chance)
        information: Floats = design.T @ (design * told[:, None])
        inverse = np.linalg.pinv(information, hermitian=True)
        hat = penalty * told * np.einsum("ij,jk,ik->i", design, inverse, design)
        score = design.T @ (cells.weight * (cells.worth - chance) + hat * (0.5 - chance))
        # the penalty is half a win and half a loss more for each cell's leverage: Newton's step must know of them
        more = design.T @ (design * (hat * chance * (1 - chance))[:, None])
        step = np.linalg.pinv(information + more, hermitian=True) @ score
        stride = float(np.abs(design @ step).max(initial=0.0))
        beta = beta + step * min(1.0, 1.5 / stride if stride else 1.0)
        if stride < 1e-10:
            break
    return beta, information


def _sandwich(design: Floats, cells: _Cells, beta: Floats, inverse: Floats, contrasts: Floats) -> tuple[Floats, Floats]:
    """Variance and degrees of freedom of each contrast, clustered by voter (CR2).

    In coordinates where the information is the identity, `share` [voters, directions, directions] is what each voter
    brought of it (they sum to the identity) and (1 - share)^-1/2 undoes how far the fit bent towards that voter."""
    values, vectors = np.linalg.eigh(inverse)
    root = vectors * np.sqrt(np.maximum(values, 0))  # inverse = root root'
    chance = expit(design @ beta)
    turned = design @ root
    voters, width = int(cells.voter.max()) + 1, turned.shape[1]
    score, share = np.zeros((voters, width)), np.zeros((voters, width, width))
    np.add.at(score, cells.voter, turned * (cells.weight * (cells.worth - chance))[:, None])
    told = cells.weight * chance * (1 - chance)
    np.add.at(share, cells.voter, turned[:, :, None] * (turned * told[:, None])[:, None, :])
    part, axes = np.linalg.eigh(share)
    alone = part > ALONE
    stretch = np.where(alone, 0.0, 1 / np.sqrt(np.maximum(1 - part, 1e-12)))
    towards = np.einsum("gij,ci->cgj", axes, contrasts @ root)  # [contrasts, voters, axes]
    single = ((towards**2) * alone).sum((1, 2)) > 1e-9
    bent = np.einsum("gij,cgj->cgi", axes, towards * stretch)
    variance = (np.einsum("cgi,gi->cg", bent, score) ** 2).sum(1)
    reach = np.einsum("gij,cgj->cgi", share, bent)
    own = np.einsum("cgi,cgi->cg", bent, reach)
    return np.where(single, inf, variance), _freedom(own, reach)


def _freedom(own: Floats, reach: Floats) -> Floats:
    """Bell and McCaffrey's degrees of freedom: trace(P)^2 / |P|^2 for P = diag(own) - reach reach', never below 1."""
    inner = (reach**2).sum(2)
    trace = (own - inner).sum(1)
    cross = np.einsum("cgi,cgj->cij", reach, reach)
    square = (own**2).sum(1) - 2 * (own * inner).sum(1) + (cross**2).sum((1, 2))
    freedom: Floats = np.ones_like(trace)
    np.divide(trace**2, square, out=freedom, where=square > 1e-15)
    return np.maximum(freedom, 1.0)
