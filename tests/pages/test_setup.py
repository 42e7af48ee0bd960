"""An organiser opens an event, from an empty house, by keyboard; hands a volunteer a link; the pages at every width and
under axe."""

import io
import re
import subprocess
import sys

import pytest
from house import House
from PIL import Image as Picture
from playwright.sync_api import expect

from looking import accessible, come_in, fits

#: pages that axe looks at; the others have nothing that these have not
LOOKED_AT = frozenset({"event", "days", "rooms", "look", "people", "events"})
STEPS = ("basics", "days", "rooms", "words", "look", "languages")
SUGGESTED = re.compile(r"^Night of Latent Pictures runs on a computer of ours[\s\S]*hello@example\.org")
LINK = """import django; django.setup()
from salon.web.people import links
print(links.new_link(links.keeper()))"""


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A house of its own: what is opened here must not stand on other tests' pages."""
    opened = House(tmp_path_factory.mktemp("setup"))
    opened.open_web()
    yield opened
    opened.close(opened.web)


@pytest.fixture(scope="module")
def organiser(empty, browser):
    """A page of somebody who came in by the link that the house prints."""
    words = [sys.executable, "-c", LINK]
    token = subprocess.run(words, env=empty.env, capture_output=True, text=True, check=True).stdout.strip()
    context = browser.new_context(base_url=empty.url, timezone_id="Asia/Kolkata")
    context.set_default_timeout(40_000)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda e: complaints.append(str(e)))
    come_in(page, f"/backstage/enter/{token}")
    yield page
    context.close()
    assert complaints == []


def tab_to(page, target, most=60):
    """Presses Tab until the element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("e => e === document.activeElement"):
            return
    raise AssertionError(f"not reached by Tab: {target}")


def write(page, label, text):
    tab_to(page, page.get_by_label(label, exact=False).first)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def press(page, name):
    tab_to(page, page.get_by_role("button", name=name, exact=True))
    page.keyboard.press("Enter")


def heading(page, words):
    expect(page.locator("h1")).to_have_text(words)


def test_an_event_is_opened_by_keyboard(empty, organiser, browser):
    page = organiser
    page.goto("/backstage/event")
    expect(page.locator(".lacks").first).to_contain_text("Where it is")
    assert page.get_by_role("button", name="Open the event").count() == 0
    tab_to(page, page.get_by_role("link", name="Begin"))
    page.keyboard.press("Enter")

    heading(page, "Name and place")
    write(page, "What is it called?", "Night of Latent Pictures")
    write(page, "Where is it?", "Old Tram Depot, Kiel")
    write(page, "Address", "12 Turntable Lane")
    write(page, "Whom may visitors ask?", "hello@example.org")
    press(page, "Keep and go on")

    heading(page, "Days and clock")
    write(page, "Time zone", "kiel on sea")
    press(page, "Keep and go on")
    expect(page.locator("#zone-wrong")).to_contain_text("No time zone is called")
    expect(page.locator("#time_zone")).to_have_value("kiel on sea")
    tab_to(page, page.locator("#starts_on"))
    page.keyboard.type("06062026")
    tab_to(page, page.get_by_role("button", name="This device says: Asia/"))
    page.keyboard.press("Enter")
    expect(page.locator("#time_zone")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("berlin")
    press(page, "Keep and go on")

    heading(page, "Rooms")
    write(page, "Another room", "Great hall")
    press(page, "One more room")
    expect(page.locator(".room-row").last.locator("[name=room_name]")).to_be_focused()
    page.keyboard.type("Café")
    press(page, "Keep and go on")

    heading(page, "Welcome and privacy")
    expect(page.locator("#privacy")).to_have_value(SUGGESTED)
    write(page, "Welcome", "Come in and draw.")
    press(page, "Keep and go on")

    heading(page, "Colour and logo")
    tab_to(page, page.locator("[name=own]:checked"))
    page.keyboard.press("ArrowDown")
    page.locator("#colour").evaluate("e => { e.value = '#ffcc00'; e.dispatchEvent(new Event('input')); }")
    press(page, "Keep and go on")
    expect(page.locator("#colour-wrong")).to_contain_text("contrast of")
    tab_to(page, page.locator("[name=instead]"))
    page.keyboard.press("Enter")
    expect(page.locator("#colour")).to_have_value("#614e00")
    expect(page.locator("#colour-wrong")).to_have_count(0)
    file = io.BytesIO()
    Picture.new("RGB", (300, 120), (200, 30, 30)).save(file, "JPEG")
    page.set_input_files("#logo", {"name": "logo.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})
    press(page, "Take this logo")
    expect(page.locator(".plate img")).to_be_visible()
    page.set_input_files("#logo", {"name": "x.png", "mimeType": "image/png", "buffer": bytes(2_050_000)})
    press(page, "Take this logo")
    expect(page.locator("#logo-wrong")).to_contain_text("larger than 2 MB")
    tab_to(page, page.get_by_role("link", name="Languages"))
    page.keyboard.press("Enter")

    heading(page, "Languages")
    press(page, "Keep and look at it all")
    heading(page, "Night of Latent Pictures")
    press(page, "Open the event")
    expect(page.locator(".overview")).to_contain_text("Open: visitors see it")

    visitor = browser.new_context(base_url=empty.url).new_page()
    visitor.goto("/")
    expect(visitor.locator("h1")).to_have_text("Night of Latent Pictures")
    expect(visitor.locator(".when-where")).to_contain_text("Saturday 6 June 2026")
    visitor.click("text=About the event")
    expect(visitor.locator("main")).to_contain_text("Great hall")
    assert visitor.locator(".plate img").evaluate("i => i.decode().then(() => i.naturalWidth)") == 300
    wall = visitor.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--wall')")
    assert "#614e00" in wall
    visitor.context.close()


def test_a_volunteer_comes_in_by_the_link_and_finds_the_way(empty, organiser, browser):
    page = organiser
    page.goto("/backstage/people")
    page.get_by_label("Name").fill("Vera")
    page.locator(".form .tick", has_text="volunteer").locator("input").check()
    page.click("text=Add, and make a link")
    link = page.locator(".address a").get_attribute("href")
    assert page.locator(".handed svg").is_visible()
    context = browser.new_context(base_url=empty.url, viewport={"width": 390, "height": 844})
    phone = context.new_page()
    come_in(phone, link)
    heading(phone, "Welcome: choose a password")
    phone.click("text=Not now")
    heading(phone, "What would you like to do?")
    assert "Event" not in phone.locator(".ways").inner_text()
    phone.locator(".duties").get_by_role("link", name="Screens").click()
    heading(phone, "On the screens")
    assert phone.goto("/backstage/people").status == 403
    context.close()


def test_the_pages_hold_at_every_width_and_axe_finds_nothing(empty, organiser, browser):
    page = organiser
    page.goto("/backstage/event")
    at = page.url.removeprefix(empty.url)
    public, ours = ("/", "/event", "/privacy"), ("/backstage/events", "/backstage/people", at)
    for path in (*public, *ours, *(f"{at}/{step}" for step in STEPS)):
        page.goto(path)
        fits(page)
        if path.rpartition("/")[2] in LOOKED_AT:
            accessible(page)
