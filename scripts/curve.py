"""What hours have brought: held-out loss against pictures seen, over several runs that went on from each other.

    python scripts/curve.py runs/lat2@106856 runs/lat3@321464 --chart docs/images/curve.webp

`@N`: pictures that the run's first weights had seen. Prints a table of the held-out measures; with --chart draws them.
"""

import argparse
import json
from pathlib import Path

SHOWN = ("held_loss", "x0_mse_0.6", "x0_mse_0.9")


def points(run: str) -> list[dict[str, float]]:
    """The lines of a run's log that hold measures, with all pictures counted."""
    folder, _, before = run.partition("@")
    lines = [json.loads(line) for line in (Path(folder) / "log.jsonl").read_text().splitlines()]
    return [line | {"images": line["images"] + int(before or 0)} for line in lines if "held_loss" in line]


def chart(runs: list[list[dict[str, float]]], path: Path) -> None:
    """A panel a measure, a line a run: they do not join, since the rate is raised again where a run begins."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(SHOWN), figsize=(10, 2.8))
    for axis, name in zip(axes, SHOWN):
        for run in runs:
            found = [(line["images"] / 1000, line[name]) for line in run if name in line]
            axis.plot(*zip(*found), marker="o", markersize=2.5, linewidth=1.5, color="#b3392f")
        axis.set_title(name, fontsize=9, loc="left")
        axis.set_xlabel("thousand pictures seen", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN@BEFORE")
    parser.add_argument("--chart", type=Path)
    options = parser.parse_args()
    runs = [points(run) for run in options.runs]
    print(f"| pictures | {' | '.join(SHOWN)} |\n|---|{'---|' * len(SHOWN)}")
    for run in runs:
        for line in run:
            print(f"| {line['images']:,} | {' | '.join(str(line.get(name, '')) for name in SHOWN)} |")
    if options.chart:
        chart(runs, options.chart)


if __name__ == "__main__":
    main()
