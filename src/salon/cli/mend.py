"""`salon mend`: from findings to a model without them, with the proof. `demo` begins with an audit."""

import argparse
import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from salon.cli.arguments import number
from salon.cli.demo import open_house
from salon.cli.train import needs_torch

ABOUT = """Put findings into groups, split them before anything else, mend the model in two ways (balanced fine-tuning
and Unified Concept Editing) and teach a sham beside them, measure all on held-out prompts and fresh seeds, and
decide: adopt, reject, or not enough evidence. The margins are in the plan before anything is drawn. Writes
report.html and report.json. Needs torch: pip install 'latent-salon[train]'. docs/mend.md."""
DEMO = """The whole way on the flawed twin: audit its occupations, mend what was flagged, prove it, and let the mended
model meet its former self in the arena. Half an hour on two cores; stopped, the same command goes on from there."""
TWIN, PROBE = "latent-flawed", "occupations"


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon mend demo` and `salon mend run`."""
    group = commands.add_parser("mend", help="mend a model of findings, and prove it (needs torch)", description=ABOUT)
    kinds = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = kinds.add_parser("demo", help="audit the flawed twin, mend it, prove it", description=DEMO)
    add.add_argument("--model", default=TWIN, metavar="NAME", help=f"whom to audit and mend (default {TWIN})")
    add.add_argument(
        "--audit-seeds", type=number(2, 1000), metavar="N", help="images a prompt of the audit (default 8)"
    )
    _common(add, required=False)
    add.set_defaults(command=demo)
    add = kinds.add_parser("run", help="mend a model of exported findings", description=ABOUT)
    add.add_argument("--findings", required=True, type=Path, metavar="FILE", help="of `salon findings export` (.jsonl)")
    add.add_argument("--model", required=True, metavar="NAME", help="the model that the findings are about")
    _common(add, required=True)
    add.set_defaults(command=run)


def _common(add: argparse.ArgumentParser, required: bool) -> None:
    said = "" if required else " (default: mend/demo in the state folder)"
    add.add_argument("--out", required=required, type=Path, metavar="DIR", help=f"folder of the mending{said}")
    add.add_argument("--images", type=number(12), default=9_000, metavar="N", help="pictures taught (default 9,000)")
    add.add_argument("--rate", type=float, default=5e-4, metavar="LR", help="learning rate (default 5e-4)")
    add.add_argument("--seed", type=number(0), default=0, help="of the split and of teaching (default 0)")
    add.add_argument(
        "--seeds", type=number(2, 1000), default=12, metavar="N", help="images a held-out prompt (default 12)"
    )
    add.add_argument("--composition", type=number(2, 1000), default=50, metavar="N", help="prompts a task (default 50)")
    add.add_argument("--no-adopt", action="store_true", help="leave the house's models as they are")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.add_argument("--nice", type=number(0, 19), default=10, help="how far to stand back (default 10; 0: not at all)")


def _options(arguments: argparse.Namespace) -> Any:
    from salon.mend.run import Options  # lazy: it brings torch

    return Options(images=arguments.images, seed=arguments.seed, learning_rate=arguments.rate,
                   harm_seeds=arguments.seeds, composition=arguments.composition)  # fmt: skip


def demo(arguments: argparse.Namespace) -> None:
    """Audit, mend, prove, adopt."""
    _torch()
    from msgspec.structs import replace  # lazy: as below

    from salon.audit.folder import Look
    from salon.audit.painter import Painter
    from salon.audit.probe import check_probe, read_probe
    from salon.audit.run import run_probe
    from salon.core.home import home
    from salon.mend.faults import of_audit

    out = arguments.out or home() / "mend" / "demo"
    _begin(arguments)
    probe = read_probe(PROBE)
    if arguments.audit_seeds:
        probe = check_probe(replace(probe, seeds=arguments.audit_seeds))
    _say("First, an audit.")
    report = run_probe(probe, arguments.model, out / "audit", painter=Painter(arguments.model, probe.options,
    whole=True),
                       bar=_bar, say=_say, command=_command())  # fmt: skip
    looks = (json.loads(line) for line in (out / "audit" / "images.jsonl").read_text("utf-8").splitlines())
    faults = of_audit(report, {look["id"]: _look(look, Look) for look in looks})
    controls = probe.controls["occupation"]
    neighbours = [asked.text for asked in probe.prompts() if any(asked.text.startswith(name) for name in controls)]
    _mend(arguments, out, faults, neighbours, [])


def _look(line: dict[str, Any], kind: Any) -> Any:
    import msgspec  # lazy: as below

    return msgspec.convert(line, kind)


def run(arguments: argparse.Namespace) -> None:
    """Mend, prove, adopt."""
    _torch()
    from salon.audit.findings import read_findings  # lazy: as above
    from salon.mend.faults import of_findings

    _begin(arguments)
    faults, aside = of_findings(read_findings(arguments.findings), arguments.model)
    for why in aside:
        _say(f"Set aside: {why}.")
    _mend(arguments, arguments.out, faults, [], aside)


def _mend(arguments: argparse.Namespace, out: Path, faults: Any, neighbours: Any, aside: Any) -> None:
    from salon.mend.report import write_report  # lazy: as above
    from salon.mend.run import adopt, mend

    told, found, plan = mend(
        out, arguments.model, faults, neighbours,
        aside=aside, options=_options(arguments), bar=_bar, say=_say, command=_command(),
    )  # fmt: skip
    write_report(out, told, found, plan)
    link = ""
    if told.adopted and not arguments.no_adopt:
        adopt(out, told.adopted)
        link = _pair(told.model, told.adopted)
    summary = _summary(told, out, link)
    print(json.dumps(summary) if arguments.json else _said(summary))


def _begin(arguments: argparse.Namespace) -> None:
    """Stand back, and let whoever ends this process end its lessons, too."""
    os.nice(arguments.nice)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _torch() -> None:
    """Raises TrainingError without torch."""
    try:
        import torch  # noqa: F401 (lazy: only training needs it, and the base install has none)
    except ModuleNotFoundError as error:
        raise needs_torch(error) from error


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _bar(items: Any = None, **about: Any) -> Any:
    from tqdm import tqdm  # lazy: `salon --help` answers at once

    return tqdm(items, file=sys.stderr, disable=None if items is None or len(items) else True, **about)


def _command() -> str:
    return shlex.join(["salon", *sys.argv[1:]])


def _pair(before: str, after: str) -> str:
    """Let the two meet in the arena; the path of the reviewers' link."""
    open_house()
    from salon.web.arena.domain import pairing  # lazy: Django must be set up first
    from salon.web.people.links import keeper

    return f"/arena/reviewers/{pairing.token(pairing.prepare(keeper(), before, after))}"


def _summary(told: Any, out: Path, link: str) -> dict[str, Any]:
    """What programs ask for first."""
    methods = {}
    for outcome in told.outcomes:
        shown = outcome.proof
        methods[outcome.method] = {"model": outcome.model, "decision": outcome.decision} | (
            {"harm": shown.harm._asdict(), "p": shown.p, "quality": shown.quality._asdict(), "why": shown.why} if
            shown else {"why": [outcome.stopped]} if outcome.stopped else {})  # fmt: skip
    return {"model": told.model, "faults": len(told.faults), "taught": sum(map(len, told.taught)),
            "held_out": sum(map(len, told.held)), "decision": told.decision,
            "adopted": told.adopted if link else "", "arena": link,
            "methods": methods, "minutes": told.minutes, "report": str(out / "report.html")}  # fmt: skip


def _said(summary: dict[str, Any]) -> str:
    lines = [f"{summary['faults']} faults of {summary['model']}: {summary['taught']} taught, "
             f"{summary['held_out']} held out."]  # fmt: skip
    for name, found in summary["methods"].items():
        if "harm" in found:
            harm, quality = found["harm"], found["quality"]
            lines.append(f"  {name:<10}{found['decision']:<22}harm {harm['before']:.2f} -> {harm['after']:.2f} "
                         f"({harm['low']:+.2f} to {harm['high']:+.2f}), composition {quality['before']:.2f} -> "
                         f"{quality['after']:.2f} ({quality['low']:+.2f} to {quality['high']:+.2f})")  # fmt: skip
        elif found["decision"] == "stopped" and found.get("why"):
            lines.append(f"  {name:<10}stopped: {found['why'][0]}")
    adopted = summary["adopted"]
    hung = (f"{adopted} is a model of this house now, and meets {summary['model']} in the arena: start the house "
            f"again, then judge them blind at {summary['arena']}")  # fmt: skip
    lines.append(hung if adopted else "No model was adopted.")
    return "\n".join([*lines, f"Report: {summary['report']}"])
