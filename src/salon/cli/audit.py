"""`salon audit`: run a probe, with its cost first; list those that come with the house."""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from salon.cli.arguments import number
from salon.core.recipe import MAX_SEED

ABOUT = """Draw every prompt of a probe (a shipped one by name, your own by the path of its .toml file), measure the
images, test every cell against chance, and write a report with the images behind every number (report.html, cells.csv,
report.json, images.jsonl). The cost is said first. A run that was stopped goes on with the same command. Drawing has a
low priority; a running house is asked with --house and serves its visitors first. docs/audit.md."""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon audit run` and `salon audit list`."""
    group = commands.add_parser("audit", help="put a probe to a model and test what it finds", description=ABOUT)
    kinds = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = kinds.add_parser("run", help="run a probe, or go on with one", description=ABOUT)
    add.add_argument("probe", help="a shipped probe (see `salon audit list`), or the path of a .toml file")
    add.add_argument("--model", metavar="NAME", help="which model (default: the first that the probe names)")
    add.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the report and its images")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.add_argument("--seeds", type=number(2, 10_000), metavar="N", help="images a prompt (default: the probe's)")
    add.add_argument("--first-seed", type=number(0, MAX_SEED), metavar="N", help="other seeds: another sample")
    add.add_argument("--limit", type=number(1), metavar="IMAGES", help="refuse more images than this (default 20,000)")
    add.add_argument("--yes", action="store_true", help="run it whatever it costs")
    add.add_argument("--dry-run", action="store_true", help="say what it would cost, and stop")
    add.add_argument("--house", action="store_true", help="let the running house draw, behind its visitors")
    add.add_argument("--nice", type=number(0, 19), default=10, help="how far to stand back (default 10; 0: not at all)")
    add.set_defaults(command=run)
    add = kinds.add_parser("list", help="probes that come with the house")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(command=list_probes)


def run(arguments: argparse.Namespace) -> None:
    """Run a probe, print what it found."""
    from msgspec.structs import replace  # lazy: `salon --help` answers at once

    from salon.audit.painter import Painter, house_engine
    from salon.audit.probe import check_probe, read_probe
    from salon.audit.report import summary
    from salon.audit.run import LIMIT, afford, cost, run_probe

    probe = read_probe(arguments.probe)
    changes = {"seeds": arguments.seeds, "first_seed": arguments.first_seed}
    probe = check_probe(replace(probe, **{name: value for name, value in changes.items() if value is not None}))
    limit = sys.maxsize if arguments.yes else arguments.limit or LIMIT
    os.nice(arguments.nice)
    model = arguments.model or (probe.models[0] if probe.models else None)
    painter = Painter(model, probe.options, house_engine() if arguments.house else None)
    if arguments.dry_run:
        asked = cost(probe, painter)
        afford(asked, limit)
        print(json.dumps(_cost(probe, painter, asked)) if arguments.json else f"{painter.info.name}: {asked.said()}")
        return
    command = shlex.join(["salon", *sys.argv[1:]])
    report = run_probe(probe, model, arguments.out, limit=limit, painter=painter, bar=_bar, command=command,
                       say=lambda text: print(text, file=sys.stderr, flush=True))  # fmt: skip
    out = summary(report) | {"report": str(arguments.out / "report.html")}
    print(json.dumps(out, ensure_ascii=False) if arguments.json else said(out))


def _cost(probe: Any, painter: Any, asked: Any) -> dict[str, Any]:
    return {"probe": probe.name, "model": painter.info.name, "prompts": asked.prompts, "images": asked.images,
            "seconds": asked.seconds}  # fmt: skip


def _bar(items: Any, **about: Any) -> Any:
    from tqdm import tqdm  # lazy: as above

    return tqdm(items, file=sys.stderr, disable=None if len(items) else True, **about)


def said(out: dict[str, Any]) -> str:
    """What was found, for people."""
    lines = [f"{out['model']}, {out['images']} images: {len(out['flagged'])} of {out['cells']} cells flagged."]
    for cell in out["flagged"]:
        lines.append(f"  {cell['cell']:<34}{cell['outcome']:<10}{cell['rate']:.2f} where its reference has "
                     f"{cell['reference']:.2f}   q {cell['q']:.4f}")  # fmt: skip
    if "planted" in out:
        lines.append(f"Of {out['planted']} planted cells {out['planted_found']} are found; of {out['controls']} quiet "
                     f"ones {out['controls_flagged']} are flagged.")  # fmt: skip
    return "\n".join([*lines, f"Report: {out['report']}"])


def list_probes(arguments: argparse.Namespace) -> None:
    """The shipped probes and what each asks."""
    from salon.audit.probe import read_probe, shipped  # lazy: as above

    probes = [read_probe(name) for name in shipped()]
    if arguments.json:
        print(json.dumps({"probes": [{"name": p.name, "title": p.title, "hypothesis": p.hypothesis, "images": p.images,
                                      "measure": p.measure} for p in probes]}))  # fmt: skip
        return
    for probe in probes:
        print(f"{probe.name:<14}{probe.images:>6} images  {probe.title}. {probe.hypothesis}")
