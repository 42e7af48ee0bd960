"""The image filter in a whole house: what it keeps back has no file; a broken one stops the drawing, not the house."""

import textwrap

import pytest

pytestmark = pytest.mark.slow

KEEPS_THE_FIRST = """
    class NudeDetector:
        def __init__(self, **options): pass
        def detect_batch(self, images, batch_size):
            return [[{"class": "BUTTOCKS_EXPOSED", "score": 0.9 * (place == 0)}] for place in range(len(images))]
"""
BROKEN = "raise OSError('libGL.so.1: cannot open shared object file')\n"


@pytest.fixture
def guarded(new_house, tmp_path):
    """guarded(code): a house whose `nudenet` is this code."""

    def make(code):
        (tmp_path / "nudenet.py").write_text(textwrap.dedent(code))
        return new_house(PYTHONPATH=str(tmp_path))

    return make


def test_a_picture_kept_back_is_nowhere(guarded):
    house = guarded(KEEPS_THE_FIRST)
    visitor = house.visitor()
    done = visitor.finish(visitor.ask(count=3, seed=5))
    first, *rest = done["images"]
    assert [image["withheld"] for image in done["images"]] == [True, False, False]
    assert visitor.call("GET", first["src"])[0] == 404
    assert not list(house.home.glob(f"images/**/{first['id']}*"))
    assert "image filter kept this picture back" in visitor.call("GET", first["url"])[1].decode()
    for image in rest:
        assert visitor.call("GET", image["src"])[0] == 200


def test_without_a_filter_that_works_nothing_is_drawn(guarded):
    house = guarded(BROKEN)
    visitor = house.visitor()
    request = visitor.ask(count=1)
    *_, (tag, data) = visitor.stream(request)
    assert (tag, data["code"]) == ("refused", "guard_unavailable")
    assert "libGL.so.1" in data["message"]
    assert "SALON_IMAGE_GUARD=off" in data["message"]
    assert visitor.call("GET", "/gallery")[0] == 200


def test_whoever_switches_it_off_draws_without(new_house, tmp_path):
    (tmp_path / "nudenet.py").write_text(BROKEN)
    house = new_house(PYTHONPATH=str(tmp_path), SALON_IMAGE_GUARD="off")
    visitor = house.visitor()
    assert visitor.finish(visitor.ask(count=1))["state"] == "finished"
