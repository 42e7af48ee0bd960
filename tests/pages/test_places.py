"""Places in a real browser: a visitor waits for a full pool, somebody gives a place back, the visitor is offered it and
takes it. Then every page of it by width, colour scheme and axe; without scripts; by the back button."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from looking import accessible, come_in, fits

SEED = """import datetime, django; django.setup()
from django.utils import timezone
from salon.web.events.models import Event
from salon.web.people import guests
from salon.web.people.links import keeper, new_link
from salon.web.seats.domain import places, proof
from salon.web.seats.models import Pool
event = Event.objects.get(current=True)
event.opened_at, event.privacy = timezone.now(), "We keep your name."
event.save()
at = timezone.now() + datetime.timedelta(days=9)
hour = datetime.timedelta(hours=1)
lent = Pool.objects.create(event=event, kind="laptop", name="A laptop", capacity=4, listed=False)
pools = [Pool.objects.create(event=event, starts_at=at, ends_at=at + hour, **more) for more in (
    dict(kind="meeting", name="Tea with the jury", capacity=1),
    dict(kind="workshop", name="Ink", capacity=9, needs=lent),
    dict(kind="slot", name="At the station", capacity=1))]
had = places.take(pools[0].id, guests.make(event.id, "Ada")[0], "a" * 32)
places.confirm(had.id, had.guest)
print(*(pool.id for pool in pools), proof.token_of(had), new_link(keeper()))"""


@pytest.fixture(scope="module")
def seeded(house):
    done = subprocess.run([sys.executable, "-c", SEED], env=house.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = ("tea", "ink", "slot", "ada", "link")
    found = dict(zip(names, done.stdout.split(), strict=True))
    found["ada"] = f"/places/mine/{found['ada']}"
    return found


def sign_up(page, name):
    page.fill("#name", name)
    page.check("[name=agreed]")
    page.click(".form .draw")


def test_a_visitor_gets_a_seat_from_the_waiting_list(seeded, visit):
    # two windows: the one behind is not painted, and Chromium complains that its fonts are not used
    bo = visit("/places", width=390, height=780, quiet=False)
    expect(bo.locator(".seat", has_text="Tea with the jury").locator(".left")).to_have_text("full, nobody waits")
    bo.click("text=Tea with the jury")
    sign_up(bo, "Bo ボー")
    expect(bo.locator("#standing h2")).to_have_text("On the waiting list")
    expect(bo.locator(".until")).to_have_text("You are number 1.")
    waiting = bo.url

    ada = visit(seeded["ada"], quiet=False)
    expect(ada.locator("#standing h2")).to_have_text("It is yours")
    ada.click("text=I cannot come")
    ada.click("button:has-text('Give it back')")
    expect(ada.locator("#standing h2")).to_have_text("Given back")

    expect(bo.locator("#standing h2")).to_have_text("A place is free: it is offered to you")  # the page looks by itself
    expect(bo.locator("#countdown")).to_have_text(re.compile(r"^\d+:\d\d:\d\d$"))
    bo.click("button:has-text('I take it')")
    expect(bo.locator("#standing h2")).to_have_text("It is yours")
    expect(bo.locator(".stamp")).to_have_text("Bo ボー")
    assert bo.url == waiting
    bo.goto(f"/places/{seeded['tea']}")
    expect(bo.locator(".label h2")).to_have_text("Yours")


def test_back_and_twice_is_still_one_place(seeded, visit):
    page = visit(f"/places/{seeded['ink']}")
    sign_up(page, "Cy")
    expect(page.locator("#standing h2")).to_have_text("Held for you")
    held = page.url
    page.go_back()
    page.goto(f"/places/{seeded['ink']}")
    expect(page.locator(".label")).to_contain_text("This browser has it as Cy")
    page.click("text=See it")
    assert page.url == held
    page.click("text=Confirm: it is mine")
    expect(page.locator("#standing h2")).to_have_text("It is yours")


def test_without_scripts(seeded, browser, house):
    context = browser.new_context(base_url=house.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/places/{seeded['slot']}")
    page.click(".form .draw")
    expect(page.get_by_role("alert")).to_contain_text("Please say your name")
    sign_up(page, "Di")
    page.click("text=Confirm: it is mine")
    expect(page.locator("#standing h2")).to_have_text("It is yours")
    context.close()


@pytest.fixture(scope="module")
def contexts(seeded, house, browser):
    """A visitor, and an organiser."""
    visitor, organiser = (browser.new_context(base_url=house.url) for _ in range(2))
    come_in(organiser.new_page(), f"/backstage/enter/{seeded['link']}")
    yield {"visitor": visitor, "organiser": organiser}
    visitor.close()
    organiser.close()


def pages(seeded):
    return [
        ("visitor", "/places"), ("visitor", f"/places/{seeded['ink']}"), ("visitor", seeded["ada"]),
        ("organiser", "/backstage/places"), ("organiser", f"/backstage/places/{seeded['ink']}"),
        ("organiser", "/backstage/places/new/workshop"), ("organiser", f"/backstage/places/{seeded['tea']}/list"),
    ]  # fmt: skip


def test_every_page_fits_and_axe_finds_nothing(seeded, contexts):
    for who, path in pages(seeded):
        page = contexts[who].new_page()
        page.goto(path)
        fits(page)
        for summary in page.locator("summary").all():
            summary.click()
        accessible(page)
        page.close()
