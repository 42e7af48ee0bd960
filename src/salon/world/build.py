"""Write the world to disk for training: shards of pictures with captions, labels and ground truth."""

import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
from tqdm import tqdm

from salon.core.errors import StorageFull, WorldError
from salon.core.hashing import content_hash, file_hash
from salon.world import flaws
from salon.world import vocabulary as words
from salon.world.captions import captions
from salon.world.render import render_with_labels
from salon.world.scene import (
    FLIPPED,
    HELD_OUT_PERCENT,
    MIX,
    SINGLE_SIDE,
    STRAY,
    STYLED,
    TINTED,
    Scene,
    Split,
    sample_scene,
)
from salon.world.sprites import FILE

#: What meta.json calls the hash of a flawed world; a clean one does not have it.
FLAWED = "flawed_world_hash"
#: Raised when painting changes, so that the same scene gives other pixels (tests/world/test_pinned.py watches).
RENDER = 2


def world_hash() -> str:
    """SHA-256 that names the world: its art, words, mix and way of painting."""
    tables = [
        words.NOUNS, words.HANDS, words.HAND_SHARES, words.COLOURS, words.TINTS, words.RELATIONS, words.PLACES,
        words.LANDSCAPES, words.LIGHTS, words.STYLES, words.OCCUPATIONS, words.PRESENTATIONS, words.TONES,
        words.COUNTRIES, words.REQUESTS, words.PRAISE,
    ]  # fmt: skip
    facts = {"version": words.VERSION, "render": RENDER, "mix": MIX, "held_out": HELD_OUT_PERCENT,
             "styled": STYLED, "tinted": TINTED, "flipped": FLIPPED, "stray": STRAY, "single": SINGLE_SIDE}  # fmt: skip
    return content_hash({**facts, "sprites": file_hash(FILE), "tables": msgspec.to_builtins(tables)})


def flawed_world_hash() -> str:
    """SHA-256 that names the flawed world: the clean one and the flaws planted in it."""
    return content_hash({"world": world_hash(), **flaws.facts()})


def picture(
    seed: int, size: int, split: Split, number: int, mix: Mapping[str, float] = MIX
) -> tuple[np.ndarray, np.ndarray, list[str], Scene]:
    """Pixels, labels, captions and ground truth of one seed."""
    scene = sample_scene(seed, split, mix)
    pixels, labels = render_with_labels(scene, size)
    return pixels, labels, captions(scene, number), scene


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(data)
    part.replace(path)


def _save(out: Path, index: int, batch: list[tuple[np.ndarray, np.ndarray, list[str], Scene]]) -> dict:
    images, labels, texts, scenes = zip(*batch, strict=True)
    name = f"shard-{index:05d}"
    part = out / f"{name}.part.npz"
    np.savez(part, images=np.stack(images), labels=np.stack(labels))
    os.replace(part, out / f"{name}.npz")
    _write(out / f"{name}.json", json.dumps(texts).encode())
    _write(out / f"{name}.scenes.jsonl", b"\n".join(msgspec.json.encode(scene) for scene in scenes))
    return {"file": f"{name}.npz", "scenes": len(batch)}


def _pictures(start: int, number: int, meta: dict, jobs: int) -> Iterator:
    form = {"size": meta["size"], "number": meta["captions_per_scene"]}
    form |= {} if FLAWED in meta else {"split": meta["split"], "mix": meta.get("mix", MIX)}
    make = partial(flaws.picture if FLAWED in meta else picture, **form)
    if jobs <= 1:
        yield from map(make, range(start, start + number))
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(make, range(start, start + number), chunksize=32)


def _meta(out: Path, wanted: dict) -> dict:
    """The folder's meta.json, which must be of this world and form. Raises WorldError."""
    path = out / "meta.json"
    if not path.exists():
        return {**wanted, "shards": []}
    try:
        found = json.loads(path.read_text())
        differing = [key for key in (*wanted, *({FLAWED, "mix"} - set(wanted))) if found.get(key) != wanted.get(key)]
    except (ValueError, AttributeError) as error:
        raise WorldError(f"{path} cannot be read: {error}.", "Remove it to build the world anew.") from error
    if differing:
        message = f"{out} already holds another world ({', '.join(differing)} differ)."
        raise WorldError(message, "Choose an empty folder.")
    return found


def _of_the_flawed(split: Split) -> dict:
    if split != "train":
        raise WorldError("Flaws are planted in what a model is taught.", "Leave out the split, or use train.")
    return {"world_version": f"{words.VERSION}+{flaws.FLAWS}", FLAWED: flawed_world_hash()}


def build(out: Path, scenes: int, size: int = 64, split: Split = "train", texts: int = 4, shard: int = 2048,
          jobs: int = 2, flawed: bool = False, mix: Mapping[str, float] | None = None) -> dict:  # fmt: skip
    """Write `scenes` scenes as shards into `out`, going on where an earlier build stopped; returns meta.json.

    A shard is `shard-N.npz` (images uint8 [n,size,size,3], labels uint16 [n,8,8]), its captions (`.json`, `texts` a
    scene) and ground truth (`.scenes.jsonl`). `flawed` plants the flaws of world/flaws.py in scenes of the split
    `train`; the ground truth then says which. `mix` gives other shares of the kinds of scenes than the world's own.
    Raises WorldError, StorageFull.
    """
    if scenes < 1 or texts < 1 or shard < 1:
        raise WorldError("There is nothing to build.", "Ask for at least one scene, caption and scene a shard.")
    wanted = {"world": world_hash(), "world_version": words.VERSION, "size": size, "split": split,
              "captions_per_scene": texts}  # fmt: skip
    if mix:
        sample_scene(0, split, mix)  # raises for kinds that there are not
        wanted["mix"] = dict(mix)
    if flawed:
        if mix:
            raise WorldError("The flawed world has a mix of its own.", "Leave out the mix.")
        wanted |= _of_the_flawed(split)
    try:
        out.mkdir(parents=True, exist_ok=True)
        return _fill(out, _meta(out, wanted), scenes, shard, jobs)
    except OSError as error:
        hint = "Free some room or choose another folder, then run the same command again: it goes on from there."
        raise StorageFull(f"The world could not be written to {out}: {error.strerror or error}.", hint) from error


def _fill(out: Path, meta: dict, scenes: int, shard: int, jobs: int) -> dict:
    done = sum(item["scenes"] for item in meta["shards"])
    batch: list = []
    pictures = _pictures(done, max(0, scenes - done), meta, jobs)
    for item in tqdm(pictures, total=scenes, initial=min(done, scenes), unit="scene", desc="painting the world"):
        batch.append(item)
        if len(batch) == shard or done + len(batch) == scenes:
            meta["shards"].append(_save(out, len(meta["shards"]), batch))
            done += len(batch)
            batch = []
            _write(out / "meta.json", json.dumps(meta, indent=1).encode())
    return meta
