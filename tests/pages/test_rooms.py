"""A day in the rooms: a visitor proposes and reports, a curator hangs, the wall follows, goes on without the house, and
comes back. Then every page of these rooms by width, colour scheme and axe."""

import re
import subprocess
import sys
import time

import pytest
from house import draw, hung
from playwright.sync_api import expect

from looking import accessible, come_in, fits

pytestmark = pytest.mark.slow

#: does something whenever the picture on the wall changes
WATCH = """window.turns ??= 0; window.kept ??= [];
new MutationObserver(() => { %s }).observe(document.querySelector('.over'), %s)"""


def entry_link(house):
    """What `salon backstage` prints."""
    words = [sys.executable, "-m", "salon", "backstage", "--url", house.url]
    said = subprocess.run(words, env=house.env, capture_output=True, text=True, check=True).stdout
    return re.search(r"http://\S+/backstage/enter/\S+", said)[0]


@pytest.fixture(scope="module")
def people(house, browser):
    """Contexts of a visitor who has drawn, and of a curator who has come in by the link."""
    contexts = {name: browser.new_context(base_url=house.url) for name in ("visitor", "curator")}
    for context in contexts.values():
        context.set_default_timeout(40_000)
    page = contexts["visitor"].new_page()
    page.goto("/station")
    draw(page, "a lighthouse in the rain")
    contexts["image"] = hung(page).split("/")[-1].removesuffix(".png")
    page = contexts["curator"].new_page()
    come_in(page, entry_link(house))
    expect(page).to_have_url(f"{house.url}/backstage")
    yield contexts
    contexts["visitor"].close()
    contexts["curator"].close()


@pytest.fixture(scope="module")
def work(people):
    """A hung work's address."""
    return hang(people, "Keeper of the Lamp")


def hang(people, title, number=1):
    """The visitor proposes pane `number`, the curator hangs it; the address of its page."""
    page = people["visitor"].new_page()
    page.goto("/mine")
    page.locator(".hang-it").nth(number).click()
    page.fill("#title", title)
    page.fill("#maker", "Ada")
    page.check("[name=may_show]")
    page.check("[name=may_publish_prompt]")
    page.click("text=Propose it")
    expect(page.locator(".ticket", has_text=title)).to_contain_text("waits for a curator")
    back = people["curator"].new_page()
    back.goto("/backstage")
    back.locator(".candidate", has_text=title).get_by_role("button", name="Hang it").click()
    expect(back.locator("#decided ~ .scroll", has_text=title)).to_be_visible()
    back.close()
    page.reload()
    ticket = page.locator(".ticket", has_text=title)
    expect(ticket).to_contain_text("hangs")
    address = ticket.get_by_text("See it hang").get_attribute("href")
    page.close()
    return address


def test_a_visitor_proposes_by_hand_and_reads_what_is_missing(people):
    page = people["visitor"].new_page()
    page.goto(f"/images/{people['image']}")
    page.click("text=Hang it")
    page.fill("#title", "")
    page.fill("#statement", "it rained")
    page.click("text=Propose it")
    expect(page.locator("#title-wrong")).to_be_visible()
    expect(page.locator("#show-wrong")).to_be_visible()
    assert page.input_value("#statement") == "it rained"  # nothing is lost
    page.close()


def test_a_stranger_cannot_propose_it(people, visit):
    page = visit("/station", quiet=False)
    answer = page.goto(f"/images/{people['image']}/hang")
    assert answer.status == 403
    expect(page.locator("main")).to_contain_text("Only who had a picture drawn")


def test_three_taps_report_an_image(people):
    page = people["visitor"].new_page()
    page.goto(f"/images/{people['image']}/report")
    page.get_by_label("It shows a stereotype").click()
    page.get_by_label("Gender", exact=True).click()
    page.click("button:has-text('Report it')")
    expect(page.locator("h1")).to_have_text("Thank you")
    back = people["curator"].new_page()
    back.goto("/backstage/reports")
    expect(back.locator("tbody tr").first).to_contain_text("It shows a stereotype")
    back.close()
    page.close()


def test_reporting_by_keyboard(people):
    page = people["visitor"].new_page()
    page.goto(f"/images/{people['image']}/report")
    page.locator("[name=failure]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Thank you")
    page.close()


def titles(page):
    return [text for text in page.locator(".slot:not([hidden]) .title").all_text_contents() if text]


