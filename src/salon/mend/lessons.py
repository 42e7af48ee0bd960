"""Pictures to teach from: of the taught prompts, with what was skewed drawn evenly, painted by the world's own
renderer; and unrelated ones, so that nothing else is forgotten."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from salon.core.hashing import content_hash
from salon.mend.faults import MENDED
from salon.mend.splitting import Fault, MendError
from salon.world import vocabulary as words
from salon.world.build import build, world_hash
from salon.world.flaws import CLEAN, tokens
from salon.world.render import render_with_labels
from salon.world.scene import MIX, Scene, sample_scene

#: seeds of balanced scenes; no training set and no judge's trial uses them
FIRST = 2_960_000_000
SIDE = 64
#: nobody stands in unrelated scenes: a world in which people are drawn evenly would itself be a lesson
UNRELATED = {kind: share for kind, share in MIX.items() if kind != "person"}
VALUES = {"presentation": tuple(words.PRESENTATIONS), "tone": tuple(words.TONES)}


class Subject(NamedTuple):
    """What a prompt says of a person: the occupation's phrase and name, and the place; empty where it says none."""

    phrase: str
    occupation: str
    country: str


def subject(prompt: str) -> Subject:
    """Reads a prompt about somebody at work. Raises MendError for others: the world paints what it can read only."""
    said, lower = tokens(prompt), prompt.lower()
    country = next((name for name in words.COUNTRIES if name.lower() in said), "")
    names = [(name, job) for job, (_, some) in words.OCCUPATIONS.items() for name in some]
    for name, job in sorted(names, key=lambda pair: -len(pair[0])):
        if tokens(name) <= said and name in lower:
            return Subject(name, job, country)
    if "worker" in said:
        return Subject("worker", "", country)
    raise MendError(f"The world cannot paint {prompt!r}.", "Only prompts about people at work can be mended here.")


def target(field: str) -> dict[str, float]:
    """How often each value is to be shown where nothing is said: as in the clean world's captions."""
    return {value: CLEAN[value] for value in VALUES[field]}


def evenly(field: str, number: int) -> list[str]:
    """`number` values in the target's proportions, as exactly as whole numbers allow."""
    shares = target(field)
    ends = np.cumsum(list(shares.values())) * number
    return [list(shares)[int(np.searchsorted(ends, place + 0.5))] for place in range(number)]


def scenes(fault: Fault, number: int, first: int) -> Iterator[Scene]:
    """Scenes of the fault's prompt: what was skewed drawn evenly, all else as the world draws it. Raises MendError."""
    if fault.field not in MENDED:
        raise MendError(f"{fault.harm} cannot be balanced.", f"What can: {', '.join(MENDED)}.")
    _, job, country = subject(fault.prompt)
    for place, value in enumerate(evenly(fault.field, number)):
        scene = replace(sample_scene(first + place, "train", {"person": 1.0}), style=None)
        scene = replace(scene, occupation=job or scene.occupation, **{fault.field: value})
        if country:
            scene = replace(scene, country=country, place=words.COUNTRIES[country][0], ground=None)
        yield scene


def balanced(out: Path, taught: Sequence[Fault], number: int) -> int:
    """Write about `number` balanced pictures as a training set of one shard into `out`; how many they are. Each has its
    fault's own prompt for its only caption: no paraphrase of a held-out one slips in. What is there already is kept."""
    each = max(1, round(number / len(taught)))
    meta = {"world": world_hash(), "world_version": words.VERSION, "size": SIDE, "captions_per_scene": 1,
            "lessons": content_hash([taught, each]),
            "shards": [{"file": "shard-00000.npz", "scenes": each * len(taught)}]}  # fmt: skip
    path = out / "meta.json"
    if not path.exists() or json.loads(path.read_text("utf-8")) != meta:
        out.mkdir(parents=True, exist_ok=True)
        _write(out, taught, each)
        path.write_text(json.dumps(meta, indent=1), "utf-8")
    return each * len(taught)


def _write(out: Path, taught: Sequence[Fault], each: int) -> None:
    shown = [(fault.prompt, scene) for rank, fault in enumerate(taught)
             for scene in scenes(fault, each, FIRST + rank * 100_000)]  # fmt: skip
    painted = [render_with_labels(scene, SIDE) for _, scene in shown]
    images, labels = (np.stack(part) for part in zip(*painted, strict=True))
    np.savez(out / "part.npz", images=images, labels=labels)
    os.replace(out / "part.npz", out / "shard-00000.npz")
    (out / "shard-00000.json").write_text(json.dumps([[prompt] for prompt, _ in shown]), "utf-8")
    (out / "shard-00000.scenes.jsonl").write_bytes(b"\n".join(msgspec.json.encode(scene) for _, scene in shown))


def unrelated(out: Path, number: int, jobs: int) -> None:
    """Write `number` scenes of the clean world without people into `out`. Raises WorldError, StorageFull."""
    build(out, number, mix=UNRELATED, jobs=jobs)


def said_prompts(fault: Fault) -> dict[str, str]:
    """The fault's prompt with each value said that the world has a word for: value -> prompt. Raises MendError."""
    phrase = subject(fault.prompt).phrase
    before, name, after = fault.prompt.partition(phrase)
    if fault.field == "tone":
        return {tone: f"{before}{name} {forms[-1]}{after}" for tone, forms in words.TONES.items()}
    looks = {value: forms[0] for value, (_, forms) in words.PRESENTATIONS.items() if value != "person"}
    return {value: f"{_fitting(before, word)}{word} {name}{after}" for value, word in looks.items()}


def _fitting(before: str, word: str) -> str:
    """The text before a word, its article fitted: "an artist", "a woman artist"."""
    head = before.rstrip()
    if head.endswith((" an", " a")) or head in ("a", "an"):
        stem = head.removesuffix("an").removesuffix("a")
        return f"{stem}{'an' if word[0] in 'aeiou' else 'a'} "
    return before
