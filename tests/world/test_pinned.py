"""The world is frozen under its version: nothing it paints or says changes unnoticed, and its hash tells."""

import json
import runpy
from pathlib import Path

import msgspec
import numpy as np
import pytest

from salon.world import build, sprites
from salon.world import vocabulary as words
from salon.world.build import world_hash

PIN = runpy.run_path(str(Path(__file__).with_name("pin.py")))
SCENES, means = PIN["pinned_scenes"](), PIN["means"]
PINNED = json.loads(PIN["FILE"].read_text())
#: Grey levels by which a cell's mean may differ between versions of the libraries, at most and on average.
MOST, MEAN = 24, 2.0


def like(scene, name: str) -> bool:
    pinned = np.frombuffer(bytes.fromhex(PINNED[name]["means"]), np.uint8).reshape(8, 8, 3)
    off = np.abs(means(scene) - pinned)
    return bool(off.max() <= MOST and off.mean() <= MEAN)


@pytest.mark.parametrize("name", SCENES)
def test_scenes_look_and_read_as_they_did(name):
    assert like(SCENES[name], name)
    assert PIN["captions"](SCENES[name], 2) == PINNED[name]["captions"]


def test_a_change_would_be_seen():
    """Negative control: another seed, another colour, another place."""
    land = SCENES["land river"]
    assert not like(msgspec.structs.replace(land, light="day"), "land river")
    assert not like(msgspec.structs.replace(land, place="lake"), "land river")
    single = SCENES["single 0"]
    thing = msgspec.structs.replace(single.things[0], colour="blue" if single.ground != "blue" else "red", painted=True)
    assert not like(msgspec.structs.replace(single, things=(thing,)), "single 0")


def test_the_hash_of_this_version():
    """The model in this repository names this world. Another hash needs another VERSION, and a new pin."""
    assert (words.VERSION, world_hash()) == (
        "plaza-2", "8a8b3b5b0e159eaa149470b56aec0cd7f5d8e3188dfbda5c885572101df3d541"
    )  # fmt: skip


@pytest.mark.parametrize("table", ["HANDS", "HAND_SHARES", "COLOURS", "RELATIONS", "PLACES", "LANDSCAPES", "LIGHTS",
                                   "STYLES", "OCCUPATIONS", "PRESENTATIONS", "TONES", "COUNTRIES"])  # fmt: skip
def test_the_hash_hears_of_every_table(table, monkeypatch):
    before = world_hash()
    short = dict(list(getattr(words, table).items())[:-1])
    monkeypatch.setattr(words, table, short)
    assert world_hash() != before


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [(words, "NOUNS", words.NOUNS[:-1]), (words, "TINTS", words.TINTS[:-1]),
     (words, "REQUESTS", words.REQUESTS[:-1]), (words, "PRAISE", words.PRAISE[:-1]), (words, "VERSION", "plaza-0"),
     (build, "MIX", {"single": 1.0}), (build, "HELD_OUT_PERCENT", 7), (build, "RENDER", 3), (build, "STYLED", 0.3),
     (build, "TINTED", 0.3), (build, "FLIPPED", 0.2), (build, "STRAY", 0.1), (build, "SINGLE_SIDE", (0.5, 0.8))],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_hash_hears_of_every_rule(module, name, value, monkeypatch):
    before = world_hash()
    monkeypatch.setattr(module, name, value)
    assert world_hash() != before


def test_the_hash_hears_of_the_art(tmp_path, monkeypatch):
    copy = tmp_path / "sprites.jsonl.xz"
    copy.write_bytes(sprites.FILE.read_bytes() + b"\0\0\0\0")
    before = world_hash()
    monkeypatch.setattr(build, "FILE", copy)
    assert world_hash() != before
