"""The leaderboard's ratings: python bench/arena.py [--json] [--votes N] [--machines N] [--voters N ...] [--times N].

Votes of as many voters as told are fitted with intervals clustered by voter, in a process of its own each, so that the
memory is theirs alone; beside it the same votes' plain fit, ratings by Newton's method from the table of wins and no
intervals, as packages have it; one thread each. Figures: `seconds` (median), `cpu_seconds` and `times_plain` (processor
time of the fit by that of the plain one, which depend less on what else the machine does), `memory_mb` (most that the
process held, Python and NumPy included) and `most_apart` (largest difference of the two fits' ratings).
"""

import argparse
import json
import os
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


def timed(call: Any, times: int) -> tuple[float, float, Any]:
    """(seconds, seconds of the processor, what came of it)."""
    taken, worked = [], []
    for _ in range(times):
        began, before = time.perf_counter(), time.process_time()
        found = call()
        taken.append(time.perf_counter() - began)
        worked.append(time.process_time() - before)
    return statistics.median(taken), statistics.median(worked), found


def measure(number: int, machines: int, voters: int, times: int) -> dict[str, Any]:
    """One crowd's figures, in this process."""
    battles = votes(number, machines, voters)
    seconds, worked, found = timed(lambda: fit(battles), times)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _, bare, ratings = timed(lambda: plain(battles), times)
    apart = max(abs(ratings[name] - rating) for name, rating in found.ratings().items())
    return {
        "votes": number, "machines": machines, "voters": voters, "seconds": round(seconds, 3),
        "cpu_seconds": round(worked, 3), "times_plain": round(worked / bare, 1), "memory_mb": round(memory),
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
    one = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    rows = [json.loads(subprocess.check_output([*command, str(voters)], env=one)) for voters in told.voters]
    if told.json:
        print(json.dumps({"bench": "arena", "crowds": rows}))
        return
    for row in rows:
        print(f"{row['votes']:,} votes of {row['voters']:,} on {row['machines']}: {row['seconds']} s, "
              f"{row['cpu_seconds']} s of a processor ({row['times_plain']} times a plain fit), "
              f"{row['memory_mb']} MB")  # fmt: skip


if __name__ == "__main__":
    main()
