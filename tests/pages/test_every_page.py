"""Every page: its weight, its width, its words without scripts, and what axe says of it."""

import pytest
from house import draw, hung
from playwright.sync_api import expect

from looking import accessible, fits

BUDGET = 150_000
PAGES = ["/", "/station", "/images/{image}", "/nothing-here"]


@pytest.fixture(scope="module")
def image(house, browser) -> str:
    """The name of an image that hangs."""
    page = browser.new_page(base_url=house.url)
    page.goto("/station")
    draw(page, "a painting of a river")
    name = hung(page).split("/")[-1].removesuffix(".png")
    page.context.close()
    return name


@pytest.mark.parametrize("path", PAGES)
def test_a_page_weighs_less_than_150_kb_without_images(visit, path: str, image: str) -> None:
    sizes: dict[str, int] = {}
    page = visit("about:blank", quiet=False)
    page.on("response", lambda r: sizes.update({r.url: len(r.body())}) if r.request.resource_type != "image" else None)
    page.goto(path.format(image=image))
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    assert any(url.endswith(".woff2") for url in sizes)
    assert sum(sizes.values()) < BUDGET, sizes


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_and_axe_finds_nothing(visit, path: str, image: str) -> None:
    page = visit(path.format(image=image), quiet=False)
    fits(page)
    accessible(page)


@pytest.mark.parametrize("width", [320, 3840])
def test_opened_at_that_width_the_station_fits(visit, width: int) -> None:
    fits(visit("/station", width, 740 if width < 900 else width * 9 // 16), (width,))


def test_what_is_too_wide_is_seen(visit) -> None:
    """Negative control."""
    page = visit("/")
    page.evaluate("document.querySelector('h1').style.width = '500px'")
    with pytest.raises(AssertionError, match="320"):
        fits(page)


def test_the_great_frame_fits_the_screen(visit) -> None:
    for width, height in ((1280, 720), (1440, 900), (3840, 2160)):
        page = visit("/station", width, height)
        box = page.locator(".great").bounding_box()
        assert box["y"] + box["height"] <= height
        assert box["width"] == pytest.approx(box["height"], abs=1)


def test_axe_finds_nothing_in_drawer_viewer_and_placard(visit) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit("/station")
    page.click("#drawer summary")
    draw(page, "a red elefant")
    assert axe.Axe().run(page).response["violations"] == []
    page.click("#grid li:first-child button")
    assert axe.Axe().run(page).response["violations"] == []
    page.keyboard.press("Escape")
    draw(page, "this fails")
    assert axe.Axe().run(page).response["violations"] == []


def test_axe_sees_what_is_wrong(visit) -> None:
    """Negative control: text too faint is found."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit("/station")
    page.evaluate("document.querySelector('.paper label').style.color = '#c8c8c8'")
    found = {violation["id"] for violation in axe.Axe().run(page).response["violations"]}
    assert "color-contrast" in found


def test_a_page_can_be_read_without_scripts(visit, image: str) -> None:
    page = visit(f"/images/{image}", java_script_enabled=False)
    assert page.inner_text("h1") == "a painting of a river"
    assert page.locator("#work").get_attribute("alt")
    assert "Seed" in page.inner_text("table")
    page.goto("/station")
    assert page.locator("#grid li").count() == 9
    assert "JavaScript" in page.inner_text("noscript")


def test_an_image_is_drawn_again_and_judged(visit, image: str) -> None:
    page = visit(f"/images/{image}")
    page.click("#again")
    page.wait_for_selector(".veil")
    expect(page.locator("#verdict")).to_contain_text("same picture")
    expect(page.locator(".veil")).to_have_count(0)


def test_the_recipe_can_be_copied(visit, image: str) -> None:
    page = visit(f"/images/{image}", permissions=["clipboard-read", "clipboard-write"])
    page.click("text=As JSON")
    page.click("#copy")
    expect(page.locator("#copied")).to_have_text("Copied.")
    assert '"prompt":"a painting of a river"' in page.evaluate("navigator.clipboard.readText()")


def test_links_of_an_image_fill_the_station(visit, image: str) -> None:
    page = visit(f"/images/{image}")
    page.click("text=New words")
    assert page.input_value("#prompt") == "a painting of a river"
    expect(page.locator("#seed")).not_to_have_value("")
    page.go_back()
    page.click("text=New seed")
    expect(page.locator("#prompt")).to_have_value("a painting of a river")
    expect(page.locator("#seed")).to_have_value("")


def test_an_image_says_what_it_is_to_other_sites(visit, image: str) -> None:
    page = visit(f"/images/{image}")
    meta = {m.get_attribute("property"): m.get_attribute("content") for m in page.locator("meta[property]").all()}
    assert meta["og:image"].endswith(f"/images/{image}.png")
    assert meta["og:image"].startswith("http")
    assert "a painting of a river" in meta["og:image:alt"]
    assert (meta["og:image:width"], meta["og:image:height"]) == ("256", "256")


def test_what_is_not_there_says_so_kindly(visit) -> None:
    page = visit("/images/0123456789abcdef", quiet=False)
    assert "Nothing hangs here" in page.inner_text("h1")
    assert page.locator(".placard a").get_attribute("href") == "/station"
