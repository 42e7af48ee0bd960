"""How often what the house says of its numbers is right: python scripts/simulate.py [PART ...] [--runs N].

Each part makes data whose truth is known and counts; the old way stands beside it as the control.

  clusters  coverage of 95% intervals of a mean over few clusters: t, and the percentile bootstrap
  few       two machines that do not differ, told apart after so many visitors of three votes: with the floor, without
  looking   evenings with nothing to tell in which two machines are told apart at some look: sequences, 95% lines
  places    evenings in which all places hold the true ones: together, and each pair by itself
  uneven    fair models with seed effects whose unevenness has p < .05: a seed shuffled as one, each place by itself
  mend      mendings that help by exactly the margin and are "surely" rejected: as decided, by the bootstrap alone
  drift     prompts that drift together, p < .05: t test of clusters, exact McNemar of pictures
"""

import argparse
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.stats import t as student

from salon.mend.verdict import ENOUGH
from salon.stats import bradley_terry
from salon.stats.bradley_terry import Fit, fit
from salon.stats.clustered import clustered_mean
from salon.stats.paired import mcnemar_exact, paired_difference
from salon.stats.permutation import labelled
from salon.stats.places import apart, places

Rng = np.random.Generator
Shares = dict[str, dict[str, float]]
LEVEL = 0.95


def bootstrap(clusters: Any, rng: Rng, draws: int = 400) -> tuple[float, float]:
    """The percentile interval of clusters drawn anew: what stood here before."""
    means = np.array([np.mean(looks) for looks in clusters])
    low, high = np.quantile(means[rng.integers(len(means), size=(draws, len(means)))].mean(1), (0.025, 0.975))
    return float(low), float(high)


def clusters(runs: int, rng: Rng) -> Shares:
    found: Shares = {}
    for number in (2, 3, 8, 14):
        held = np.zeros(2)
        for _ in range(runs):
            looks = rng.normal(0.5, 0.2, number)[:, None] + rng.normal(0, 0.2, (number, 8))
            for way, (low, high) in enumerate((clustered_mean(looks).ends(LEVEL), bootstrap(looks, rng))):
                held[way] += low <= 0.5 <= high
        found[f"{number} clusters"] = dict(zip(("t", "bootstrap"), held / runs))
    return found


def _told(found: Fit) -> bool:
    """Whether the 95% lines of any two do not overlap: what told apart before."""
    ends = [found.intervals()[name] for name in found.components[0]]
    return max(low for low, _ in ends) > min(high for _, high in ends)


def few(runs: int, rng: Rng) -> Shares:
    found: Shares = {}
    for voters in (2, 3, 4, 6, 10):
        told = np.zeros(2)
        for _ in range(runs):
            votes = [("x", "y", "ab"[rng.integers(2)], voter) for voter in range(voters) for _ in range(3)]
            for way, floor in enumerate((bradley_terry.FEW, 0.0)):
                kept, bradley_terry.FEW = bradley_terry.FEW, floor
                told[way] += _told(fit(votes))
                bradley_terry.FEW = kept
        found[f"{voters} visitors"] = dict(zip(("floor", "none"), told / runs))
    return found


def crowd(rng: Rng, liked: Any, first: int, voters: int, each: int = 5) -> Iterator[tuple[str, str, str, int]]:
    """Votes of people of different tastes (standard deviation .8)."""
    for voter in range(first, first + voters):
        taste = liked + 0.8 * rng.standard_normal(len(liked))
        for _ in range(each):
            one, other = rng.choice(len(liked), 2, replace=False).tolist()
            yield f"m{one}", f"m{other}", "a" if taste[one] - taste[other] + rng.logistic() > 0 else "b", voter


def looking(runs: int, rng: Rng, looks: int = 42) -> Shares:
    found: Shares = {}
    for machines in (7, 15):
        told = np.zeros(2)
        for _ in range(runs):
            votes: list[Any] = []
            seen = np.zeros(2, bool)
            for look in range(looks):
                votes += crowd(rng, np.zeros(machines), 5 * look, 5)
                board = fit(votes)
                seen |= apart(board, board.components[0]).any(), _told(board)
            told += seen
        found[f"{machines} machines, {looks} looks"] = dict(zip(("sequences", "95% lines"), told / runs))
    return found


