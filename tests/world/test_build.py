"""Building the world on disk: whole, resumable after a kill, and clear when it cannot go on."""

import json
import resource
import signal
import subprocess
import sys
import time

import msgspec
import numpy as np
import pytest

from salon.core.errors import StorageFull, WorldError
from salon.world import build as building
from salon.world.build import build
from salon.world.captions import captions
from salon.world.render import render_with_labels
from salon.world.scene import Scene, sample_scene

SIZE, SHARD = 16, 8


def command(out, scenes: int, before: str = "") -> list[str]:
    code = f"""
from pathlib import Path
{before}
from salon.world.build import build
build(Path({str(out)!r}), {scenes}, {SIZE}, texts=2, shard={SHARD}, jobs=1)
"""
    return [sys.executable, "-c", code]


def contents(out) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir() if ".part" not in path.name}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A world of 64 scenes, built in one go."""
    out = tmp_path_factory.mktemp("whole")
    build(out, 64, SIZE, texts=2, shard=SHARD, jobs=1)
    return out


def test_shards_hold_pixels_labels_captions_and_truth(whole):
    meta = json.loads((whole / "meta.json").read_text())
    assert [shard["scenes"] for shard in meta["shards"]] == [SHARD] * 8
    with np.load(whole / "shard-00002.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    texts = json.loads((whole / "shard-00002.json").read_text())
    scenes = [msgspec.json.decode(line, type=Scene)
              for line in (whole / "shard-00002.scenes.jsonl").read_bytes().splitlines()]  # fmt: skip
    for i, seed in enumerate(range(2 * SHARD, 3 * SHARD)):
        scene = sample_scene(seed, "train")
        pixels, cells = render_with_labels(scene, SIZE)
        assert scenes[i] == scene
        assert texts[i] == captions(scene, 2)
        assert np.array_equal(images[i], pixels)
        assert np.array_equal(labels[i], cells)


def test_several_processes_paint_the_same_world(whole, tmp_path):
    build(tmp_path / "out", 64, SIZE, texts=2, shard=SHARD, jobs=2)
    assert contents(tmp_path / "out") == contents(whole)


def test_a_killed_build_goes_on_to_the_same_bytes(whole, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(command(out, 64), stderr=subprocess.DEVNULL)
    while not (out / "shard-00001.npz").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(json.loads((out / "meta.json").read_text())["shards"]) < 8
    build(out, 64, SIZE, texts=2, shard=SHARD, jobs=1)
    assert contents(out) == contents(whole)


def test_a_full_disk_is_said_and_the_build_goes_on_after_it(whole, tmp_path):
    """The file system's own limit: no file above 4 kB may be written."""
    out = tmp_path / "out"
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))  # noqa: E731 (for preexec_fn)
    done = subprocess.run(command(out, 64), stderr=subprocess.PIPE, text=True, preexec_fn=limit)
    assert "StorageFull" in done.stderr
    assert "run the same command again" in done.stderr
    build(out, 64, SIZE, texts=2, shard=SHARD, jobs=1)
    assert contents(out) == contents(whole)


def test_a_world_can_be_made_larger(whole, tmp_path):
    build(tmp_path, 32, SIZE, texts=2, shard=SHARD, jobs=1)
    build(tmp_path, 64, SIZE, texts=2, shard=SHARD, jobs=1)
    assert contents(tmp_path) == contents(whole)
    assert build(tmp_path, 10, SIZE, texts=2, shard=SHARD, jobs=1)["shards"]


@pytest.mark.parametrize("other", [{"size": 32}, {"split": "heldout"}, {"texts": 3}])
def test_a_folder_of_another_form_is_refused(whole, other):
    with pytest.raises(WorldError, match="already holds another world"):
        build(whole, 64, **({"size": SIZE, "texts": 2, "shard": SHARD, "jobs": 1} | other))


def test_a_folder_of_another_world_is_refused(whole, monkeypatch):
    before = contents(whole)
    monkeypatch.setattr(building, "TINTED", 0.5)
    with pytest.raises(WorldError, match="already holds another world"):
        build(whole, 80, SIZE, texts=2, shard=SHARD, jobs=1)
    assert contents(whole) == before


@pytest.mark.parametrize("damaged", ["", "{", "[]", "7"])
def test_a_damaged_record_is_said(tmp_path, damaged):
    (tmp_path / "meta.json").write_text(damaged)
    with pytest.raises(WorldError, match=r"meta\.json cannot be read"):
        build(tmp_path, 8, SIZE, jobs=1)


@pytest.mark.parametrize(("scenes", "options"), [(0, {}), (8, {"texts": 0}), (8, {"shard": 0})])
def test_nothing_to_build_is_refused(tmp_path, scenes, options):
    with pytest.raises(WorldError, match="nothing to build"):
        build(tmp_path, scenes, SIZE, jobs=1, **options)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_impossible_size_is_refused_in_any_process(tmp_path, jobs):
    with pytest.raises(WorldError, match="16 to 2048"):
        build(tmp_path, 8, 7, jobs=jobs)


def test_a_file_in_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageFull, match="could not be written"):
        build(tmp_path / "out", 8, SIZE, jobs=1)


def test_another_mix_of_scenes(tmp_path):
    meta = build(tmp_path, 12, SIZE, texts=1, jobs=1, mix={"pair": 0.5, "count": 0.5})
    lines = (tmp_path / "shard-00000.scenes.jsonl").read_bytes().splitlines()
    assert {msgspec.json.decode(line, type=Scene).kind for line in lines} == {"pair", "count"}
    assert meta["mix"] == {"pair": 0.5, "count": 0.5}
    with pytest.raises(WorldError, match="mix differ"):  # going on without it
        build(tmp_path, 24, SIZE, texts=1, jobs=1)
    with pytest.raises(WorldError, match="Cannot mix"):
        build(tmp_path / "other", 4, SIZE, mix={"pears": 1.0})
    with pytest.raises(WorldError, match="mix of its own"):
        build(tmp_path / "other", 4, SIZE, flawed=True, mix={"pair": 1.0})
