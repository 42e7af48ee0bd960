"""The station in a real browser: nine pictures sharpen, nothing moves, the keyboard is enough, nothing gets lost."""

import json
import re

import pytest
from house import House, draw, hung
from playwright.sync_api import expect

SHIFTS = """
const seen = [];
const note = list => { for (const e of list) seen.push({value: e.value, had: e.hadRecentInput,
  nodes: e.sources.map(s => s.node?.id || s.node?.className || s.node?.nodeName)}) };
const observer = new PerformanceObserver(list => note(list.getEntries()));
observer.observe({type: "layout-shift"});
const frame = () => new Promise(next => requestAnimationFrame(() => setTimeout(next)));
window.shifts = async () => { await frame(); await frame(); note(observer.takeRecords()); return seen.splice(0); };
"""


def loaded(page) -> list[int]:
    return page.eval_on_selector_all("#grid img", "all => all.map(i => i.naturalWidth)")


def test_nine_pictures_sharpen_and_nothing_moves(visit) -> None:
    page = visit("/station")
    page.evaluate("document.fonts.ready")
    page.evaluate(SHIFTS)
    page.fill("#prompt", "a slow red fox in the forest")
    page.evaluate("shifts()")
    page.evaluate("document.querySelector('#draw').click()")  # not the mouse: what follows an input does not count
    page.wait_for_selector("#grid img.rough")
    assert 64 in loaded(page)
    page.wait_for_selector("#grid[aria-busy=false]")
    expect(page.locator("#grid img")).to_have_count(9)
    assert loaded(page) == [256] * 9
    assert page.locator("#grid button").count() == 9
    assert page.evaluate("shifts()") == []
    assert "9" in page.inner_text("#status")


def test_the_observer_of_shifts_sees_shifts(visit) -> None:
    """Negative control: the same observer, and something that does move."""
    page = visit("/station")
    page.evaluate(SHIFTS)
    page.evaluate("shifts()")
    page.evaluate("document.querySelector('#grid').style.marginTop = '80px'")
    assert page.evaluate("shifts()")


def test_keyboard_alone_draws_opens_turns_and_returns(visit) -> None:
    page = visit("/station")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#prompt")
    page.keyboard.type("two yellow ducks on the water")
    page.keyboard.press("Enter")
    page.wait_for_selector("#grid[aria-busy=false] button")
    page.focus("#grid li:first-child button")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#viewer-place")).to_have_text("No. 5 of 9")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#viewer-place") == "No. 6 of 9"
    page.keyboard.press("Escape")
    expect(page.locator("#grid li:nth-child(6) button")).to_be_focused()


def test_varying_keeps_what_it_says(visit) -> None:
    page = visit("/station")
    draw(page, "a blue whale")
    page.click("#grid li:nth-child(3) button")
    seed = re.search(r"Seed (\d+)", page.inner_text("#viewer-medium"))[1]
    page.click("#viewer-words")
    assert page.input_value("#seed") == seed
    assert page.evaluate("document.activeElement.id") == "prompt"
    first = page.url
    page.click("#grid li:nth-child(3) button")
    page.click("#viewer-again")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector("#grid[aria-busy=false]")
    assert page.input_value("#prompt") == "a blue whale"
    assert page.input_value("#seed") == ""


def test_same_seed_gives_the_same_picture(visit) -> None:
    page = visit("/station")
    page.click("#drawer summary")
    page.fill("#seed", "1863")
    page.select_option("#count", "1")
    draw(page, "a green teapot")
    one = hung(page)
    draw(page, "a green teapot")
    assert hung(page) == one
    assert page.locator("#grid li").count() == 1


@pytest.mark.parametrize("again", ["reload", "back"])
def test_a_reload_or_the_back_button_finds_the_request_again(visit, again: str) -> None:
    page = visit("/station")
    if again == "reload":
        page.fill("#prompt", "a slow snail")
        page.click("#draw")
        page.wait_for_url("**/station?request=*")
        page.reload()
    else:
        draw(page, "a slow snail")
        draw(page, "a quick fox")
        page.go_back()
        expect(page.locator("#plate-title")).to_contain_text("snail")
    page.wait_for_selector("#grid[aria-busy=false] li:nth-child(9) button")
    assert page.inner_text("#plate-title") == "a slow snail"
    assert page.input_value("#prompt") == "a slow snail"


def test_two_presses_are_one_request(visit) -> None:
    page = visit("/station")
    asked = []
    page.on("request", lambda r: asked.append(r.post_data) if r.url.endswith("/api/requests") else None)
    page.fill("#prompt", "a double fox")
    page.evaluate("const b = document.querySelector('#draw'); b.click(); b.click(); b.click()")
    page.wait_for_selector("#grid[aria-busy=false] button")
    assert len(asked) == 1
    again = json.loads(asked[0])
    answers = [page.request.post("/api/requests", data=again, headers={"Origin": page.url.split("/station")[0]})]
    assert answers[0].json()["id"] in page.url  # the same key is the same request


