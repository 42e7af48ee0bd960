"""The programme in a real browser: an organiser pastes a table and publishes it; a visitor on a phone narrows it, stars
without scripts and is told of an overlap; a screen looks again by itself. Then every page by width, scheme and axe."""

import datetime as dt
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from looking import accessible, come_in, fits

SET = """import django; django.setup()
from salon.web.events.models import Event
from django.utils import timezone
before = list(Event.objects.filter(current=True).values_list("time_zone", "opened_at"))[0]
Event.objects.filter(current=True).update(time_zone={zone!r}, opened_at={opened})
print(repr(before[0]), "None" if before[1] is None else "timezone.now()", sep="|")"""
TABLE = """title\tday\tbegins\tends\troom\tkind\tpresenters\tplaces
Opening\t{day}\t10:00\t10:30\tHall\topening\tZoë Ñúñez; 山田 花子\t
First steps with a machine that draws\t\t10:30\t12:00\tAttic\tworkshop\tCay\t12
A talk on noise\t\t11:00\t12:30\tHall\ttalk\tدينا خالد\t
Lunch\t\t12:30\t13:30\t\tother\t\t
Exhibition\t\t8:00\t23:00\tHall\tother\t\t
Night\t\t22:00\t1:00\tHall\tother\t\t
Breakfast\t{next}\t9:00\t10:00\tAttic\tmeeting\t\t8
"""
DAY = dt.date.today() + dt.timedelta(days=30)


