"""Whatever people write within the forms' limits: a ticket is one page with its code, and no word leaves its room."""

import numpy as np
import pytest
import reading

from salon import printing
from salon.web.codes import qr_svg

SIGNED = "SALON:" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ0123456789ABC"
NOTE = "One entry. Show this code at the door, on paper or on a screen; it may also be typed. Some letters are missing."
LATIN = "Lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore "
#: one text each; every field gets as much of it as its form takes
TEXTS = {
    "words": LATIN,
    "broad letters": "W",
    "narrow letters": "i",
    "carons": "Ž",
    "long words": "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihungsurkundenpapierrolle ",
    "an address": "https://example.org/a/very/long/path/of/many-parts?with=a&query=that;never=ends",
    "emoji": "👩🏽‍🎨🎨🏳️‍🌈🇩🇪✨",
    "emoji and words": "Ada 🎨 Löwe 👩🏽‍🎨 ",
    "thai": "สมชายใจดีผู้ชื่นชอบศิลปะกำเนิดและเครื่องจักรวาดภาพ",
    "hindi": "क्षत्रिय श्रीमती प्रियंका शुक्ला ",
    "hindi without blanks": "क्षत्रियश्रीमतीप्रियंका",
    "arabic": "محمد عبد الله الخطاط ",
    "arabic without blanks": "محمدعبداللهالخطاط",
    "hebrew": "שלום עולם ",
    "japanese": "草間彌生とスタジオの仲間たち、",
    "chinese": "生成艺术之夜欢迎你",
    "korean": "생성예술의밤에오신것을",
    "burmese": "မြန်မာအနုပညာရှင်များ",
    "marks": "Z̴͎̅a̵͚͝l̶̰̊g̷̻̈o̸͇͂ ",
}
LIMITS = {"event": 200, "pool": 120, "name": 200}
FACTS = {"When": 90, "Where": 100, "Address": 702, "Getting in": 300, "With it": 120}


def filled(text, share=1.0):
    much = lambda most: (text * most)[: round(most * share)].strip()  # noqa: E731
    words = {field: much(most) for field, most in LIMITS.items()}
    lines = [[what, much(most)] for what, most in FACTS.items()]
    made = {"title": "Ticket", "language": "en", "code": "K7QF2-M9X4T", "qr": qr_svg(SIGNED).decode(), "note": NOTE}
    return made | words | {"lines": lines}


def as_legible(data):
    """As the rooms of the web fill a form."""
    words = {field: printing.legible(data[field])[0] for field in LIMITS}
    return data | words | {"lines": [[what, *printing.legible(said)] for what, said in data["lines"]]}


@pytest.mark.parametrize("share", [0.08, 0.4, 1.0])
@pytest.mark.parametrize("text", TEXTS)
def test_a_ticket_is_one_page_with_its_code(text, share):
    data = as_legible(filled(TEXTS[text], share))
    [page] = reading.pages(printing.pdf("ticket", data))
    assert reading.scanned(reading.seen(page)) == [SIGNED]
    picture = reading.opened(printing.png("ticket", data))
    assert reading.scanned(picture) == [SIGNED]
    assert abs(picture.width / picture.height - 105 / 148) < 0.01
    said = reading.said(page)
    assert "K7QF2-M9X4T" in "".join(said.split())  # to be typed
    assert "One entry." in said


def test_set_as_they_are_long_texts_push_the_code_away(monkeypatch, tmp_path):
    """Negative control: the old form, with the same words."""
    reading.old_way(monkeypatch, tmp_path)
    assert len(reading.pages(printing.pdf("ticket", filled(LATIN)))) > 1
    assert reading.scanned(reading.opened(printing.png("ticket", filled(LATIN)))) == []
    assert reading.scanned(reading.opened(printing.png("ticket", filled(LATIN, 0.08)))) == [SIGNED]


def outside(page, left, right, top=0.0, bottom=148.0):
    """Letters that leave a room, in millimetres."""
    return [one for one in reading.letters(page) if one[1] < left or one[3] > right or one[2] < top or one[4] > bottom]


@pytest.mark.parametrize("text", TEXTS)
def test_no_letter_leaves_the_paper_or_lies_on_the_code(text):
    [page] = reading.pages(printing.pdf("ticket", as_legible(filled(TEXTS[text]))))
    assert outside(page, 9, 96, 4, 143) == []
    left, top, right, bottom = reading.code_box(page)
    upon = [
        one for one in reading.letters(page) if one[3] > left and one[1] < right and one[4] > top and one[2] < bottom
    ]
    assert upon == []