def test_two_tabs_do_not_mix(visit) -> None:
    page = visit("/station")
    other = page.context.new_page()
    other.goto("/station")
    page.fill("#prompt", "a slow tortoise")
    page.click("#draw")
    draw(other, "a quick hare")
    page.wait_for_selector("#grid[aria-busy=false] button")
    assert (page.inner_text("#plate-title"), other.inner_text("#plate-title")) == ("a slow tortoise", "a quick hare")
    draw(page, "a third thing")
    assert page.locator("#earlier-list li").count() == 1
    assert "tortoise" in page.inner_text("#earlier-list")


def test_cancelling_stops(visit) -> None:
    page = visit("/station")
    page.fill("#prompt", "a slow river")
    page.click("#draw")
    page.wait_for_selector("#grid img.rough")
    page.click("#cancel")
    page.wait_for_selector("#grid[aria-busy=false]")
    assert "Stopped" in page.inner_text("#step-text")
    assert page.is_hidden("#cancel")


def test_failures_are_told_on_a_placard(visit) -> None:
    page = visit("/station")
    draw(page, "this one fails")
    assert "The canvas tore." in page.inner_text("#placard")
    assert page.input_value("#prompt") == "this one fails"
    draw(page, "this one works")
    assert page.is_hidden("#placard")


def test_bad_input_is_told_before_and_after_it_is_sent(visit) -> None:
    page = visit("/station", quiet=False)
    page.click("#draw")
    assert page.evaluate("document.querySelector('#prompt').validationMessage")
    page.fill("#prompt", "a fox")
    page.click("#drawer summary")
    page.fill("#seed", "99999999999")
    page.click("#draw")
    assert "4294967295" in page.evaluate("document.querySelector('#seed').validationMessage")
    page.fill("#seed", "")
    page.fill("#prompt", "long " * 2000)
    page.click("#draw")
    page.wait_for_selector("#placard:not([hidden])")
    assert "1000" in page.inner_text("#placard").replace(",", "")


STRANGE = ["<img src=x onerror=alert(1)> a fox", "ثعلب أحمر في الثلج", '🦊 & "quotes" {word}']


@pytest.mark.parametrize("prompt", STRANGE)
def test_words_stay_words(visit, prompt: str) -> None:
    page = visit("/station")
    draw(page, prompt)
    assert page.inner_text("#plate-title") == prompt
    page.click("#grid li:first-child button")
    assert page.inner_text("#viewer-title") == prompt
    assert page.locator("#viewer-title *").count() == 0


def test_a_lost_line_is_found_again(visit, house: House) -> None:
    page = visit("/station", quiet=False)
    page.fill("#prompt", "a slow lighthouse")
    page.click("#draw")
    page.wait_for_selector("#grid img.rough")
    house.close(house.web)
    expect(page.locator("#step-text")).to_contain_text("reconnecting", timeout=40_000)
    house.open_web()
    page.wait_for_selector("#grid[aria-busy=false] li:nth-child(9) button")
    assert page.is_hidden("#placard")


def test_without_a_network_the_words_are_kept(visit) -> None:
    page = visit("/station", quiet=False)
    page.context.set_offline(True)
    page.fill("#prompt", "a fox on an island")
    page.click("#draw")
    page.wait_for_selector("#placard:not([hidden])")
    assert "No line to the house" in page.inner_text("#placard")
    page.context.set_offline(False)
    page.click("#draw")
    page.wait_for_selector("#grid[aria-busy=false] button")


def test_a_word_never_seen_is_pointed_out_and_replaced(visit) -> None:
    page = visit("/station")
    page.fill("#prompt", "a red elefant in the forest")
    page.click("#whisper button:has-text('elephant')")
    assert page.input_value("#prompt") == "a red elephant in the forest"
    expect(page.locator("#whisper button")).to_have_count(0)


def test_all_words_never_seen_are_pointed_out(visit) -> None:
    page = visit("/station")
    page.fill("#prompt", "a knight with an elefant and a pengiun")
    expect(page.locator("#whisper em")).to_have_text(["knight", "elefant", "pengiun"])
    expect(page.locator("#whisper button")).to_have_text(["elephant", "penguin"])
    page.click("#whisper button:has-text('penguin')")
    assert page.input_value("#prompt") == "a knight with an elefant and a penguin"
    expect(page.locator("#whisper em")).to_have_text(["knight", "elefant"])


def test_what_would_change_nothing_is_said_at_its_field_before_drawing(visit) -> None:
    """Words that are not read, a negative prompt at guidance 1; gone again when the wish is another."""
    page = visit("/station")
    page.fill("#prompt", " ".join(["castle"] * 62) + " moat")
    expect(page.locator("#whisper .unread")).to_contain_text("Not read: moat")
    page.click("#drawer > summary")
    page.fill("#negative_prompt", "trees")
    for guidance, said in (("1", "does nothing at guidance 1"), ("3", "")):
        page.locator("#guidance_scale").fill(guidance)
        expect(page.locator("#negative-says")).to_contain_text(said) if said else expect(
            page.locator("#negative-says")).to_be_empty()  # fmt: skip
    page.locator("#guidance_scale").fill("0.5")
    expect(page.locator("#guidance-says")).to_contain_text("draws what a guidance of 1 draws")
    page.fill("#prompt", "a castle")
    expect(page.locator("#whisper .unread")).to_have_count(0)


