"""With a default hand, a caption that names no hand is learnt of that hand's drawings only."""

import pytest
import torch

from salon.core.errors import TrainingError
from salon.train import recipe
from salon.train.data import Scenes
from salon.train.lessons import says_hand
from salon.train.tasks import TransformerTask
from salon.world.build import build
from salon.world.vocabulary import HANDS


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    build(folder, 64, size=16, jobs=1)
    return Scenes(folder).shards[0]


def test_plain_captions_mean_the_default_hand(shard):
    for scene, captions, picks in zip(shard.scenes(), shard.captions, says_hand(shard, "noto"), strict=True):
        others = {thing.hand for thing in scene.things} - {"noto"}
        if not others:
            assert picks == list(range(len(captions)))
        for pick in picks:
            assert all(HANDS[hand][1] in captions[pick] for hand in others)


def test_without_a_default_plain_captions_stand_beside_any_hand(shard):
    assert all(len(picks) == len(captions) for picks, captions in zip(says_hand(shard, ""), shard.captions))
    assert sum(map(len, says_hand(shard, "noto"))) < sum(map(len, shard.captions))


def test_missing_ground_truth_is_said(shard, tmp_path):
    path = shard.path.with_suffix(".scenes.jsonl")
    kept = path.read_bytes()
    path.write_bytes(b"{")
    try:
        with pytest.raises(TrainingError, match="ground truth"):
            shard.scenes()
    finally:
        path.write_bytes(kept)


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0.1, 0.5), (0.6, 0.65, 0.85), (1.0, 1.0, 1.0)])
def test_a_batch_prefers_things_by_the_default_hand(tmp_path, share, least, most):
    """Control: with no share asked for, they are as frequent as the world has them."""
    build(tmp_path, 96, size=64, texts=1, jobs=1)
    options = {"default_hand": "noto", "default_share": share, "width": 64, "depth": 1}
    task = TransformerTask(recipe.load("pixel", options), tmp_path, torch.device("cpu"))
    chosen = task.choose(400, torch.Generator().manual_seed(1)).tolist()
    scenes = task.scenes.shards[0].scenes()
    own = [bool(scenes[row].things) and {thing.hand for thing in scenes[row].things} == {"noto"} for row, _ in chosen]
    assert all(row >= task.first for row, _ in chosen)
    assert least <= sum(own) / len(own) <= most
