"""The whole way: faults, clusters, the split before anything else, two ways to mend and a sham, measured on held-out
prompts and fresh seeds, and a verdict. Every step leaves its result in the folder; the same command goes on from
there."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from tqdm import tqdm

from salon.audit.eyes import words_of
from salon.audit.painter import Painter
from salon.core.home import home
from salon.engine.client import LocalEngine
from salon.engine.registry import Registry, weights_folders
from salon.judge import clip as judge_clip
from salon.judge.detector import Detector
from salon.mend import lessons, measure, models, teaching
from salon.mend.measure import Measured, Plan
from salon.mend.splitting import HELD, Fault, MendError, split
from salon.mend.verdict import Margins, Measures, Proof, proof

Say = Callable[[str], None]
#: what shows progress, like tqdm; this one shows nothing
QUIET = partial(tqdm, disable=True)

METHODS = {"balanced": "balanced fine-tuning", "edited": "Unified Concept Editing"}
SHAM = "sham"
#: seeds of the search for an edit's strengths, and prompts that an edit is to leave alone
SEARCH_SEED, KEPT_PROMPTS = 15_000, 400


class Options(Struct, frozen=True, kw_only=True):
    """What can be chosen; all of it is written down before anything is drawn."""

    seed: int = 0
    share: float = 0.5
    images: int = 9_000
    balanced: int = 1_200
    kept: int = 2_400
    learning_rate: float = 5e-4
    margins: Margins = Margins()
    held_prompts: int = 48
    harm_seeds: int = 12
    composition: int = 50


class Turn(Struct, frozen=True):
    """One round of the search for an edit's strengths: by kind of fault, how much each value is said, how often it is
    then shown on taught prompts, and how far the layers moved."""

    strengths: models.Strengths
    shares: models.Strengths
    moved: dict[str, float]


class Outcome(Struct, frozen=True, kw_only=True):
    """What a method came to. `stopped` says why there is nothing to measure."""

    method: str
    model: str
    stopped: str = ""
    images: int = 0
    minutes: float = 0.0
    weights_sha256: str = ""
    proof: Proof | None = None
    kinds: dict[str, Proof] = {}
    search: list[Turn] = []
    second_look: dict[str, tuple[float, float]] = {}

    @property
    def decision(self) -> str:
        """In words."""
        return self.proof.decision if self.proof else "stopped"


class Mending(Struct, frozen=True, kw_only=True):
    """Everything that was done and found; `report.json` is this."""

    model: str
    weights_sha256: str
    options: Options
    faults: list[Fault]
    taught: list[list[Fault]]
    held: list[list[Fault]]
    aside: list[str]
    neighbours: list[str]
    outcomes: list[Outcome]
    adopted: str
    command: str
    started: str
    finished: str
    minutes: float

    @property
    def decision(self) -> str:
        """The best of the methods' decisions."""
        decisions = [outcome.decision for outcome in self.outcomes if outcome.method != SHAM]
        order = ("adopt", "not enough evidence", "reject", "stopped")
        return min(decisions, key=order.index)