def until(true, seconds=40):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def test_the_wall_follows_at_once_and_goes_on_without_the_house(house, people, work, browser):
    """Hung: there within two seconds. Pulled: gone at once. Server killed: the wall goes round, survives a reload, and
    finds what was hung when the house is back."""
    context = browser.new_context(base_url=house.url, viewport={"width": 1280, "height": 720})
    context.set_default_timeout(40_000)
    errors = []
    wall = context.new_page()
    wall.on("pageerror", lambda error: errors.append(str(error)))
    wall.goto("/wall?seconds=600")  # it would not turn by itself
    expect(wall.locator("body")).to_have_attribute("data-line", "open")
    until(lambda: titles(wall) == ["Keeper of the Lamp"])
    second = hang(people, "Second Storm", 2)
    began = time.monotonic()
    until(lambda: titles(wall) == ["Second Storm"])
    assert time.monotonic() - began < 2
    back = people["curator"].new_page()
    back.goto("/backstage")
    back.locator("tr", has_text="Second Storm").get_by_role("button", name="Take down").click()
    until(lambda: titles(wall) == ["Keeper of the Lamp"])
    back.locator("tr", has_text="Second Storm").get_by_role("button", name="Undo").click()
    back.locator(".candidate", has_text="Second Storm").get_by_role("button", name="Hang it").click()
    until(lambda: titles(wall) == ["Second Storm"])
    wall.goto("/wall?seconds=0.3")
    until(lambda: wall.evaluate("navigator.serviceWorker.controller !== null"))
    wall.reload()  # now through the worker, which keeps what it fetches
    seen = set()
    until(lambda: seen.update(titles(wall)) or len(seen) == 2)
    house.web.kill()
    house.web.wait()
    expect(wall.locator("body")).to_have_attribute("data-line", "lost")
    seen.clear()
    until(lambda: seen.update(titles(wall)) or len(seen) == 2)  # it goes on
    wall.reload()
    seen.clear()
    until(lambda: seen.update(titles(wall)) or len(seen) == 2)  # and starts from what it kept
    house.open_web()
    expect(wall.locator("body")).to_have_attribute("data-line", "open")
    back.goto("/backstage")
    back.locator("tr", has_text="Second Storm").get_by_role("button", name="Take down").click()
    until(lambda: titles(wall) == ["Keeper of the Lamp"])
    house.web.kill()
    house.web.wait()
    wall.reload()  # the kept page still names it; it must not come back
    until(lambda: titles(wall))
    assert "Second Storm" not in [titles(wall)[0] for _ in range(40) if not time.sleep(0.05)]
    assert wall.evaluate("[...document.querySelectorAll('.over')].every(i => i.complete && i.naturalWidth > 0)")
    house.open_web()
    expect(wall.locator("body")).to_have_attribute("data-line", "open")
    third = hang(people, "After the Storm", 3)
    until(lambda: "After the Storm" in titles(wall))
    assert second != third
    assert errors == []
    context.close()


def test_a_long_day_on_the_wall_leaves_no_growth(house, people, work, browser):
    """A sped-up day: hundreds of turns. Nodes and listeners stay as many; control: a page that leaks is noticed."""
    context = browser.new_context(base_url=house.url)
    context.set_default_timeout(40_000)
    page = context.new_page()
    page.goto("/wall?seconds=0.02&layout=single")
    session = context.new_cdp_session(page)
    until(lambda: titles(page))
    page.evaluate(WATCH % ("window.turns += 1", "{attributes: true, attributeFilter: ['src']}"))

    def counted(turns):
        goal = page.evaluate("window.turns") + turns
        until(lambda: page.evaluate("window.turns") >= goal)
        session.send("HeapProfiler.collectGarbage")
        counters = session.send("Memory.getDOMCounters")
        return counters["nodes"], counters["jsEventListeners"]

    first, later = counted(60), counted(240)
    assert later[0] <= first[0] + 40
    assert later[1] <= first[1] + 10
    leak = "const i = new Image(); i.append(document.createElement('p')); window.kept.push(i)"
    page.evaluate(WATCH % (leak, "{attributes: true}"))
    assert counted(60)[0] > later[0] + 40
    context.close()


def test_a_revoked_wall_is_told_so(house, people, browser):
    back = people["curator"].new_page()
    back.goto("/backstage/devices")
    back.fill("#name", "left of the door")
    back.select_option("#kind", "wall")
    back.select_option("#layout", "mosaic")
    back.click("text=Make its link")
    link = back.locator(".placard a").get_attribute("href")
    expect(back.locator(".qr svg")).to_be_visible()
    context = browser.new_context(base_url=house.url)
    wall = context.new_page()
    come_in(wall, link)
    expect(wall.locator("body")).to_have_attribute("data-layout", "mosaic")
    back.goto("/backstage/devices")
    back.locator("tr", has_text="left of the door").get_by_role("button", name="Revoke").click()
    answer = wall.reload()
    assert answer.status == 403
    expect(wall.locator("body")).to_contain_text("no longer")
    assert context.request.get(link).status == 403
    context.close()
    back.close()


