"""Coming in backstage as people do: the first link on a phone, a password, another device, a booth's PIN."""

import os
import re
import subprocess
import sys

import pytest
from house import House
from playwright.sync_api import expect

from looking import accessible, come_in, fits

pytestmark = pytest.mark.slow
PASSWORD, PIN = "seven quiet lanterns", "483920"


def looked_at(page, name):
    """Fits, and axe finds nothing; a picture of it is left where SALON_SHOTS says, for people to look at."""
    fits(page)
    accessible(page)
    if folder := os.environ.get("SALON_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def enter(page, address):
    """By a one-time link and its button."""
    come_in(page, address)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """One whose booths are patient: how they begin anew is tried in test_rooms.py."""
    opened = House(tmp_path_factory.mktemp("ways"))
    opened.env["SALON_KIOSK_SECONDS"] = "3600"
    opened.open_web()
    yield opened
    opened.close(opened.web)


@pytest.fixture(scope="module")
def keeper(house, browser):
    words = [sys.executable, "-m", "salon", "backstage", "--url", house.url]
    said = subprocess.run(words, env=house.env, capture_output=True, text=True, check=True).stdout
    context = browser.new_context(base_url=house.url)
    context.set_default_timeout(40_000)
    page = context.new_page()
    enter(page, re.search(r"http://\S+/enter/\S+", said)[0])
    expect(page).to_have_url(f"{house.url}/backstage")
    yield page
    context.close()


def opened(browser, house, path, width=390, height=844):
    context = browser.new_context(base_url=house.url, viewport={"width": width, "height": height})
    context.set_default_timeout(40_000)
    page = context.new_page()
    page.goto(path)
    return page


def test_from_the_first_link_to_a_password_on_another_device(house, browser, keeper):
    keeper.goto("/backstage/people")
    keeper.fill("#name", "Véra Óconnor")
    keeper.locator("form", has_text="Somebody new").get_by_label("volunteer").check()
    keeper.click("text=Add, and make a link")
    expect(keeper.locator(".handed")).to_contain_text("lets them in, once, until")
    looked_at(keeper, "people")
    phone = opened(browser, house, "/station")
    enter(phone, keeper.locator(".handed a").get_attribute("href"))
    expect(phone.locator("h1")).to_have_text("Welcome: choose a password")
    looked_at(phone, "password-first")
    phone.locator("#new").focus()
    phone.keyboard.type("Oconnor and lanterns")
    phone.keyboard.press("Tab")
    phone.keyboard.type("Oconnor and lanterns")
    phone.keyboard.press("Enter")
    expect(phone.locator("#new-wrong")).to_contain_text("part of your name")
    looked_at(phone, "password-wrong")
    phone.fill("#new", PASSWORD)
    phone.fill("#again", PASSWORD)
    phone.click("text=Set it")
    expect(phone.locator("h1")).to_have_text("Your password is set")
    looked_at(phone, "password-done")
    laptop = opened(browser, house, "/backstage/login", 1280, 800)
    expect(laptop.locator("main")).to_contain_text("you stay logged in until")
    looked_at(laptop, "login")
    laptop.fill("#id_username", "vera-oconnor")
    laptop.fill("#id_password", PASSWORD)
    laptop.click("text=Come in")
    expect(laptop.locator("h1")).to_have_text("What would you like to do?")
    laptop.click("text=Your password")
    expect(laptop.locator("#current")).to_be_visible()
    looked_at(laptop, "password-later")
    laptop.fill("#current", PASSWORD)
    laptop.fill("#new", PASSWORD + "!")
    laptop.fill("#again", PASSWORD + "!")
    laptop.click("text=Set it")
    expect(laptop.locator("h1")).to_have_text("Your password is set")
    phone.goto("/backstage")
    expect(phone).to_have_url(re.compile("/backstage/login"))  # the other session is over
    phone.context.close()
    laptop.context.close()


def test_a_volunteer_unlocks_a_booth_by_its_pin(house, browser, keeper):
    keeper.goto("/backstage/devices")
    keeper.fill("#booth-pin", PIN)
    keeper.click("text=Set the PIN")
    expect(keeper.locator("#pin")).to_contain_text("It is not shown again")
    looked_at(keeper, "devices")
    keeper.fill("#name", "left")
    keeper.select_option("#kind", "station")
    keeper.click("text=Make its link")
    booth = opened(browser, house, "/station", 1080, 1920)
    enter(booth, keeper.locator(".placard a").get_attribute("href"))
    expect(booth.locator("body")).to_have_class(re.compile("kiosk"))
    box = booth.locator(".wordmark").bounding_box()
    booth.mouse.move(box["x"] + 5, box["y"] + 5)
    booth.mouse.down()
    expect(booth).to_have_url(re.compile("/backstage/unlock"))
    booth.mouse.up()
    expect(booth.locator("#pin")).to_be_focused()
    booth.keyboard.type("5555")
    booth.keyboard.press("Enter")
    expect(booth.locator("[role=alert]")).to_contain_text("This is not the PIN.")
    looked_at(booth, "unlock")
    booth.fill("#pin", PIN)
    booth.click("button:has-text('Unlock')")
    expect(booth).to_have_url(f"{house.url}/backstage/screens")
    expect(booth.get_by_role("button", name="Blank every wall")).to_be_visible()
    expect(booth.locator("text=Your password")).to_have_count(0)
    looked_at(booth, "screens-at-the-booth")
    booth.evaluate("document.getElementById('idle-leave').submit()")  # as when nobody is there any more
    expect(booth).to_have_url(f"{house.url}/station?kiosk=1")
    booth.goto("/backstage/screens")
    expect(booth).to_have_url(re.compile("/backstage/login"))  # locked again
    booth.context.close()
