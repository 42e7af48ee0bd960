"""The call in a real browser: an artist applies by keyboard on a phone, leaves, comes back by the private link, sends;
an organiser decides; the artist confirms, a curator finds the picture. Then every page by width, scheme and axe."""

import io
import subprocess
import sys

import pytest
from PIL import Image as Picture
from playwright.sync_api import expect

from looking import accessible, come_in, fits

SETUP = """import datetime, django; django.setup()
from django.utils import timezone
from salon.web.call.domain import forms
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.people.links import new_link
from salon.web.people.models import Role, User
event = current_event()
Event.objects.filter(id=event.id).update(opened_at=timezone.now(), time_zone="Europe/Amsterdam")
olga = User.objects.create_user("olga", is_staff=True)
Role.objects.create(user=olga, event=event, kind="organiser")
call = forms.make(olga)
now = timezone.now()
forms.set_call(olga, "Pictures nobody has seen", "Prints, videos, textiles.", now, now + datetime.timedelta(9))
print(new_link(olga))"""


@pytest.fixture(scope="module")
def contexts(house, browser):
    """An artist's phone, another device of theirs, and an organiser."""
    told = subprocess.run([sys.executable, "-c", SETUP], env=house.env, capture_output=True, text=True, check=True)
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
    made = {name: browser.new_context(base_url=house.url, **more) for name, more in
            {"phone": phone, "laptop": {}, "olga": {}, "plain": {"java_script_enabled": False}}.items()}  # fmt: skip
    for context in made.values():
        context.set_default_timeout(40_000)
    page = made["olga"].new_page()
    come_in(page, f"/backstage/enter/{told.stdout.strip().splitlines()[-1]}")
    page.close()
    yield made
    for context in made.values():
        context.close()


def picture(colour):
    out = io.BytesIO()
    Picture.new("RGB", (320, 240), colour).save(out, "PNG")
    return out.getvalue()


def press_tab_to(page, selector, most=60):
    """Goes by the keyboard alone."""
    for _ in range(most):
        if page.evaluate("s => document.activeElement?.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not come to {selector}")


@pytest.fixture(scope="module")
def application(contexts):
    """Begun by keyboard on the phone; the words keep themselves. Its address and private link."""
    page = contexts["phone"].new_page()
    page.goto("/call")
    press_tab_to(page, "#name")
    page.keyboard.type("Ada Lovelace")
    press_tab_to(page, "#begin .draw")
    page.keyboard.press("Enter")
    expect(page.locator("#application")).to_be_visible()
    link = page.locator("#private-link").get_attribute("href")
    press_tab_to(page, "#title")
    page.keyboard.type("Nine Foxes at Dusk")
    press_tab_to(page, "#about")
    page.keyboard.type("They were asked to sit still.")
    expect(page.locator("#state")).to_contain_text("Kept at")
    address = page.url.split("?")[0]
    page.close()
    return address, link


def test_an_artist_comes_back_by_the_private_link_and_a_second_window_loses_nothing(contexts, application):
    address, link = application
    page = contexts["laptop"].new_page()
    assert page.goto(address).status == 403
    come_in(page, link)
    page.get_by_role("link", name="Nine Foxes at Dusk").click()
    expect(page.locator("#title")).to_have_value("Nine Foxes at Dusk")
    expect(page.locator("#about")).to_have_value("They were asked to sit still.")
    other = contexts["laptop"].new_page()
    other.goto(address)
    page.fill("#title", "Nine Foxes")
    expect(page.locator("#state")).to_contain_text("Kept at")
    other.fill("#title", "Ten Foxes")
    expect(other.locator("#state")).to_contain_text("Changed in another window")
    other.click("button.second:has-text('Keep it')")
    expect(other.get_by_role("alert")).to_contain_text("changed in another window")
    expect(other.locator("#title")).to_have_value("Ten Foxes")
    expect(other.locator("#title-other")).to_contain_text("Nine Foxes")
    other.click("button.second:has-text('Keep it')")
    expect(other.locator("#saved")).to_be_visible()
    page.close()
    other.close()