def test_manners_are_put_on_and_taken_off(visit) -> None:
    page = visit("/station")
    page.fill("#prompt", "a red fox")
    first, second = page.locator(".chip").nth(0), page.locator(".chip").nth(1)
    first.click()
    assert first.get_attribute("aria-pressed") == "true"
    assert page.input_value("#prompt") != "a red fox"
    second.click()
    assert (first.get_attribute("aria-pressed"), second.get_attribute("aria-pressed")) == ("false", "true")
    second.click()
    assert page.input_value("#prompt") == "a red fox"


def test_surprises_are_words_the_model_knows(visit) -> None:
    page = visit("/station")
    for _ in range(12):
        page.click("#surprise")
        prompt = page.input_value("#prompt")
        assert page.request.get("/api/words", params={"prompt": prompt}).json()["words"] == [], prompt


def test_the_theme_is_kept(visit) -> None:
    page = visit("/station", color_scheme="light")
    wall = "getComputedStyle(document.querySelector('.cornice')).backgroundColor"
    day = page.evaluate(wall)
    page.click("#theme")
    night = page.evaluate(wall)
    page.goto("/")
    assert page.evaluate(wall) == night != day
    assert page.get_attribute("#theme", "aria-pressed") == "true"


def test_reduced_motion_stands_still(visit) -> None:
    moving = "document.getAnimations().filter(a => a.playState === 'running').length"
    for motion, still in (("reduce", True), ("no-preference", False)):
        page = visit("/station", reduced_motion=motion)
        page.fill("#prompt", "a slow cloud")
        page.click("#draw")
        page.wait_for_selector("#grid[aria-busy=true]")
        page.wait_for_timeout(60)
        assert (page.evaluate(moving) == 0) is still
        page.wait_for_selector("#grid[aria-busy=false]")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_picture_kept_back_leaves_words_and_is_passed_over(visit, width):
    page = visit("/station", width)
    draw(page, "a hidden lamp")
    pane = page.locator("#grid li").nth(1)
    expect(pane).to_contain_text("Kept back")
    assert pane.locator("img, button").count() == 0
    fits = "p => p.scrollWidth <= p.parentElement.clientWidth && p.scrollHeight <= p.parentElement.clientHeight"
    assert pane.locator("p").evaluate(fits)
    page.click("#grid li:first-child button")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer-place")).to_have_text("No. 3 of 9")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#viewer-place")).to_have_text("No. 1 of 9")
    page.reload()
    expect(page.locator("#grid li").nth(1)).to_contain_text("Kept back")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_clips_pick_is_marked_said_and_explained(visit, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit("/station", color_scheme=scheme)
    draw(page, "a paper clip")
    assert page.locator("#grid .pick").count() == 1
    best = page.locator("#grid li").nth(4).locator("button")
    expect(best.locator(".pick")).to_have_text("CLIP’s pick")
    assert "place 1 of 9" in best.get_attribute("aria-label")
    assert "knows only" in best.get_attribute("title")
    assert "knows only" in best.get_attribute("aria-description")
    other = page.locator("#grid li").nth(3).locator("button")
    assert "of 9" in other.get_attribute("aria-label")
    assert other.get_attribute("aria-description") is None
    expect(page.locator("#status")).to_contain_text("CLIP’s pick is picture 5.")
    found = axe.Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    page.focus("#grid li:nth-child(4) button")  # the mark is in nobody's way
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#viewer-place")).to_have_text("No. 5 of 9")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#grid li").nth(4).locator(".pick")).to_be_visible()


def test_clips_pick_fits_its_pane_on_a_phone(visit) -> None:
    page = visit("/station", 320, 740)
    draw(page, "a paper clip")
    pick, pane = page.locator(".pick").bounding_box(), page.locator("#grid li").nth(4).bounding_box()
    assert pane["x"] <= pick["x"] + 1
    assert pick["x"] + pick["width"] <= pane["x"] + pane["width"] + 1
    assert pick["height"] < pane["height"] / 2


@pytest.mark.parametrize("prompt", ["a fox alone", "a hidden paper clip"])
def test_nothing_is_marked_where_clip_has_not_looked_and_a_place_is_among_those_shown(visit, prompt: str) -> None:
    page = visit("/station")
    draw(page, prompt)
    looked = "clip" in prompt
    assert page.locator(".pick").count() == looked
    label = page.get_attribute("#grid li:first-child button", "aria-label")
    assert ("of 8" in label) is looked
    assert ("CLIP" in page.inner_text("#status")) is looked
    assert page.get_attribute("#grid li:first-child button", "title") == (None if not looked else label.split(". ")[-1])
