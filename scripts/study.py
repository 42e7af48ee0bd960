"""What a change of the recipe brings, in equal time: short runs from scratch, one processor thread each.

    python scripts/study.py run --data world64 --held world64-held --autoencoder src/salon/weights/latent --out studies
    python scripts/study.py run ... --only base muon --minutes 5 --jobs 2
    python scripts/study.py show --out studies --chart docs/images/studies.webp

Every study is the base recipe with the settings below. Runs that are there already are not done again. The measure is
the squared error (64 px RGB on [-1,1]) of the picture that the network sees in noise alone (timestep 1) and a little
later (0.9): what is right there comes from the words. Held-out scenes, things by the usual hand.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

#: name -> (what it asks, recipe, settings)
BASE = {"batch": 16, "precision": "bfloat16", "default_hand": "noto", "default_share": 0.3, "warmup": 100}
STUDIES: dict[str, tuple[str, str, dict[str, object]]] = {
    "base": ("the base: AdamW, batch 16, flow of latents, timesteps 0.8/1.2", "latent", {}),
    "again": ("the base with another seed: how much chance there is", "latent", {"seed": 1}),
    "muon": ("Muon beside AdamW", "latent", {"optimiser": "muon"}),
    "muon64": ("Muon, batch 64", "latent", {"optimiser": "muon", "batch": 64, "warmup": 25}),
    "schedule-free": ("AdamW without a schedule", "latent", {"optimiser": "schedule-free", "lr": 0.003}),
    "batch4": ("batch 4", "latent", {"batch": 4, "warmup": 400, "lr": 0.0005}),
    "batch64": ("batch 64", "latent", {"batch": 64, "warmup": 25, "lr": 0.002}),
    "narrow": ("192 wide", "latent", {"width": 192}),
    "wide": ("384 wide", "latent", {"width": 384}),
    "shallow": ("4 blocks", "latent", {"depth": 4}),
    "skip": ("half of the tokens skip the inner blocks", "latent", {"skip": 0.5}),
    "x0": ("x0 predicted instead of the flow", "latent", {"prediction_type": "sample"}),
    "times": ("timesteps 0/1 instead of 0.8/1.2", "latent", {"time_mean": 0.0, "time_std": 1.0}),
    "guided": ("guidance learnt (2.0)", "latent", {"guidance": 2.0}),
    "unnamed": ("without the head that names nouns", "latent", {"label_weight": 0.0}),
    "pixels": ("pixels instead of latents, x0 predicted", "pixel", {"time_std": 1.2}),
    "nouns": ("the first 36 things only", "latent", {"nouns": 36}),
    "hands": ("plain captions for every hand", "latent", {"default_hand": "", "default_share": 0.0}),
    "forms": ("one caption a scene", "latent", {"forms": 1}),
}
SHOWN = ("x0_mse_1.0", "x0_mse_0.9", "x0_mse_0.6")


def train(name: str, options: argparse.Namespace) -> None:
    """One run, in a process of its own."""
    out = options.out / name
    _, recipe, sets = STUDIES[name]
    sets = BASE | sets | {"held_out": options.held}
    if recipe != "pixel":
        sets["autoencoder"] = options.autoencoder
    code = (
        "import torch; torch.set_num_threads(1)\n"
        "from salon.train.loop import run\n"
        f"run({recipe!r}, {[str(d) for d in options.data]!r}, {str(out)!r}, {options.minutes}, True, "
        f"sets={ {k: str(v) if isinstance(v, Path) else v for k, v in sets.items()}!r}, save_minutes=1)\n"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    log = options.out / f"{name}.log"
    with log.open("w") as file:
        done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=file, stderr=file, check=False)
    if done.returncode:
        print(f"{name} failed; look at {log}", file=sys.stderr)
        return
    (out / "state.pt").unlink()  # it will not go on
    print(row(name, curve(out)), flush=True)


def curve(out: Path) -> list[dict[str, float]]:
    """The lines of a run's log that hold measures."""
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if SHOWN[0] in line]


def row(name: str, lines: list[dict[str, float]]) -> str:
    """A line of the table."""
    last = lines[-1]
    figures = " | ".join(f"{last[key]:.4f}" for key in SHOWN)
    return f"| {name}: {STUDIES[name][0]} | {last['images']:,} | {last['seconds'] / 60:.1f} | {figures} |"


def show(options: argparse.Namespace) -> None:
    """The table, and with --chart the curves."""
    found = {name: curve(options.out / name) for name in STUDIES if (options.out / name / "log.jsonl").exists()}
    found = {name: lines for name, lines in found.items() if lines}
    print(f"| study | pictures | minutes | {' | '.join(SHOWN)} |\n|---|---|---|{'---|' * len(SHOWN)}")
    for name, lines in found.items():
        print(row(name, lines))
    if options.chart:
        chart(found, options.chart)


def chart(found: dict[str, list[dict[str, float]]], path: Path) -> None:
    """A small panel for each study, the base in grey behind it."""
    import matplotlib as mpl
    from matplotlib import pyplot

    mpl.use("Agg")
    names = [name for name in found if name != "base"]
    columns = min(6, len(names))
    rows = -(-len(names) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(2.2 * columns, 1.9 * rows), sharey=True, squeeze=False)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names):
        for key, colour, width in (("base", "#b8b2a7", 2.5), (name, "#b3392f", 1.5)):
            points = [(line["images"] / 1000, line[SHOWN[0]]) for line in found.get(key, [])]
            axis.plot(*zip(*points), color=colour, linewidth=width, marker="o", markersize=2.5)
        axis.set_title(name, fontsize=9, loc="left")
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylim(0.15, 0.5)  # what lies beyond (guidance learnt from scratch) stands in the table
    figure.supxlabel("thousand pictures seen", fontsize=8)
    figure.supylabel("squared error of x0 from noise", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    add = commands.add_parser("run", help="train what is not there yet")
    add.add_argument("--data", required=True, type=Path, nargs="+")
    add.add_argument("--held", required=True, type=Path)
    add.add_argument("--autoencoder", required=True, type=Path)
    add.add_argument("--out", required=True, type=Path)
    add.add_argument("--minutes", type=float, default=5)
    add.add_argument("--jobs", type=int, default=2)
    add.add_argument("--only", nargs="+", choices=list(STUDIES), default=list(STUDIES))
    add.set_defaults(command=run)
    add = commands.add_parser("show", help="print the table, draw the curves")
    add.add_argument("--out", required=True, type=Path)
    add.add_argument("--chart", type=Path)
    add.set_defaults(command=show)
    options = parser.parse_args()
    options.command(options)


def run(options: argparse.Namespace) -> None:
    """All runs that are wanted and not there yet, `--jobs` at a time."""
    options.out.mkdir(parents=True, exist_ok=True)
    open_ = [
        n
        for n in options.only
        if not (options.out / n / "log.jsonl").exists() or (options.out / n / "state.pt").exists()
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda name: train(name, options), open_))


if __name__ == "__main__":
    main()