def test_set_as_they_are_long_words_leave_the_paper(monkeypatch, tmp_path):
    """Negative control."""
    reading.old_way(monkeypatch, tmp_path)
    assert outside(reading.pages(printing.pdf("ticket", filled("W")))[0], 9, 96)


def overlapping(page):
    """Pairs of letters of which one lies in the other (neighbours may: ligatures, slants)."""
    boxes = np.array([one[1:] for one in reading.letters(page)])
    low, high = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return int((np.triu(shared > np.minimum(areas[:, None], areas[None]) * 0.85, 3)).sum())


@pytest.mark.parametrize("text", ["words", "broad letters", "carons", "long words", "japanese", "chinese", "korean"])
def test_no_letter_lies_on_another(text):
    for share in (0.08, 1.0):
        [page] = reading.pages(printing.pdf("ticket", as_legible(filled(TEXTS[text], share))))
        assert overlapping(page) == 0


def test_set_as_they_are_long_words_lie_on_others(monkeypatch, tmp_path):
    """Negative control: a label and the words beside it."""
    data = filled(LATIN, 0.08) | {"lines": [["W" * 40, "Hall"]]}
    assert overlapping(reading.pages(printing.pdf("ticket", data))[0]) == 0
    reading.old_way(monkeypatch, tmp_path)
    assert overlapping(reading.pages(printing.pdf("ticket", data))[0]) > 0


def test_first_smaller_then_broken_then_cut():
    name = {"name": "Ada Löwe"}
    [page] = reading.pages(printing.pdf("ticket", filled(LATIN, 0.08) | name))
    usual = max(one[4] - one[2] for one in reading.letters(page) if one[0] in "d")
    for words, said in (
        ("Ada " + "of Somewhere and Nowhere " * 3, True),
        ("Ada" + "ofSomewhereandNowhere" * 4, True),
        ("Ada" + "ofSomewhereandNowhere" * 9, False),
    ):
        [page] = reading.pages(printing.pdf("ticket", filled(LATIN, 0.08) | {"name": words.strip()}))
        text = "".join(reading.said(page).split())
        assert ("".join(words.split()) in text) is said, text
        assert ("…" in text) is not said
        assert max(one[4] - one[2] for one in reading.letters(page) if one[0] == "A") < usual * 1.3


# --- the list of a door


def door(rows, **more):
    words = {"title": "Door", "language": "en", "event": "Salon", "door": "Main", "told": "Now", "note": "Tick."}
    return {**words, "heads": ["Name", "For", "Code begins"], "rows": rows, **more}


@pytest.mark.parametrize("text", TEXTS)
def test_every_row_of_a_list_has_its_code_in_its_own_column(text):
    long, [name, pool] = (
        TEXTS[text],
        printing.legible((TEXTS[text] * 200)[:200].strip(), (TEXTS[text] * 120)[:120].strip()),
    )
    rows = [[name, pool, "K7QF2", False], ["Ada", pool, "M9X4T", True], [name, "Workshop", "ABCDE", False]]
    long = printing.legible((long * 200)[:200].strip(), (long * 60)[:60].strip())
    [page] = reading.pages(printing.pdf("door", door(rows, event=long[0], door=long[1])))
    for code in ("K7QF2", "M9X4T", "ABCDE"):
        assert code in reading.said(page)
    head = next(one for one in reading.letters(page) if one[0] == "C" and 165 < one[1] < 180)
    below = [one for one in reading.letters(page) if one[2] > head[4]]
    named = [one for one in below if one[1] < 97]
    meant = [one for one in below if 97 <= one[1] < 170]
    assert all(one[1] >= 15 and one[3] < 98.5 for one in named)
    assert all(one[3] < 171.5 for one in meant)
    assert outside(page, 15, 195, 10, 290) == []


def test_set_as_it_is_a_long_name_lies_on_the_next_column(monkeypatch, tmp_path):
    """Negative control."""
    reading.old_way(monkeypatch, tmp_path)
    [page] = reading.pages(printing.pdf("door", door([["W" * 200, "Workshop", "K7QF2", False]])))
    assert outside(page, 15, 195, 10, 290)
