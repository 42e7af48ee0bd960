"""Reading paper back: how many pages, what stands where in which face, and what a scanner sees."""

import io
import shutil

import pypdfium2
import pypdfium2.raw as raw
import zxingcpp
from PIL import Image

from salon.printing import typeset

#: points of a millimetre
MM = 72 / 25.4


def pages(pdf):
    return list(pypdfium2.PdfDocument(pdf))


def scanned(picture):
    """The texts of the codes in a picture, as a scanner at a door would read them."""
    return [found.text for found in zxingcpp.read_barcodes(picture.convert("RGB"))]


def seen(page, ppi=150):
    return page.render(scale=ppi / 72).to_pil()


def opened(png):
    return Image.open(io.BytesIO(png))


def said(page):
    """Its words, without places where a word may be broken (pdfium takes the hyphen of a code for one of them)."""
    return page.get_textpage().get_text_range().replace("\u200b", "").replace("\ufffe", "-")


def letters(page):
    """(letter, left, top, right, bottom) in millimetres from the upper left, of everything but blanks."""
    text, height = page.get_textpage(), page.get_height()
    found = []
    for at in range(text.count_chars()):
        letter = text.get_text_range(at, 1)
        left, bottom, right, top = text.get_charbox(at)
        if letter.strip("\u200b\ufffe \r\n") and right > left and top > bottom:
            found.append((letter, left / MM, (height - top) / MM, right / MM, (height - bottom) / MM))
    return found


def code_box(page):
    """(left, top, right, bottom) in millimetres of the code, by what a scanner sees."""
    [code] = zxingcpp.read_barcodes(seen(page, 254).convert("RGB"))
    corners = [code.position.top_left, code.position.bottom_right]
    return tuple(value / 10 for corner in corners for value in (corner.x, corner.y))


def faces(page):
    """Face -> all that is set in it."""
    text, found = page.get_textpage(), {}
    for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
        size = raw.FPDFTextObj_GetText(thing, text, None, 0)
        words = (raw.FPDF_WCHAR * (size // 2))()
        raw.FPDFTextObj_GetText(thing, text, words, size)
        name = (raw.c_char * 99)()
        raw.FPDFFont_GetBaseFontName(raw.FPDFTextObj_GetFont(thing), name, 99)
        face = name.value.decode().partition("+")[2].partition("-Identity")[0]
        found[face] = found.get(face, "") + bytes(words).decode("utf-16-le").rstrip("\0")
    return found


def old_way(monkeypatch, tmp_path):
    """Negative control: forms as they were, that set everything as it is."""
    typeset._fonts()
    shutil.copytree(typeset.HERE / "forms", tmp_path / "forms")
    house, ticket = tmp_path / "forms/house.typ", tmp_path / "forms/ticket.typ"
    plain = "  return text(font: font, size: sizes.first(), ..style, words)\n"
    mark = "  let font = fonts(words, first)\n"
    assert mark in house.read_text()
    house.write_text(house.read_text().replace(mark, mark + plain))
    for bound in (
        "height: height, clip: true, ",
        "height: calc.min(low(facts(..step)) + tall, top(side)), clip: true, ",
    ):
        assert bound in ticket.read_text()
        ticket.write_text(ticket.read_text().replace(bound, ""))
    monkeypatch.setattr(typeset, "HERE", tmp_path)
