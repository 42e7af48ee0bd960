"""Running a probe: its cost first, then drawing and measuring what is not there yet, then the report."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from msgspec import Struct
from PIL import Image

from salon.audit.analysis import Analysis, analyse
from salon.audit.eyes import Eye, eye_for
from salon.audit.folder import Folder, Look
from salon.audit.painter import Drawn, Painter, batches
from salon.audit.probe import Probe, ProbeError
from salon.audit.report import Report, write_report
from salon.audit.scored import scored
from salon.core.recipe import NUMERICS, Recipe
from salon.engine.models import ModelInfo

#: images above which a run must be asked for in so many words
LIMIT = 20_000

Bar = Callable[..., Any]


class Draws(Protocol):
    """Whatever turns recipes into images: `Painter`, or a test's stand-in."""

    info: ModelInfo

    def recipe(self, text: str, seed: int) -> Recipe: ...
    def draw(self, recipes: Sequence[Recipe]) -> Iterator[Drawn]: ...
    def of(self, model: str) -> "Draws": ...
    def pace(self) -> float: ...
    def record(self, seconds: float) -> float: ...


class Cost(Struct, frozen=True):
    """What a run takes: prompts, images in all, those still to be drawn, and seconds."""

    prompts: int
    images: int
    missing: int
    seconds: float

    def said(self) -> str:
        """In one line, for people."""
        there = self.images - self.missing
        done = f", {there:,} of them there already" if there else ""
        takes = f"about {spoken(self.seconds)}" if self.missing else "nothing to draw"
        return f"{self.prompts:,} prompts, {self.images:,} images{done}: {takes}."


def spoken(seconds: float) -> str:
    """A time as people say it."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{max(1, round(seconds))} s"


def cost(probe: Probe, painter: Draws, there: int = 0) -> Cost:
    """Counted, without making a single prompt; the pace is the recorded one, or timed now."""
    missing = probe.images - there
    return Cost(probe.number, probe.images, missing, round(missing * painter.pace(), 1) if missing else 0.0)


def afford(asked: Cost, limit: int = LIMIT) -> None:
    """Raises ProbeError, with the cost, above the limit."""
    if asked.images > limit:
        raise ProbeError(f"This probe is too large: {asked.said()} The limit is {limit:,} images.",
                         "Take values or seeds away, raise --limit, or say --yes.")  # fmt: skip


def run_probe(probe: Probe, model: str | None, out: Path, *, limit: int = LIMIT, command: str = "",
              painter: Draws | None = None, eye: Eye | None = None, say: Callable[[str], None] = lambda text: None,
              bar: Bar = lambda items, **about: items) -> Report:  # fmt: skip
    """Draw, measure, test and write the report of one probe and one model into `out`; what is there is not drawn again.

    Raises ProbeError, FolderError, UnknownModel, WeightsDamaged, WeightsMissing, Conflict, EngineUnavailable. `painter`
    and `eye` stand in for the engine and the detector; `bar` shows progress like tqdm."""
    painter = painter or Painter(model, probe.options)
    if probe.images > limit:
        afford(cost(probe, painter), limit)
    base = painter.of(probe.baseline) if probe.baseline else None
    eye = eye or eye_for(probe, painter.info, lambda items: bar(items, desc="painting the training pictures"))
    with Folder(out, facts_of(probe, painter, base, eye)) as folder:
        sides = [(painter, recipes_of(probe, painter, probe.seed_range))]
        if base:
            sides.append((base, recipes_of(probe, base, baseline_seeds(probe, painter, base))))
        missing = [[r for r in recipes if r.id not in folder.looks] for _, recipes in sides]
        say(cost(probe, painter, probe.images - sum(map(len, missing))).said())
        for (side, _), some in zip(sides, missing, strict=True):
            draw_missing(folder, side, eye, some, bar)
        say("Testing every cell.")
        looks = [[folder.looks[recipe.id] for recipe in recipes] for _, recipes in sides]
        found = analyse(probe, looks[0], eye, *looks[1:])
        report = report_of(probe, sides, eye, folder, found, command)
        write_report(report, folder, eye)
        return report


def recipes_of(probe: Probe, painter: Draws, seeds: range) -> list[Recipe]:
    """Every prompt at every seed. Raises ProbeError if two are the same."""
    recipes = [painter.recipe(asked.text, seed) for asked in probe.prompts() for seed in seeds]
    if len({recipe.id for recipe in recipes}) < len(recipes):
        raise ProbeError("Two combinations of the probe's values make the same prompt.", "Change the values.")
    return recipes


def baseline_seeds(probe: Probe, painter: Draws, base: Draws) -> range:
    """The same seeds; the next ones for a model that is its own baseline: against itself at the same seeds nothing
    could ever be found, and at others it is seen what chance alone flags."""
    own = probe.seed_range
    same = painter.info.weights_sha256 == base.info.weights_sha256
    return range(own.stop, own.stop + probe.seeds) if same else own


def draw_missing(folder: Folder, painter: Draws, eye: Eye, missing: Sequence[Recipe], bar: Bar) -> None:
    """Draw and measure; each batch is on the disk before the next begins."""
    started = time.monotonic()
    progress = iter(bar(missing, desc=f"drawing with {painter.info.name}", unit="image"))
    for batch in batches(missing):
        folder.add(measured(list(painter.draw(batch)), eye))
        for _ in batch:
            next(progress, None)
    next(progress, None)
    if len(missing) >= 32:  # fewer are mostly loading
        painter.record((time.monotonic() - started) / len(missing))


def measured(drawn: Sequence[Drawn], eye: Eye) -> list[tuple[Look, Image.Image | None]]:
    """Each recipe's look and its image, if there is one."""
    shown = [one for one in drawn if one.image is not None]
    seen = eye.look([one.image for one in shown if one.image], [one.recipe.prompt for one in shown]) if shown else []
    by_name = {one.recipe.id: what for one, what in zip(shown, seen, strict=True)}
    found = []
    for recipe, outcome, image in drawn:
        words, embedding = by_name.get(recipe.id, ({}, b""))
        look = Look(id=recipe.id, model=recipe.model, prompt=recipe.prompt, seed=recipe.seed, outcome=outcome,
                    seen=words, embedding=embedding)  # fmt: skip
        found.append((look, image))
    return found


