"""Places from scores that several jurors gave to some of the applications each.

    score = level + application + juror + noise

Some jurors are strict, some see few applications, and who saw what is chance: plain means reward whoever met the
mild ones. Applications and jurors are random effects (Henderson 1975, Biometrics 31:423), so that an application with
few reviews is drawn towards the middle. How much they vary is not known either; with few reviews one estimate of it
makes intervals far too short, so the answer is averaged over a grid of ratios by their restricted likelihood (Gelman
2006, Bayesian Anal. 1:515: half-Cauchy on standard deviations).

What is estimated of an application is the mean that this whole jury would have given it."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: standard deviations of applications, and of jurors, in units of the noise's: midpoints of as many equal parts of a
#: half-Cauchy distribution
GRID = 16
DRAWS = 4_000
Score = tuple[Hashable, Hashable, float]


class Placed(NamedTuple):
    """One thing that was judged. `mean` is plain, `corrected` with the jurors' severity out and drawn towards the
    middle; [low, high] and places [best, worst] are intervals; `place` is shared by equals."""

    key: Hashable
    reviews: int
    mean: float
    spread: float | None
    corrected: float
    low: float
    high: float
    place: int
    best: int
    worst: int


class Ranking(NamedTuple):
    """Things, the best first. `runs` are maximal stretches (first, last), counted from 0, inside of which no two are
    told apart; `severity` says by how much each juror lies above the jury's mean (below: strict)."""

    placed: list[Placed]
    runs: list[tuple[int, int]]
    severity: dict[Hashable, float]
    level: float


class _Table(NamedTuple):
    """Scores by number of thing and of juror."""

    keys: list[Hashable]
    jurors: list[Hashable]
    thing: NDArray[np.intp]
    juror: NDArray[np.intp]
    score: Floats


def _table(scores: Sequence[Score]) -> _Table:
    if len({(thing, juror) for thing, juror, _ in scores}) < len(scores):
        raise ValueError("A juror has one score for a thing.")
    values = np.array([score for *_, score in scores], float)
    if not np.isfinite(values).all():
        raise ValueError("Scores are finite numbers.")
    keys = list(dict.fromkeys(thing for thing, *_ in scores))
    jurors = list(dict.fromkeys(juror for _, juror, _ in scores))
    of, by = ({name: at for at, name in enumerate(names)} for names in (keys, jurors))
    things = np.array([of[thing] for thing, *_ in scores], np.intp)
    return _Table(keys, jurors, things, np.array([by[juror] for _, juror, _ in scores], np.intp), values)


class _Solved(NamedTuple):
    """The mixed model's equations at one pair of ratios, in units of the noise. `fixed` [1 + jurors] holds level and
    jurors, `root` times its transpose is its covariance, `things` [things] the applications given `fixed` = 0, `pull`
    [things, 1 + jurors] what `fixed` takes from them, `own` their variance given it."""

    fixed: Floats
    root: Floats
    things: Floats
    pull: Floats
    own: Floats
    left: float
    log_likelihood: float


def _solved(table: _Table, of_things: float, of_jurors: float) -> _Solved:
    """`of_things` and `of_jurors` are ratios of variances to the noise's."""
    things, jurors, n = len(table.keys), len(table.jurors), len(table.score)
    met = np.zeros((things, 1 + jurors))
    np.add.at(met, (table.thing, 1 + table.juror), 1)
    met[:, 0] = met[:, 1:].sum(1)
    sums = np.bincount(table.thing, table.score, things)
    own = 1 / (met[:, 0] + 1 / of_things)
    whole = np.zeros((1 + jurors, 1 + jurors))
    given = met[:, 1:].sum(0)
    whole[0, 0], whole[0, 1:], whole[1:, 0] = n, given, given
    whole[1:, 1:] = np.diag(given + 1 / of_jurors)
    right = np.concatenate(([table.score.sum()], np.bincount(table.juror, table.score, jurors)))
    pull = own[:, None] * met
    matrix, right = whole - met.T @ pull, right - pull.T @ sums
    lower = np.linalg.cholesky(matrix)
    root = np.linalg.inv(lower).T
    fixed = root @ (root.T @ right)
    left = float(table.score @ table.score - sums @ (own * sums) - right @ fixed)
    log_determinant = 2 * np.log(np.diag(lower)).sum() - np.log(own).sum()
    log_determinant += things * np.log(of_things) + jurors * np.log(of_jurors)
    return _Solved(fixed, root, own * sums, pull, own, left, float(-log_determinant))


def _grid() -> Floats:
    return np.asarray(np.tan(np.pi / 2 * (np.arange(GRID) + 0.5) / GRID) ** 2)


