"""The table of the families (docs/families.md), by one command: python scripts/families.py [--write docs/families.md]

Parameters, images seen and hours of training come from the models' cards; images a second and the first preview are
measured here, the families taking turns; scores are `salon judge world`'s (images are kept in SALON_HOME, so that a
second call draws nothing), CLIP's are `salon clip measure`'s. `--curve DIR` judges the weights folders in DIR
(`<family>-<images seen>`), too, and adds them to docs/curve.csv: score against images seen. Everything stands between
the two marks of the page, and nothing else of it is touched."""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

from salon.core.errors import BadRecipe
from salon.core.recipe import Request
from salon.core.update import Finished, Preview
from salon.engine.client import LocalEngine
from salon.engine.models import ModelInfo
from salon.engine.recipes import make_recipe
from salon.engine.registry import BUILT_IN

ROOT = Path(__file__).parents[1]
MODELS = ("latent", "vq", "cascade", "unclip")
PROMPT = "three red foxes to the left of a blue teapot in the snow"
START, END = "<!-- made by scripts/families.py -->", "<!-- end -->"
CURVE = ROOT / "docs" / "curve.csv"
TASKS = (
    "single_object", "two_object", "counting", "colors", "position", "color_attr", "overall",
    "style", "place", "landscape",
)  # fmt: skip
FIELDS = ("family", "images", "single_object", "overall", "low", "high", "prompts_per_task", "seeds")


def salon(*arguments: str, **environment: str) -> dict[str, Any]:
    """What a `salon ... --json` prints."""
    command = [sys.executable, "-m", "salon", *arguments, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | environment)
    return json.loads(done.stdout)


def trained(name: str) -> tuple[int, int]:
    """Images that the networks of a model saw while it was trained, and minutes, those it borrows included."""
    networks = json.loads((BUILT_IN / name / "model.json").read_text("utf-8"))["networks"]
    twins = {"decoder": "encoder", "token_encoder": "token_decoder", "words": "painter", "text": "image"}
    twins |= {"image_tokens": "transformer"}
    facts = [facts for network, facts in networks.items() if not (network in twins and twins[network] in networks)]
    facts += [network["adapter"] for network in networks.values() if "adapter" in network]
    return sum(f["images_seen"] for f in facts), sum(f["minutes"] for f in facts)


def paces(engine: LocalEngine, infos: list[ModelInfo], rounds: int) -> dict[str, tuple[float, float]]:
    """Seconds for nine images and until the first preview, medians of rounds in which the families take turns."""
    seeds, taken = count(0, 9), {info.name: ([], []) for info in infos}
    for turn in range(rounds + 1):  # the first warms up
        for info in infos:
            start = next(seeds)
            recipes = tuple(make_recipe(info, PROMPT, seed) for seed in range(start, start + 9))
            began, first = time.perf_counter(), 0.0
            engine.submit(Request(id=f"{info.name}{turn}", visitor="bench", recipes=recipes))
            for update in engine.updates():
                if isinstance(update, Preview) and not first:
                    first = time.perf_counter() - began
            if not isinstance(update, Finished):
                raise BadRecipe(f"{info.name} did not finish: {update}", "See `salon models`.")
            if turn:
                taken[info.name][0].append(time.perf_counter() - began)
                taken[info.name][1].append(first)
    return {name: (statistics.median(whole), statistics.median(first)) for name, (whole, first) in taken.items()}


def judged(name: str, limit: int, seeds: int, **environment: str) -> dict[str, Any]:
    """The scores of a model."""
    return salon("judge", "world", "--model", name, "--limit", str(limit), "--seeds", str(seeds), **environment)


def rate(found: dict[str, Any], task: str) -> str:
    low, high = found["intervals"][task]
    return f"{found[task]:.3f} ({low:.3f} to {high:.3f})"


