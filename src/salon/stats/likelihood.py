"""The likelihood of ratings: directions, whether it has a maximum, and the climb to it."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from salon.stats.cells import Cells, Floats, Places

STEPS = 200


def basis_of(members: Places) -> Floats:
    """[names, names - components]: orthonormal directions in which no component's mean moves."""
    if not len(members):
        return np.zeros((0, 0))
    basis: Floats = null_space((members == np.unique(members)[:, None]).astype(float))
    return basis


def design_of(basis: Floats, cells: Cells, side_bias: bool) -> Floats:
    """[cells, directions], a last column of ones for the side."""
    rows = basis[cells.a] - basis[cells.b]
    return np.hstack([rows, np.ones((len(rows), 1))]) if side_bias else rows


def contrasts_of(
    basis: Floats, members: Places, mean: NDArray[np.bool_], reference: int | None, side_bias: bool
) -> Floats:
    """[names (+ 1 for the side), directions]: what makes ratings out of directions."""
    rows = basis.copy()
    for component in np.unique(members).tolist():
        own = members == component
        at = own & mean if reference is None or not own[reference] else np.arange(len(own)) == reference
        if not (own & ~at).any():  # all of them: their mean is 0 already
            continue
        rows[own] -= basis[at].mean(0)
    if not side_bias:
        return rows
    whole = np.zeros((rows.shape[0] + 1, rows.shape[1] + 1))
    whole[:-1, :-1], whole[-1, -1] = rows, 1.0
    return whole


def separated(design: Floats, cells: Cells, members: Places, side_bias: bool) -> NDArray[np.bool_]:
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


def _runaway(design: Floats, cells: Cells) -> NDArray[np.bool_]:
    """[cells]: whose odds would be infinite. They are if some direction offends no vote and pleases one, which a linear
    program finds (Konis 2007, thesis, Oxford)."""
    sign = np.select([cells.worth == 1, cells.worth == 0], [1.0, -1.0], 0.0)
    kinds, first = np.unique(np.stack([cells.a, cells.b, sign]), axis=1, return_index=True)
    pleased = (design[first] * sign[first, None])[kinds[2] != 0]
    equal = design[first][kinds[2] == 0]
    none, level = np.zeros(len(pleased)), np.zeros(len(equal))
    solved = linprog(-pleased.sum(0), A_ub=-pleased, b_ub=none, A_eq=equal, b_eq=level, bounds=(-1, 1))
    return np.asarray(np.abs(design @ solved.x) > 1e-7)


def climb(design: Floats, cells: Cells, penalty: Floats) -> tuple[Floats, Floats]:
    """The maximum of the (penalised) likelihood by Newton's method, and the information there."""
    beta = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = expit(design @ beta)
        told = cells.weight * chance * (1 - chance)
        information: Floats = design.T @ (design * told[:, None])
        score, curve = design.T @ (cells.weight * (cells.worth - chance)), information
        if penalty.any():
            hat = penalty * told * ((design @ np.linalg.pinv(information, hermitian=True)) * design).sum(1)
            score = score + design.T @ (hat * (0.5 - chance))
            # the penalty is half a win and half a loss more for each leverage: Newton's step must know of them
            curve = information + design.T @ (design * (hat * chance * (1 - chance))[:, None])
        step = np.linalg.pinv(curve, hermitian=True) @ score
        stride = float(np.abs(design @ step).max(initial=0.0))
        beta = beta + step * min(1.0, 1.5 / stride if stride else 1.0)
        if stride < 1e-10:
            break
    return beta, information
