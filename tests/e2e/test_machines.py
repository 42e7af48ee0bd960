"""Four machines, one prompt: the base install draws the same words and seeds in four ways, side by side."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from salon.core.png import read_recipe
from salon.engine.registry import weights_folders
from waiting import until

pytestmark = pytest.mark.slow

NAMES = ("latent", "vq", "cascade", "unclip")
FINISHED = "document.querySelectorAll('.machine .pane a img[src*=\"/images/\"]').length === 16"


@pytest.fixture(scope="module", autouse=True)
def _four():
    """The weights of all four, built in or in SALON_WEIGHTS."""
    for name in NAMES:
        if not any((folder / name / "model.json").is_file() for folder in weights_folders()):
            pytest.skip(f"there is no model folder `{name}`, neither built in nor in SALON_WEIGHTS")


def png(visitor, address):
    answer = visitor.request.get(f"{address}.png")
    assert answer.status == 200
    return answer.body()


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def test_four_machines_draw_the_same_words_and_seeds_each_its_own_way(visitor):
    page = visitor.new_page()
    page.goto("/station/machines?prompt=a+red+apple+on+the+grass&seed=5")
    page.click("#draw")
    until(page, FINISHED)
    sets = {}
    for name in NAMES:
        panes = page.locator(f".machine[data-name={name}] .pane a")
        files = [png(visitor, link.get_attribute("href")) for link in panes.all()]
        recipes = [read_recipe(data) for data in files]
        assert [recipe.model for recipe in recipes] == [name] * 4
        assert [recipe.seed for recipe in recipes] == [5, 6, 7, 8]
        assert {recipe.prompt for recipe in recipes} == {"a red apple on the grass"}
        sets[name] = [pixels(data) for data in files]
        assert all(picture.shape == (256, 256, 3) for picture in sets[name])
        assert all(picture.std() > 8 for picture in sets[name]), f"{name} drew a blank"
    for one, other in itertools.combinations(NAMES, 2):
        nearest = min(abs(a - b).mean() for a, b in zip(sets[one], sets[other]))
        assert nearest > 2, f"{one} and {other} drew the same"
