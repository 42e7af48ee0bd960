"""The wall's places: few works fill it, what is not square stands on a mat, and it takes the event's name and colour as
they change."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from waiting import until

pytestmark = pytest.mark.slow
SCREENS = {"1080p": (1920, 1080), "4K": (3840, 2160), "portrait": (1080, 1920)}
SHARE = """(() => {
const all = [...document.querySelectorAll('.slot:not([hidden]) .frame')].map(f => f.getBoundingClientRect());
const inside = all.every(b => b.left >= 0 && b.top >= 0 && b.right <= innerWidth && b.bottom <= innerHeight);
const apart = all.every((a, i) => all.slice(i + 1).every(b =>
  a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1));
return { share: all.reduce((sum, b) => sum + b.width * b.height, 0) / innerWidth / innerHeight, inside, apart,
  middle: (Math.min(...all.map(b => b.left)) + Math.max(...all.map(b => b.right))) / 2 / innerWidth } })()"""


def png(size, colour):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


class Hung:
    """A wall on which `count` works hang, every second one as wide as `size` says."""

    def __init__(self, page, count, size=(256, 256)):
        self.event = {"name": "The first day", "colour": ""}
        self.works = [self._work(n) for n in range(count)]
        page.route("**/wall/works.json", lambda route: route.fulfill(json={"event": self.event, "works": self.works}))
        page.route("**/works/*.png", lambda route: route.fulfill(body=self._picture(route, size)))
        page.route("**/qr.svg", lambda route: route.fulfill(status=404))

    def _work(self, n):
        where = f"/works/{n:032x}"
        return {"id": f"{n:032x}", "title": f"Work {n}", "maker": "Ada", "model": "latent", "year": 2026, "prompt": "",
                "src": f"{where}.png", "qr": f"{where}/qr.svg", "medium": ""}  # fmt: skip

    def _picture(self, route, size):
        n = int(route.request.url.split("/")[-1].split(".")[0], 16)
        return png(size if n % 2 else (256, 256), (40 + n * 9 % 200, 120, 160 - n * 7 % 120))


@pytest.fixture
def wall(visit):
    def opened(count, layout, screen, size=(256, 256)):
        page = visit("about:blank", *SCREENS[screen], quiet=False, service_workers="block")
        hung = Hung(page, count, size)
        page.goto(f"/wall?layout={layout}&seconds=600")
        expect(page.locator("body")).to_have_attribute("data-line", "open")
        look(page)
        shown = min(count, {"mosaic": 15, "triptych": 3}.get(layout, 1))
        until(page, f"document.querySelectorAll('.slot:not([hidden]) .over.shown').length === {shown}")
        return page, hung

    return opened


def look(page):
    """As a screen does that was asleep."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("layout", "count", "least"), [
    ("triptych", 2, 0.25), ("triptych", 1, 0.16), ("mosaic", 2, 0.35), ("mosaic", 3, 0.3), ("mosaic", 7, 0.45),
    ("mosaic", 15, 0.4),
])  # fmt: skip
def test_few_works_fill_the_wall(wall, layout, count, least, screen):
    page, _hung = wall(count, layout, screen)
    told = page.evaluate(SHARE)
    assert told["inside"], told
    assert told["apart"], told
    if layout == "mosaic" or screen != "portrait":  # upright, labels of a triptych stand beside the pictures
        assert told["middle"] == pytest.approx(0.5, abs=0.02)
    if layout == "mosaic" or screen != "portrait":
        assert told["share"] > least, told


def test_the_control_a_mosaic_of_two_as_it_was_is_small(wall):
    page, _hung = wall(2, "mosaic", "4K")
    page.evaluate("document.querySelector('#slots').style.setProperty('--side', 'min(25vh, 16vw)')")
    assert page.evaluate(SHARE)["share"] < 0.1


@pytest.mark.parametrize("size", [(512, 200), (200, 512)])
def test_what_is_not_square_stands_on_a_light_mat(wall, size):
    page, _hung = wall(3, "triptych", "1080p", size)
    edges = page.evaluate("""[...document.querySelectorAll('.over')].map(i =>
        [i.naturalWidth === i.naturalHeight, getComputedStyle(i).backgroundColor,
         parseFloat(getComputedStyle(i).padding)])""")
    assert {(square, padding > 0) for square, _, padding in edges} == {(True, False), (False, True)}
    mats = [colour for square, colour, _ in edges if not square]
    assert all(min(map(int, mat[4:-1].split(","))) > 200 for mat in mats), mats


def test_a_new_name_and_colour_are_taken_as_they_are_told(wall):
    page, hung = wall(1, "single", "1080p")
    assert page.get_attribute("#colour", "href") in (None, "")
    paint = "getComputedStyle(document.querySelector('.wall')).backgroundImage"
    before = page.evaluate(paint)
    hung.event = {"name": "Another day", "colour": "#3b2a5c"}
    hung.works = []
    look(page)
    expect(page.locator("#event-name")).to_have_text("Another day")
    expect(page.locator("#empty")).to_be_visible()
    until(page, f"{paint} !== {before!r}")
    hung.event = {"name": "A third", "colour": ""}
    look(page)
    until(page, f"{paint} === {before!r}")
