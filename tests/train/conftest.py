"""A tiny data set in the shape that `salon world build` writes: coloured squares and what to call them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

torch.set_num_threads(1)  # small networks: more threads only wait for each other

COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (50, 80, 220), "yellow": (240, 210, 40)}


def write_shard(folder: Path, number: int, scenes: int, size: int) -> dict:
    random = np.random.default_rng(number)
    images = np.full((scenes, size, size, 3), 240, np.uint8)
    labels = np.zeros((scenes, 8, 8), np.uint16)
    captions = []
    for i in range(scenes):
        name = list(COLOURS)[random.integers(4)]
        y, x = random.integers(0, 5, 2)
        cell = size // 8
        images[i, y * cell : (y + 4) * cell, x * cell : (x + 4) * cell] = COLOURS[name]
        labels[i, y : y + 4, x : x + 4] = list(COLOURS).index(name) + 1
        captions.append([f"a {name} square", f"one {name} square on plain ground"])
    np.savez(folder / f"shard-{number:05d}.npz", images=images, labels=labels)
    (folder / f"shard-{number:05d}.json").write_text(json.dumps(captions))
    return {"file": f"shard-{number:05d}.npz", "scenes": scenes}


def write(folder: Path, shards: int = 1, scenes: int = 64, size: int = 64) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    entries = [write_shard(folder, number, scenes, size) for number in range(shards)]
    meta = {"world": "0" * 64, "world_version": "test", "size": size, "captions_per_scene": 2, "shards": entries}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data"), shards=2)


@pytest.fixture(scope="session")
def large_data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("large"), scenes=16, size=256)


@pytest.fixture(scope="session")
def write_data():
    return write
