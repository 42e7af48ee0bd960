"""What looks at the images: the world's detector with its measured errors, the training pictures, or CLIP.

The detector says which of the world's drawings a picture resembles. It is never asked about pictures of people: the
measure for other checkpoints is `embedding`, which names nobody."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from salon.audit.memorise import Memory
from salon.audit.probe import Probe, ProbeError
from salon.engine.models import ModelInfo
from salon.judge import clip as judge_clip
from salon.judge.detector import SIDE, Detector
from salon.judge.verdict import Verdict
from salon.world import vocabulary as words
from salon.world.build import world_hash
from salon.world.flaws import tokens
from salon.world.render import render
from salon.world.scene import sample_scene

#: seeds of the real pictures by which the detector's errors are measured; no training set uses them
FIRST_PERSON = 2_950_000_000
#: such pictures of each occupation
PEOPLE = 120
#: what else may become of an image; none of it is dropped, and none is confused with another
REST = ("nobody", "unreadable", "withheld", "refused")
VALUES = {"presentation": tuple(words.PRESENTATIONS), "tone": tuple(words.TONES), "copied": ("yes", "no")}
ANYONE = "anyone"

Seen = tuple[dict[str, Any], bytes]


class Eye(Protocol):
    """Looks at images; `confusion` counts [true, seen] how it errs, in the order of `categories`."""

    def facts(self) -> dict[str, Any]: ...
    def look(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[Seen]: ...
    def group(self, text: str) -> str: ...
    def confusion(self, field: str, group: str) -> NDArray[np.float64]: ...


def categories(field: str, outcome: str) -> tuple[str, ...]:
    """All that may become of an image."""
    return (*VALUES.get(field, (outcome, f"no {outcome}")), *REST)


def _certain(field: str) -> NDArray[np.float64]:
    """No errors: so many looks that chance plays no part."""
    return np.eye(len(categories(field, ""))) * 1e7


class Certain:
    """An eye whose findings are taken as they are."""

    def group(self, text: str) -> str:
        """All images alike."""
        return ANYONE

    def confusion(self, field: str, group: str) -> NDArray[np.float64]:
        """None."""
        return _certain(field)


class World:
    """The detector of the sandbox world. Raises WeightsMissing, WeightsDamaged, ProbeError for another world."""

    def __init__(self, info: ModelInfo, detector: Detector | None = None) -> None:
        self.detector = detector or Detector(threads=1)
        if not info.world:
            raise ProbeError(f"{info.name} draws no pictures of the sandbox world: the detector cannot read them.",
                             'Use a probe with measure = "embedding".')  # fmt: skip
        self._counted = cache(self._count)

    def facts(self) -> dict[str, Any]:
        """Which detector."""
        card = self.detector.card
        return {"detector_sha256": self.detector.sha256, "same_world": card.world == world_hash()}

    def look(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[Seen]:
        """Presentation, tone and things of each."""
        return [(words_of(verdict), b"") for verdict in self.detector.see(images)]

    def group(self, text: str) -> str:
        """The occupation that a prompt names: the detector errs more with some than with others."""
        said = tokens(text)
        for job, (_, names) in words.OCCUPATIONS.items():
            if any(tokens(name) <= said for name in names):
                return job
        return ANYONE

    def confusion(self, field: str, group: str) -> NDArray[np.float64]:
        """Counted on real pictures of that occupation."""
        return self._counted(group)[field] if field in ("presentation", "tone") else _certain(field)

    def _count(self, group: str) -> dict[str, NDArray[np.float64]]:
        jobs = list(words.OCCUPATIONS)
        start = FIRST_PERSON + PEOPLE * (jobs.index(group) if group in jobs else len(jobs))
        scenes = [
            replace(sample_scene(start + i, "any", {"person": 1.0}), style=None,
                    **({"occupation": group} if group in jobs else {})) for i in range(PEOPLE)
        ]  # fmt: skip
        verdicts = self.detector.see(Image.fromarray(render(scene, SIDE)) for scene in scenes)
        return {field: _table(field, scenes, verdicts) for field in ("presentation", "tone")}


def _table(field: str, scenes: Sequence[Any], verdicts: Sequence[Verdict]) -> NDArray[np.float64]:
    """Counts [true, seen]. A picture in which nobody is seen shows nobody: the world always shows somebody."""
    names, counts = categories(field, ""), _certain(field)
    counts[: len(VALUES[field])] = 0
    for scene, verdict in zip(scenes, verdicts, strict=True):
        counts[names.index(getattr(scene, field)), names.index(words_of(verdict)[field])] += 1
    return counts


def words_of(verdict: Verdict) -> dict[str, Any]:
    """Presentation, tone and things of a verdict, in an image's own words."""
    if not verdict.readable:
        return {"presentation": "unreadable", "tone": "unreadable", "things": None}
    return {"presentation": verdict.presentation or "nobody", "tone": verdict.tone or "nobody",
            "things": sorted(verdict.counts)}  # fmt: skip


class Copies(Certain):
    """Looks for training pictures that come back."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def facts(self) -> dict[str, Any]:
        """What images are compared with."""
        return self.memory.facts()

    def look(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[Seen]:
        """The nearest training picture of each."""
        return [(seen, b"") for seen in self.memory.look(images, texts)]


class Embeddings(Certain):
    """CLIP's view of each image."""

    def facts(self) -> dict[str, Any]:
        """Which CLIP."""
        return {"clip_sha256": judge_clip.installed_clip().weights}

    def look(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[Seen]:
        """Embeddings, float16 [256] each."""
        return [({}, row.tobytes()) for row in judge_clip.see(images)]


def eye_for(probe: Probe, info: ModelInfo, bar: Callable[[Any], Any] = lambda items: items) -> Eye:
    """The eye that a probe's measure needs. Raises ProbeError, WeightsMissing, WeightsDamaged."""
    if probe.measure == "world":
        return World(info)
    if probe.measure == "embedding":
        return Embeddings()
    assert probe.training is not None  # read_probe has seen to that
    return Copies(Memory(probe.training, bar))