def _weights(solved: Sequence[_Solved], degrees: int, floor: float) -> Floats:
    logs = np.array([(one.log_likelihood - degrees * np.log(max(one.left, floor))) / 2 for one in solved])
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _drawn(one: _Solved, noise: Floats, rng: np.random.Generator) -> Floats:
    """What the whole jury would give, [draws, things]; `noise` [draws] are standard deviations."""
    fixed = one.fixed + noise[:, None] * (rng.standard_normal((len(noise), len(one.fixed))) @ one.root.T)
    own = noise[:, None] * np.sqrt(one.own) * rng.standard_normal((len(noise), len(one.own)))
    return one.things + _jury(fixed) - fixed @ one.pull.T + own


def _jury(fixed: Floats) -> Floats:
    """Level and mean of the jurors, as a column."""
    return np.asarray(fixed[..., :1] + fixed[..., 1:].mean(-1, keepdims=True))


def rank(scores: Sequence[Score], level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Ranking:
    """The ranking of `scores`: (thing, juror, score), one a pair. The same scores in the same order give the same
    answer. Two things are told apart if the interval of their difference leaves out 0. With one score, or with scores
    that are all the same, nothing can be told: then everything is in one run. Raises ValueError for scores that are no
    numbers or given twice."""
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not between 0 and 1.")
    if not scores:
        return Ranking([], [], {}, level)
    table = _table(scores)
    centre, scale = table.score.mean(), table.score.std()
    if scale < 1e-9 * max(1.0, abs(centre)):
        return _all_alike(table, level)
    rng = np.random.default_rng(seed)
    inner = table._replace(score=(table.score - centre) / scale)
    solved = [_solved(inner, a, b) for a in _grid() for b in _grid()]
    degrees = len(scores) - 1
    floor = 1e-6 * degrees
    weights = _weights(solved, degrees, floor)
    chosen = rng.multinomial(draws, weights)
    parts = []
    for one, number in zip(solved, chosen, strict=True):
        if number:
            noise = np.sqrt(max(one.left, floor) / rng.chisquare(degrees, number))
            parts.append(_drawn(one, noise, rng))
    means = sum(w * (one.things + _jury(one.fixed) - one.pull @ one.fixed) for w, one in zip(weights, solved))
    fixed = sum(w * one.fixed[1:] for w, one in zip(weights, solved))
    severity = dict(zip(table.jurors, (scale * (fixed - np.mean(fixed))).tolist(), strict=True))
    return _ranking(table, centre + scale * np.asarray(means), centre + scale * np.concatenate(parts), severity, level)


def _all_alike(table: _Table, level: float) -> Ranking:
    value, last = float(table.score[0]), len(table.keys)
    counts = np.bincount(table.thing).tolist()
    placed = [
        Placed(key, n, value, 0.0 if n > 1 else None, value, -np.inf, np.inf, 1, 1, last)
        for key, n in zip(table.keys, counts, strict=True)
    ]
    return Ranking(placed, [(0, last - 1)] if last > 1 else [], dict.fromkeys(table.jurors, 0.0), level)


def _ranking(table: _Table, means: Floats, drawn: Floats, severity: dict[Hashable, float], level: float) -> Ranking:
    ends = ((1 - level) / 2, (1 + level) / 2)
    order = np.argsort(-np.round(means, 9), kind="stable")
    drawn = drawn[:, order]
    low, high = np.quantile(drawn, ends, axis=0)
    places = np.argsort(np.argsort(-drawn, axis=1), axis=1) + 1
    best, worst = np.quantile(places, ends, axis=0, method="nearest")
    placed: list[Placed] = []
    for at, thing in enumerate(order):
        own = table.score[table.thing == thing]
        tied = placed and round(placed[-1].corrected, 9) == round(float(means[thing]), 9)
        placed.append(Placed(
            table.keys[thing], len(own), float(own.mean()), float(own.std(ddof=1)) if len(own) > 1 else None,
            float(means[thing]), float(low[at]), float(high[at]),
            placed[-1].place if tied else at + 1, int(best[at]), int(worst[at]),
        ))  # fmt: skip
    return Ranking(placed, _runs(drawn, ends[0]), severity, level)


def _runs(drawn: Floats, tail: float) -> list[tuple[int, int]]:
    """Maximal stretches of columns no two of which are told apart; they may overlap, since "not told apart" is not
    handed on: the first may be told from the third, and the second from neither."""
    things, last, runs = drawn.shape[1], -1, []
    for first in range(things):
        end = max(last, first)
        while end + 1 < things and not _apart(drawn[:, first : end + 1], drawn[:, end + 1], tail).any():
            end += 1
        if end > last and end > first:
            runs.append((first, end))
        last = max(last, end)
    return runs


def _apart(ones: Floats, other: Floats, tail: float) -> NDArray[np.bool_]:
    above = (ones > other[:, None]).mean(0)
    return np.asarray((above >= 1 - tail) | (above <= tail))
