"""Forms on paper: what people write stays words, and what has no letters here is found before it is printed."""

import pytest

from salon import printing
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
