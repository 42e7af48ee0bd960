"""A judge of the real form, trained for a moment only: what it says is worth nothing, how it says it is tested."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

import tiny

SETS = {"widths": [8, 16, 16, 16], "images": 48, "batch": 8, "warmup": 2, "round_trip": 0.0}


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """48 real scenes with their ground truth."""
    from salon.world.build import build

    folder = tmp_path_factory.mktemp("world")
    build(folder, 48, 64, jobs=1)
    return folder


@pytest.fixture(scope="session")
def run(data, tmp_path_factory) -> Path:
    """The folder of a short real training run."""
    import torch

    from salon.train import loop

    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("run")
    loop.run("detector", data, out, sets=SETS)
    return out


@pytest.fixture(scope="session")
def weights(run, tmp_path_factory) -> Path:
    """A weights folder with the model `tiny`, and the judge that the run made."""
    from salon.train.export import export

    folder = tmp_path_factory.mktemp("weights")
    tiny.model(folder)
    export(run, folder / "judge")
    card = json.loads((folder / "judge" / "judge.json").read_text())
    (folder / "judge" / "judge.json").write_text(json.dumps(card | {"thresholds": EAGER}))
    return folder


#: a judge that has learnt nothing is sure of nothing: let it speak all the same
EAGER = {"heat": 0.0, "name": 0.0, "readable": 0.0}
