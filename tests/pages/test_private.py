"""A guest's own page and the letters in a real browser: by the link, changed, agreed, taken along, erased; an organiser
words, releases, finds, erases. Every page by width and axe."""

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from looking import accessible, come_in, fits

pytestmark = pytest.mark.slow

GUEST = """import django; django.setup()
from salon.web.events.domain import current_event
from salon.web.mail import letters, lost
from salon.web.people import consents, guests
event = current_event()
consents.publish(event.id, "photos", {"en": "Photographs of me may be shown."})
guest, token = guests.make(event.id, "Ada Łovelace", "ada@example.org", "en")
letters.register("accepted", "We show it", "Dear {name}")
letters.write(event, guest, "accepted", "k")
letter = letters.write(event, guest, lost.KIND, "k2")
print(token, guest.id, letter.id)"""


def entry(house, *words):
    return subprocess.run([sys.executable, *words], env=house.env, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def ada(house, browser):
    """Contexts of a guest and of the keeper; the ids of guest and letter."""
    token, guest, letter = entry(house, "-c", GUEST).split()
    own, keeper = (browser.new_context(base_url=house.url) for _ in range(2))
    for context in (own, keeper):
        context.set_default_timeout(40_000)
    come_in(keeper.new_page(), re.search(r"/backstage/enter/\S+", entry(house, "-m", "salon", "backstage"))[0])
    yield {"own": own, "keeper": keeper, "token": token, "guest": guest, "letter": letter}
    own.close()
    keeper.close()


PAGES = [
    ("own", "/you"), ("own", "/you/erase"), ("own", "/you/lost?asked=1"), ("keeper", "/backstage/mail"),
    ("keeper", "/backstage/mail/{letter}"), ("keeper", "/backstage/mail/wordings"),
    ("keeper", "/backstage/mail/wordings/lost_link/en"), ("keeper", "/backstage/data?q=ada"),
    ("keeper", "/backstage/data/{guest}"),
]  # fmt: skip


def test_the_way_in_says_whose_page_it_is_fits_and_is_opened_by_keyboard(ada, house, browser):
    context = browser.new_context(base_url=house.url, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"/you/{ada['token']}")
    expect(page.locator("h1")).to_have_text("Ada Łovelace")
    expect(page.locator(".threshold button.draw")).to_be_focused()
    fits(page)
    accessible(page)
    assert not [cookie for cookie in context.cookies() if cookie["name"] == "salon_guest"]
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/you")
    context.close()


def test_by_the_venue_s_network_without_tls_forms_of_private_pages_are_let_in(ada, house, browser):
    """There browsers say by `Origin` alone which page sends a form, and "null" where a page may tell no address."""
    context = browser.new_context(base_url=house.url.replace("127.0.0.1", "salon.test"))
    page = context.new_page()
    come_in(page, f"/you/{ada['token']}")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("[role=status]")).to_have_text("Kept.")
    page.evaluate("document.head.insertAdjacentHTML('beforeend', '<meta name=referrer content=no-referrer>')")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("main")).to_contain_text("does not belong to this salon")  # the control
    context.close()


def test_the_link_opens_the_page_and_leaves_no_trace_in_the_address(ada):
    page = ada["own"].new_page()
    come_in(page, f"/you/{ada['token']}")
    assert page.url.endswith("/you")
    expect(page.locator("h1")).to_have_text("Ada Łovelace")
    page.fill("#name", "Ada L.")
    page.fill("#email", "nobody")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#wrong-email")).to_be_visible()
    page.fill("#email", "ada@example.net")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("h1")).to_have_text("Ada L.")
    page.get_by_role("button", name="I agree").click()
    expect(page.locator(".agreements")).to_contain_text("version 1")
    with page.expect_download() as loaded:
        page.get_by_role("link", name="Take it along").click()
    told = json.loads(loaded.value.path().read_text())
    assert (told["you"]["email"], told["you"]["consents"][0]["to"]) == ("ada@example.net", "photos")
    page.close()


def test_every_page_fits_and_axe_finds_nothing(ada):
    for who, path in PAGES:
        page = ada[who].new_page()
        assert page.goto(path.format(**ada)).status == 200
        fits(page)
        accessible(page)
        page.close()


def test_an_organiser_words_and_releases_a_letter_by_keyboard(ada):
    page = ada["keeper"].new_page()
    page.goto("/backstage/mail/wordings/lost_link/en")
    page.fill("#text", "Dear {nmae}, {private_link}")
    page.get_by_role("button", name="Look at it first").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("{nmae}")
    page.fill("#text", "Dear {name}, {private_link}")
    page.get_by_role("button", name="Look at it first").press("Enter")
    expect(page.locator(".words")).to_contain_text("⟨private link⟩")
    page.goto("/backstage/mail")
    expect(page.locator(".letters")).to_contain_text("We show it")
    page.get_by_role("button", name="Release what is ticked").press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("1 letter")
    page.get_by_role("link", name="On the way").press("Enter")
    expect(page.locator(".letters li")).to_have_count(2)
    page.close()


def test_erased_at_their_wish_the_page_is_nobodys(ada):
    """Last: she goes."""
    page = ada["own"].new_page()
    page.goto("/you")
    page.get_by_role("link", name="Erase me").click()
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name="Erase everything").click()
    expect(page.locator("h1")).to_have_text("Erased")
    page.go_back()
    page.goto(f"/you/{ada['token']}")
    expect(page.locator("body")).not_to_contain_text("Ada L.")
    found = ada["keeper"].new_page()
    found.goto("/backstage/data?q=ada")
    expect(found.locator("main")).not_to_contain_text("ada@example.net")