def facts_of(probe: Probe, painter: Draws, base: Draws | None, eye: Eye) -> dict[str, Any]:
    """All by which a run is known again: change one, and its images or measurements are others."""
    return {"probe": probe.hash, "model": painter.info.name, "weights": painter.info.weights_sha256,
            "baseline_weights": base.info.weights_sha256 if base else "", "numerics": NUMERICS,
            "measure": eye.facts()}  # fmt: skip


def report_of(probe: Probe, sides: Sequence[tuple[Draws, list[Recipe]]], eye: Eye, folder: Folder, found: Analysis,
              command: str) -> Report:  # fmt: skip
    """All that the report says."""
    info, texts = sides[0][0].info, [asked.text for asked in probe.prompts()]
    looks = [folder.looks[recipe.id] for _, recipes in sides for recipe in recipes]
    outcomes = {name: sum(look.outcome == name for look in looks) for name in ("drawn", "withheld", "refused")}
    return Report(
        probe=probe, probe_sha256=probe.hash, model=info.name, weights_sha256=info.weights_sha256,
        world_version=info.world_version, options=recipes_options(sides[0][1]), command=command,
        baseline_weights=sides[1][0].info.weights_sha256 if probe.baseline else "",
        baseline_first_seed=sides[1][1][0].seed if probe.baseline else None,
        started=str(folder.facts["started"]), finished=datetime.now(UTC).isoformat(timespec="seconds"),
        images=len(looks), outcomes=outcomes, measure=eye.facts(), detector=detector_of(probe, eye, texts),
        cells=found.cells, scores=found.scores, untellable=found.untellable,
        scored=scored(probe, found.cells) if info.world else None,
    )  # fmt: skip


def recipes_options(recipes: Sequence[Recipe]) -> dict[str, Any]:
    """What every recipe of the run says of its stages."""
    from msgspec import to_builtins  # a name that would be read as ours at the top

    found: dict[str, Any] = to_builtins(recipes[0].stages)
    return found


def detector_of(probe: Probe, eye: Eye, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """How often the detector is right about real pictures, by field and kind of prompt."""
    fields = dict.fromkeys(c.field for c in probe.contrasts if c.field in ("presentation", "tone"))
    groups = sorted({eye.group(text) for text in texts})
    return {field: {group: _right(eye.confusion(field, group)) for group in groups} for field in fields}


def _right(counts: Any) -> float:
    values = np.asarray(counts)[:-4]  # what comes after is not confused with anything
    return round(float(np.trace(values) / values.sum()), 4)
