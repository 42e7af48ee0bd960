"""Letters of pages: a word of Latin letters is set in one face, whatever accents it bears; whoever needs none of these
letters loads no file for them."""

import pytest

#: family -> (where it is on the page, words of one face each)
WORDS = {
    "Hanken Grotesk": ("main p", ["Dvořák", "Žižek", "Őry", "Łukasz", "Gheorghiță", "İğdır", "Nguyễn", "Āboliņa"]),
    "Libre Caslon Condensed": ("main h1", ["Dvořák", "Žižek", "Kovács-Őry", "Łukasz", "İğdır", "Āboliņa"]),
    "Libre Caslon Condensed Italic": ("main h1", ["Dvořák", "Łukasz"]),
}
SET = """async ([where, words, italic]) => {
  const at = document.querySelector(where);
  at.textContent = words;
  at.style.fontStyle = italic ? "italic" : "normal";
  at.id = "letters";
  await Promise.all([...document.fonts].map((face) => face.unicodeRange !== "U+0-10FFFF" && face.load()));
  await document.fonts.ready;
}"""
#: the sheet as it was: western Latin only
WITHOUT = """() => { for (const sheet of document.styleSheets) for (let at = sheet.cssRules.length - 1; at >= 0; at--)
  if (sheet.cssRules[at].style?.getPropertyValue("unicode-range")) sheet.deleteRule(at); }"""


@pytest.fixture
def faces(visit):
    """Sets words on a page; the names of the faces that set them, and whether each is the house's own."""
    page = visit("/nothing-here", quiet=False)
    line = page.context.new_cdp_session(page)
    for room in ("DOM", "CSS"):
        line.send(f"{room}.enable")

    def named(where, words, italic=False, without=False):
        if without:
            page.evaluate(WITHOUT)
        page.evaluate(SET, [where, words, italic])
        root = line.send("DOM.getDocument")["root"]["nodeId"]
        node = line.send("DOM.querySelector", {"nodeId": root, "selector": "#letters"})["nodeId"]
        found = line.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        page.evaluate("document.getElementById('letters').removeAttribute('id')")
        return {(font["familyName"], font["isCustomFont"]) for font in found}

    return named


@pytest.mark.parametrize("face", WORDS)
def test_no_word_changes_its_face_midway(faces, face):
    where, words = WORDS[face]
    family, italic = face.removesuffix(" Italic"), face.endswith("Italic")
    for word in words:
        assert faces(where, word, italic) == {(family, True)}, word
    assert len(faces(where, "Dvořák", italic, without=True)) == 2  # control: ř falls to the system's font


def test_a_page_loads_the_letters_that_stand_on_it(visit):
    loaded = []
    page = visit("about:blank")
    page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))

    def more(words=""):
        loaded.clear()
        if words:
            page.evaluate("words => { document.querySelector('main p').textContent = words; }", words)
        else:
            page.goto("/")
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        return {name for name in loaded if name.endswith(".woff2")}

    usual = {"hanken-grotesk.woff2", "libre-caslon-condensed-normal.woff2", "libre-caslon-condensed-italic.woff2"}
    assert more() == usual
    assert more("¿Œuvre, naïve, Łódź?") == {"hanken-grotesk-ext.woff2"}
    assert more("Nguyễn") == {"hanken-grotesk-vietnamese.woff2"}
