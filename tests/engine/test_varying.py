"""Pictures that people give, made small; what is asked of them, as recipes; and everything else refused in words."""

import math
import os
import struct
import zlib

import msgspec
import numpy as np
import pytest
from PIL import Image

from salon import Salon
from salon.core.errors import BadRecipe, UnknownModel
from salon.core.hashing import bytes_hash
from salon.core.recipe import BlendOptions, DiffusionOptions, PlainOptions, Recipe
from salon.core.update import RefusedUpdate
from salon.engine import pictures
from salon.engine.client import LocalEngine
from salon.engine.models import RANGES, ModelInfo
from salon.engine.recipes import make_recipe
from salon.engine.varying import series, variations, varying

STEPS = {"num_inference_steps": 4, "guidance_scale": 2.0, "sampler": "euler"}
UNCLIP = ModelInfo(
    name="unclip", family="unclip", ready=True, weights_sha256="ab" * 32, defaults=STEPS, samplers=("euler",),
    ranges=RANGES | {"dynamic_threshold": (0.0, 1.0)}, main="decoder",
    stages={"prior": "prior", "decoder": "diffusion", "super_resolution": "diffusion"},
    stage_defaults={"prior": STEPS, "super_resolution": STEPS},
)  # fmt: skip
LATENT = ModelInfo(
    name="latent", family="latent", ready=True, weights_sha256="cd" * 32, defaults=STEPS, samplers=("euler",),
    ranges=RANGES, main="diffusion", stages={"diffusion": "diffusion", "upscale": "plain"},
)  # fmt: skip


def halves(width, height, mode="RGB"):
    """Red at the left, blue at the right."""
    picture = Image.new(mode, (width, height), "red")
    picture.paste("blue", (width // 2, 0, width, height))
    return picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "TGA", "ICO", "JPEG2000"])
def test_any_format_of_any_size_becomes_64_pixels(tmp_path, kind):
    file = tmp_path / "a"
    halves(200, 120).save(file, kind)
    small = np.asarray(pictures.small(pictures.read(file))).astype(int)
    assert small.shape == (64, 64, 3)
    assert small[32, 5, 0] > 200 > small[32, 5, 2]
    assert small[32, 58, 2] > 200 > small[32, 58, 0]


def test_the_middle_counts_and_transparency_is_white():
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    assert (np.asarray(pictures.small(wide)) == (0, 0, 255)).all()
    assert (np.asarray(pictures.small(Image.new("RGBA", (9, 9), (0, 0, 0, 0)))) == 255).all()


