"""What the families' lessons add to the loop: like grounds, a decoder that learns alone, words beside an embedding."""

import json

import numpy as np
import pytest
import torch

from salon.core.errors import TrainingError
from salon.nets.unclip import UnclipDecoder
from salon.train import loop, recipe, weights
from salon.train.tasks import TASKS
from salon.world.build import build

SMALL_CLIP = {"width": 64, "depth": 1, "text_depth": 1, "warmup": 3}
SMALL_CODEC = {"encoder_width": 16, "decoder_width": 16, "channels": 4, "codes": 32, "warmup": 3, "batch": 4}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("world")
    build(out, 96, jobs=1)
    return out


def grounds_of(task, pairs):
    scenes = [scene for shard in task.scenes.shards for scene in shard.scenes()]
    return {(scenes[i].place, scenes[i].ground) for i in pairs[:, 0].tolist()}


def test_hard_batches_are_of_one_ground_and_the_others_are_not(world):
    task = TASKS["clip"](recipe.load("clip", SMALL_CLIP | {"same_ground": 1.0}), world, torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    assert all(len(grounds_of(task, task.alike(12, generator))) == 1 for _ in range(8))
    assert len(grounds_of(task, task.choose(12, generator))) > 1  # control


def test_like_grounds_can_be_left_out(world):
    task = TASKS["clip"](recipe.load("clip", SMALL_CLIP | {"same_ground": 0.0}), world, torch.device("cpu"))
    assert task.grounds == []


@pytest.fixture(scope="module")
def codec(world, tmp_path_factory):
    out = tmp_path_factory.mktemp("codec")
    loop.run("tokenizer", world, out, sets=SMALL_CODEC | {"images": 24})
    return out


def test_a_decoder_that_learns_alone_leaves_the_codes_as_they_are(codec, world, tmp_path):
    sets = SMALL_CODEC | {"images": 32, "decoder_only": True, "commitment": 0.0}
    loop.run("tokenizer", world, tmp_path / "alone", sets=sets, init=codec)
    loop.run("tokenizer", world, tmp_path / "all", sets=sets | {"decoder_only": False}, init=codec)
    runs = (codec, tmp_path / "alone", tmp_path / "all")
    before, alone, whole = (weights.read_weights(run, "tokenizer")[0] for run in runs)
    kept = [name for name in before if name.startswith(("encoder.", "books.")) and before[name].is_floating_point()]
    assert kept
    assert all(torch.equal(before[name], alone[name]) for name in kept)
    assert any(not torch.equal(before[name], whole[name]) for name in kept)  # control
    assert any(not torch.equal(before[n], alone[n]) for n in before if n.startswith("decoder."))


def test_what_clip_sees_is_a_distance(codec, world, tmp_path):
    blind = recipe.load("tokenizer", SMALL_CODEC | {"perceptual_weight": 0.2})
    with pytest.raises(TrainingError, match="needs CLIP"):
        TASKS["tokenizer"](blind, world, torch.device("cpu"))
    loop.run("clip", world, tmp_path / "clip", sets={**SMALL_CLIP, "images": 24, "batch": 8})
    sets = SMALL_CODEC | {"perceptual_weight": 0.2, "critic_weight": 0.1, "images": 8}
    sets |= {"clip_model": str(tmp_path / "clip")}
    loop.run("tokenizer", world, tmp_path / "seen", sets=sets)
    line = json.loads((tmp_path / "seen" / "log.jsonl").read_text().splitlines()[-1])
    assert line["perceived"] > 0
    task = TASKS["tokenizer"](recipe.load("tokenizer", sets), world, torch.device("cpu"))
    images = task.pixels(task.scenes, list(range(4)))
    assert float(task.perceived(images, images)) < 1e-6 < float(task.perceived(images.roll(1, 0), images))


def test_a_run_knows_what_its_weights_have_been_through(codec, world, tmp_path):
    loop.run("tokenizer", world, tmp_path, sets=SMALL_CODEC | {"images": 16}, init=codec)
    assert weights.past(codec, "tokenizer")["images"] == 24
    assert weights.read_about(tmp_path)["images"] == 40
    loop.run("tokenizer", world, tmp_path, sets=SMALL_CODEC | {"images": 32}, resume=True)
    assert weights.read_about(tmp_path)["images"] == 56


def test_the_decoder_hears_embedding_and_words_and_can_do_without_either():
    net = UnclipDecoder(embed=8, channels=3, size=64, patch=8, width=64, depth=1, prediction_type="sample").eval()
    torch.manual_seed(0)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    sample, timestep = torch.randn(1, 3, 64, 64), torch.tensor([0.5])
    told = torch.randn(1, 4, 384)

    def drawn(rows, mask):
        with torch.no_grad():
            return net(sample, timestep, rows, torch.tensor([mask], dtype=torch.float32)).numpy()

    both, image, words = (drawn(told, mask) for mask in ([1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 1, 1]))
    assert not any(np.allclose(a, b) for a, b in ((both, image), (both, words), (image, words)))
    other = told.clone()
    other[:, 0, 8:] = 5.0  # what stands behind the embedding in its row is not read
    assert np.array_equal(drawn(other, [1, 1, 1, 1]), both)
    other[:, 0, :8] = 5.0
    assert np.allclose(drawn(other, [0, 1, 1, 1]), words)
