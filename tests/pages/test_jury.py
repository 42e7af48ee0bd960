"""The jury in a real browser: an organiser makes a round, two jurors score three anonymous applications by keyboard,
one declares a conflict, the organiser sees the ranking and marks decisions. Then the pages by width, scheme and axe."""

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from looking import accessible, come_in, fits

#: three applications as the call keeps them, two jurors; prints the jurors' links
SCRIPT = """import django, io, json; django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from salon.web.call.models import Answer, Call, Question, Submission, Upload
from salon.web.events.domain import current_event
from salon.web.people import guests
from salon.web.people.links import new_link
from salon.web.people.models import Role, User
event = current_event()
call, _new = Call.objects.get_or_create(event=event, defaults={"title": "Call"})
asked = Question.objects.create(call=call, kind="line", label="Made of")
for n, title in enumerate(("Loom", "Tide tables", "Sandpaper moon")):
    guest, _token = guests.make(event.pk, f"Artist Number{n}")
    made = Submission.objects.create(event=event, guest=guest, title=title, state="submitted", key=title,
        about=f"A work by Artist Number{n} about weaving, water and patience. " * 4)
    Answer.objects.create(submission=made, question=asked, value="wool and code")
    file = io.BytesIO()
    Image.effect_mandelbrot((480 + 200 * n, 520), (-1.5 - n / 5, -1, 0.6, 1), 60).convert("RGB").save(file, "WEBP")
    name = default_storage.save(f"applications/{made.pk}/{n}.webp", ContentFile(file.getvalue()))
    Upload.objects.create(submission=made, file=name, shown=name, name=f"number{n}.webp", kind="image/webp", size=9,
        sha256="0" * 64)
links = {}
for name in ("juno", "jack"):
    user = User.objects.create_user(name, is_staff=True)
    Role.objects.create(user=user, event=event, kind="reviewer")
    links[name] = new_link(user)
print(json.dumps(links))"""


def run(house, *words):
    done = subprocess.run([sys.executable, *words], env=house.env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def people(house, browser):
    """Pages of an organiser and of two jurors, backstage."""
    links = json.loads(run(house, "-c", SCRIPT).splitlines()[-1])
    links["olga"] = re.search(r"/backstage/enter/(\S+)", run(house, "-m", "salon", "backstage"))[1]
    pages = {}
    for name, token in links.items():
        context = browser.new_context(base_url=house.url, viewport={"width": 1280, "height": 800})
        context.set_default_timeout(20_000)
        pages[name] = context.new_page()
        come_in(pages[name], f"/backstage/enter/{token}")
    yield pages
    for page in pages.values():
        page.context.close()


def score(page, *points):
    """By keyboard alone, from the focus that the page begins with."""
    expect(page.locator(".points input[type=radio]:focus")).to_have_count(1)
    for point in points:
        page.keyboard.type(str(point))
        page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("Seen & weighed")
    page.keyboard.press("Control+Enter")


def test_a_jury_decides(people):
    olga, juno, jack = people["olga"], people["juno"], people["jack"]
    olga.goto("/backstage/jury")
    olga.click("text=Make the first round")
    olga.click("text=Make this round")
    expect(olga.get_by_role("alert")).to_have_text("Give this round a name.")
    olga.fill("#name", "First look")
    olga.fill("#each", "2")
    olga.click("text=Make this round")
    for name, weight in (("Idea", "2"), ("Craft", "1")):
        adding = olga.locator(".categories li").last
        if not adding.locator("details").evaluate("d => d.open"):
            adding.locator("summary").click()
        adding.locator("[name=name]").fill(name)
        adding.locator("[name=weight]").fill(weight)
        adding.get_by_role("button", name="Add it").click()
        expect(olga.locator(".categories b", has_text=name)).to_be_visible()
    olga.click("text=Who judges what")
    olga.click("text=Draw what is missing")
    expect(olga.locator(".names > li")).to_have_count(6)

    juno.goto("/backstage/jury")
    juno.click("text=Begin")
    expect(juno.locator(".judge")).not_to_contain_text("Number")
    expect(juno.locator(".judge")).to_contain_text("[name]")
    for points in ((9, 10), (6, 7), (1, 2)):
        expect(juno.locator(".shown img")).to_be_visible()
        score(juno, *points)
    expect(juno.locator(".all-done")).to_be_visible()
    expect(juno.locator(".line .aside").first).to_have_text("93")  # (2 x 9 + 10) of 30

    jack.goto("/backstage/jury/queue")
    jack.click("text=Begin")
    hidden = jack.locator(".judge h1").inner_text()
    expect(jack.locator("#others + p")).to_contain_text("when all who were asked")
    jack.click("text=I must not judge this")
    jack.fill("#why", "we share a studio")
    jack.click("text=I have a conflict of interest")
    for points in ((8, 8), (3, 4)):
        score(jack, *points)
    expect(jack.locator(".all-done")).to_be_visible()
    expect(jack.locator(".line li")).to_have_count(2)
    expect(jack.locator(".line")).not_to_contain_text(hidden)

    olga.goto("/backstage/jury")
    expect(olga.locator("[aria-labelledby=conflicts] tbody tr")).to_contain_text("we share a studio")
    olga.click("text=Ranking")
    expect(olga.locator(".ranking tbody .place")).to_have_count(3)
    expect(olga.locator(".not-apart")).to_be_visible()
    olga.fill("#line", "1")
    olga.click("text=Mark them")
    expect(olga.locator(".ranking select").first).to_have_value("accepted")
    expect(olga.locator(".ranking tr.cut")).to_be_visible()
    olga.click("text=Take the last marking back")
    expect(olga.locator(".ranking select").first).to_have_value("")
    olga.locator(".ranking select").first.select_option("accepted")
    olga.click("text=Keep these marks")
    expect(olga.locator(".is-accepted")).to_have_count(1)
    with olga.expect_download() as download:
        olga.click("text=Ranking, CSV")
    assert "Artist Number" in download.value.path().read_text()


def test_two_tabs_of_one_juror(people):
    first = people["juno"]
    first.goto("/backstage/jury/queue")
    first.locator(".line a").first.click()
    second = first.context.new_page()
    second.goto(first.url)
    first.fill("#text", "from the first tab")
    first.click("text=Save the change")
    expect(first.locator(".queue")).to_be_visible()
    second.fill("#text", "from the second tab")
    second.click("text=Save the change")
    expect(second.get_by_role("alert")).to_contain_text("another tab")
    expect(second.get_by_role("alert")).to_contain_text("from the first tab")
    expect(second.locator("#text")).to_have_value("from the second tab")
    second.click("text=Save the change")
    expect(second.locator(".queue")).to_be_visible()
    second.close()


def every(people):
    """(page, path) of each page of the jury."""
    olga, juno = people["olga"], people["juno"]
    olga.goto("/backstage/jury")
    links = set(olga.eval_on_selector_all(".rounds a", "all => all.map(a => a.getAttribute('href'))"))
    juno.goto("/backstage/jury/queue")
    judge = juno.locator(".line a").first.get_attribute("href")
    paths = ["/backstage/jury", "/backstage/jury/phases/new", "/backstage/exports", *sorted(links)]
    return [*((olga, path) for path in paths), (juno, "/backstage/jury/queue"), (juno, judge)]


def test_every_page_fits_and_axe_finds_nothing(people):
    for page, path in every(people):
        page.goto(path)
        fits(page)
        page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true; })")
        accessible(page)
