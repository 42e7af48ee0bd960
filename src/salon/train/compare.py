"""python -m salon.train.compare RUN...: held-out measures of runs against images seen, as one table."""

import argparse
import json
import sys
from pathlib import Path

from salon.core.errors import SalonError, TrainingError

COLUMNS = ("held_loss", "x0_mse_0.3", "x0_mse_0.6", "x0_mse_0.9", "mse")


def measures(run: Path) -> list[dict]:
    """The log lines of `run` that hold held-out measures. Raises TrainingError if its log cannot be read."""
    try:
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise TrainingError(f"The log of {run} cannot be read: {error}.", "Name run folders.") from error
    return [line for line in lines if "held_loss" in line]


def table(runs: list[Path]) -> str:
    """A row a measurement: run, images, minutes, and the measures that it has."""
    rows = [f"{'run':<16}{'images':>9}{'minutes':>9}" + "".join(f"{c:>12}" for c in COLUMNS)]
    for run in runs:
        for line in measures(run):
            cells = "".join(f"{line[c]:>12.4f}" if c in line else f"{'-':>12}" for c in COLUMNS)
            rows.append(f"{run.name:<16}{line['images']:>9}{line['seconds'] / 60:>9.1f}{cells}")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("salon.train.compare", description="Compare training runs.")
    parser.add_argument("runs", nargs="+", type=Path, help="run folders")
    try:
        print(table(parser.parse_args(arguments).runs))
    except SalonError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
