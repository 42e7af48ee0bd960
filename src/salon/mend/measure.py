"""What is measured of a model before and after: the harm on held-out prompts, whether what a prompt says is still
shown, its neighbours, and composition. One folder a model, written picture by picture: a stopped measurement goes
on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from PIL import Image

from salon.audit.eyes import Seen, World, words_of
from salon.audit.folder import Folder, Look
from salon.audit.painter import Painter
from salon.audit.run import draw_missing
from salon.core.hashing import content_hash
from salon.core.recipe import NUMERICS
from salon.judge import clip as judge_clip
from salon.judge.prompts import GENEVAL, prompts
from salon.judge.verdict import Wanted, passes
from salon.mend.lessons import said_prompts, target
from salon.mend.splitting import Fault
from salon.stats.paired import Pair

Bar = Callable[..., Any]
Sides = Sequence[tuple[Look, Look]]


class Plan(Struct, frozen=True, kw_only=True):
    """What is drawn of every model, the same for all: `held` clusters of faults, prompts of `neighbours` (people at
    work that no finding is about), `said` prompts, prompts a task of composition, and images of each."""

    held: list[list[Fault]]
    neighbours: list[str]
    first_seed: int = 20_000
    harm_seeds: int = 12
    said_seeds: int = 3
    neighbour_seeds: int = 3
    composition: int = 50
    composition_seeds: int = 2

    @property
    def faults(self) -> list[Fault]:
        """All that are held out."""
        return [fault for cluster in self.held for fault in cluster]

    def said(self) -> dict[str, tuple[str, str]]:
        """Prompts that say a value of what was skewed -> (field, value)."""
        return {text: (fault.field, value) for fault in self.faults for value, text in said_prompts(fault).items()}

    def wanted(self) -> dict[str, Wanted]:
        """Composition prompts and what each asks for."""
        return {one.text: one.wanted for task in GENEVAL for one in prompts(task, self.composition)}

    def drawn(self) -> Iterator[tuple[str, int]]:
        """Every (prompt, seed), each once."""
        parts = ((dict.fromkeys(fault.prompt for fault in self.faults), self.harm_seeds),
                 (self.said(), self.said_seeds), (dict.fromkeys(self.neighbours), self.neighbour_seeds),
                 (self.wanted(), self.composition_seeds))  # fmt: skip
        pairs = (pair for texts, number in parts for pair in product(texts, self.seeds(number)))
        return iter(dict.fromkeys(pairs))

    def seeds(self, number: int) -> range:
        """The first `number` of the plan's seeds."""
        return range(self.first_seed, self.first_seed + number)


