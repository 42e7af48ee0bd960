"""Pictures that fail to arrive: fetched again by themselves, then by a button in their place; never by loading the page
anew, which a booth cannot."""

from collections import Counter

import pytest
from house import draw, hung
from playwright.sync_api import expect

from waiting import until

pytestmark = pytest.mark.slow
ARRIVED = 'document.querySelectorAll("%s").length && [...document.querySelectorAll("%s")].every(i => i.naturalWidth)'


class Bad:
    """A house that answers the first `fails` requests for each picture with 503."""

    def __init__(self, page, fails, pattern="**/images/*.png"):
        self.seen, self.fails = Counter(), fails
        page.route(pattern, self._answer)

    def _answer(self, route):
        self.seen[route.request.url] += 1
        if self.seen[route.request.url] > self.fails:
            return route.continue_()
        return route.fulfill(status=503, body="away")


def arrived(page, selector, count=1):
    expect(page.locator(selector)).to_have_count(count)
    until(page, ARRIVED % (selector, selector))


@pytest.fixture(scope="module")
def visitor(house, browser):
    """A visitor who has drawn nine."""
    context = browser.new_context(base_url=house.url)
    context.set_default_timeout(40_000)
    page = context.new_page()
    page.goto("/station")
    draw(page, "a lighthouse in the rain")
    context.image = hung(page).split("/")[-1].removesuffix(".png")
    yield context
    context.close()


@pytest.fixture
def page(visitor):
    opened = visitor.new_page()
    yield opened
    opened.close()


#: page -> (its pictures, how many)
PAGES = {
    "/mine": ("main img[src*='/images/']", 9),
    "/images/{image}": ("#work", 1),
    "/images/{image}/hang": ("main img[src*='/images/']", 1),
}


@pytest.mark.parametrize("path", PAGES)
def test_a_picture_of_a_page_comes_at_the_third_try(page, visitor, path):
    bad = Bad(page, fails=2)
    page.goto(path.format(image=visitor.image))
    arrived(page, *PAGES[path])
    assert set(bad.seen.values()) == {3}
    assert page.locator(".again").count() == 0


def test_the_control_without_the_module_it_never_comes(page, visitor):
    bad = Bad(page, fails=1)
    page.route("**/pictures.js", lambda route: route.abort())
    page.goto(f"/images/{visitor.image}")
    page.wait_for_load_state("networkidle")
    assert not page.evaluate(ARRIVED % ("#work", "#work"))
    assert set(bad.seen.values()) == {1}


def test_after_four_tries_a_button_asks_again_and_can_be_reached_by_key(page, visitor):
    bad = Bad(page, fails=4)
    page.goto(f"/images/{visitor.image}")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    assert set(bad.seen.values()) == {4}
    again.focus()
    page.keyboard.press("Enter")
    arrived(page, "#work")
    expect(again).to_have_count(0)


def test_the_stations_grid_hangs_what_failed_at_first(page):
    page.goto("/station")
    bad = Bad(page, fails=2)
    draw(page, "a red fox in the snow")
    arrived(page, "#grid button img", 9)
    assert set(bad.seen.values()) >= {3}
    assert page.locator("#placard:visible").count() == 0


def test_in_the_grid_a_button_stands_where_a_picture_is_lost(page):
    page.goto("/station")
    lost = []

    def one(route):
        lost[:] = lost or [route.request.url]
        return route.fulfill(status=503) if route.request.url == lost[0] and one.away else route.continue_()

    one.away = True
    page.route("**/images/*.png", one)
    page.fill("#prompt", "a blue boat")
    page.click("#draw")
    again = page.locator("#grid .again")
    expect(again).to_be_visible()
    arrived(page, "#grid button img", 8)
    one.away = False
    again.click()
    arrived(page, "#grid button img", 9)
    expect(again).to_have_count(0)


def test_every_page_that_shows_pictures_brings_the_module(page):
    for path in ("/", "/station", "/station/machines", "/arena", "/gallery", "/refuses", "/mine", "/event"):
        page.goto(path)
        assert page.evaluate("document.body.dataset.again"), path
        assert page.locator("script[src$='/pictures.js']").count() == 1, path