def test_a_photo_stands_as_its_camera_was_held(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    halves(64, 64).save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert pictures.read(tmp_path / "a.jpg").getpixel((32, 60))[2] > 200  # blue is below


def claims(width, height):
    """A PNG of a few bytes that says it has so many pixels."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"x")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "cannot be read"),
        (b"words", "cannot be read"),
        (os.urandom(5000), "cannot be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "cannot be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be read"),
        (claims(64, 64), "cannot be read"),
        (claims(12_000, 9_000), "12000 x 9000"),
        (claims(60_000, 60_000), "pixels, more than"),
    ],
    ids=range(8),
)
def test_broken_and_huge_files_are_refused_in_words(tmp_path, data, word):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(BadRecipe, match=word) as caught:
        pictures.read(tmp_path / "a")
    assert caught.value.hint


def test_the_limit_of_pixels_is_what_refuses(tmp_path, monkeypatch):
    """Negative control."""
    halves(100, 100).save(tmp_path / "a.png")
    assert pictures.read(tmp_path / "a.png").size == (100, 100)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 9_999)
    with pytest.raises(BadRecipe, match="100 x 100"):
        pictures.read(tmp_path / "a.png")
    monkeypatch.setattr(pictures, "MOST_BYTES", 99)
    with pytest.raises(BadRecipe, match="larger than"):
        pictures.read(tmp_path / "a.png")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(BadRecipe, match="no file"):
            pictures.read(path)
    with pytest.raises(FileNotFoundError):
        pictures.read(tmp_path / "nowhere")


def test_variations_need_no_words():
    begun = variations(UNCLIP, halves(80, 80), "", [3, 4], "", (0.5,))
    [(digest, data)] = begun.inputs.items()
    assert len(data) == 64 * 64 * 3
    assert digest == bytes_hash(data)
    assert [recipe.seed for recipe in begun.recipes] == [3, 4]
    for recipe in begun.recipes:
        assert recipe.inputs == {"image": digest}
        assert isinstance(recipe.stages["prior"], PlainOptions)
        assert recipe.prompt == ""


def test_text_diffs_go_seed_by_seed_through_the_amounts():
    begun = variations(UNCLIP, halves(80, 80), " a  blue square", [3, 4], "a red square", (0.0, 1))
    found = [(recipe.seed, recipe.stages["prior"]) for recipe in begun.recipes]
    steps = [BlendOptions(source="a red square", amount=amount) for amount in (0.0, 1.0)]
    assert found == [(seed, step) for seed in (3, 4) for step in steps]
    assert {recipe.prompt for recipe in begun.recipes} == {"a blue square"}
    [free] = variations(UNCLIP, halves(80, 80), "a blue square", [1], "", (0.5,)).recipes
    assert free.stages["prior"].source == ""


@pytest.mark.parametrize("amount", [-0.1, 1.1, math.nan, math.inf, True, "half", None])
def test_an_amount_that_is_none_is_refused(amount):
    with pytest.raises(BadRecipe, match="from 0"):
        variations(UNCLIP, halves(8, 8), "x", [1], "y", (amount,))


def test_a_text_diff_without_its_aim_is_refused():
    with pytest.raises(BadRecipe, match="shall become"):
        variations(UNCLIP, halves(8, 8), " ", [1], "a red square", (0.5,))
    with pytest.raises(BadRecipe, match="characters"):
        variations(UNCLIP, halves(8, 8), "x", [1], "y" * 1001, (0.5,))
    with pytest.raises(BadRecipe, match="empty"):
        make_recipe(UNCLIP, "", 1, prior=False)


def test_a_series_has_both_ends():
    assert series(5) == (0.0, 0.25, 0.5, 0.75, 1.0)
    with pytest.raises(BadRecipe, match="two"):
        series(1)


def test_which_model_varies():
    torn = ModelInfo(name="torn", problem="torn/model.json is torn.")
    assert varying([LATENT, UNCLIP], None) is UNCLIP
    assert varying([LATENT, UNCLIP], "unclip") is UNCLIP
    with pytest.raises(BadRecipe, match="words only"):
        varying([LATENT, UNCLIP], "latent")
    with pytest.raises(UnknownModel, match=r"torn/model\.json"):
        varying([LATENT, torn], None)
    with pytest.raises(UnknownModel, match="'huge'"):
        varying([LATENT], "huge")


def test_a_running_house_varies_nothing():
    with pytest.raises(BadRecipe, match="words only"):
        Salon(url="http://127.0.0.1:1").vary(halves(8, 8))


# --- dynamic thresholding ------------------------------------------------------------------------------------------


def test_recipes_that_say_nothing_of_thresholding_keep_their_names():
    """The very recipe, and its name, from before there was the option."""
    options = {"type": "diffusion", "num_inference_steps": 12, "guidance_scale": 3.0, "sampler": "euler"}
    told = {"model": "cascade", "weights": "ab" * 32, "prompt": "a fox", "seed": 7, "stages": {"base": options}}
    last = {**options, "num_inference_steps": 3, "guidance_scale": 1.0}
    recipe = msgspec.convert(told | {"stages": {"base": options, "super_resolution": last}}, Recipe)
    assert recipe.id == "6f44e684d7c98812aef1fb27378b6f48"
    assert "dynamic_threshold" not in recipe.to_json()
    asked = msgspec.structs.replace(recipe.stages["base"], dynamic_threshold=0.9)
    assert msgspec.structs.replace(recipe, stages=recipe.stages | {"base": asked}).id != recipe.id


def test_the_percentile_is_for_the_main_stage_of_pixels():
    recipe = make_recipe(UNCLIP, "x", 1, dynamic_threshold=0)
    assert recipe.stages["decoder"].dynamic_threshold == 0.0
    assert recipe.stages["prior"].dynamic_threshold is recipe.stages["super_resolution"].dynamic_threshold is None
    with pytest.raises(BadRecipe, match="nothing that latent can be told"):
        make_recipe(LATENT, "x", 1, dynamic_threshold=0.9)
    with pytest.raises(BadRecipe, match="nothing that unclip can be told"):
        make_recipe(UNCLIP, "x", 1, stages={"prior": {"dynamic_threshold": 0.9}})


@pytest.mark.parametrize("value", [-0.1, 1.01, math.nan, "much", True])
def test_a_percentile_out_of_range_is_refused(value):
    with pytest.raises(BadRecipe, match="percentile"):
        make_recipe(UNCLIP, "x", 1, dynamic_threshold=value)


@pytest.fixture(scope="module")
def clipped(cache, tmp_path_factory):
    """A tiny model of pixels whose card thresholds."""
    import tiny

    from salon.engine.registry import Registry

    folder = tmp_path_factory.mktemp("clipped")
    tiny.model(folder, "pixels", pixels=True, guidance={"percentile": 0.995})
    return Registry([folder], cache)


def test_it_is_each_samples_own_whoever_shares_the_batch(clipped):
    salon = Salon(engine=LocalEngine(clipped))
    asked = [{}, {"dynamic_threshold": 0.5}, {"dynamic_threshold": 0}, {"dynamic_threshold": 0.995}]
    recipes = [salon.recipes("a red fox", [5], guidance_scale=12.0, **one)[0] for one in asked]
    together = [np.asarray(image).astype(int) for image in salon.draw_recipes(recipes)]
    for recipe, image in zip(recipes, together):
        assert np.abs(np.asarray(salon.draw_recipes([recipe])[0]).astype(int) - image).max() <= 1
    own, half, plain, same = together
    assert np.abs(own - same).max() <= 1
    assert np.abs(own - half).max() > 10
    assert np.abs(half - plain).max() > 10


def test_a_stage_without_it_refuses_it(registry, ask):
    engine, request = LocalEngine(registry), ask("r", [1])
    options = DiffusionOptions(num_inference_steps=4, guidance_scale=3.0, sampler="euler", dynamic_threshold=0.9)
    recipe = request.recipes[0]
    recipe = msgspec.structs.replace(recipe, stages=recipe.stages | {"diffusion": options})
    engine.submit(msgspec.structs.replace(request, recipes=(recipe,)))
    [update] = engine.updates()
    assert isinstance(update, RefusedUpdate)
    assert "no thresholding" in update.why
