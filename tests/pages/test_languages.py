# ruff: noqa: E402 (without playwright and polib there is nothing to collect)
"""Languages in a browser: a page speaks the visitor's language and goes on speaking the one that was chosen; read from
right to left nothing overlaps and nothing is cut."""

import re
from pathlib import Path

import pytest

polib = pytest.importorskip("polib")
pytest.importorskip("playwright.sync_api")
from house import House, draw
from playwright.sync_api import expect

pytestmark = pytest.mark.slow
CATALOGUE = Path(__file__).parents[2] / "src/salon/web/locale/es/LC_MESSAGES/django.po"
KEPT = re.compile(r"(%\(\w+\)[a-z]|%%|%[sd]|\{\w+\}|</?[a-zA-Z][^<>]*>)")
LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", "ابتثجحخدذرزسشصضطظعغفقكلمنه", strict=True))
LAYOUT = (Path(__file__).parent / "layout.js").read_text()
PAGES = ("/", "/station", "/station/machines", "/arena", "/gallery", "/refuses", "/mine", "/event", "/privacy", "/call",
         "/programme", "/places", "/you/lost", "/arena/leaderboard")  # fmt: skip
DEMO = """
import django; django.setup()
from salon.web.events import demo
from salon.web.people.models import User

demo.make(User.objects.create(username="keeper", is_staff=True, is_superuser=True))
"""


def made_up(text: str) -> str:
    """Arabic letters for Latin ones, as long as the Spanish, with placeholders and tags as they are."""
    parts = KEPT.split(text)
    return "".join(
        part if place % 2 else "".join(LETTERS.get(letter.lower(), letter) for letter in part)
        for place, part in enumerate(parts)
    )


def pseudo_catalogue(folder: Path) -> None:
    made = polib.POFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": "nplurals=2; plural=(n != 1);"}
    for entry in polib.pofile(str(CATALOGUE)):
        if entry.obsolete or entry.msgctxt:  # contexts: formats of days
            continue
        new = polib.POEntry(msgid=entry.msgid, msgid_plural=entry.msgid_plural, msgstr=made_up(entry.msgstr))
        new.msgstr_plural = {number: made_up(words) for number, words in entry.msgstr_plural.items()}
        made.append(new)
    (folder / "ar" / "LC_MESSAGES").mkdir(parents=True)
    made.save_as_mofile(str(folder / "ar" / "LC_MESSAGES" / "django.mo"))


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory):
    """A house with a demo event that also speaks made-up Arabic."""
    folder = tmp_path_factory.mktemp("mirrored")
    pseudo_catalogue(folder / "locale")
    opened = House(folder)
    opened.env |= {"SALON_DEBUG": "1", "SALON_PSEUDO_LOCALE": str(folder / "locale")}
    assert opened.python("-c", DEMO).wait(60) == 0
    opened.open_web()
    yield opened
    opened.close(opened.web)


@pytest.mark.parametrize(("language", "width"), [("ar", 390), ("ar", 1280), ("es", 390), ("ja", 390)])
def test_nothing_overlaps_and_nothing_is_cut(mirrored, browser, language: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, base_url=mirrored.url)
    page, wrong = context.new_page(), {}
    for path in PAGES:
        page.goto(f"{path}?lang={language}")
        page.evaluate("document.fonts.ready")
        assert page.evaluate("document.documentElement.lang") == language, path
        assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr"), path
        if found := page.evaluate(LAYOUT):
            wrong[path] = found
    context.close()
    assert wrong == {}


def test_what_overlaps_or_is_cut_is_seen(mirrored, browser) -> None:
    """Negative control: a rule that counts from the left moves words out, onto others, or into a box too small."""
    page = browser.new_page(viewport={"width": 390, "height": 800}, base_url=mirrored.url)
    page.goto("/?lang=ar")
    assert page.evaluate(LAYOUT) == []
    for change, seen in (
        ("'h1').style.translate = '9rem'", "outside"),
        ("'.lede').style.marginTop = '-6rem'", "lies on"),
        ("'.lede').style.cssText = 'overflow: hidden; white-space: nowrap'", "cut"),
    ):
        page.reload()
        page.evaluate(f"document.querySelector({change}")
        assert any(seen in words for words in page.evaluate(LAYOUT)), change
    page.context.close()


def test_a_visitor_is_spoken_to_in_spanish_and_chooses_japanese(visit) -> None:
    page = visit("/", locale="es-MX")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("link", name="Entrar en la estación")).to_be_visible()
    page.click("text=Entrar en la estación")
    expect(page.locator("#draw")).to_have_text("Dibujar nueve")
    chooser = page.locator(".tongues button", has_text="日本語")
    box = chooser.bounding_box()
    assert min(box["width"], box["height"]) >= 44
    chooser.click()
    expect(page).to_have_url(re.compile(r"/station$"))
    expect(page.locator("#draw")).to_have_text("9枚描く")
    page.goto("/gallery")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.get_by_role("link", name="ステーション", exact=True)).to_be_visible()


def test_the_station_works_in_japanese(visit) -> None:
    page = visit("/station?lang=ja")
    expect(page.locator("form#ask .aside").first).to_contain_text("英語")
    page.click(".chip >> text=水彩")
    draw(page, "a painting of a river")
    expect(page.locator("#status")).to_contain_text("完了")
    assert page.locator("#prompt").input_value() == "a painting of a river"
    drawn = page.url
    page.click(".tongues button[value=es]")
    assert page.url == drawn  # the request is found again
    expect(page.locator("#plate-title")).to_have_text("a painting of a river")
    page.fill("#prompt", "this fails")
    page.click("#draw")
    expect(page.locator("#placard h2")).to_have_text("Este se ha caído de la pared")


def test_a_language_can_be_chosen_without_scripts(visit) -> None:
    page = visit("/mine", java_script_enabled=False)
    page.click(".tongues button[value=es]")
    expect(page).to_have_url(re.compile("/mine$"))
    expect(page.locator("h1")).to_have_text("Lo suyo")
    expect(page.locator(".tongues [aria-current]")).to_have_text("Español")
