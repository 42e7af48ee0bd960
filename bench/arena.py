"""The leaderboard's ratings: python bench/arena.py [--json] [--votes N] [--machines N] [--voters N ...] [--times N].

Votes of as many voters as told are fitted with intervals clustered by voter, in a process of its own each, so that the
memory is theirs alone; beside it the same votes' plain fit, ratings by Newton's method from the table of wins and no
intervals, as packages have it. Figures: `seconds` (median), `times_plain` (seconds of the fit by those of the plain
one, which is less sensitive to what else the machine does), `memory_mb` (most that the process held, Python and NumPy
included) and `most_apart` (largest difference of the two fits' ratings: 0 but for rounding).
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np

from salon.stats.bradley_terry import fit

Votes = list[tuple[str, str, str, int]]


def votes(number: int, machines: int, voters: int, seed: int = 0) -> Votes:
    """Votes of people who like some machines better; each votes as often as the others, give or take."""
    rng = np.random.default_rng(seed)
    liked = rng.normal(0, 0.7, machines)
    one = rng.integers(machines, size=number)
    other = (one + 1 + rng.integers(machines - 1, size=number)) % machines
    won = rng.random(number) < 1 / (1 + np.exp(liked[other] - liked[one]))
    voter = np.arange(number) % voters
    rows = zip(one.tolist(), other.tolist(), won.tolist(), voter.tolist())
    return [(f"m{a}", f"m{b}", "a" if first else "b", who) for a, b, first, who in rows]


def plain(battles: Votes) -> dict[str, float]:
    """Ratings with mean 0 and nothing else."""
    names = {name: at for at, name in enumerate(dict.fromkeys(name for row in battles for name in row[:2]))}
    wins = np.zeros((len(names), len(names)))
    for a, b, winner, _ in battles:
        won, lost = (a, b) if winner == "a" else (b, a)
        wins[names[won], names[lost]] += 1
    met, rating = wins + wins.T, np.zeros(len(names))
    for _ in range(50):
        chance = 1 / (1 + np.exp(rating - rating[:, None]))
        score = (wins - met * chance).sum(1)
        told = met * chance * (1 - chance)
        step = np.linalg.lstsq(np.diag(told.sum(1)) - told, score, rcond=None)[0]
        rating += step - step.mean()
        if np.abs(step).max() < 1e-12:
            break
    return dict(zip(names, (rating - rating.mean()).tolist()))


def timed(call: Any, times: int) -> tuple[float, Any]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        found = call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), found


def measure(number: int, machines: int, voters: int, times: int) -> dict[str, Any]:
    """One crowd's figures, in this process."""
    battles = votes(number, machines, voters)
    seconds, found = timed(lambda: fit(battles), times)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bare, ratings = timed(lambda: plain(battles), times)
    apart = max(abs(ratings[name] - rating) for name, rating in found.ratings().items())
    return {
        "votes": number, "machines": machines, "voters": voters, "seconds": round(seconds, 3),
        "plain_seconds": round(bare, 3), "times_plain": round(seconds / bare, 1), "memory_mb": round(memory),
        "most_apart": float(f"{apart:.1e}"),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--machines", type=int, default=60)
    parser.add_argument("--voters", type=int, nargs="+", default=[100_000, 20_000, 2_000, 200])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.inside:
        print(json.dumps(measure(told.votes, told.machines, told.voters[0], told.times)))
        return
    words = ["--votes", told.votes, "--machines", told.machines, "--times", told.times, "--inside"]
    command = [sys.executable, __file__, *map(str, words), "--voters"]
    rows = [json.loads(subprocess.check_output([*command, str(voters)])) for voters in told.voters]
    if told.json:
        print(json.dumps({"bench": "arena", "crowds": rows}))
        return
    for row in rows:
        print(f"{row['votes']:,} votes of {row['voters']:,} on {row['machines']}: {row['seconds']} s "
              f"({row['times_plain']} times a plain fit), {row['memory_mb']} MB")  # fmt: skip


if __name__ == "__main__":
    main()