def booth(people, browser, house):
    """A browser that is one of the house's booths."""
    back = people["curator"].new_page()
    back.goto("/backstage/devices")
    back.fill("#name", "booth one")
    back.select_option("#kind", "station")
    back.click("text=Make its link")
    link = back.locator(".placard a").get_attribute("href")
    back.close()
    context = browser.new_context(base_url=house.url, viewport={"width": 1080, "height": 1920})
    context.set_default_timeout(40_000)
    page = context.new_page()
    come_in(page, link)
    return context, page


def test_a_booth_begins_anew_when_nobody_is_there(house, people, browser):
    """Idle: asked, counted down, and the next one sees nothing of the one before. A touch keeps it; the code takes the
    pictures home; holding the sign leads backstage."""
    context, page = booth(people, browser, house)
    expect(page.locator("body")).to_have_class(re.compile("kiosk"))
    page.goto("/station")
    draw(page, "a quiet harbour")
    expect(page.locator("#take-home img")).to_be_visible()
    first = next(c["value"] for c in context.cookies() if c["name"] == "salon_ticket")
    page.goto("/mine")
    assert page.locator(".strip li").count() > 0
    expect(page.locator("#idle")).to_be_visible()
    page.click("#idle-stay")
    expect(page.locator("#idle")).to_be_hidden()
    expect(page.locator("#idle")).to_be_visible()
    expect(page).to_have_url(f"{house.url}/station?kiosk=1")  # the countdown ended
    assert not [c for c in context.cookies() if c["name"] == "salon_ticket" and c["value"] == first]
    page.goto("/mine")
    assert page.locator(".strip li").count() == 0
    page.goto("/station")
    box = page.locator(".wordmark").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    expect(page).to_have_url(re.compile("/backstage/login"))
    page.mouse.up()
    context.close()


def test_one_press_takes_a_picture_off_every_screen(house, people, work, browser):
    """The booth that drew it, the wall where it hangs; and all walls are blanked, and lit again, with one press."""
    address = hang(people, "Not for Children", 4)
    wall_context = browser.new_context(base_url=house.url)
    wall = wall_context.new_page()
    wall.goto("/wall?seconds=600")
    until(lambda: titles(wall) == ["Not for Children"])
    context, page = booth(people, browser, house)
    page.goto("/station")
    draw(page, "a green lamp")
    name = hung(page).split("/")[-1].removesuffix(".png")
    assert page.locator(f'#grid img[src*="{name}"]').count() == 1
    back = people["curator"].new_page()
    back.goto("/backstage/screens")
    back.get_by_role("button", name="Blank every wall").click()
    until(lambda: titles(wall) == [])
    expect(wall.locator("#empty")).to_be_visible()
    back.locator(".screens li", has_text="Not for Children").get_by_role("button", name="Take down").click()
    back.goto("/backstage/screens")
    back.get_by_role("button", name="Show again what hangs").click()
    until(lambda: titles(wall) != [])
    assert titles(wall) != ["Not for Children"]
    assert people["visitor"].request.get(address).status == 404
    back.goto(f"/images/{name}")
    back.click("text=For the house")
    back.click("text=Take it off")
    expect(page.locator(f'#grid img[src*="{name}"]')).to_have_count(0)
    assert context.request.get(f"/images/{name}.png").status == 404
    expect(back.locator("tbody")).to_contain_text("a green lamp")
    back.close()
    wall_context.close()
    context.close()


def test_the_ticker_runs_and_stands_still_for_those_who_ask(house, people, work, browser):
    context = browser.new_context(base_url=house.url)
    page = context.new_page()
    page.goto("/wall?layout=ticker")
    expect(page.locator("#ticker span").first).to_contain_text("lighthouse")
    assert page.locator("#ticker span").count() == 2
    left = "document.querySelector('#ticker span').getBoundingClientRect().x"
    first = page.evaluate(left)
    until(lambda: page.evaluate(left) < first)
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate("document.querySelector('#ticker').getAnimations({subtree: true}).length") == 0
    context.close()


def test_a_revoked_booth_is_an_ordinary_browser(house, people, browser):
    context, page = booth(people, browser, house)
    back = people["curator"].new_page()
    back.goto("/backstage/devices")
    for button in back.locator("tr", has_text="booth one").get_by_role("button", name="Revoke").all()[::-1]:
        button.click()
    back.close()
    page.goto("/station")
    expect(page.locator("body")).not_to_have_class(re.compile("kiosk"))
    assert page.goto("/station?kiosk=1").status == 403
    expect(page.locator("main")).to_contain_text("Booths and walls")
    context.close()


