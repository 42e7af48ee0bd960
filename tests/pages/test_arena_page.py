"""The arena in a browser: asked, drawn, voted by keys, touch and without scripts; and what its pages weigh and say."""

import pytest
from house import draw
from playwright.sync_api import expect

from looking import accessible, fits
from waiting import PICTURES, until

pytestmark = pytest.mark.slow

PAGE = "/arena"


def asked(page, prompt=""):
    """Asks for a pair and waits until both pictures hang."""
    if prompt:
        page.fill("#prompt", prompt)
        page.click("[name=own]")
    else:
        page.click("[name=house]")
    expect(page.locator("#duel[data-state=ready]")).to_be_visible()
    until(page, PICTURES)


def sources(page):
    return page.eval_on_selector_all(".pair img", "all => all.map((image) => image.src)")


def test_two_hands_draw_and_are_named_after_the_vote(visit) -> None:
    page = visit(PAGE)
    asked(page, "a red fox in the forest")
    address = page.url
    assert "a red fox in the forest" in page.inner_text(".words")
    text = page.content()
    assert not [name for name in ("latent", "vq", "cascade", "unclip") if name in text]
    assert len(set(sources(page))) == 2
    assert page.locator(".plaque").all_inner_texts() == ["unknown hand"] * 2
    page.get_by_role("button", name="The right one").click()
    expect(page.locator("h1")).to_have_text("You chose the right one")
    assert page.url == address
    named = [text.strip().split("\n")[0] for text in page.locator(".plaque").all_inner_texts()]
    assert len(set(named)) == 2
    assert set(named) < {"latent", "vq", "cascade", "unclip"}
    expect(page.locator("li:nth-child(2) .plaque")).to_have_class("plaque chosen")
    page.locator(".hand").first.get_by_text("Its recipe").click()
    page.wait_for_url("**/images/*")
    assert page.inner_text("h1") == "a red fox in the forest"
    page.goto("/arena/leaderboard")
    expect(page.locator(".lede")).to_contain_text("visitor")


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("ArrowLeft", "You chose the left one"), ("1", "You chose the left one"),
        ("ArrowRight", "You chose the right one"), ("2", "You chose the right one"),
        ("3", "You found them equally good"), ("4", "You found neither good enough"),
    ],
)  # fmt: skip
def test_keys_vote(visit, key: str, says: str) -> None:
    page = visit(PAGE)
    asked(page)
    page.keyboard.press("Control+" + key)  # a browser's own shortcut is no vote
    expect(page.locator("h1")).to_have_text("Which is better?")
    page.keyboard.press(key)
    expect(page.locator("h1")).to_have_text(says)
    page.keyboard.press("ArrowRight")  # nothing to vote on any more
    expect(page.locator("h1")).to_have_text(says)


def test_enter_brings_the_next_pair(visit) -> None:
    """A whole evening without a mouse: vote, Enter, vote."""
    page = visit(PAGE)
    asked(page)
    first = page.url
    page.keyboard.press("1")
    expect(page.locator("h1")).to_have_text("You chose the left one")
    expect(page.get_by_role("button", name="Another pair")).to_be_focused()  # by itself, once the page stands
    page.keyboard.press("Enter")
    expect(page.locator("#duel[data-state=ready]")).to_be_visible()
    assert page.url != first


def test_the_answers_are_large_and_the_pictures_side_by_side_on_a_phone(visit) -> None:
    page = visit(PAGE, 390, 844, has_touch=True, is_mobile=True)
    asked(page)
    boxes = [box.bounding_box() for box in page.locator(".vote").all()]
    assert all(box["height"] >= 48 and box["width"] >= 120 for box in boxes)
    assert max(box["y"] + box["height"] for box in boxes) <= 844  # no scrolling between looking and answering
    left, right = [frame.bounding_box() for frame in page.locator(".pair .frame").all()]
    assert left["y"] == right["y"]
    assert left["width"] > 150
    page.locator(".vote").nth(2).tap()
    expect(page.locator("h1")).to_have_text("You found them equally good")


def test_two_presses_are_one_vote_and_back_shows_it(visit) -> None:
    page = visit(PAGE)
    asked(page)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.evaluate("for (const value of ['a', 'b', 'a']) document.querySelector(`#votes [value=${value}]`).click()")
    expect(page.locator("h1")).to_have_text("You chose the left one")
    assert len(sent) == 1
    page.goto("/gallery")
    page.go_back()
    expect(page.locator("h1")).to_have_text("You chose the left one")


def test_a_second_tab_cannot_change_the_vote(visit) -> None:
    page = visit(PAGE)
    asked(page)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#duel[data-state=ready]")).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator("h1")).to_have_text("You chose the left one")
    until(other, PICTURES)
    other.keyboard.press("2")
    expect(other.locator("h1")).to_have_text("You chose the left one")


def test_it_works_without_scripts(visit) -> None:
    page = visit(PAGE, java_script_enabled=False)
    page.fill("#prompt", "a blue whale")
    page.click("[name=own]")
    expect(page.locator(".vote").first).to_be_visible()  # the page asks anew by itself
    page.click(".vote >> nth=1")
    expect(page.locator("h1")).to_have_text("You chose the right one")


def test_a_picture_that_is_kept_back_is_said_kindly(visit) -> None:
    page = visit(PAGE)
    page.fill("#prompt", "a hidden thing")
    page.click("[name=own]")
    expect(page.locator("h1")).to_have_text("This pair does not count")
    expect(page.locator(".placard")).to_contain_text("not your doing")
    page.get_by_role("button", name="Another pair").click()
    expect(page.locator("#duel[data-state=ready]")).to_be_visible()


def test_words_at_fault_stay_in_the_field(visit) -> None:
    page = visit(PAGE, quiet=False)
    for words, says in (("a vq fox", "name a machine"), ("a swastika", "declines")):
        page.fill("#prompt", words)
        page.keyboard.press("Enter")
        expect(page.locator(".placard")).to_contain_text(says)
        assert page.input_value("#prompt") == words
    page.fill("#prompt", " ")
    page.click("[name=own]")
    expect(page.locator("#empty")).to_be_visible()


@pytest.fixture(scope="module")
def states(house, browser):
    """A browser and its pages: the form, a pair to vote on, one that is decided, the ladder."""
    context = browser.new_context(base_url=house.url)
    context.set_default_timeout(40_000)
    page = context.new_page()
    addresses = ["/arena"]
    for vote in (None, "3"):
        page.goto(PAGE)
        asked(page)
        addresses.append(page.url)
        if vote:
            page.keyboard.press(vote)
            expect(page.locator("h1")).to_have_text("You found them equally good")
    yield context, [*addresses, "/arena/leaderboard"]
    context.close()


def test_every_page_fits_and_axe_finds_nothing(states) -> None:
    context, addresses = states
    page = context.new_page()
    for address in addresses:
        page.goto(address)
        fits(page)
        accessible(page)
    page.close()


def test_a_page_weighs_less_than_150_kb_without_images(states) -> None:
    context, addresses = states
    for address in addresses:
        page, sizes = context.new_page(), {}
        page.on(
            "response",
            lambda r, sizes=sizes: sizes.update({r.url: len(r.body())}) if r.request.resource_type != "image" else None,
        )
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        assert sum(sizes.values()) < 150_000, (address, sizes)


def test_the_station_goes_on_beside_it(visit) -> None:
    page = visit(PAGE)
    asked(page)
    page.goto("/station")
    draw(page, "a yellow duck")