def _each_pair(found: Fit, names: list[str]) -> Any:
    """What is told apart if each pair has a 95% interval of its own, for one look."""
    at = np.ix_(*[[found.names.index(name) for name in names]] * 2)
    gap = (found.rating[:, None] - found.rating)[at]
    half = student.ppf(0.975, found.gap_freedom[at]) * np.sqrt(found.gap_variance[at])
    return np.sign(gap) * (np.abs(gap) > half)


def simultaneous(runs: int, rng: Rng) -> Shares:
    found: Shares = {}
    for machines, voters in ((5, 60), (15, 120), (60, 300)):
        held = np.zeros(2)
        for _ in range(runs):
            liked = np.sort(rng.normal(0, 0.4, machines))[::-1]
            board = fit(crowd(rng, liked, 0, voters, 10))
            names = [f"m{at}" for at in range(machines)]
            for way, told in enumerate((apart(board, names), _each_pair(board, names))):
                held[way] += all(place.best <= at <= place.worst for at, place in enumerate(places(told), 1))
        found[f"{machines} machines"] = dict(zip(("together", "each pair"), held / runs))
    return found


def uneven(runs: int, rng: Rng) -> Shares:
    found: Shares = {}
    for spread in (0.0, 1.0, 2.0):
        hits = np.zeros(2)
        for _ in range(runs):
            own = spread * rng.standard_normal((8, 1, 4))  # seed and label: the same at all places
            shown = rng.random((8, 7, 4)) < 1 / (1 + np.exp(-own))
            table = np.stack([shown, ~shown], 3).reshape(-1, 4, 2)
            for way, groups in enumerate((np.repeat(np.arange(8), 7), None)):
                hits[way] += labelled(table, draws=200, groups=groups).p < 0.05
        found[f"seed effects of {spread:g}"] = dict(zip(("seeds", "places"), hits / runs))
    return found


def _pictures(rng: Rng, number: int, mean: float, spread: float) -> list[list[tuple[float, float]]]:
    """Clusters of twelve pictures that show the harm before, and after less often, by a rate of the cluster's own."""
    rates = np.clip(rng.normal(mean, spread, number), 0, 1)
    return [[(1.0, float(hit)) for hit in rng.random(12) < rate] for rate in rates]


def mend(runs: int, rng: Rng, margin: float = 0.10) -> Shares:
    """`rejected` if harm surely falls by less than the margin, though it falls by exactly that."""
    found: Shares = {}
    for number in (1, 2, 5, 14):
        wrong = np.zeros(2)
        for _ in range(runs):
            pairs = _pictures(rng, number, 1 - margin, 0.08)
            change = paired_difference(pairs)
            wrong[0] += change.low > -margin and change.clusters >= ENOUGH
            wrong[1] += bootstrap([[after - before for before, after in some] for some in pairs], rng)[0] > -margin
        found[f"{number} held-out clusters"] = dict(zip(("decided", "bootstrap"), wrong / runs))
    return found


def drift(runs: int, rng: Rng) -> Shares:
    found: Shares = {}
    for spread in (0.0, 0.5, 1.0):
        hits = np.zeros(2)
        for _ in range(runs):
            rates = 1 / (1 + np.exp(-spread * rng.standard_normal((2, 10, 1))))
            before, after = (rng.random((10, 12)) < rate for rate in rates)
            pairs = np.stack([before, after], 2).astype(float)
            hits[0] += paired_difference(pairs).p < 0.05
            hits[1] += mcnemar_exact(int((before & ~after).sum()), int((after & ~before).sum())) < 0.05
        found[f"drift of {spread:g}"] = dict(zip(("clusters", "McNemar"), hits / runs))
    return found


PARTS: dict[str, Callable[[int, Rng], Shares]] = {
    "clusters": clusters, "few": few, "looking": looking, "places": simultaneous, "uneven": uneven, "mend": mend,
    "drift": drift,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="all, if none is named")
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    if unknown := {*told.parts} - {*PARTS}:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    for name in told.parts or PARTS:
        found = PARTS[name](told.runs, np.random.default_rng(20261130))
        if told.json:
            print(json.dumps({"part": name, "runs": told.runs, "shares": found}))
            continue
        for case, shares in found.items():
            print(f"{name}: {case}: " + ", ".join(f"{way} {share:.3f}" for way, share in shares.items()), flush=True)


if __name__ == "__main__":
    main()