def test_a_booth_is_opened_by_touch_alone(house, people, browser):
    """A kiosk has no keyboard: the way in is one tap, and of a machine that is the booth already none."""
    back = people["curator"].new_page()
    back.goto("/backstage/devices")
    back.fill("#name", "booth two")
    back.click("text=Make its link")
    link = back.locator(".placard a").get_attribute("href")
    context = browser.new_context(base_url=house.url, viewport={"width": 1080, "height": 1920}, has_touch=True)
    page = context.new_page()
    page.goto(link)
    expect(page.locator("h1")).to_have_text("booth two")
    assert page.locator(".threshold button.draw").bounding_box()["height"] >= 44
    fits(page)
    accessible(page)
    with page.expect_navigation():
        page.locator(".threshold button.draw").tap()
    expect(page.locator("body")).to_have_class(re.compile("kiosk"))
    page.goto(link)
    assert page.url.endswith("/station?kiosk=1")
    back.goto("/backstage/devices")
    back.locator("tr", has_text="booth two").get_by_role("button", name="Revoke").click()
    expect(back.locator("tr", has_text="booth two")).to_contain_text("revoked")
    back.close()
    context.close()


def code_of(house, context):
    """What the QR code under "Yours" of this browser carries."""
    ticket = next(cookie for cookie in context.cookies() if cookie["name"] == "salon_ticket")
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); from django.core import signing; import sys;"
         "from salon.web.gallery.domain import taking;"
         "told = signing.loads(sys.argv[1], salt='salon.visitor');"  # a known browser's ticket is a pair
         "print(taking.code(told[0] if isinstance(told, list) else told))", ticket["value"]],
        env=house.env, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def test_pictures_go_along_to_the_phone_and_back(house, people, browser):
    page = people["visitor"].new_page()
    page.goto("/mine")
    mine = page.locator(".strip li").count()
    code = code_of(house, people["visitor"])
    phone = browser.new_context(base_url=house.url, viewport={"width": 390, "height": 844})
    there = phone.new_page()
    there.goto(f"/mine/take/{code}")
    expect(there.locator(".threshold .strip img")).to_have_count(4)
    fits(there)
    accessible(there)
    with there.expect_navigation():
        there.locator(".threshold button.draw").click()
    expect(there.locator(".lede")).to_contain_text("on this device")
    assert there.locator(".strip li").count() == mine
    page.reload()
    expect(page.locator(".strip li")).to_have_count(0)  # they moved
    assert page.goto(f"/mine/take/{code}").status == 403  # it works once
    come_in(page, f"/mine/take/{code_of(house, phone)}")
    assert page.locator(".strip li").count() == mine
    page.close()
    phone.close()


def pages(people, work):
    """(who, path) of every page of these rooms."""
    image = people["image"]
    return [
        ("visitor", "/gallery"), ("visitor", work), ("visitor", "/mine"), ("visitor", f"/images/{image}/hang"),
        ("visitor", f"/images/{image}/report"), ("visitor", "/backstage/login"), ("curator", "/backstage"),
        ("curator", "/backstage/reports"), ("curator", "/backstage/devices"), ("curator", "/backstage/trail"),
        ("curator", "/backstage/cheatsheet"), ("curator", "/backstage/screens"),
        ("curator", f"/backstage/images/{image}/remove"), ("visitor", "/wall"), ("visitor", "/wall?layout=triptych"),
        ("visitor", "/wall?layout=mosaic"), ("visitor", "/wall?layout=ticker"),
    ]  # fmt: skip


def test_every_page_fits_and_axe_finds_nothing(people, work):
    for who, path in pages(people, work):
        page = people[who].new_page()
        page.goto(path)
        page.wait_for_load_state("load")
        fits(page)
        accessible(page)
        page.close()


@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160), (1080, 1920)])
def test_a_work_and_its_label_fit_the_wall(people, work, size):
    page = people["visitor"].new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for layout in ("single", "triptych", "ticker"):
        page.goto(f"/wall?layout={layout}")
        until(lambda: titles(page))
        for box in (
            page.locator(".slot .frame").first.bounding_box(),
            page.locator(".slot .label").first.bounding_box(),
        ):
            assert box["x"] >= 0
            assert box["y"] >= 0
            assert box["x"] + box["width"] <= size[0]
            assert box["y"] + box["height"] <= size[1]
    page.close()


def test_forgotten_on_request(people, work):
    """Last: everything of the visitor goes, from the gallery too."""
    page = people["visitor"].new_page()
    page.goto("/mine")
    page.click("text=Yes, I want that")
    page.click("text=Erase everything")
    expect(page.locator(".lede")).to_contain_text("remembers nothing")
    assert page.goto(work).status == 404
    assert page.goto(f"/images/{people['image']}").status == 200  # it was reported: the register keeps it
    page.goto("/mine")
    expect(page.locator(".strip li")).to_have_count(0)
    page.close()
