"""The four other families, tiny and hardly taught: trained, exported, and found by the engine as the real ones are."""

import json
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))

from conftest import write as write_data
from salon.core.recipe import Request
from salon.engine.recipes import make_recipe
from salon.engine.registry import BUILT_IN, Registry
from salon.engine.runner import Runner
from salon.train import export, loop

torch.set_num_threads(1)

PACE = {"warmup": 3, "batch": 4}
SMALL = {"width": 64, "depth": 2}


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> dict[str, Path]:
    """A run folder for every network, a few steps long, and the weights folder that they are exported to."""
    root = tmp_path_factory.mktemp("families")
    data, large = write_data(root / "data", scenes=16), write_data(root / "large", scenes=8, size=256)
    places = {name: root / name for name in ("tokenizer", "painter", "cascade", "superres", "clip", "prior", "decoder")}
    places["weights"] = weights = root / "weights"

    def train(name, images, folder=data, **sets):
        loop.run(name, folder, places[name], sets=PACE | {"images": images} | sets)

    codec = {"encoder_width": 16, "decoder_width": 16, "channels": 4, "codes": 32}
    train("tokenizer", 24, lr=0.004, **codec)
    train("painter", 24, codes=32, tokenizer=str(places["tokenizer"]), **SMALL)
    train("cascade", 80, labels=16, lr=0.01, **SMALL)
    train("superres", 8, large, width=8, depth=1, batch=2)
    train("clip", 24, width=64, depth=1, text_depth=1, same_ground=0.0)
    train("prior", 24, width=64, depth=1, clip_model=str(places["clip"]))
    for run, family, levels in (
        ("tokenizer", "vq", 8), ("painter", "vq", 6), ("cascade", "cascade", 6), ("superres", "cascade", 0),
        ("clip", "clip", 6), ("clip", "unclip", 6), ("prior", "unclip", 6),
    ):  # fmt: skip
        export.export(places[run], weights / family, levels)
    base = str(weights / "cascade")
    train("decoder", 80, lr=0.03, clip_model=str(places["clip"]), base=base, adapter_rank=4, **SMALL)
    export.export(places["decoder"], weights / "unclip", 8)
    return places


@pytest.fixture(scope="session")
def weights(runs) -> Path:
    return runs["weights"]


@pytest.fixture(scope="session")
def registry(weights, tmp_path_factory) -> Registry:
    return Registry([weights], tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="session")
def real() -> Registry:
    """The models of the base install."""
    return Registry([BUILT_IN])


@pytest.fixture
def runner(registry) -> Runner:
    return Runner(registry)


@pytest.fixture(scope="session")
def ask():
    """ask(registry, "vq", "id", seeds=[1, 2], prompt=..., ...) -> Request."""

    def make(registry, model, name="r", seeds=(1,), prompt="a red square", visitor="ada", **rest):
        more = {key: rest.pop(key) for key in ("previews", "trace", "blobs") if key in rest}
        recipes = tuple(make_recipe(registry.info(model), prompt, seed, **rest) for seed in seeds)
        if blobs := more.pop("blobs", None):
            more["inputs"] = blobs
        return Request(id=name, visitor=visitor, recipes=recipes, **more)

    return make


@pytest.fixture(scope="session")
def card():
    """card(folder, **changes): change a model's card in place."""

    def change(folder: Path, **changes) -> None:
        path = folder / "model.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change