class Workshop:
    """One mending in one folder. Raises MendError if the folder holds another one's work."""

    def __init__(self, out: Path, model: str, faults: Sequence[Fault], neighbours: Sequence[str], aside: Sequence[str],
                 options: Options, say: Say, bar: Callable[..., Any]) -> None:  # fmt: skip
        self.out, self.model, self.options, self.say, self.bar = out, model, options, say, bar
        self.faults, self.neighbours, self.aside = list(faults), list(neighbours), list(aside)
        self.cores = os.cpu_count() or 2
        self.registry = Registry(threads=self.cores)
        self.base = models.base_of(model, self.registry)
        self.check()
        embeddings = self.registry.text_encoder().embed([fault.prompt for fault in self.faults])
        self.split = split(self.faults, embeddings, options.seed, options.share)
        self.held = _fewer(self.split.held, options.held_prompts)
        self.started = self._same_work()

    def check(self) -> None:
        """Raises MendError for faults whose prompts the world cannot paint, before anything is split."""
        for fault in self.faults:
            lessons.subject(fault.prompt)
        if not self.faults:
            raise MendError("There are no findings to mend.", "Report pictures, or run an audit first.")

    def _same_work(self) -> str:
        """plan.json: written before anything is taught or measured. Raises MendError if it is of other work."""
        facts = {"model": self.model, "weights": self.registry.info(self.model).weights_sha256,
                 "options": msgspec.to_builtins(self.options), "taught": msgspec.to_builtins(self.split.taught),
                 "held": msgspec.to_builtins(self.held)}  # fmt: skip
        path = self.out / "plan.json"
        self.out.mkdir(parents=True, exist_ok=True)
        if path.exists():
            found = json.loads(path.read_text("utf-8"))
            if {name: found.get(name) for name in facts} != json.loads(json.dumps(facts)):
                raise MendError(f"{self.out} holds another mending.", "Choose another folder.")
            return str(found["started"])
        started = datetime.now(UTC).isoformat(timespec="seconds")
        path.write_text(json.dumps({"started": started, **facts}, indent=1), "utf-8")
        return started

    @property
    def taught(self) -> list[Fault]:
        """All that is taught from."""
        return [fault for cluster in self.split.taught for fault in cluster]

    # -- two ways to mend, and a sham ------------------------------------------------------------------------------

    def name(self, method: str) -> str:
        """Of the model that a method makes."""
        return f"{self.model}-{method}"

    def folder(self, method: str) -> Path:
        """Of that model."""
        return self.out / "models" / self.name(method)

    def teach(self) -> list[Outcome]:
        """Balanced fine-tuning and its sham, side by side; what became of each."""
        o, data = self.options, self.out / "lessons"
        self.say("Painting the lessons.")
        number = lessons.balanced(data / "balanced", self.taught, o.balanced)
        lessons.unrelated(data / "kept", o.kept, self.cores)
        lessons.unrelated(data / "unrelated", o.kept + number, self.cores)
        chosen = [teaching.Lesson("balanced", [data / "kept", data / "balanced"], self.out / "runs" / "balanced"),
                  teaching.Lesson(SHAM, [data / "unrelated"], self.out / "runs" / SHAM)]  # fmt: skip
        sets = {"lr": o.learning_rate, "seed": o.seed, "adapter_rank": self.base.rank or 16, "warmup": 50}
        threads = max(1, self.cores // len(chosen))
        words = [teaching.command(one, self.base.base, self.base.adapter, o.images, threads, sets) for one in chosen]
        self.say(f"Teaching {o.images:,} pictures, and as many unrelated ones to a sham.")
        bars = {one.name: self.bar(total=100, desc=f"teaching: {one.name}", unit="%") for one in chosen}
        taught = teaching.teach(chosen, words, o.images, lambda name, share: _show(bars[name], share))
        for bar in bars.values():
            bar.close()
        return [self._after(one) for one in taught]

    def _after(self, taught: teaching.Taught) -> Outcome:
        images, minutes = teaching.done(taught.run), teaching.minutes(taught.run)
        name = self.name(taught.name)
        if taught.stopped:
            self.say(f"{taught.name} was stopped: {taught.stopped}")
            return Outcome(method=taught.name, model=name, stopped=taught.stopped, images=images, minutes=minutes)
        models.write_model(self.folder(taught.name), self.base, models.trained(taught.run), images, minutes)
        return Outcome(method=taught.name, model=name, images=images, minutes=round(minutes, 1))

    def edit(self) -> Outcome:
        """Unified Concept Editing, its strengths sought on taught prompts."""
        path = self.folder("edited") / "search.json"
        if not path.exists():
            self.say("Editing the layers that read prompts.")
            found = self._search()
            path.write_bytes(msgspec.json.encode(found))
        search = msgspec.json.decode(path.read_bytes(), type=list[Turn])
        return Outcome(method="edited", model=self.name("edited"), search=search)

    def _search(self) -> list[Turn]:
        """Edit, look at taught prompts, say more what is too rare: until the rounds are over. The last edit stands."""
        kept = [said for texts in _captions(self.out / "lessons" / "kept") for said in texts][:KEPT_PROMPTS]
        net, encoder, detector = models.network(self.base), self.registry.text_encoder(), Detector(threads=self.cores)
        strengths, turns = models.first_strengths(self.taught), []
        goals = {models.kind(fault): lessons.target(fault.field) for fault in self.taught}
        for turn in self.bar(range(models.TURNS), desc="editing", unit="round"):
            tensors, moved = models.edit(net, self.base, encoder, self.taught, kept, strengths)
            models.write_model(self.folder("edited"), self.base, tensors, 0, 0.0)
            if turn + 1 < models.TURNS:
                shares = self._shown(detector)
                turns.append(Turn(strengths, shares, moved))
                strengths = models.stronger(strengths, shares, goals, turn)
        return [*turns, Turn(strengths, self._shown(detector), moved)]

    def _shown(self, detector: Detector) -> models.Strengths:
        """How often the edited model shows each value, by kind, on taught prompts."""
        engine = LocalEngine(Registry([self.out / "models", *weights_folders()], threads=self.cores), rules=False)
        painter, found = Painter(self.name("edited"), {}, engine), {}
        for name in models.first_strengths(self.taught):
            faults = [fault for fault in self.taught if models.kind(fault) == name]
            each = range(SEARCH_SEED, SEARCH_SEED + max(1, round(models.LOOKS / len(faults))))
            drawn = painter.draw([painter.recipe(fault.prompt, seed) for fault in faults for seed in each])
            words = [words_of(verdict)[faults[0].field] for verdict in detector.see(d.image for d in drawn if d.image)]
            found[name] = {word: words.count(word) / len(words) for word in sorted(set(words))}
        return found

    # -- the proof --------------------------------------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """What is measured of every model."""
        return Plan(held=self.held, neighbours=self.neighbours, harm_seeds=self.options.harm_seeds,
                    composition=self.options.composition)  # fmt: skip

    def measured(self, names: Sequence[str]) -> dict[str, Measured]:
        """Images and measurements of each model."""
        engine = LocalEngine(Registry([self.out / "models", *weights_folders()], threads=self.cores), rules=False)
        found = {}
        for name in names:
            self.say(f"Measuring {name}.")
            found[name] = measure.measure(self.plan, Painter(name, {}, engine), self.out / "measured" / name, self.bar)
        return found

    def proven(self, outcome: Outcome, found: dict[str, Measured]) -> Outcome:
        """The outcome with its proof; without one if it was stopped, or if there is no sham to set beside it."""
        sham = found.get(self.name(SHAM))
        if outcome.model not in found or sham is None or outcome.method == SHAM:
            return outcome
        before, after, plan = found[self.model], found[outcome.model], self.plan
        kinds = sorted({fault.harm for fault in plan.faults})
        texts = clip_texts(list(plan.said()))

        def proof_of(kind: str = "") -> Proof:
            return proof(Measures(harm=measure.harm(plan, before, after, kind),
                                  sham=measure.harm(plan, before, sham, kind),
                                  skew=measure.skew(plan, before, after),
                                  quality=measure.composition(plan, before, after),
                                  said=measure.obeyed(plan, before, after)), self.options.margins)  # fmt: skip

        looks = {
            kind: tuple(measure.second_look(plan, side, texts, kind) for side in (before, after)) for kind in kinds
        }
        info = Registry([self.out / "models", *weights_folders()]).info(outcome.model)
        second = {name: (float(np.mean(a)), float(np.mean(b))) for name, (a, b) in looks.items() if a and b}
        return msgspec.structs.replace(
            outcome,
            proof=proof_of(),
            kinds={kind: proof_of(kind) for kind in kinds},
            weights_sha256=info.weights_sha256,
            second_look=second,
        )


def _fewer(clusters: list[list[Fault]], prompts: int) -> list[list[Fault]]:
    """Whole clusters, of each harm in turn, up to about so many prompts (measuring costs time), but `HELD` of them."""
    kinds: dict[str, list[list[Fault]]] = {}
    for cluster in clusters:
        kinds.setdefault(cluster[0].harm, []).append(cluster)
    chosen: list[list[Fault]] = []
    for rank in range(max(map(len, kinds.values()), default=0)):
        for some in kinds.values():
            if rank < len(some) and (sum(map(len, chosen)) < prompts or len(chosen) < HELD):
                chosen.append(some[rank])
    return chosen


def _captions(folder: Path) -> list[list[str]]:
    return [texts for path in sorted(folder.glob("shard-*.json")) for texts in json.loads(path.read_text("utf-8"))]


def _show(bar: Any, share: float) -> None:
    bar.update(round(100 * share) - bar.n)


def clip_texts(texts: Sequence[str]) -> dict[str, np.ndarray]:
    """CLIP's embeddings of prompts."""
    rows = judge_clip.load_clip().encode_text(list(texts))
    return dict(zip(texts, rows, strict=True))


def mend(out: Path, model: str, faults: Sequence[Fault], neighbours: Sequence[str], *, aside: Sequence[str] = (),
         options: Options = Options(), command: str = "", say: Say = lambda text: None,  # noqa: B008
         bar: Callable[..., Any] = QUIET) -> tuple[Mending, dict[str, Measured], Plan]:  # fmt: skip
    """Mend `model` of `faults` in the folder `out`. Raises MendError, TrainingError, WorldError, StorageFull,
    FolderError, Conflict, UnknownModel, WeightsDamaged."""
    began = datetime.now(UTC)
    work = Workshop(out, model, faults, neighbours, aside, options, say, bar)
    say(f"{len(faults)} faults: {len(work.taught)} prompts to teach from, {len(work.plan.faults)} held out.")
    if len(work.held) < HELD:
        say(f"Held out are {len(work.held)} clusters of prompts that say nearly the same; below {HELD} nothing is "
            "decided. With findings of more different prompts something could be.")  # fmt: skip
    balanced, sham = work.teach()
    outcomes = [balanced, work.edit(), sham]
    names = [model, *(outcome.model for outcome in outcomes if not outcome.stopped)]
    found = work.measured(names)
    outcomes = [work.proven(outcome, found) for outcome in outcomes]
    ended = datetime.now(UTC)
    told = Mending(
        model=model, weights_sha256=work.registry.info(model).weights_sha256, options=options, faults=list(faults),
        taught=work.split.taught, held=work.held, aside=list(aside), neighbours=list(neighbours), outcomes=outcomes,
        adopted=chosen(outcomes), command=command, started=work.started, finished=ended.isoformat(timespec="seconds"),
        minutes=round((ended - began).total_seconds() / 60, 1),
    )  # fmt: skip
    return told, found, work.plan


def chosen(outcomes: Sequence[Outcome]) -> str:
    """The model to be taken: of those that may be adopted the one whose harm fell most; none if there is none."""
    good = [(one.proof.harm.difference, one.model) for one in outcomes if one.proof and one.proof.decision == "adopt"]
    return min(good)[1] if good else ""


def adopt(out: Path, name: str) -> Path:
    """Copy a model into the house's own weights, whole or not at all. Raises OSError."""
    place = home() / "weights" / name
    part = home() / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(out / "models" / name, part)
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    part.rename(place)
    return place
