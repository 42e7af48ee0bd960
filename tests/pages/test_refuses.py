"""The register in a real browser: a visitor reports, two curators make a finding of it, count, review; the room shows
it until it is withdrawn. Then every page of it by width, colour scheme and axe."""

import re
import subprocess
import sys

import pytest
from house import draw, hung
from playwright.sync_api import expect

from looking import accessible, come_in, fits

pytestmark = pytest.mark.slow

SECOND = """import django; django.setup()
from salon.web.people.links import new_link
from salon.web.events.domain import current_event
from salon.web.people.models import Role, User
dina = User.objects.create_user("dina", is_staff=True)
Role.objects.create(user=dina, event=current_event(), kind="curator")
print(new_link(dina))"""


def entry(house, *words):
    return subprocess.run(
        [sys.executable, *words], env=house.env, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def people(house, browser):
    """Contexts of a visitor who has drawn and reported, and of two curators."""
    contexts = {name: browser.new_context(base_url=house.url) for name in ("visitor", "cora", "dina")}
    for context in contexts.values():
        context.set_default_timeout(40_000)
    page = contexts["visitor"].new_page()
    page.goto("/station")
    draw(page, "a judge in a far country")
    contexts["image"] = hung(page).split("/")[-1].removesuffix(".png")
    link = re.search(r"/backstage/enter/\S+", entry(house, "-m", "salon", "backstage"))[0]
    come_in(contexts["cora"].new_page(), link)
    come_in(contexts["dina"].new_page(), f"/backstage/enter/{entry(house, '-c', SECOND)}")
    yield contexts
    for name in ("visitor", "cora", "dina"):
        contexts[name].close()


def tap(page, *labels):
    for label in labels:
        page.locator("label.tap", has=page.get_by_text(label, exact=True)).click()


def report(people, image, failure, text=""):
    page = people["visitor"].new_page()
    page.goto(f"/images/{image}/report")
    tap(page, failure, "Nobody in particular")
    page.fill("#text", text)
    page.fill("#credit", "Ada of table four")
    page.click("button:has-text('Report it')")
    expect(page.locator("h1")).to_have_text("Thank you")
    page.close()


@pytest.fixture(scope="module")
def finding(people):
    """A finding that waits to be drawn again; its page's address backstage."""
    report(people, people["image"], "It is violent", "the hammer")
    page = people["cora"].new_page()
    page.goto("/backstage/findings")
    page.locator("article", has_text="the hammer").get_by_role("button", name="Make it a finding").click()
    expect(page.locator("#look_for")).to_be_visible()
    yield page.url
    page.close()


def test_it_is_drawn_again_counted_blind_and_reviewed_by_two(people, finding):
    page = people["cora"].new_page()
    page.goto(finding)
    expect(page.locator("#look_for option")).to_have_count(1)  # a model of no world: people count
    tap(page, "16")
    page.click("button:has-text('Draw it again')")
    page.click("text=Count by eye")
    expect(page.locator(".contact")).to_be_hidden()  # violent: covered, and nothing can be counted unseen
    expect(page.get_by_role("button", name="That is my count")).to_be_hidden()
    page.locator(".sheet-cover summary").click()
    expect(page.locator(".contact li")).to_have_count(16)
    page.locator("[name=seen]").nth(4).check()
    page.click("text=That is my count")
    expect(page.locator(".rate")).to_have_text("1 of 16, interval 1–29%")
    page.click("text=Review it")
    page.click("text=Keep my review")
    expect(page.get_by_role("alert")).to_contain_text("Say what is wrong")
    tap(page, "It is violent", "Nobody in particular", "Yes", "3 · bad: cover the picture")
    tap(page, "Representational: it demeans, stereotypes or leaves people out")
    page.check("[name=may_show]")
    page.click("text=Keep my review")
    expect(page.locator("main")).to_contain_text("another person's eyes")

    other = people["dina"].new_page()
    other.goto(finding)
    expect(other.locator("main")).not_to_contain_text("1 of 16")
    expect(other.locator(".labels")).to_have_count(0)
    other.click("text=Review it")
    tap(other, "Something else", "Others", "No")
    expect(other.locator(".harmful").first).to_be_hidden()
    other.check("[name=may_show]")
    other.click("text=Keep my review")
    expect(other.locator(".labels")).to_contain_text("Representational")
    expect(other.locator(".lede")).to_have_text("Shown in the room")
    other.goto("/backstage/findings")
    expect(other.locator(".board")).to_contain_text("over 1 finding")
    with other.expect_download() as download:
        other.click("text=jsonl")
    assert '"failure_1":"violent"' in download.value.path().read_text()
    other.close()
    page.close()


def test_reviewing_by_keyboard(people, finding):
    page = people["cora"].new_page()
    page.goto(f"{finding}/review")
    page.locator("[name=failure]").first.focus()
    page.keyboard.press("Space")
    for _ in range(2):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    checked = page.eval_on_selector_all(":checked", "all => all.map(i => i.name)")
    assert checked == ["failure", "target", "harmful"]
    page.close()


def test_the_room_covers_leaves_out_and_says_enough(people, finding, visit):
    page = visit("/refuses")
    expect(page.locator(".piece")).to_have_count(1)
    assert not page.locator(".piece img").is_visible()
    page.locator(".cover summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".piece img")).to_be_visible()
    page.click(".caption a")
    expect(page.locator(".rate")).to_have_text("1 of 16, interval 1–29%")
    expect(page.locator(".label")).to_contain_text("Found by Ada of table four")
    expect(page.locator(".labels tbody tr").first).to_contain_text("It is violentSomething else")
    page.go_back()
    page.click("text=Leave kinds out")
    tap(page, "It is violent")
    page.click("button:has-text('Leave these out')")
    expect(page.locator(".piece")).to_have_count(0)
    page.click("text=Enough for now")
    expect(page).to_have_url(re.compile("/gallery$"))


def pages(people, finding):
    """(who, path) of every page of the register."""
    room = finding.replace("/backstage/findings/", "/refuses/")
    return [
        ("visitor", "/refuses"), ("visitor", "/refuses?hide=hate"), ("visitor", room), ("visitor", "/mine"),
        ("visitor", f"/images/{people['image']}/report"), ("cora", "/backstage/findings"), ("cora", finding),
        ("cora", f"{finding}/review"), ("cora", f"{finding}/count"), ("cora", "/backstage/reports"),
    ]  # fmt: skip


def test_every_page_fits_and_axe_finds_nothing(people, finding):
    for who, path in pages(people, finding):
        page = people[who].new_page()
        page.goto(path)
        page.wait_for_load_state("load")
        fits(page)
        for cover in page.locator(".cover summary").all():
            cover.click()
        accessible(page)
        page.close()


def test_withdrawn_it_leaves_the_room_at_once(people, finding):
    """Last: its finder takes it back."""
    room = finding.replace("/backstage/findings/", "/refuses/")
    page = people["visitor"].new_page()
    assert page.goto(room).status == 200
    page.goto("/mine")
    ticket = page.locator("[aria-labelledby=reported] .ticket", has_text="It is violent")
    ticket.locator("[name=credit]").fill("")
    ticket.get_by_role("button", name="Set").click()
    page.goto(room)
    expect(page.locator(".label")).to_contain_text("Found by a visitor")
    page.goto("/mine")
    ticket.get_by_role("button", name="Withdraw it").click()
    expect(ticket).to_have_count(0)
    assert page.goto(room).status == 404
    assert page.request.get(f"{room}.png").status == 404
    back = people["cora"].new_page()
    back.goto(finding)
    expect(back.locator("main")).to_contain_text("Only counts are kept")
    back.close()
    page.close()
