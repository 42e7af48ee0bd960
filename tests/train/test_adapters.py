"""Adapters and few steps: learnt on a tiny painter, exported, and added to its weights by the engine."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from salon.core.errors import SalonError, TrainingError, WeightsDamaged
from salon.engine.registry import Registry
from salon.nets.adapter import adapter_of, add_adapter, merged
from salon.nets.transformer import Transformer
from salon.train import export, loop, weights

NET = {"channels": 4, "width": 64, "depth": 2}
TEXT = (torch.randn(2, 5, 384, generator=torch.Generator().manual_seed(1)), torch.ones(2, 5))


def train(name, data, out, images, **sets):
    pace = {key: sets.pop(key) for key in ("resume", "init") if key in sets}
    small = NET | {"warmup": 5, "batch": 4, "lr": 0.003, "default_hand": ""}
    return loop.run(name, data, out, sets=small | {"images": images} | sets, **pace)


def lines(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    """A weights folder with the model `clean`: autoencoder and transformer, hardly taught."""
    runs, out = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("weights") / "clean"
    small = {"encoder_width": 16, "decoder_width": 16, "channels": 4, "warmup": 5, "batch": 8, "lr": 0.004}
    loop.run("autoencoder", data, runs / "ae", sets=small | {"images": 400})
    train("latent", data, runs / "latent", 800, autoencoder=str(runs / "ae"), labels=16)
    for name in ("ae", "latent"):
        export.export(runs / name, out)
    return out


@pytest.fixture(scope="module")
def fast(data, model, tmp_path_factory):
    out = tmp_path_factory.mktemp("fast")
    train("latent-fast", data, out, 240, base=str(model), autoencoder=str(model), adapter_rank=8, substeps=2)
    return out


def outputs(net):
    sample = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return net(sample, torch.tensor([0.3, 1.0]), *TEXT)


def shaken(net):
    """Adapters that do something."""
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.05, generator=torch.Generator().manual_seed(3))
    return net


def test_an_adapter_changes_nothing_until_it_learns():
    torch.manual_seed(0)
    net = Transformer(**NET)
    torch.nn.init.normal_(net.head.weight, std=0.1)
    before = outputs(net)
    add_adapter(net, 4)
    assert torch.allclose(outputs(net), before, atol=1e-6)
    assert all(("lora_" in name) == p.requires_grad for name, p in net.named_parameters())
    assert not torch.allclose(outputs(shaken(net)), before, atol=1e-2)


def test_merging_makes_a_plain_network_and_leaves_the_adapted_one_whole():
    net = shaken(add_adapter(Transformer(**NET), 4))
    torch.nn.init.normal_(net.head.parametrizations.weight.original, std=0.1)
    plain, wanted = merged(net), outputs(net)
    assert torch.allclose(outputs(plain), wanted, atol=1e-5)
    assert list(plain.state_dict()) == list(Transformer(**NET).state_dict())
    assert adapter_of(plain) == {}
    assert len(adapter_of(net)) == 2 * sum(isinstance(m, torch.nn.Linear) for m in Transformer(**NET).modules())
    assert torch.equal(outputs(net), wanted)


@pytest.mark.slow
def test_the_student_comes_nearer_to_the_teachers_pictures_than_the_teacher_in_as_few_steps(fast):
    found = lines(fast)[-1]
    assert found["held_loss"] < 0.8 * found["teacher_in_long_steps"]
    assert (fast / "sheet.png").stat().st_size > 1000


def test_only_the_adapter_learns(fast, model):
    whole, base = weights.read_weights(fast, "transformer")[0], weights.read_weights(model, "transformer")[0]
    state = torch.load(fast / "state.pt", weights_only=True)["net"]
    frozen = [key for key in state if key.endswith("weight.original") or ".bias" in key]
    assert frozen
    for key in frozen:
        assert torch.equal(state[key], base[key.replace(".parametrizations.weight.original", ".weight")])
    assert any(not torch.equal(whole[key], base[key]) for key in base)


def test_a_resumed_student_is_the_uninterrupted_one(data, model, tmp_path):
    options = {"base": str(model), "autoencoder": str(model), "adapter_rank": 4, "substeps": 1, "decay": 0.0}
    train("latent-fast", data, tmp_path / "whole", 16, **options)
    train("latent-fast", data, tmp_path / "halves", 8, **options)
    train("latent-fast", data, tmp_path / "halves", 16, resume=True, **options)
    one, other = (torch.load(tmp_path / name / "state.pt", weights_only=True)["net"] for name in ("whole", "halves"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_an_adapter_needs_a_base(data, model):
    with pytest.raises(TrainingError, match="needs a network"):
        train("latent-flawed", data, Path("nowhere"), 4, autoencoder=str(model), adapter_rank=4)
    with pytest.raises(TrainingError, match="teacher"):
        train("latent-fast", data, Path("nowhere"), 4, autoencoder=str(model), adapter_rank=0)


@pytest.fixture
def house(fast, model, tmp_path):
    """A weights folder with `clean` and, built on it, `fast`."""
    shutil.copytree(model, tmp_path / "clean")
    differences = export.export(fast, tmp_path / "fast")
    assert list(differences) == ["adapter.safetensors"]
    assert 0 < differences["adapter.safetensors"] < export.TOLERANCE
    return tmp_path


def test_the_engine_adds_the_adapter(house, fast, tmp_path):
    """Control: without it the same network says something else."""
    registry = Registry([house], tmp_path / "cache")
    info, clean = registry.info("fast"), registry.info("clean")
    assert info.ready, info.problem
    assert (info.defaults["num_inference_steps"], info.defaults["guidance_scale"]) == (4, 1.0)
    assert info.weights_sha256 != clean.weights_sha256
    assert info.parameters > clean.parameters
    feeds = {
        "sample": np.random.default_rng(0).standard_normal((3, 4, 16, 16), np.float32),
        "timestep": np.array([1.0, 0.6, 0.2], np.float32),
        "prompt_embeds": np.repeat(TEXT[0][:1].numpy(), 3, 0),
        "prompt_mask": np.ones((3, 5), np.int64),
    }
    with torch.no_grad():
        wanted = weights.load_net(fast, "transformer")(*(torch.from_numpy(feed) for feed in feeds.values())).numpy()
    network = registry.load("fast").stages[0].network
    assert np.allclose(network.run(**feeds), wanted, atol=2e-3)
    assert np.allclose(network.trace(**feeds)["prediction"], wanted, atol=2e-3)
    assert not np.allclose(registry.load("clean").stages[0].network.run(**feeds), wanted, atol=1e-2)
    again = Registry([house], tmp_path / "cache").load("fast").stages[0].network
    assert np.array_equal(again.run(**feeds), network.run(**feeds))  # now from the cache


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lambda f: (f / "fast/adapter.safetensors").unlink(), "cannot be read"),
        (lambda f: (f / "fast/adapter.safetensors").write_bytes(b"\0" * 40), "not what its card says"),
        (lambda f: shutil.rmtree(f / "clean"), "builds on the model clean, which is missing"),
        (lambda f: (f / "clean/transformer.onnx").write_bytes(b"other"), "another version of clean/transformer.onnx"),
    ],
)
def test_what_is_wrong_with_an_adapted_model_is_said(house, harm, word):
    harm(house)
    info = {info.name: info for info in Registry([house]).infos()}["fast"]
    assert not info.ready
    assert word in info.problem


@pytest.mark.parametrize(
    ("tensors", "word"),
    [
        ({"blocks.0.qkv.lora_A.weight": (4, 64)}, "no adapter"),
        ({"blocks.0.qkv.lora_A.weight": (4, 99), "blocks.0.qkv.lora_B.weight": (192, 4)}, "does not fit"),
        ({"nobody.lora_A.weight": (4, 64), "nobody.lora_B.weight": (192, 4)}, "does not fit"),
        ({"blocks.0.qkv.weight": (192, 64)}, "other tensors"),
    ],
)
def test_a_strange_adapter_is_refused(house, tensors, word):
    path = house / "fast/adapter.safetensors"
    save_file({name: torch.ones(shape) for name, shape in tensors.items()}, path)
    card = json.loads((house / "fast/model.json").read_text())
    card["networks"]["transformer"]["adapter"]["sha256"] = export.file_hash(path)
    (house / "fast/model.json").write_text(json.dumps(card))
    with pytest.raises(WeightsDamaged, match=word):
        Registry([house], house / "cache").load("fast")


def test_an_adapter_of_other_weights_is_not_exported(fast, model, tmp_path):
    run = shutil.copytree(fast, tmp_path / "run")
    tensors = load_file(run / "adapter.safetensors")
    about = weights.read_about(run / "adapter.safetensors")
    weights.save_adapter({k: v * 2 for k, v in tensors.items()}, run / "adapter.safetensors", **about)
    with pytest.raises(TrainingError, match="other weights"):
        export.export(run, tmp_path / "out")
    weights.save_adapter(tensors, run / "adapter.safetensors", **about | {"base": str(tmp_path)})
    with pytest.raises(TrainingError, match="no exported model"):
        export.export(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_drawing_with_an_adapted_model(house, tmp_path):
    from salon.engine.client import LocalEngine
    from salon.engine.drawing import Salon

    salon = Salon(engine=LocalEngine(Registry([house], tmp_path / "cache")))
    one, other = (salon.draw("a red square", seeds=[3], model=name)[0] for name in ("fast", "clean"))
    assert one.size == other.size
    assert one.tobytes() != other.tobytes()
    with pytest.raises(SalonError, match="No model named"):
        salon.draw("a red square", model="faster")