def run(house, *words):
    done = subprocess.run([sys.executable, *words], env=house.env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def organiser(house, browser):
    """An organiser's browser, with the programme pasted, looked at, written and published."""
    zone, opened = run(house, "-c", SET.format(zone="Europe/Madrid", opened="timezone.now()")).split("|")
    context = browser.new_context(base_url=house.url)
    context.set_default_timeout(40_000)
    page = context.new_page()
    come_in(page, re.search(r"/backstage/enter/\S+", run(house, "-m", "salon", "backstage"))[0])
    page.goto("/backstage/programme/paste")
    page.fill("#table", TABLE.format(day=DAY, next=DAY + dt.timedelta(days=1)) + "Wrong\t\t25:00\t26:00\n")
    page.click("text=Look at it first")
    expect(page.locator("h2").first).to_have_text("1 row is not right yet")
    expect(page.get_by_role("button", name="Write them")).to_have_count(0)
    page.fill("#table", TABLE.format(day=DAY, next=DAY + dt.timedelta(days=1)))
    page.click("text=Look at it first")
    expect(page.locator("h2").first).to_have_text("7 sessions would be written")
    page.click("text=Write them, as drafts")
    page.click("text=Publish them all")
    expect(page.locator("main")).to_contain_text("Everything is published")
    page.close()
    yield context
    context.close()
    run(house, "-c", SET.format(zone=zone.strip("'"), opened=opened))


def backstage(organiser, title):
    page = organiser.new_page()
    page.goto("/backstage/programme")
    page.click(f"a:text-is('{title}')")
    return page


def test_an_organiser_is_told_what_does_not_fit_and_of_another_hand(organiser):
    page, other = backstage(organiser, "Breakfast"), backstage(organiser, "Breakfast")
    page.fill("[name=ends]", "09:00")
    page.click("text=Keep it")
    expect(page.locator("#wrong-ends")).to_contain_text("ends before it begins")
    page.fill("[name=day]", DAY.isoformat())
    page.fill("[name=starts]", "10:00")
    page.fill("[name=ends]", "11:00")
    page.select_option("[name=room]", label="Attic")
    page.click("text=Keep it")
    expect(page.locator(".clashes")).to_contain_text("Attic is taken twice")
    other.fill("[name=title]", "Mine")
    other.click("text=Keep it")
    expect(other.get_by_role("alert")).to_contain_text("Somebody else changed this session")
    expect(other.locator("[name=title]")).to_have_value("Mine")
    other.click("text=Keep it")  # having seen both
    expect(other.get_by_role("status").first).to_contain_text("Kept")
    expect(other.locator("h1")).to_have_text("Mine")
    other.close()
    page.close()


def test_a_visitor_on_a_phone_without_scripts(organiser, browser, house):
    context = browser.new_context(base_url=house.url, viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto("/programme")
    expect(page.locator("h3", has_text="A talk on noise")).to_be_visible()
    for title in ("First steps", "A talk on noise"):
        page.get_by_role("button", name=f"In my day: {title}").click()
        expect(page.get_by_role("button", name=f"In my day: {title}")).to_have_attribute("aria-pressed", "true")
    page.click(".mine-link")
    expect(page.locator(".clash")).to_contain_text("First steps with a machine that draws (10:30–12:00)")
    expect(page.locator(".address")).to_contain_text("/programme/mine.ics?key=")
    page.get_by_role("button", name="In my day: A talk on noise").click()
    expect(page.locator(".clash")).to_have_count(0)
    page.goto("/programme")
    page.click("summary")
    page.locator("label.tap", has_text="workshop").click()
    page.click("text=Show these")
    expect(page.locator(".item")).to_have_count(1)
    page.click(".item h3 a")
    expect(page.locator("h1")).to_have_text("First steps with a machine that draws")
    expect(page.locator("dl")).to_contain_text("10:30–12:00")
    context.close()


def test_a_star_with_scripts_keeps_the_page(organiser, visit):
    page = visit("/programme")
    star = page.get_by_role("button", name="In my day: A talk on noise")
    star.focus()
    page.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()
    page.reload()
    expect(star).to_have_attribute("aria-pressed", "true")


def test_the_grid_has_rooms_side_by_side(organiser, visit):
    page = visit("/programme", width=1280)
    one, two = (page.locator("td", has_text=title).first.bounding_box() for title in ("First steps", "A talk on noise"))
    assert one["x"] != two["x"]
    assert two["y"] > one["y"]  # it begins later
    page.set_viewport_size({"width": 390, "height": 844})
    one, two = (page.locator("td", has_text=title).first.bounding_box() for title in ("First steps", "A talk on noise"))
    assert one["x"] == two["x"]
    assert two["y"] >= one["y"] + one["height"]


def test_a_screen_looks_again_and_keeps_the_last_good_look(organiser, visit):
    one = {"id": "x", "title": "<b>A talk</b>", "hours": "11:00–12:30", "room": "Hall", "kind": "", "presenters": "Zoë"}
    told = {"name": "Hall", "clock": "11:59", "day": "Saturday", "next": [], "now": [one]}
    page = visit("/programme/screen", quiet=False)
    page.route("**/screen.json*", lambda route: route.fulfill(json=told))
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(look)
    expect(page.locator("[data-list=now] h3")).to_have_text("<b>A talk</b>")
    expect(page.locator("[data-none=next]")).to_be_visible()
    page.unroute("**/screen.json*")
    page.route("**/screen.json*", lambda route: route.abort())
    page.evaluate(look)
    expect(page.locator(".lost")).to_have_count(1)
    expect(page.locator("[data-list=now] h3")).to_have_text("<b>A talk</b>")


def every_page(organiser):
    page = organiser.new_page()
    page.goto("/programme")
    session = page.get_attribute(".item h3 a", "href")
    page.close()
    return [
        "/programme", "/programme?kind=talk", "/programme?kind=none", session, "/programme/mine", "/programme/screen",
        "/backstage/programme", f"/backstage{session}", "/backstage/programme/new", "/backstage/programme/paste",
    ]  # fmt: skip


def test_every_page_fits_and_axe_finds_nothing(organiser):
    page = organiser.new_page()
    for path in every_page(organiser):
        page.goto(path)
        page.wait_for_load_state("load")
        fits(page)
        accessible(page)
    page.close()
