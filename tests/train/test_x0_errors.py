"""The script that says how well a model knows single things: the shipped model does, an untrained one does not."""

import runpy
from pathlib import Path

import pytest
import torch

from salon.engine.registry import BUILT_IN
from salon.nets.transformer import Transformer
from salon.train.weights import save_weights

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "x0_errors.py"))


@pytest.fixture(scope="module")
def scenes():
    return SCRIPT["scenes"](12)


def test_scenes_are_single_plain_things_by_the_worlds_own_hand(scenes):
    assert len(scenes) == len({scene.seed for scene in scenes}) == 12
    for scene in scenes:
        (thing,) = scene.things
        assert (scene.place, scene.style, thing.hand, thing.painted) == ("plain", None, "noto", False)
        assert scene.seed >= SCRIPT["FIRST_SEED"]


def test_the_shipped_model_knows_things_from_their_names(scenes, tmp_path):
    """At timestep 1 there is nothing to go by but words. Control: a network that has learnt nothing."""
    latent = BUILT_IN / "latent"
    found = SCRIPT["errors"](latent, latent, scenes)
    assert found["copy"] < found["0.4"] < found["0.7"] < found["1.0"] < 0.06
    torch.manual_seed(0)
    save_weights(Transformer(), tmp_path / "weights.safetensors")
    untrained = SCRIPT["errors"](tmp_path, latent, scenes)
    assert untrained["1.0"] > 0.2
    assert untrained["copy"] == found["copy"]
