"""`salon judge`: measure what a model draws. The judge is tried on real pictures first, in the same run."""

import argparse
import io
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from salon.cli.arguments import number
from salon.core.errors import WorldError
from salon.core.home import home
from salon.core.recipe import MAX_STEPS, Recipe

if TYPE_CHECKING:
    from PIL import Image

    from salon.judge.prompts import Prompt
    from salon.judge.scoring import Judged

    class HasText(Protocol):
        """A prompt."""

        @property
        def text(self) -> str: ...


Worded = TypeVar("Worded", bound="HasText")

ABOUT = """Draw prompts whose compositions no training picture held, look at the images with a detector that learnt the
world's ground truth, and print the share that shows what was asked: GenEval's six tasks restated for this world, and
style, place and landscape. The judge is tried first, on real pictures of the same prompts. Images are kept in the state
folder: a run that was stopped goes on. The scores are no GenEval figures: another world, another detector."""
ABOUT_FLAWS = """Draw the prompts of every flaw that is planted in the world of `latent-flawed`, and of its controls,
look at the images with the judge, and print how often each flaw's outcome shows, with 95% intervals. The clean model
is measured in the same way: docs/flaws.md."""
SHOWN = 50
BATCH = 8


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon judge world` and `salon judge flaws`."""
    group = commands.add_parser("judge", help="measure what a model draws", description="Measure what a model draws.")
    kinds = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    text = "does the model draw what was asked? objects, counts, colours, positions, style, place"
    add = kinds.add_parser("world", help=text, description=ABOUT)
    add.add_argument("--model", metavar="NAME", help="which model (see `salon models`; default: the first)")
    add.add_argument("--limit", type=number(1, 1000), default=50, metavar="PROMPTS_PER_TASK", help="default 50")
    add.add_argument("--seeds", type=number(1, 16), default=4, help="images a prompt (default 4)")
    add.add_argument("--steps", type=number(1, MAX_STEPS), help="steps from noise to image (default: the model's)")
    add.add_argument("--guidance", type=float, help="how closely to follow the words (default: the model's)")
    add.add_argument("--validate", action="store_true", help="only try the judge on real pictures; draw nothing")
    add.add_argument("--sheet", type=Path, metavar="FILE", help=f"draw {SHOWN} verdicts as a picture to look at")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(command=world)
    text = "do the flaws that were planted in `latent-flawed` show in what a model draws?"
    add = kinds.add_parser("flaws", help=text, description=ABOUT_FLAWS)
    add.add_argument("--model", metavar="NAME", help="which model (see `salon models`; default: the first)")
    add.add_argument("--seeds", type=number(1, 1000), default=12, help="images a prompt (default 12)")
    add.add_argument("--only", nargs="+", default=[], metavar="FLAW", help="these flaws only (docs/flaws.md)")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(command=flaws, steps=None, guidance=None)


def flaws(arguments: argparse.Namespace) -> None:
    """Measure the planted flaws in a model's images, print."""
    from salon.judge import planted  # lazy: it brings the runtime
    from salon.judge.detector import Detector

    try:
        chosen = planted.suite(arguments.only)
    except KeyError as error:
        known = ", ".join(flaw.flaw for flaw in planted.suite())
        raise WorldError(f"No planted flaw is called {error.args[0]!r}.", f"They are: {known}.") from error
    detector, painter = Detector(), Painter(arguments)
    images = list(painter.images(planted.asked(chosen)))
    rows = planted.measured(chosen, images, detector.see(image for _, image in images))
    out = {"model": painter.facts(), "flaws": rows, "judge": planted.eye(detector, 300) | _facts(detector),
           "images": len(images)}  # fmt: skip
    print(json.dumps(out, ensure_ascii=False) if arguments.json else _flaws_table(out))


def world(arguments: argparse.Namespace) -> None:
    """Try the judge, judge the model, print."""
    from salon.judge.detector import Detector  # lazy: it brings the runtime
    from salon.judge.scoring import scores, suite, validate

    started = time.monotonic()
    _check_sheet(arguments.sheet)
    detector = Detector()
    painter = None if arguments.validate else Painter(arguments)
    chosen = suite(arguments.limit)
    report, looks = validate(detector, chosen, arguments.seeds, _bar("trying the judge"))
    if painter is not None:
        looks = painter.judged(detector, [prompt for prompts in chosen.values() for prompt in prompts])
    out: dict[str, Any] = {} if painter is None else scores(looks)
    out |= {"judge_accuracy": report["accuracy"]["rate"], "judge": report | _facts(detector)}
    if painter is not None:
        out |= {"model": painter.facts(), "prompts_per_task": {task: len(ps) for task, ps in chosen.items()}}
    out |= {"seeds": arguments.seeds, "images": len(looks), "seconds": round(time.monotonic() - started, 1)}
    if arguments.sheet:
        _draw_sheet(arguments.sheet, looks)
    print(json.dumps(out, ensure_ascii=False) if arguments.json else _table(out))
    if not out["judge"]["same_world"]:
        message = f"The judge learnt another form of the world ({detector.card.world_version})."
        print(f"{message} Train it again: docs/judge.md.", file=sys.stderr)
    if not report["trusted"]:
        print("The judge has not passed its own trial: do not trust these scores.", file=sys.stderr)


def _bar(text: str):
    from tqdm import tqdm  # lazy: `salon --help` answers at once

    return lambda items: tqdm(items, desc=text, unit="task", file=sys.stderr)


def _facts(detector) -> dict[str, Any]:
    from salon.world.build import world_hash  # lazy: as above

    card = detector.card
    return {
        "weights_sha256": detector.sha256, "parameters": card.detector.parameters, "world": card.world,
        "world_version": card.world_version, "same_world": card.world == world_hash(),
    }  # fmt: skip


class Painter:
    """Draws prompts with one model, in this process; images are kept, shrunk, under the names of their recipes."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Raises UnknownModel, WeightsDamaged."""
        from salon.engine.drawing import Salon, choose  # lazy: it brings the runtime

        self.salon: Salon = Salon(rules=False)
        self.info = choose(self.salon.models(), arguments.model)
        self.seeds = range(arguments.seeds)
        self.options = {"num_inference_steps": arguments.steps, "guidance_scale": arguments.guidance}
        self.salon.recipes("a cat", self.seeds, self.info.name, **self.options)  # what cannot be asked fails here
        self.folder = home() / "judge" / "images"

    def facts(self) -> dict[str, Any]:
        """What the scores are of."""
        said = {name: value for name, value in self.options.items() if value is not None}
        return {"name": self.info.name, "weights_sha256": self.info.weights_sha256, "world": self.info.world,
                "world_version": self.info.world_version, "options": self.info.defaults | said}  # fmt: skip

    def judged(self, detector, prompts: "list[Prompt]") -> "list[Judged]":
        """Every prompt with every seed, drawn and seen."""
        from salon.judge.scoring import judged  # lazy: as above

        return judged(detector, list(self.images(prompts)))

    def images(self, prompts: "Sequence[Worded]") -> "Iterator[tuple[Worded, Image.Image]]":
        """(prompt, image of 64 px), in order, with a progress bar. A prompt is whatever has a `text`."""
        from tqdm import tqdm  # lazy: as above

        with tqdm(total=len(prompts) * len(self.seeds), desc=f"drawing with {self.info.name}", unit="image") as bar:
            for start in range(0, len(prompts), BATCH):
                part = prompts[start : start + BATCH]
                recipes = [self.salon.recipes(p.text, self.seeds, self.info.name, **self.options) for p in part]
                self._draw([recipe for some in recipes for recipe in some])
                for prompt, some in zip(part, recipes, strict=True):
                    yield from ((prompt, self._kept(recipe)) for recipe in some)
                    bar.update(len(some))

    def _path(self, recipe: Recipe) -> Path:
        return self.folder / recipe.id[:2] / f"{recipe.id}.png"

    def _kept(self, recipe: Recipe) -> "Image.Image":
        from PIL import Image  # lazy: as above

        return Image.open(self._path(recipe)).convert("RGB")

    def _draw(self, recipes: Iterable[Recipe]) -> None:
        """Draw what is not there yet."""
        from salon.judge.detector import small  # lazy: as above

        missing = [recipe for recipe in recipes if not self._path(recipe).is_file()]
        drawn = self.salon.draw_recipes(missing) if missing else []
        for recipe, image in zip(missing, drawn, strict=True):
            file = io.BytesIO()
            small(image).save(file, "PNG")
            path = self._path(recipe)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(file.getvalue())
            part.replace(path)


def _check_sheet(path: Path | None) -> None:
    """Before the long work: raises WorldError for a file that is no picture."""
    from PIL import Image  # lazy: as above

    Image.init()
    if path is not None and path.suffix.lower() not in Image.EXTENSION:
        raise WorldError(f"A sheet cannot be written to {path}.", "Give the file an ending such as .png or .webp.")


def _draw_sheet(path: Path, looks: "list[Judged]") -> None:
    from salon.judge.scoring import spread  # lazy: as above
    from salon.judge.sheet import sheet

    path.parent.mkdir(parents=True, exist_ok=True)
    sheet(spread(looks, SHOWN)).save(path)
    print(f"{SHOWN} verdicts to look at: {path}", file=sys.stderr)


def _flaws_table(out: dict[str, Any]) -> str:
    """A flaw a line, for people."""

    def said(found: dict[str, Any]) -> str:
        shown = "  -  " if found["rate"] is None else f"{found['rate']:.3f}"
        return f"{shown} ({found['low']:.3f} to {found['high']:.3f}, {found['of']})"

    lines = [f"{out['model']['name']}, {out['images']} images", ""]
    lines.append(f"{'flaw':<46}{'outcome':<12}{'planted':<30}{'controls':<30}untold  shows")
    for row in out["flaws"]:
        value = "its copy" if row["outcome"]["field"] == "title" else row["outcome"]["value"]
        lines.append(f"{row['flaw']:<46}{value:<12}{said(row['planted']):<30}{said(row['controls']):<30}"
                     f"{row['untold']:>4}    {'yes' if row['shows'] else 'no'}")  # fmt: skip
    lines += ["", "The judge on real pictures of people:"]
    lines += [f"{field:<14}{said(out['judge'][field])}" for field in ("presentation", "tone")]
    return "\n".join(lines)


def _table(out: dict[str, Any]) -> str:
    """Scores, and beside each how often the judge itself is right, for people."""
    judge = out["judge"]
    rows = []
    if "model" in out:
        rows += [f"{out['model']['name']}, weights {out['model']['weights_sha256'][:12]}, {out['images']} images", ""]
        rows.append(f"{'':<16}{'score':>7}  {'95% interval':<15}{'judge right on real pictures'}")
        for task, (low, high) in out["intervals"].items():
            right = judge["accuracy"] if task == "overall" else judge["tasks"][task]
            rows.append(f"{task:<16}{out[task]:>7.3f}  {low:.3f} to {high:.3f}   {right['rate']:.3f}")
        shown = out["shuffled_prompts"]["rate"], out["readable"]["rate"]
        rows += ["", f"against other prompts {shown[0]:.3f}, readable images {shown[1]:.3f}", ""]
    rows.append(f"The judge, weights {judge['weights_sha256'][:12]}, {judge['world_version']}")
    for group in ("tasks", "styles", "controls"):
        for name, found in judge[group].items():
            if found["rate"] is not None:
                said = f"{found['rate']:>7.3f}  {found['low']:.3f} to {found['high']:.3f}   {found['of']}"
                rows.append(f"{name.replace('_', ' '):<26}{said}")
    return "\n".join([*rows, "", "No GenEval figures: another world, another detector; not to be set beside them."])
