"""Forms on paper: what people write stays words, and what has no letters here is found before it is printed."""

import json

import pytest
import reading
import typst

from salon import printing
from salon.printing import typeset
from salon.web.codes import qr_svg

TICKET = {
    "title": "Workshop", "language": "en", "event": "Salon", "pool": "Workshop", "name": "Ada Löwe",
    "lines": [["When", "now"]], "note": "One entry.", "code": "K7QF2-M9X4T", "qr": qr_svg("SALON:0").decode(),
}  # fmt: skip
#: Old Hungarian, Egyptian, a private letter: no machine of ours has fonts for all of them
STRANGE = "\U00010c80\U00013000\ue000"


def test_a_ticket_is_a_tagged_pdf_or_a_picture():
    made = printing.pdf("ticket", TICKET)
    assert made.startswith(b"%PDF-")
    assert b"StructTreeRoot" in made  # for screen readers
    assert printing.png("ticket", TICKET).startswith(b"\x89PNG")


def test_a_list_of_a_door_goes_over_several_pages():
    rows = [[f"Name {n}", "Workshop", "K7QF2", n % 2 == 0] for n in range(120)]
    words = {"title": "Door", "language": "en", "event": "Salon", "door": "Main", "told": "Now", "note": "Tick."}
    made = printing.pdf("door", {**words, "heads": ["Name", "For", "Code"], "rows": rows})
    assert b"/Type/Pages/Count 4" in made


@pytest.mark.parametrize("name", ["#panic()", '"#read("/etc/passwd")', "$ x $ *b* _i_ @a <b>", "\\", "]", "#" * 200])
def test_what_people_write_is_never_markup(name):
    for field in ("name", "pool", "event", "note", "code"):
        assert printing.pdf("ticket", {**TICKET, field: name}).startswith(b"%PDF-")


def test_letters_without_a_font_are_found_first():
    assert printing.readable("Adélaïde Ñandú Łukasz", "K7QF2")
    assert not printing.readable("Ada", STRANGE)
    with pytest.raises(printing.Unprintable):  # control: unasked, it is not a row of boxes but an error
        printing.pdf("ticket", {**TICKET, "name": STRANGE})


def test_each_letter_falls_back_for_itself():
    """Before, a name with one letter that has no font was left out whole."""
    assert printing.legible("Ada Löwe", f"Ada {STRANGE} Löwe", STRANGE, "") == [
        "Ada Löwe", f"Ada {printing.GAP} Löwe", printing.GAP, ""
    ]  # fmt: skip
    assert printing.legible("Ada 🎨 👩🏽\u200d🎨 草間 彌生 김 王") == ["Ada 🎨 👩🏽\u200d🎨 草間 彌生 김 王"]
    assert printing.legible("ab\u0007c") == [f"ab{printing.GAP}c"]
    assert printing.legible("e\u0301\u0334") == ["é"]  # a mark that no font has is left out, its letter stays
    for words in (f"Ada {STRANGE}", STRANGE * 50, "ab\u0007c"):
        [made] = printing.legible(words)
        assert printing.pdf("ticket", {**TICKET, "name": made}).startswith(b"%PDF-")
        with pytest.raises(printing.Unprintable):  # control
            printing.pdf("ticket", {**TICKET, "name": words})


#: words of many scripts, none with a blank, and the face that sets them without help of this machine's fonts
WORDS = {
    "Noto Sans": "ẞǍɓŋЖЂΩǎ", "Noto Sans Arabic": "محمدپچ", "Noto Sans Armenian": "Հայերեն", "Noto Sans Bengali": "ক্ষুদ্র",
    "Noto Sans Devanagari": "क्षत्रिय", "Noto Sans Ethiopic": "አማርኛ", "Noto Sans Georgian": "ქართული",
    "Noto Sans Gujarati": "ગુજરાતી", "Noto Sans Gurmukhi": "ਪੰਜਾਬੀ", "Noto Sans Hebrew": "עברית",
    "Noto Sans Kannada": "ಕನ್ನಡ",
    "Noto Sans Khmer": "ខ្មែរ", "Noto Sans Lao": "ລາວ", "Noto Sans Malayalam": "മലയാളം", "Noto Sans Myanmar": "မြန်မာ",
    "Noto Sans Sinhala": "සිංහල", "Noto Sans Tamil": "தமிழ்", "Noto Sans Telugu": "తెలుగు", "Noto Sans Thai": "สมชายใจดี",
    "Noto Sans JP": "草間彌生スタジオ", "Noto Sans SC": "欢这们", "Noto Sans KR": "김철수", "Noto Emoji": "🎨🦊🚀◻",
    "Hanken Grotesk": "PříližžluťoučkýůňŁŐășğıếễ", "Libre Caslon": "PříližžluťoučkýůňŁŐășğı",
}  # fmt: skip


@pytest.mark.parametrize("face", WORDS)
def test_the_house_brings_a_font_for(face):
    assert printing.readable(WORDS[face], family=face)
    assert not printing.readable(STRANGE, family=face)  # control
    [page] = reading.pages(printing.pdf("ticket", {**TICKET, "name": WORDS[face]}))
    named = next(name for name, words in reading.faces(page).items() if WORDS[face][0] in words)
    wanted = "Hanken Grotesk" if face == "Libre Caslon" else face
    assert named.startswith(wanted.replace(" ", "")), reading.faces(page)


@pytest.mark.parametrize("field", ["event", "pool", "name"])
@pytest.mark.parametrize("words", ["Příliš žluťoučký kůň", "Nguyễn Phượng", "Ǎda Ɓello", "Łukasz Őrsi"])
def test_no_word_changes_its_face_midway(field, words, monkeypatch):
    def whole():
        [page] = reading.pages(printing.pdf("ticket", {**TICKET, field: words}))
        return any("".join(words.split()) in "".join(said.split()) for said in reading.faces(page).values())

    assert whole()
    if words == "Ǎda Ɓello":  # control: letter by letter
        monkeypatch.setattr(typeset, "_other_faces", lambda words, first: {})
        assert not whole()


def width(words, face):
    source = f'#set text(font: "{face}", fallback: false)\n#context [#metadata(measure("{words}").width.pt()) <w>]'
    return json.loads(typst.Compiler(source.encode(), font_paths=typeset._fonts()).query("<w>", field="value"))[0]


def test_letters_are_shaped():
    """Conjuncts and joined letters are narrower than the same letters side by side, which is the control."""
    apart = width("क्\u200cष", "Noto Sans Devanagari")
    assert width("क्ष", "Noto Sans Devanagari") < 0.8 * apart
    alone = 3 * width("ه", "Noto Sans Arabic")
    assert abs(width("ههه", "Noto Sans Arabic") - alone) > 0.05 * alone
