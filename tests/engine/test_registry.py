"""Installed models: whole, missing, damaged; the plain graph cut from the traced one; the cache it lies in."""

import json
import os
import shutil

import numpy as np
import onnx
import pytest
import tiny

from salon.core.errors import SalonError, UnknownModel, WeightsDamaged, WeightsMissing
from salon.engine import runtime
from salon.engine.models import NetworkFile
from salon.engine.registry import Registry, weights_folders
from salon.engine.runtime import Network


@pytest.fixture
def own(weights, tmp_path):
    """A copy of the weights that a test may damage."""
    return shutil.copytree(weights, tmp_path / "weights")


def test_what_a_model_says_of_itself(registry):
    info = registry.info("tiny")
    assert (info.name, info.family, info.ready, info.problem, info.licence) == (
        "tiny",
        "latent",
        True,
        "",
        "Apache-2.0",
    )
    assert info.parameters > 20_000_000  # the text encoder's included
    assert len(info.weights_sha256) == 64
    assert {"euler", "dpmpp_2m"} <= set(info.samplers)
    assert registry.info("pixels").stages == {"diffusion": "diffusion"}
    assert (registry.info("pixels").width, info.width) == (64, 256)
    assert registry.info("pixels").weights_sha256 != info.weights_sha256


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lambda f: (f / "decoder.onnx").unlink(), "decoder.onnx cannot be read"),
        (lambda f: (f / "decoder.onnx").write_bytes(b"\0" * 99), "decoder.onnx is not what its card says"),
        (lambda f: os.truncate(f / "transformer.onnx", 1000), "transformer.onnx is not what"),
        (lambda f: (f / "model.json").write_text("{"), "not a model's card"),
        (lambda f: (f / "model.json").write_text('{"name": "tiny"}'), "missing required field"),
        (lambda f: (f / "model.json").write_bytes(b"\xff\xfe"), "not a model's card"),
        (lambda f: change(f, family="magic"), "family 'magic'"),
        (lambda f: change(f, name="other"), "card of other"),
        (lambda f: change(f, networks={}), "no sampler or network"),
        (lambda f: change(f, text_encoder="nobody"), "cannot be read"),
        (lambda f: change(f, networks={"transformer": {"file": "../x", "sha256": "0" * 64}}), "file"),
    ],
)
def test_a_damaged_model_says_what_is_wrong_and_stops_no_other(own, cache, harm, word):
    harm(own / "tiny")
    registry = Registry([own], cache)
    problems = {info.name: info.problem for info in registry.infos()}
    assert word in problems["tiny"]
    assert problems["pixels"] == ""
    registry.load("pixels")
    with pytest.raises(SalonError, match="tiny"):
        registry.load("tiny")


def change(folder, **fields):
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(card | fields))


def test_an_unknown_model_is_told_which_there_are(registry):
    with pytest.raises(UnknownModel, match="pixels, tiny"):
        registry.info("nobody")


def test_the_users_folder_comes_first(own, tmp_path, monkeypatch):
    monkeypatch.setenv("SALON_WEIGHTS", str(own))
    assert weights_folders()[0] == own
    other = tmp_path / "other"
    tiny.model(other, licence="MIT")
    registry = Registry([other, own])
    assert registry.info("tiny").licence == "MIT"
    assert registry.info("pixels").ready


def test_the_preferred_model_comes_first(own):
    """Control: without a preference the names decide."""
    first = lambda: next(info.name for info in Registry([own]).infos())  # noqa: E731
    assert first() == "pixels"
    change(own / "tiny", preferred=True)
    assert first() == "tiny"
    change(own / "tiny", purpose="everything")
    assert "purpose" in {info.name: info.problem for info in Registry([own]).infos()}["tiny"]


def facts(path):
    return NetworkFile(path.name, runtime.file_hash(path))


def feeds(batch=2):
    random = np.random.default_rng(0)
    return {
        "sample": random.standard_normal((batch, 4, 16, 16), np.float32),
        "timestep": random.random(batch, np.float32),
        "prompt_embeds": random.standard_normal((batch, 5, 384), np.float32),
        "prompt_mask": np.array([[1, 1, 1, 0, 0], [0] * 5][:batch]),
    }


def test_the_plain_graph_is_cut_once_and_agrees_with_the_traced_one(weights, tmp_path):
    path = weights / "tiny" / "transformer.onnx"
    network = Network(path, facts(path), tmp_path)
    traced = network.trace(**feeds())
    assert set(traced) == {"prediction", "cross_attention"}
    np.testing.assert_allclose(network.run(**feeds()), traced["prediction"], atol=1e-5)
    (cached,) = tmp_path.iterdir()
    assert [o.name for o in onnx.load(cached).graph.output] == ["prediction"]
    stamp = cached.stat().st_mtime_ns
    Network(path, facts(path), tmp_path)
    assert cached.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(("rows", "threads", "sizes"), [(1, 2, [1]), (3, 2, [1, 2]), (18, 2, [9, 9]), (20, 2, [5] * 4)])
def test_a_call_is_cut_into_even_pieces_that_lose_nothing(rows, threads, sizes):
    call = {"a": np.arange(rows), "b": np.arange(2 * rows).reshape(rows, 2)}
    cut = runtime.pieces(call, threads)
    assert [len(piece["a"]) for piece in cut] == sizes
    for name, value in call.items():
        assert np.array_equal(np.concatenate([piece[name] for piece in cut]), value)


def test_a_damaged_cache_is_made_anew(weights, tmp_path):
    path = weights / "tiny" / "decoder.onnx"
    Network(path, facts(path), tmp_path)
    (cached,) = tmp_path.iterdir()
    cached.write_bytes(b"rubbish")
    Network(path, facts(path), tmp_path)
    onnx.load(cached)


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(weights, tmp_path, monkeypatch):
    path = weights / "tiny" / "decoder.onnx"
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    Network(path, facts(path), in_the_way / "cache")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    Network(path, facts(path), tmp_path / "full")
    assert list((tmp_path / "full").iterdir()) == []


def test_missing_damaged_and_foreign_files(weights, tmp_path):
    path = weights / "tiny" / "decoder.onnx"
    with pytest.raises(WeightsMissing, match="nowhere"):
        Network(tmp_path / "nowhere.onnx", facts(path), tmp_path)
    with pytest.raises(WeightsDamaged, match="damaged or was changed"):
        Network(path, NetworkFile(path.name, "0" * 64), tmp_path)
    text = tmp_path / "text.onnx"
    text.write_text("no graph")
    with pytest.raises(WeightsDamaged, match="cannot be loaded"):
        Network(text, facts(text), tmp_path)


def test_the_cache_is_inside_the_salons_home(monkeypatch, tmp_path):
    monkeypatch.setenv("SALON_GRAPHS", str(tmp_path / "shared"))
    assert runtime.cache_folder() == tmp_path / "shared"
    monkeypatch.delenv("SALON_GRAPHS")
    monkeypatch.setenv("SALON_HOME", str(tmp_path))
    assert runtime.cache_folder() == tmp_path / "cache" / "graphs"
    monkeypatch.delenv("SALON_HOME")
    assert runtime.cache_folder().name == "graphs"