def tables(rounds: int, limit: int, seeds: int) -> str:
    """The page's figures as Markdown."""
    engine = LocalEngine()
    infos = {info.name: info for info in engine.models()}
    pace = paces(engine, [infos[name] for name in MODELS], rounds)
    scores = {name: judged(name, limit, seeds) for name in MODELS}
    heads = ("family", "parameters¹", "images seen²", "hours²", "nine images", "images a second", "first preview")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name in MODELS:
        seen, minutes = trained(name)
        whole, first = pace[name]
        own = infos[name].parameters - text_parameters()
        speed = f"{whole:.2f} s | {9 / whole:.1f} | {first:.2f} s"
        lines.append(f"| `{name}` | {own / 1e6:.1f}M | {seen:,} | {minutes / 60:.1f} | {speed} |")
    lines += ["", "| score | " + " | ".join(f"`{name}`" for name in MODELS) + " |", "|---|" + "---|" * len(MODELS)]
    lines += [f"| {task} | " + " | ".join(rate(scores[name], task) for name in MODELS) + " |" for task in TASKS]
    clip = salon("clip", "measure")
    lines += ["", f"| `clip` ({infos['clip'].parameters / 1e6 - text_parameters() / 1e6:.1f}M, "
              f"{trained('clip')[0]:,} images, {trained('clip')[1] / 60:.1f} hours) | share | 95% interval | of |",
              "|---|---|---|---|"]  # fmt: skip
    lines += [
        f"| {key.replace('_', ' ')} | {v['rate']:.3f} | {v['low']:.3f} to {v['high']:.3f} | {v['n']} |"
        for key, v in clip.items()
        if isinstance(v, dict)
    ]
    return "\n".join([*lines, "", *curve_lines()])


def text_parameters() -> int:
    """Of the frozen text encoder that all share."""
    return int(json.loads((BUILT_IN / "minilm" / "encoder.json").read_text("utf-8")).get("parameters", 0))


def curve_lines() -> list[str]:
    """Score against images seen, as a table."""
    if not CURVE.exists():
        return []
    rows = list(csv.DictReader(CURVE.open(encoding="utf-8")))
    lines = ["| run | images seen | single object | overall | 95% interval |", "|---|---|---|---|---|"]
    return lines + [
        f"| {r['family']} | {int(r['images']):,} | {float(r['single_object']):.3f} | {float(r['overall']):.3f} "
        f"| {float(r['low']):.3f} to {float(r['high']):.3f} |"
        for r in rows
    ]


def add_to_curve(folder: Path, limit: int, seeds: int) -> None:
    """Judge each weights folder `<run>-<images>/<family>` in `folder` and add it to the curve."""
    known = list(csv.DictReader(CURVE.open(encoding="utf-8"))) if CURVE.exists() else []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        run, _, images = place.name.rpartition("-")
        family = next(path.name for path in place.iterdir() if path.name in MODELS)
        if any((row["family"], row["images"]) == (run, images) for row in known):
            continue
        found = judged(family, limit, seeds, SALON_WEIGHTS=str(place))
        low, high = found["intervals"]["overall"]
        shares = (round(share, 4) for share in (found["single_object"], found["overall"], low, high))
        known.append(dict(zip(FIELDS, (run, images, *shares, limit, seeds), strict=True)))
    with CURVE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(known, key=lambda row: (row["family"], int(row["images"]))))


def written(page: str, made: str) -> str:
    """The page with what stands between the marks made anew. Raises BadRecipe if it has no marks."""
    head, mark, rest = page.partition(START)
    _, end, tail = rest.partition(END)
    if not (mark and end):
        raise BadRecipe("The page has no marks to write between.", f"Put {START} and {END} into it.")
    return f"{head}{START}\n\n{made}\n\n{END}{tail}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the tables into this page")
    parser.add_argument("--rounds", type=int, default=3, help="of the measurement of speed (default 3)")
    parser.add_argument("--limit", type=int, default=50, help="prompts a task (default 50)")
    parser.add_argument("--seeds", type=int, default=4, help="images a prompt (default 4)")
    parser.add_argument("--curve", type=Path, metavar="DIR", help="weights folders for the curve")
    options = parser.parse_args()
    if options.curve:
        add_to_curve(options.curve, 20, 1)
    made = tables(options.rounds, options.limit, options.seeds)
    if options.write:
        options.write.write_text(written(options.write.read_text("utf-8"), made), "utf-8")
    print(made)


if __name__ == "__main__":
    main()
