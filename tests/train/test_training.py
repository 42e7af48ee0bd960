"""Training as it is done: real networks, small; real captions; real files."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from salon.core.errors import TrainingError
from salon.train import export, loop, recipe, storage, weights
from salon.train.data import Scenes

SMALL = {
    "autoencoder": {"encoder_width": 16, "decoder_width": 16, "channels": 4, "warmup": 5, "batch": 8, "lr": 0.004},
    "latent": {"channels": 4, "width": 64, "depth": 2, "labels": 16, "warmup": 5, "batch": 8, "lr": 0.003},
    "pixel": {"width": 64, "depth": 2, "labels": 16, "warmup": 5, "batch": 8, "lr": 0.003},
    "upscaler": {"width": 16, "depth": 1, "warmup": 5, "batch": 4},
}


def train(name, data, out, images, **sets):
    pace = {key: sets.pop(key) for key in ("resume", "init") if key in sets}
    return loop.run(name, data, out, sets=SMALL[name] | {"images": images} | sets, **pace)


def last(out):
    return json.loads((out / "log.jsonl").read_text().splitlines()[-1])


@pytest.fixture(scope="module")
def codec(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("codec")
    train("autoencoder", data, out, 800)
    return out


@pytest.fixture(scope="module")
def painter(data, codec, tmp_path_factory):
    out = tmp_path_factory.mktemp("painter")
    train("latent", data, out, 1000, autoencoder=str(codec))
    return out


def test_autoencoder_learns(codec):
    assert last(codec)["mse"] < 0.15  # the plain mean of these pictures leaves 0.25


def test_latents_of_a_finished_run_have_unit_variance(codec, data):
    """Control: with the running statistics of the last steps alone they do not."""
    net = weights.load_net(codec, "autoencoder").eval()
    images = torch.from_numpy(Scenes(data).images(list(range(128)), 64)).permute(0, 3, 1, 2)
    with torch.no_grad():
        assert torch.allclose(net.encode(images).std((0, 2, 3)), torch.ones(4), atol=0.05)
        net.encoder.norm.running_var *= 0.5
        assert not torch.allclose(net.encode(images).std((0, 2, 3)), torch.ones(4), atol=0.05)


def test_transformer_learns(painter):
    assert last(painter)["held_loss"] < 0.8  # zeros leave 2
    assert last(painter)["label"] < 1.5  # guessing among 16 leaves 2.8
    assert (painter / "sheet.png").stat().st_size > 1000


def test_pixels_learn(data, tmp_path):
    train("pixel", data, tmp_path, 400)
    assert last(tmp_path)["x0_mse_0.3"] < 0.2


def test_upscaler_beats_bicubic(large_data, tmp_path):
    train("upscaler", large_data, tmp_path, 300)
    assert last(tmp_path)["held_loss"] < last(tmp_path)["bicubic_loss"]


def test_resumed_run_is_the_uninterrupted_run(data, codec, tmp_path):
    """Stopped at half: the same weights to the last bit. Control: without the saved chance they differ."""
    options = {"autoencoder": str(codec), "decay": 0.0}
    train("latent", data, tmp_path / "whole", 96, **options)
    train("latent", data, tmp_path / "halves", 48, **options)
    state = torch.load(tmp_path / "halves/state.pt", weights_only=True)
    (tmp_path / "control").mkdir()
    torch.save(state | {"generator": torch.Generator().manual_seed(9).get_state()}, tmp_path / "control/state.pt")
    for name in ("halves", "control"):
        train("latent", data, tmp_path / name, 96, resume=True, **options)
    whole, halves, control = (
        torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "halves", "control")
    )
    assert whole["step"] == halves["step"] == control["step"] == 12
    for part in ("net", "averages"):
        a, b, c = ((s[part] if part == "net" else s[part][0]) for s in (whole, halves, control))
        assert all(torch.equal(a[key], b[key]) for key in a)
        assert not all(torch.equal(a[key], c[key]) for key in a)


def test_term_saves_the_state(data, tmp_path):
    command = [sys.executable, "-m", "salon.train", "autoencoder", "--data", data, "--out", tmp_path, "--minutes", "60"]
    sets = [f"--set={key}={value}" for key, value in SMALL["autoencoder"].items()]
    process = subprocess.Popen([*command, *sets], stderr=subprocess.PIPE)
    while not (tmp_path / "recipe.json").exists():
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1)
    os.kill(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"--resume" in said
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] > 0


def test_damaged_state_is_named(data, codec, tmp_path):
    (tmp_path / "state.pt").write_bytes((codec / "state.pt").read_bytes()[:5000])
    with pytest.raises(TrainingError, match=r"state\.pt is damaged"):
        train("autoencoder", data, tmp_path, 16, resume=True)


def test_state_of_another_network_is_refused(data, codec):
    with pytest.raises(TrainingError, match="another network"):
        train("autoencoder", data, codec, 9999, resume=True, channels=8)


def test_export_agrees_and_comes_back(data, codec, painter, tmp_path):
    for run in (codec, painter):
        assert all(d < export.TOLERANCE for d in export.export(run, tmp_path / "w").values())
    card = json.loads((tmp_path / "w/model.json").read_text())
    assert card["sample_shape"] == [4, 16, 16]
    assert card["world_version"] == "test"
    for model, run in (("autoencoder", codec), ("transformer", painter)):
        mine, _ = weights.read_weights(run, model)
        back, _ = weights.read_weights(tmp_path / "w", model)
        assert {k for k in mine if not k.startswith("label_head") and "tracked" not in k} == set(back)
        for key, tensor in back.items():
            stored = torch.from_numpy(storage.rounded(model, mine[key].float().numpy()))
            torch.testing.assert_close(tensor.reshape(mine[key].shape), stored, rtol=1e-3, atol=1e-6)
    out = tmp_path / "again"  # training goes on from the committed files
    train("latent", data, out, 80, init=tmp_path / "w", autoencoder=str(tmp_path / "w"), warmup=100)
    first = json.loads((out / "log.jsonl").read_text().splitlines()[0])
    assert first["flow"] < 1.0


def test_parity_check_can_fail(codec):
    """Control of the export's own check: a graph of other weights is noticed."""
    net = weights.load_net(codec, "autoencoder")
    [_, piece] = export.PIECES["autoencoder"](net)
    proto = export.to_onnx(piece, {"salon.config": "{}"})
    assert export.parity(piece.module, proto, piece.inputs(2)) < export.TOLERANCE
    with torch.no_grad():
        piece.module.body[0].weight.add_(0.05)
    assert export.parity(piece.module, proto, piece.inputs(2)) > export.TOLERANCE


def test_damaged_and_missing_weights(codec, tmp_path):
    with pytest.raises(TrainingError, match="no weights"):
        weights.read_weights(tmp_path, "upscaler")
    (tmp_path / "weights.safetensors").write_bytes((codec / "weights.safetensors").read_bytes()[:900])
    with pytest.raises(TrainingError, match="damaged"):
        weights.read_weights(tmp_path, "autoencoder")


def test_shards_may_be_added(tmp_path, write_data):
    scenes = Scenes(write_data(tmp_path, shards=1, scenes=10))
    write_data(tmp_path, shards=3, scenes=10)
    assert len(scenes.refresh()) == 2
    assert len(scenes) == 30
    with np.load(tmp_path / "shard-00002.npz") as truth:
        assert np.array_equal(scenes.gather([s.images for s in scenes.shards], [29])[0], truth["images"][9])


def test_recipes_refuse_what_they_do_not_know():
    assert recipe.load("latent", {"net.width": "320", "lr": "1"})["net"]["width"] == 320
    for sets in ({"wdth": "320"}, {"width": "wide"}):
        with pytest.raises(TrainingError):
            recipe.load("latent", sets)
    with pytest.raises(TrainingError, match="no training set"):
        Scenes("nowhere")
