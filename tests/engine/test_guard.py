"""The image filter: it sees, it keeps back, and without it nothing is shown."""

import sys
from pathlib import Path

import matplotlib
import msgspec
import numpy as np
import pytest
from PIL import Image

from salon.core.errors import GuardUnavailable
from salon.core.update import Failed, Finished, Picture, RefusedUpdate
from salon.engine.guard import EXPOSED, ClosedGuard, FilterMissing, ImageGuard, WorldGuard, house_guard
from salon.engine.models import ModelInfo
from salon.engine.registry import BUILT_IN, Registry
from salon.engine.runner import Runner

FACES = {"FACE_FEMALE", "FACE_MALE"}


def picture(index, rgb):
    return Picture(index=index, width=rgb.shape[1], height=rgb.shape[0], rgb=rgb.astype(np.uint8).tobytes())


@pytest.fixture(scope="module")
def portrait():
    """A photograph of a clothed person (Grace Hopper, public domain) that comes with matplotlib."""
    file = Path(matplotlib.__file__).parent / "mpl-data/sample_data/grace_hopper.jpg"
    return np.asarray(Image.open(file).convert("RGB").resize((256, 256)))


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(0, 256, (256, 256, 3))


def test_the_detector_sees_what_is_there_and_only_that(portrait, noise):
    """Its sensitivity to what it is for cannot be tested without such pictures; that it sees at all can."""
    pictures = [picture(3, portrait), picture(4, noise), picture(5, np.full((256, 256, 3), 200))]
    assert ImageGuard(unsafe=FACES).withheld(pictures) == {3}
    assert ImageGuard(unsafe=FACES, threshold=0.99).withheld(pictures) == set(), "the threshold counts"
    assert ImageGuard().withheld(pictures) == set(), "a clothed person is not withheld"
    assert not FACES & EXPOSED


def test_its_labels_are_those_of_the_detector():
    import nudenet.nudenet

    assert set(vars(nudenet.nudenet)["__labels"]) >= EXPOSED


class Second:
    """Keeps back the picture with index 1."""

    def check(self, model):
        pass

    def withheld(self, pictures):
        return {p.index for p in pictures if p.index == 1}


class Broken(Second):
    """Loads, and then fails at its work."""

    def withheld(self, pictures):
        raise GuardUnavailable("It failed.")


def drawn(registry, request, guard):
    runner = Runner(registry, guard=guard)
    said = runner.submit(request)
    while not runner.idle:
        said += runner.turn()
    return said[-1]


def test_what_is_kept_back_does_not_leave_the_engine(registry, ask):
    last = drawn(registry, ask("one", seeds=[1, 2, 3]), Second())
    assert isinstance(last, Finished)
    assert [p.index for p in last.images] == [0, 2]
    assert last.withheld == (1,)
    free = drawn(registry, ask("two", seeds=[1, 2, 3]), None)
    assert [p.index for p in free.images] == [0, 1, 2]
    assert free.withheld == ()


def test_a_filter_that_fails_lets_nothing_pass(registry, ask):
    last = drawn(registry, ask("one", seeds=[1, 2]), Broken())
    assert isinstance(last, Failed)
    assert last.code == "guard_unavailable"


def test_without_a_filter_nothing_is_drawn(registry, ask):
    last = drawn(registry, ask("one"), ClosedGuard(GuardUnavailable("It is not there.", "Install it.")))
    assert isinstance(last, RefusedUpdate)
    assert (last.code, last.why) == ("guard_unavailable", "It is not there. Install it.")


@pytest.mark.parametrize("answer", [[], [[{"class": "BELLY_EXPOSED"}]], None])
def test_an_answer_that_makes_no_sense_is_a_failure(noise, answer):
    guard = ImageGuard()
    guard._detector = type("Odd", (), {"detect_batch": lambda self, images, batch_size: answer})()
    if answer and "score" not in answer[0][0]:
        guard.unsafe = {"BELLY_EXPOSED"}
    with pytest.raises(GuardUnavailable):
        guard.withheld([picture(0, noise)])


def of_the_world(registry, name):
    """The registry's model as one whose card names the world that it learnt from."""
    registry._infos[name] = msgspec.structs.replace(registry.info(name), world="ab" * 32)


def test_without_the_extra_only_models_of_a_world_draw(registry, ask):
    """The tiny model's card names no world, as a checkpoint from elsewhere: closed, until the filter is there."""
    stranger = drawn(registry, ask("one"), WorldGuard())
    assert isinstance(stranger, RefusedUpdate)
    assert stranger.code == "guard_unavailable"
    assert "latent-salon[filter]" in stranger.why
    assert isinstance(drawn(registry, ask("two"), None), Finished), "the control: the model itself can draw"
    of_the_world(registry, ask("three").recipes[0].model)
    assert isinstance(drawn(registry, ask("three"), WorldGuard()), Finished)


def test_the_models_that_we_ship_are_of_a_world():
    infos = [info for info in Registry([BUILT_IN]).infos() if info.stages]
    assert infos
    for info in infos:
        WorldGuard().check(info)
    with pytest.raises(GuardUnavailable):
        WorldGuard().check(ModelInfo(name="elsewhere", ready=True))


def test_the_house_has_a_filter_unless_it_is_switched_off(monkeypatch):
    monkeypatch.delenv("SALON_IMAGE_GUARD", raising=False)
    assert isinstance(house_guard(), ImageGuard)
    monkeypatch.setenv("SALON_IMAGE_GUARD", "off")
    assert house_guard() is None
    monkeypatch.setenv("SALON_IMAGE_GUARD", "maybe")
    assert isinstance(house_guard(), ImageGuard), "a word that nobody knows does not open the door"


@pytest.mark.parametrize(("word", "kind"), [("", WorldGuard), ("on", ClosedGuard), ("maybe", ClosedGuard)])
def test_who_asks_for_a_filter_that_is_not_installed_draws_nothing(monkeypatch, word, kind):
    monkeypatch.setenv("SALON_IMAGE_GUARD", word)
    monkeypatch.setitem(sys.modules, "nudenet", None)
    with pytest.raises(FilterMissing):
        ImageGuard()
    assert isinstance(house_guard(), kind)


def test_a_filter_that_is_installed_and_broken_closes_the_house(monkeypatch):
    """Whoever installed it wants it: a missing part of it is not as if it were not there."""
    monkeypatch.delenv("SALON_IMAGE_GUARD", raising=False)
    monkeypatch.setitem(sys.modules, "nudenet", None)
    assert isinstance(house_guard(), WorldGuard), "the control"
    monkeypatch.delitem(sys.modules, "nudenet")
    monkeypatch.delitem(sys.modules, "nudenet.nudenet", raising=False)
    monkeypatch.setitem(sys.modules, "cv2", None)
    guard = house_guard()
    assert isinstance(guard, ClosedGuard)
    with pytest.raises(GuardUnavailable, match=r"latent-salon\[filter\]"):
        guard.check(ModelInfo(name="latent", ready=True, world="ab" * 32))