def test_an_artist_sends_an_organiser_decides_the_artist_confirms(contexts, application):
    address, _link = application
    page = contexts["phone"].new_page()
    page.goto(address)
    page.locator("input[type=file]").first.set_input_files(
        [{"name": "foxes.png", "mimeType": "image/png", "buffer": picture("darkorange")},
         {"name": "page.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}]
    )  # fmt: skip
    expect(page.locator(".given img")).to_be_visible()
    expect(page.locator(".files .wrong").first).to_contain_text("is not a PNG")
    page.click("button:has-text('Send it')")
    expect(page.locator("#summary")).to_be_focused()
    expect(page.locator("#summary li")).to_have_count(2)
    page.locator("#summary a").first.click()
    for tick in page.locator(".agreement input").all():
        tick.check()
    page.select_option("#licence", "cc-by-4.0")
    page.get_by_label("Year, technique, size").fill("2026, ink")
    page.click("button:has-text('Send it')")
    expect(page.locator("#stands")).to_have_text("submitted")
    expect(page.locator(".said img")).to_be_visible()
    page.go_back()  # the form from before: sending again changes nothing
    expect(page.locator("#application")).to_be_visible()

    house = contexts["olga"].new_page()
    house.goto("/backstage/call")
    house.get_by_label("Decision about Ten Foxes").select_option("accepted")
    house.click("button:has-text('Note it')")
    page.goto(address.removesuffix("/edit"))
    expect(page.locator("#stands")).to_have_text("submitted")
    house.click("button:has-text('Apply 1 decision')")
    expect(house.get_by_role("status")).to_contain_text("1 decision was applied")
    page.reload()
    expect(page.locator("#stands")).to_have_text("accepted")
    page.click("button:has-text('Yes, I take part')")
    expect(page.locator("#stands")).to_have_text("confirmed")

    house.goto("/backstage")
    work = house.locator("article", has_text="Ten Foxes")
    expect(work).to_contain_text("2026, ink")
    work.get_by_role("button", name="Hang it").click()
    page.reload()
    page.click("text=See it hang")
    expect(page.locator("#work")).to_have_js_property("naturalWidth", 320)
    expect(page.locator(".label")).to_contain_text("2026, ink")
    page.close()
    house.close()


def test_without_scripts_somebody_waits_a_moment_and_applies(contexts, house):
    page = contexts["plain"].new_page()
    page.goto("/call")
    page.fill("#name", "Bo")
    page.click("button:has-text('Begin')")
    expect(page.get_by_role("alert")).to_contain_text("Press the button again in")
    expect(page.locator("#name")).to_have_value("Bo")
    # what the house waits for is the stamp's age: an older one of its own stands for the twenty seconds
    older = subprocess.run(
        [sys.executable, "-c", "import django, time; django.setup(); from unittest import mock\n"
         "from salon.web.events import sums\nnow = time.time() - 60\n"
         "with mock.patch('time.time', lambda: now): print(sums.stamp())"],
        env=house.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    form = {"key": "ab" * 16, "name": "Bo", "stamp": older.stdout.strip(), "ticket": "", "sum": ""}
    answer = page.request.post("/call/begin", form=form, headers={"Sec-Fetch-Site": "same-origin"})
    page.goto(answer.url)
    page.fill("#title", "By hand")
    page.click("button.second:has-text('Keep it')")
    expect(page.locator("#title")).to_have_value("By hand")
    expect(page.locator("#saved")).to_be_visible()
    page.close()


def test_questions_are_ordered_by_buttons(contexts):
    page = contexts["olga"].new_page()
    page.goto("/backstage/call/form")
    rows = page.locator("#line-up > li b")
    first, second = rows.nth(0).inner_text(), rows.nth(1).inner_text()
    page.get_by_role("button", name=f"Up: {second}").click()
    expect(rows.nth(0)).to_have_text(second)
    expect(rows.nth(1)).to_have_text(first)
    page.locator("#another > summary").click()
    page.get_by_label("Question", exact=True).fill("Which wall?")
    page.click("button:has-text('Ask it')")
    expect(rows.last).to_have_text("Which wall?")
    page.goto("/backstage/call/preview")
    expect(page.locator("#application")).to_contain_text("Which wall?")
    page.close()


def pages(application):
    address, _link = application
    one = address.removesuffix("/edit")
    name = one.split("/")[-1]
    yield from [("phone", "/call"), ("phone", one)]
    backstage = ("", "/form", "/preview", "/codes", f"/{name}")
    yield from (("olga", f"/backstage/call{path}") for path in backstage)


def test_every_page_fits_and_axe_finds_nothing(contexts, application):
    for who, path in pages(application):
        page = contexts[who].new_page()
        page.goto(path)
        fits(page)
        for more in page.locator("main summary").all():
            more.click()
        fits(page, (320,))
        accessible(page)
        page.close()
