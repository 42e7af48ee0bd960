"""Finding CLIP, what it reads of a picture, and that its absence is said at once and not looked for at every page."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

import tiny_clip

from salon.core.errors import WeightsDamaged, WeightsMissing
from salon.engine import registry
from salon.judge import clip


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder of weights that is the only one; what was found before is forgotten."""
    monkeypatch.setattr(registry, "weights_folders", lambda: [tmp_path])
    clip.forget_clip()
    yield tmp_path
    clip.forget_clip()


def test_words_and_pictures_meet(weights):
    tiny_clip.clip(weights)
    model = clip.load_clip()
    pictures = clip.pixels(Image.new("RGB", (100, 80), colour) for colour in tiny_clip.COLOURS.values())
    cosines = model.similarity(pictures, list(tiny_clip.COLOURS))
    assert np.array_equal(cosines.argmax(1), range(4))
    assert np.allclose(model.zero_shot(pictures, ["red", "blue"]).sum(1), 1, atol=1e-6)
    assert np.allclose(np.linalg.norm(clip.see([Image.new("RGB", (64, 64))]).astype(np.float32), axis=1), 1, atol=2e-3)
    assert clip.load_clip() is model


def test_other_weights_have_another_hash(weights):
    tiny_clip.clip(weights)
    first = clip.installed_clip().weights
    tiny_clip.clip(weights, seed=1)
    assert clip.installed_clip().weights == first  # as long as the process lives
    clip.forget_clip()
    assert clip.installed_clip().weights != first


def test_a_picture_is_read_as_its_middle_square_on_white():
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    assert np.allclose(clip.pixels([wide])[0, :, 32, 32], (-1, -1, 1))
    assert np.ptp(clip.pixels([wide])[0], axis=(1, 2)).max() == 0
    assert clip.pixels([Image.new("RGBA", (64, 64), (255, 0, 0, 0))]).min() == 1
    kinds = [Image.new(mode, (7, 9)) for mode in ("1", "L", "P", "LA", "CMYK", "RGBA")]
    assert clip.pixels(kinds).shape == (6, 3, 64, 64)
    grain = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    mean = grain.reshape(64, 4, 64, 4, 3).mean((1, 3)).transpose(2, 0, 1) / 127.5 - 1
    assert np.abs(clip.pixels([Image.fromarray(grain)])[0] - mean).max() < 1 / 127


def test_what_is_missing_is_said_and_not_looked_for_again_at_once(weights, monkeypatch):
    looked = []
    whole = clip.Registry
    monkeypatch.setattr(clip, "Registry", lambda: looked.append(1) or whole())
    for _ in range(3):
        with pytest.raises(WeightsMissing, match="not installed"):
            clip.load_clip()
    assert len(looked) == 1
    tiny_clip.clip(weights)
    monkeypatch.setattr(clip, "PATIENCE", 0.0)  # the control: without patience it is looked for, and found
    assert clip.load_clip()
    assert len(looked) == 2


@pytest.mark.parametrize("damage", ["file", "card", "graph"])
def test_what_is_damaged_is_said(weights, damage):
    here = tiny_clip.clip(weights)
    if damage == "card":
        (here / "model.json").write_text("{")
    else:
        (here / "image.onnx").write_bytes(b"no graph")
    if damage == "graph":  # its card says that these bytes are right
        facts = {p.stem: {"file": p.name, "sha256": tiny_clip.file_hash(p)} for p in here.glob("*.onnx")}
        tiny_clip.card(here, networks=facts)
    for _ in range(2):
        with pytest.raises(WeightsDamaged):
            clip.load_clip()
    with pytest.raises(WeightsDamaged):  # and then the box goes, too
        clip.installed_clip()
