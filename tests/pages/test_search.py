"""Searching the gallery in a real browser: words by keyboard, more like this, a photo made small before it is sent."""

import sys
from pathlib import Path

import numpy as np
import pytest
from house import House
from PIL import Image
from playwright.sync_api import expect

from looking import accessible, fits
from waiting import until

sys.path.insert(0, str(Path(__file__).parents[1] / "judge"))

import tiny_clip

pytestmark = pytest.mark.slow

#: hangs thirty scenes of the world, and one flat blue picture first
HANG = """
import django; django.setup()
import io
import numpy as np
from PIL import Image as Picture
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from salon.core.recipe import DiffusionOptions, Recipe
from salon.web.events.domain import current_event
from salon.web.gallery.models import Work
from salon.web.station.domain.intake import store
from salon.web.station.models import Image, Request
from salon.world.render import render
from salon.world.scene import sample_scene

options = DiffusionOptions(num_inference_steps=4, guidance_scale=3.0, sampler="euler")
for seed in range(31):
    recipe = Recipe(model="latent", weights="cd" * 32, prompt="a fox", seed=seed, stages={"base": options})
    store(current_event(), "d" * 32, None, (recipe,))
    pixels = render(sample_scene(seed, "train"), 256) if seed else np.full((256, 256, 3), (30, 40, 220), np.uint8)
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "PNG")
    name = default_storage.save(f"x/{recipe.id}.png", ContentFile(file.getvalue()))
    Image.objects.filter(id=recipe.id).update(file=name)
    title = f"Scene {seed}" if seed else "Blue Hour"
    fields = {"visitor": "d" * 32, "title": title, "maker": "Ada", "state": "hung", "hung_at": timezone.now()}
    Work.objects.create(event=current_event(), image_id=recipe.id, **fields)
Request.objects.update(state="finished")
"""
PATHS = ("/gallery", "/gallery/search", "/gallery/search?q=blue", "/gallery/search?q=" + "x" * 1001)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A house of its own, with a tiny CLIP and a full gallery."""
    folder = tmp_path_factory.mktemp("searched")
    tiny_clip.clip(folder / "weights")
    opened = House(folder)
    opened.env["SALON_WEIGHTS"] = str(folder / "weights")
    assert opened.python("-c", HANG).wait(300) == 0
    opened.open_web()
    yield opened
    opened.close(opened.web)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A noisy bluish photo of several MB."""
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    grain = np.random.default_rng(0).integers(0, 40, (1500, 2200, 3), np.uint8)
    Image.fromarray(grain + np.uint8([20, 30, 200])).save(path)
    assert path.stat().st_size > 1_000_000
    return path


def first(page):
    return page.locator(".piece h2").first


def test_words_by_keyboard_then_more_like_it(visit):
    page = visit("/gallery")
    page.locator("#q").focus()
    page.keyboard.type("blue")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("“blue”")
    expect(first(page)).to_have_text("Blue Hour")
    assert page.locator(".piece").count() == 31
    assert page.input_value("#q") == "blue"
    page.locator(".piece .frame").first.click()
    page.click("text=More like this")
    expect(page.locator("h1")).to_have_text("More like this")
    expect(page.locator(".alike")).to_contain_text("Blue Hour")
    assert page.locator(".piece").count() == 30


def test_a_photo_is_made_small_before_it_is_sent(visit, photo):
    page = visit("/gallery")
    page.keyboard.press("Tab")
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    page.set_input_files("#picture", photo)
    sent = []
    page.on(
        "request", lambda r: sent.append(int(r.all_headers().get("content-length", 0))) if r.method == "POST" else 0
    )
    page.get_by_role("button", name="Look for it").click()
    expect(page.locator("h1")).to_have_text("Like your picture")
    expect(first(page)).to_have_text("Blue Hour")
    expect(page.locator(".knows")).to_contain_text("from outside this world")
    assert len(sent) == 1
    assert sent[0] < 60_000


def test_a_file_that_is_no_picture_is_not_sent(visit, tmp_path):
    path = tmp_path / "words.png"
    path.write_text("no picture")
    page = visit("/gallery")
    page.click("summary")
    page.set_input_files("#picture", path)
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    page.get_by_role("button", name="Look for it").click()
    until(page, "document.querySelector('#picture').validationMessage.includes('cannot read')")
    assert sent == []


def test_it_works_without_scripts(visit, tmp_path):
    small, broken = tmp_path / "small.png", tmp_path / "broken.png"
    Image.new("RGB", (90, 64), (30, 40, 220)).save(small)
    broken.write_bytes(small.read_bytes()[:60])
    page = visit("/gallery/search?q=blue", java_script_enabled=False, quiet=False)
    expect(first(page)).to_have_text("Blue Hour")
    for path, heading in ((small, "Like your picture"), (broken, "Search")):
        page.click("summary") if not page.locator("#picture").is_visible() else None
        page.set_input_files("#picture", path)
        page.get_by_role("button", name="Look for it").click()
        expect(page.locator("h1")).to_have_text(heading)
    expect(page.locator("#wrong")).to_contain_text("cannot be read as a picture")
    expect(page.locator("#picture")).to_be_visible()


def test_every_page_fits_and_axe_finds_nothing(visit):
    page = visit("about:blank", 390, 740, quiet=False)
    for path in PATHS:
        page.goto(path)
        if page.locator("summary").count():
            page.click("summary")
        fits(page)
        accessible(page)
        small = page.locator(".finder button, .finder input, .finder summary").evaluate_all(
            "all => all.filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
        )
        assert small == []
