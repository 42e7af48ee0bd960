"""Who can be compared with whom: chains of battles, and which of them hang on a single voter.

One voter tells nothing of how far people differ. So what only one has told, a machine that one visitor met, say, must
not open the intervals of all the others: it stands beside them, and they are rated without it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Places = NDArray[np.intp]


class Circles(NamedTuple):
    """`members` [names]: the number of the circle inside of which a name is compared. `inner` [names]: the same for
    those names of a circle that are rated together, and a number of its own for each that stands beside them."""

    members: Places
    inner: Places

    @property
    def beside(self) -> frozenset[int]:
        """Places of the names that stand beside a circle."""
        return frozenset(np.flatnonzero(self.inner != self.members).tolist())


def components(size: int, a: Places, b: Places) -> Places:
    """[names]: the number of the component of each of `size` names, joined by the battles of `a` with `b`."""
    if not size:
        return np.zeros(0, np.intp)
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)


def settled(size: int, a: Places, b: Places, voter: Places) -> Places:
    """[names]: names of one number are joined whichever one voter is left out."""
    pairs = np.unique(np.stack([np.minimum(a, b), np.maximum(a, b), voter]), axis=1)
    two, first, times = np.unique(pairs[:2], axis=1, return_index=True, return_counts=True)
    groups = components(size, *two[:, times > 1])
    one, other, who = groups[two[0, times == 1]], groups[two[1, times == 1]], pairs[2, first[times == 1]]
    far = one != other
    one, other, who = one[far], other[far], who[far]
    nodes = components(int(groups.max(initial=-1)) + 1, one, other)
    for left_out in np.unique(who).tolist():
        rest = who != left_out
        parts = components(len(nodes), one[rest], other[rest])
        nodes = np.unique(np.stack([nodes, parts]), axis=1, return_inverse=True)[1].reshape(-1).astype(np.intp)
    return nodes[groups]


def circles(names: list[str], a: Places, b: Places, voter: Places) -> Circles:
    """Circles of names: components, unless one voter alone joins two settled groups, which then stay apart; whoever
    only one voter has joined to a settled group stands beside it."""
    whole, groups = components(len(names), a, b), settled(len(names), a, b, voter)
    sizes = np.bincount(groups, minlength=1)
    cores = [group for group in range(len(sizes)) if sizes[group] > 1]
    cores.sort(key=lambda group: (-sizes[group], min(str(names[place]) for place in np.flatnonzero(groups == group))))
    members = np.full(len(names), -1)
    for rank, group in enumerate(cores):
        members[groups == group] = rank
    inside = members >= 0
    _attach(members, a, b)
    alone = members < 0  # components without a settled group: rated as they are
    members[alone] = len(cores) + whole[alone]
    inner = members.copy()
    beside = ~inside & ~alone
    inner[beside] = members.max(initial=0) + 1 + np.arange(beside.sum())
    return Circles(members, inner)


def _attach(members: Places, a: Places, b: Places) -> None:
    """Names without a circle (-1) join that of the nearest name that has one, of equally near ones the first circle."""
    one, other = np.concatenate([a, b]), np.concatenate([b, a])
    while True:
        new = (members[one] < 0) & (members[other] >= 0)
        if not new.any():
            return
        best = np.full(len(members), np.iinfo(np.intp).max)
        np.minimum.at(best, one[new], members[other[new]])
        members[one[new]] = best[one[new]]


def anchors(inner: Places, a: Places, b: Places, voter: Places, enough: int) -> NDArray[np.bool_]:
    """[names]: those whose mean is the zero of their circle: who was met by `enough` voters, or by as many as the
    second of the circle, if these are fewer."""
    met = np.unique(np.stack([np.concatenate([a, b]), np.concatenate([voter, voter])]), axis=1)[0]
    voters = np.bincount(met, minlength=len(inner))
    chosen = np.zeros(len(inner), bool)
    for circle in np.unique(inner).tolist():
        own = np.flatnonzero(inner == circle)
        second = np.sort(voters[own])[-2:][0]
        chosen[own] = voters[own] >= min(enough, second)
    return chosen