class Judge(World):
    """The world's detector; of composition prompts it also says whether all is there, and CLIP looks at the people."""

    def __init__(self, info: Any, plan: Plan) -> None:
        super().__init__(info)
        self.wanted, self.people = plan.wanted(), {fault.prompt for fault in plan.faults}

    def look(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[Seen]:
        """Presentation, tone and things; `passed` where composition is asked for."""
        found: list[Seen] = []
        for verdict, image, text in zip(self.detector.see(images), images, texts, strict=True):
            seen = words_of(verdict)
            if text in self.wanted:
                seen["passed"] = passes(verdict, self.wanted[text])
            embedding = np.asarray(judge_clip.see([image]), np.float16).tobytes() if text in self.people else b""
            found.append((seen, embedding))
        return found


class Measured:
    """A model's images and what was seen in them, by (prompt, seed)."""

    def __init__(self, folder: Folder) -> None:
        self.place, self.image_path = folder.place, folder.image_path
        self.looks: dict[tuple[str, int], Look] = {(look.prompt, look.seed): look for look in folder.looks.values()}

    def of(self, prompt: str, seeds: range) -> list[Look]:
        """One prompt's looks, seed by seed."""
        return [self.looks[prompt, seed] for seed in seeds]


def measure(plan: Plan, painter: Painter, place: Path, bar: Bar) -> Measured:
    """Draw and judge what is missing in the folder `place`. Raises FolderError, Conflict, and what drawing raises."""
    eye = Judge(painter.info, plan)
    facts = {"plan": content_hash(plan), "model": painter.info.name, "weights": painter.info.weights_sha256,
             "numerics": NUMERICS, "measure": eye.facts()}  # fmt: skip
    with Folder(place, facts) as folder:
        recipes = [painter.recipe(text, seed) for text, seed in plan.drawn()]
        draw_missing(folder, painter, eye, [r for r in recipes if r.id not in folder.looks], bar)
        return Measured(folder)


# -- pairs of before and after --------------------------------------------------------------------------------------


def _beside(before: Measured, after: Measured, prompt: str, seeds: range) -> Sides:
    return list(zip(before.of(prompt, seeds), after.of(prompt, seeds), strict=True))


def shows(look: Look, field: str, value: str) -> float:
    """1 if the image shows it; images that could not be read, or were kept back, do not."""
    return float(look.outcome == "drawn" and look.seen.get(field) == value)


def harm(plan: Plan, before: Measured, after: Measured, kind: str = "") -> list[list[Pair]]:
    """(before, after) of the faults' outcome, a held-out cluster a cluster; of one kind of harm, or of all."""
    found = []
    for cluster in plan.held:
        faults = [fault for fault in cluster if kind in ("", fault.harm)]
        pairs = [(shows(a, f.field, f.outcome), shows(b, f.field, f.outcome)) for f in faults
                 for a, b in _beside(before, after, f.prompt, plan.seeds(plan.harm_seeds))]  # fmt: skip
        found += [pairs] if pairs else []
    return found


def unevenness(looks: Sequence[Look], field: str) -> float:
    """How many of the images would have to show something else, for the values to be as frequent as in the clean world:
    total variation distance, from 0 to 1. Images that show nobody are far from any value."""
    shares = target(field)
    return sum(
        max(0.0, share - np.mean([shows(look, field, value) for look in looks])) for value, share in shares.items()
    )


def skew(plan: Plan, before: Measured, after: Measured) -> list[list[Pair]]:
    """(before, after) of the unevenness over each held-out prompt's images, a cluster a cluster: falls only if no other
    default has taken the old one's place."""
    seeds = plan.seeds(plan.harm_seeds)
    return [[(unevenness(before.of(f.prompt, seeds), f.field), unevenness(after.of(f.prompt, seeds), f.field))
             for f in cluster] for cluster in plan.held]  # fmt: skip


def obeyed(plan: Plan, before: Measured, after: Measured) -> list[list[Pair]]:
    """(before, after) of prompts that say what was skewed: whether it is shown. A cluster a prompt."""
    seeds = plan.seeds(plan.said_seeds)
    return [[(shows(a, *told), shows(b, *told)) for a, b in _beside(before, after, text, seeds)]
            for text, told in plan.said().items()]  # fmt: skip


def composition(plan: Plan, before: Measured, after: Measured, task: str = "") -> list[list[Pair]]:
    """(before, after) of the judge's six tasks, or of one of them. A cluster a composition, however it is said."""
    seeds, found = plan.seeds(plan.composition_seeds), {}
    for name in GENEVAL if not task else (task,):
        for one in prompts(name, plan.composition):
            pairs = _beside(before, after, one.text, seeds)
            found.setdefault(one.composition, []).extend((_passed(a), _passed(b)) for a, b in pairs)
    return list(found.values())


def _passed(look: Look) -> float:
    return float(look.outcome == "drawn" and bool(look.seen.get("passed")))


def rates(looks: Sequence[Look], field: str) -> dict[str, float]:
    """How often each value is shown, and what else became of the images: adds up to 1."""
    names = [*target(field), "nobody", "unreadable", "withheld", "refused"]
    words = [str(look.seen.get(field)) if look.outcome == "drawn" else look.outcome for look in looks]
    return {name: words.count(name) / len(words) for name in names if name in words or name in target(field)}


def second_look(plan: Plan, measured: Measured, texts: Mapping[str, np.ndarray], kind: str) -> list[float]:
    """By CLIP, which chose nothing here: is each image nearer to the prompt with the harm's outcome said than to those
    with another value? `texts`: CLIP's embeddings of said prompts. Empty for an outcome without a word of its own."""
    found = []
    for fault in plan.faults:
        said = said_prompts(fault)
        if fault.harm != kind or fault.outcome not in said:
            continue
        rows = np.stack([texts[text] for text in said.values()])
        for look in measured.of(fault.prompt, plan.seeds(plan.harm_seeds)):
            if look.embedding:
                nearest = int(np.argmax(rows @ np.frombuffer(look.embedding, np.float16).astype(float)))
                found.append(float(list(said)[nearest] == fault.outcome))
    return found
