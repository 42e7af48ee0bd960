"""Tiny models with random weights, whole stages of the real family, and requests to draw with them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny

from salon.core.recipe import Request
from salon.engine.client import LocalEngine
from salon.engine.recipes import make_recipe
from salon.engine.registry import BUILT_IN, Registry


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """A folder with the models `tiny` (latents) and `pixels`."""
    folder = tmp_path_factory.mktemp("weights")
    tiny.model(folder)
    tiny.model(folder, "pixels", pixels=True)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def registry(weights, cache) -> Registry:
    return Registry([weights], cache)


@pytest.fixture
def engine(registry) -> LocalEngine:
    return LocalEngine(registry)


@pytest.fixture(scope="session")
def real() -> Registry:
    """The models that ship with the house; skips while there is none."""
    registry = Registry([BUILT_IN])
    if not any(info.ready for info in registry.infos()):
        pytest.skip("no trained model is installed yet")
    return registry


@pytest.fixture(scope="session")
def ask(registry):
    """ask("id", seeds=[1, 2], prompt=..., visitor=..., ...) -> Request for the tiny model."""

    def make(name, seeds=(1,), prompt="a red fox", visitor="ada", model="tiny", audience="visitor", **rest):
        more = {key: rest.pop(key) for key in ("previews", "trace") if key in rest}
        recipes = tuple(make_recipe(registry.info(model), prompt, seed, **rest) for seed in seeds)
        return Request(id=name, visitor=visitor, recipes=recipes, audience=audience, **more)

    return make
