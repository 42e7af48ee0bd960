"""Setting a form with typst (https://typst.app/docs). What people wrote goes in as data, never as markup."""

import atexit
import functools
import tarfile
import tempfile
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typst

from salon.core.errors import SalonError

HERE = Path(__file__).parent
#: PDF/UA-1 (ISO 14289-1): tagged for screen readers, and refused by typst where a letter has no glyph
STANDARD = "ua-1"
PPI = 288
#: what stands for letters that no font here has; the house's own fonts have this one
GAP = "◻"
#: what is lettered and what is read, and what takes their place where they lack a Latin letter
FACES = {"Libre Caslon": ("Hanken Grotesk", "Noto Sans"), "Hanken Grotesk": ("Noto Sans",)}
_TRIAL = """#set document(title: "trial")
#set text(font: ({family},), fallback: {fallback})
#json(bytes(sys.inputs.data))"""
_JOINER = "\u200d"


class Unprintable(SalonError):
    """A form cannot be set: mostly because this machine has no font for a letter in it."""

    code = "unprintable"


@functools.cache
def _fonts() -> typst.Fonts:
    """The house's fonts, those of other scripts unpacked for as long as this process lives (typst reads them when they
    are needed), and the machine's; looked for once a process (about half a second)."""
    folder = tempfile.TemporaryDirectory(prefix="salon-fonts-")
    atexit.register(folder.cleanup)
    with tarfile.open(HERE / "fonts" / "noto.tar.xz") as packed:
        packed.extractall(folder.name, filter="data")
    paths = [str(HERE / "fonts"), folder.name]
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=False, font_paths=paths)


def _compiler(source: bytes | Path, data: Any, faces: Any = None) -> typst.Compiler:
    inputs = {"data": msgspec.json.encode(data).decode(), "faces": msgspec.json.encode(faces).decode()}
    return typst.Compiler(source, root=str(HERE), font_paths=_fonts(), sys_inputs=inputs)


def _one(pages: bytes | list[bytes] | None) -> bytes:
    return b"".join(pages[:1]) if isinstance(pages, list) else pages or b""


def _form(form: str, data: dict[str, Any]) -> typst.Compiler:
    words = list(_words(data))
    return _compiler(HERE / "forms" / f"{form}.typ", data, {first: _other_faces(words, first) for first in FACES})


def pdf(form: str, data: dict[str, Any]) -> bytes:
    """`forms/<form>.typ` filled with plain values. Letters without a glyph are refused: ask `legible` first. Raises
    Unprintable."""
    try:
        return _one(_form(form, data).compile(format="pdf", pdf_standards=[STANDARD]))
    except typst.TypstError as error:
        raise Unprintable(f"This cannot be printed here: {error.message}.", "Print the page itself instead.") from error


def png(form: str, data: dict[str, Any]) -> bytes:
    """The first page as a picture. Letters without a glyph are boxes: ask `legible` first. Raises Unprintable."""
    try:
        return _one(_form(form, data).compile(format="png", ppi=PPI))
    except typst.TypstError as error:
        raise Unprintable(f"This cannot be drawn here: {error.message}.", "Take the page itself instead.") from error


def readable(*words: str, family: str = "") -> bool:
    """Whether there is a glyph for every letter of these words: in that family, or in any font of the house's or of
    this machine's."""
    trial = _TRIAL.format(family=f'"{family or "Hanken Grotesk"}"', fallback="false" if family else "true")
    try:
        _compiler(trial.encode(), "\n".join(words)).compile(format="pdf", pdf_standards=[STANDARD])
    except typst.TypstError:
        return False
    return True


def legible(*words: str) -> list[str]:
    """The same words: letters without marks that no font here has, and a GAP for each run that has no glyph at all."""
    lacking = _lacking(words)
    return [_mended(one) if one in lacking else one for one in words]


def _mended(words: str) -> str:
    letters = clusters(words)
    lacking = _lacking(sorted(set(letters)))
    bare = _lacking(sorted({one[0] for one in lacking}))
    seen = "".join(one if one not in lacking else GAP if one[0] in bare else one[0] for one in letters)
    while GAP * 2 in seen:
        seen = seen.replace(GAP * 2, GAP)
    return seen


def _lacking(words: Sequence[str], family: str = "") -> set[str]:
    """Those that hold a letter without a glyph, found by halving: mostly there are none."""
    if not words or readable(*words, family=family):
        return set()
    half = len(words) // 2
    return _lacking(words[:half], family) | _lacking(words[half:], family) if half else set(words)


def clusters(words: str) -> list[str]:
    """What a reader takes for one letter each: with its marks, and with what a joiner joins to it."""
    found: list[str] = []
    for letter in unicodedata.normalize("NFC", words):
        mark = unicodedata.category(letter) in ("Mn", "Mc", "Me", "Cf") or "\U0001f3fb" <= letter <= "\U0001f3ff"
        if found and (mark or found[-1].endswith(_JOINER)):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _words(data: Any) -> Iterable[str]:
    """Every text in the data of a form but the picture of the code."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for name, value in data.items():
            yield from _words(value) if name != "qr" else ()
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _words(value)


def _latin(words: str) -> set[str]:
    return {one for one in clusters(words) if unicodedata.name(one[0], "").startswith("LATIN")}


def _other_faces(words: list[str], first: str) -> dict[str, str]:
    """Words -> the face to set them in, where `first` lacks one of their Latin letters and another face has all."""
    letters = {one: _latin(one) for one in words}
    found: dict[str, str] = {}
    lacking = {first: _lacking(sorted(set().union(*letters.values())), first)}
    for one in (one for one in letters if letters[one] & lacking[first]):
        better = (other for other in FACES[first] if not _lacking(sorted(letters[one]), other))
        found[one] = next(better, FACES[first][-1])
    return found
