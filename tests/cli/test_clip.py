"""`salon clip`: searching a training set by words and by a picture; the matrix. On real scenes, with a tiny CLIP."""

import json
import os
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TINY = runpy.run_path(str(Path(__file__).parents[1] / "judge" / "tiny_clip.py"))
COLOURS = TINY["COLOURS"]


@pytest.fixture(scope="module")
def with_clip(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clip-weights")
    TINY["clip"](folder)
    return folder


@pytest.fixture
def environment(environment, with_clip):
    return environment | {"SALON_WEIGHTS": str(with_clip)}


@pytest.fixture
def data(tmp_path):
    """A set as `salon world build` writes it: two shards of flat colours, 64 and 128 px wide. Captions name them."""
    folder = tmp_path / "data"
    folder.mkdir()
    names, entries = list(COLOURS), []
    for number, side in enumerate((64, 128)):
        rows = names[:2] if number == 0 else names[2:]
        pictures = np.stack([np.full((side, side, 3), COLOURS[name], np.uint8) for name in rows])
        np.savez(folder / f"shard-{number:05d}.npz", images=pictures, labels=np.zeros((2, 8, 8), np.uint16))
        (folder / f"shard-{number:05d}.json").write_text(json.dumps([[f"a {name} ground", "other"] for name in rows]))
        entries.append({"file": f"shard-{number:05d}.npz", "scenes": 2})
    (folder / "meta.json").write_text(json.dumps({"shards": entries}))
    return folder


def test_words_find_scenes_of_both_shards(salon, data):
    done = salon("clip", "search", "blue", "--limit", "2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].split(maxsplit=2)[0::2] == ["2", "a blue ground"]
    out = json.loads(salon("clip", "search", "  green ", "--json", "--data", data).stdout)
    assert (out["scenes"], len(out["weights_sha256"]), len(out["results"])) == (4, 64, 4)
    assert out["results"][0]["scene"] == 1
    cosines = [row["cosine"] for row in out["results"]]
    assert cosines == sorted(cosines, reverse=True)


def test_a_picture_finds_its_like(salon, data, tmp_path):
    Image.new("RGB", (300, 100), COLOURS["yellow"]).save(tmp_path / "yellow.webp", lossless=True)
    out = json.loads(salon("clip", "search", "--image", "yellow.webp", "--json").stdout)
    assert out["results"][0]["caption"] == "a yellow ground"
    assert out["results"][0]["cosine"] == pytest.approx(1, abs=0.01)


def test_what_was_seen_is_kept_beside_the_shards(salon, data, with_clip, environment):
    salon("clip", "search", "red")
    kept = sorted((data / "cache").iterdir())
    assert [path.name.split("-")[:2] for path in kept] == [["shard", "00000.clip"], ["shard", "00001.clip"]]
    assert np.load(kept[0]).shape == (2, 256)
    np.save(kept[0], -np.load(kept[0]))  # it is really read: turned around, red comes last
    assert json.loads(salon("clip", "search", "red", "--json").stdout)["results"][-1]["scene"] == 0
    kept[0].write_bytes(b"broken")
    assert json.loads(salon("clip", "search", "red", "--json").stdout)["results"][0]["scene"] == 0
    shard = data / "shard-00000.npz"
    np.save(kept[0], -np.load(kept[0]))
    later = kept[0].stat().st_mtime_ns + 10**9
    os.utime(shard, ns=(later, later))  # the shard was painted anew since
    assert json.loads(salon("clip", "search", "red", "--json").stdout)["results"][0]["scene"] == 0
    other = with_clip.parent / "other-weights"
    TINY["clip"](other, seed=1)
    done = salon("clip", "search", "red", env=environment | {"SALON_WEIGHTS": str(other)})
    assert done.returncode == 0
    assert len(list((data / "cache").iterdir())) == 4


def test_a_set_of_the_real_world_is_searched_without_torch(salon, tmp_path, environment):
    assert salon("world", "build", "--out", "data", "--size", "16", "--scenes", "12", "--jobs", "1").returncode == 0
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "torch.py").write_text("raise AssertionError('torch was imported')")
    done = salon("clip", "search", "a red fox", "--limit", "3", env=environment | {"PYTHONPATH": str(tmp_path / "no")})
    assert done.returncode == 0, done.stderr
    captions = json.loads((tmp_path / "data" / "shard-00000.json").read_text())
    for line in done.stdout.splitlines():
        scene, cosine, caption = line.split(maxsplit=2)
        assert caption == captions[int(scene)][0]
        assert -1 <= float(cosine) <= 1


def test_the_matrix_names_the_right_colour(salon, tmp_path):
    files = []
    for name, colour in COLOURS.items():
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{name}.png")
        files.append(f"{name}.png")
    out = json.loads(salon("clip", "matrix", "--images", *files, "--texts", *COLOURS, "--json").stdout)
    assert np.argmax(out["cosine"], 1).tolist() == [0, 1, 2, 3]
    assert np.allclose(np.sum(out["probability"], 1), 1, atol=1e-4)
    done = salon("clip", "matrix", "--images", *files, "--texts", "red", "blue").stdout
    assert "cosine" in done
    assert "probability" in done
    assert done.rstrip().endswith("2  blue")


def damage(data, what):
    shard = data / "shard-00001.npz"
    if what == "no set":
        (data / "meta.json").unlink()
    elif what == "meta":
        (data / "meta.json").write_text('{"shards": [3]}')
    elif what == "empty":
        (data / "meta.json").write_text('{"shards": []}')
    elif what == "gone":
        shard.unlink()
    elif what == "half":
        shard.write_bytes(shard.read_bytes()[:3000])
    elif what == "pickle":
        np.savez(shard, images=np.array([{"a": 1}], dtype=object))
    elif what == "other":
        np.savez(shard, images=np.zeros((2, 64, 64), np.float32))
    elif what == "captions":
        shard.with_suffix(".json").write_text('[["one"], 3]')
    elif what == "fewer":
        shard.with_suffix(".json").write_text('[["one"]]')


@pytest.mark.parametrize("what", ["no set", "meta", "empty", "gone", "half", "pickle", "other", "captions", "fewer"])
def test_a_damaged_set_is_told(salon, data, what):
    damage(data, what)
    done = salon("clip", "search", "red")
    assert (done.returncode, done.stdout) == (2, "")
    assert "salon world build" in done.stderr


def test_wrong_questions_are_told(salon, data, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    cases = {
        ("search",): "one of the two",
        ("search", "red", "--image", "text.png"): "one of the two",
        ("search", "  \u202e "): "is empty",
        ("search", "x" * 1001): "at most 1000",
        ("search", "--image", "text.png"): "cannot be read as a picture",
        ("search", "--image", "nowhere.png"): "No such file",
        ("search", "red", "--limit", "0"): "whole number",
        ("matrix", "--images", "text.png", "--texts", "red"): "cannot be read as a picture",
        ("matrix", "--images", "text.png"): "--texts",
    }
    for arguments, sentence in cases.items():
        done = salon("clip", *arguments)
        assert done.returncode == 2, arguments
        assert sentence in done.stderr, arguments
        assert done.stdout == ""


def test_without_clip_it_is_said(salon, data, tmp_path, environment, with_clip):
    broken = tmp_path / "broken"
    (TINY["clip"](broken) / "text.onnx").write_bytes(b"")
    done = salon("clip", "search", "red", env=environment | {"SALON_WEIGHTS": str(broken)})
    assert done.returncode == 2
    assert "damaged" in done.stderr
