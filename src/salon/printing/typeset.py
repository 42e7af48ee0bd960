"""Setting a form with typst (https://typst.app/docs). What people wrote goes in as data, never as markup."""

import functools
from pathlib import Path
from typing import Any

import msgspec
import typst

from salon.core.errors import SalonError

HERE = Path(__file__).parent
#: PDF/UA-1 (ISO 14289-1): tagged for screen readers, and refused by typst where a letter has no glyph
STANDARD = "ua-1"
PPI = 288
_TRIAL = b'#set document(title: "trial")\n#set text(font: ("Hanken Grotesk",))\n#json(bytes(sys.inputs.data))'


class Unprintable(SalonError):
    """A form cannot be set: mostly because this machine has no font for a letter in it."""

    code = "unprintable"


@functools.cache
def _fonts() -> typst.Fonts:
    """The house's fonts and the machine's; looked for once a process (about 80 ms)."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[str(HERE / "fonts")])


def _compiler(source: bytes | Path, data: Any) -> typst.Compiler:
    inputs = {"data": msgspec.json.encode(data).decode()}
    return typst.Compiler(source, root=str(HERE), font_paths=_fonts(), sys_inputs=inputs)


def _one(pages: bytes | list[bytes] | None) -> bytes:
    return b"".join(pages[:1]) if isinstance(pages, list) else pages or b""


def pdf(form: str, data: dict[str, Any]) -> bytes:
    """`forms/<form>.typ` filled with plain values. Raises Unprintable."""
    try:
        return _one(_compiler(HERE / "forms" / f"{form}.typ", data).compile(format="pdf", pdf_standards=[STANDARD]))
    except typst.TypstError as error:
        raise Unprintable(f"This cannot be printed here: {error.message}.", "Print the page itself instead.") from error


def png(form: str, data: dict[str, Any]) -> bytes:
    """The first page as a picture. Letters without a glyph are boxes: ask `readable` first. Raises Unprintable."""
    try:
        return _one(_compiler(HERE / "forms" / f"{form}.typ", data).compile(format="png", ppi=PPI))
    except typst.TypstError as error:
        raise Unprintable(f"This cannot be drawn here: {error.message}.", "Take the page itself instead.") from error


def readable(*words: str) -> bool:
    """Whether there is a glyph for every letter of these words in the house's or this machine's fonts."""
    try:
        _compiler(_TRIAL, "\n".join(words)).compile(format="pdf", pdf_standards=[STANDARD])
    except typst.TypstError:
        return False
    return True
