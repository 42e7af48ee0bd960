"""CLIP's scores in a whole house: from the engine to the row to the API; and a house whose CLIP is torn."""

import shutil
from pathlib import Path

import pytest

import salon

SHIPPED = Path(salon.__file__).parent / "weights" / "clip"


@pytest.fixture(scope="module")
def torn(weights, tmp_path_factory):
    """A folder whose CLIP stands before the house's own, and is damaged."""
    folder = shutil.copytree(weights, tmp_path_factory.mktemp("torn") / "weights")
    shutil.copytree(SHIPPED, folder / "clip")
    for file in (folder / "clip").glob("image.onnx*"):
        file.write_bytes(file.read_bytes()[:-100])
    return folder


def test_every_picture_has_its_score_and_keeps_it(house):
    visitor = house.visitor()
    asked = visitor.ask(count=3, seed=5)
    assert [image["score"] for image in asked["images"]] == [None] * 3
    scores = [image["score"] for image in visitor.finish(asked)["images"]]
    assert all(-1 <= score <= 1 for score in scores)
    assert len(set(scores)) > 1
    later = visitor.get(f"/api/requests/{asked['id']}")[1]
    assert [image["score"] for image in later["images"]] == scores
    again = visitor.finish(visitor.ask(count=1, seed=6))["images"][0]["score"]
    assert again == pytest.approx(scores[1], abs=2e-4)  # two roundings to four digits


def test_python_hears_them_from_the_house(house):
    from salon import Salon

    [image] = Salon(url=f"http://127.0.0.1:{house.port}").draw("a red fox", seeds=[5], model="tiny")
    assert -1 <= image.info["score"] <= 1


@pytest.mark.slow
def test_a_house_with_a_torn_clip_draws_and_says_nothing_wrong(new_house, torn):
    visitor = new_house(SALON_WEIGHTS=str(torn)).visitor()
    done = visitor.finish(visitor.ask(count=2))
    assert done["state"] == "finished"
    assert [image["score"] for image in done["images"]] == [None, None]
    assert visitor.call("GET", done["images"][0]["src"])[0] == 200
