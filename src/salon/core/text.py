"""Typed text: what is kept of it (`tidy`), whether anything of it can be seen (`is_blank`), and how a model or a person
reads it (`as_read`, `folded`). What is judged, what is drawn and what is shown begin here."""

import re
import unicodedata
from functools import cache
from pathlib import Path

#: Default_Ignorable_Code_Point of Unicode: nothing is shown of them
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: signs by their category, but empty to the eye: a Braille cell without dots, a place for an object, a notehead, what
#: holds hieroglyphs together, and their blanks
_EMPTY = re.compile("[\u2800\ufffc\U0001d159\U00013430-\U00013442]")
#: of the format characters these are seen, or hold hieroglyphs together
_SHOWN = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001345f]")
#: letters of a flag's region behind a black flag, with their end: England's is `gbeng`
_FLAG = re.compile("(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
_JOINERS = "\u200c\u200d"
#: categories that BERT's tokenizer drops
_DROPPED = frozenset({"Cc", "Cf", "Co", "Cs"})
#: ideographs that BERT's tokenizer reads as words of their own
_IDEOGRAPH = re.compile(
    "([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b81f\U0002b920-\U0002ceaf"
    "\U0002f800-\U0002fa1f])"
)
#: look-alikes that Unicode's list knows nothing Latin for: Cyrillic, and letters turned over
_TURNED = dict(zip("пєəɐǝɟƃɥᴉɾʞɹʇʌʍʎ", "neeaefghijkrtvwy", strict=True))
_LETTERS = Path(__file__).parent / "data" / "letters.txt"


def tidy(text: str) -> str:
    """NFC, white space and control characters to single blanks; what is not shown (soft hyphens, direction marks, lone
    surrogates and the like) away. Joiners stay where they can join (emoji, several scripts), so do the tags of flags.
    Text of which nothing can be seen is ''."""
    flags = {at for found in _FLAG.finditer(text) for at in range(*found.span())}
    kept = "".join(c if at in flags else _kept(text, at) for at, c in enumerate(text))
    clean = " ".join(unicodedata.normalize("NFC", kept).split())
    return "" if is_blank(clean) else clean


def tidy_lines(text: str) -> str:
    """Several lines, each tidied; none of them empty at the beginning or the end."""
    return "\n".join(map(tidy, text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))).strip()


def _kept(text: str, at: int) -> str:
    """What `tidy` keeps of the character at this place: itself, a blank, or nothing."""
    c = text[at]
    if c.isascii():
        return c if c.isprintable() else " "
    kind = unicodedata.category(c)
    if kind == "Cc":
        return " "
    if c in _JOINERS:
        return c if _joins(text[at - 1 : at], text[at + 1 : at + 2]) else ""
    return "" if kind == "Cs" or (kind == "Cf" and not _SHOWN.match(c)) or _nothing(c) else c


def _nothing(c: str) -> bool:
    """U+FFFE and its like, which no file may hold."""
    return ord(c) & 0xFFFE == 0xFFFE or "\ufdd0" <= c <= "\ufdef"


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these two does anything: scripts and emoji that know joiners lie beyond Latin."""
    return all(c > "\u0300" and c not in _JOINERS and unicodedata.category(c)[0] in "LMS" for c in (before, after))


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen: blanks, joiners, fillers, accents without a letter."""
    return not any(map(_is_seen, _IGNORABLE.sub("", text)))


def _is_seen(c: str) -> bool:
    """Letters, digits, marks, signs; what this Python does not know yet may be a new emoji."""
    kind = unicodedata.category(c)
    return not _EMPTY.match(c) and (kind[0] in "LNPS" or kind in ("Cn", "Co", "Mc") or bool(_SHOWN.match(c)))


def as_read(text: str) -> str:
    """What the models' tokenizer makes of a text before it cuts it into words (BERT's normaliser): format and control
    characters away, ideographs apart, no accents, lower case. tests/engine/test_reading.py holds it against the
    tokenizer itself."""
    clean = "".join(_cleaned(c) for c in text)
    apart = unicodedata.normalize("NFD", _IDEOGRAPH.sub(r" \1 ", clean))
    return "".join(c.lower() for c in apart if unicodedata.category(c) != "Mn")


def _cleaned(c: str) -> str:
    if c.isspace():
        return " " if c in "\t\n\r" or unicodedata.category(c) != "Cc" else ""
    return "" if c == "\ufffd" or unicodedata.category(c) in _DROPPED else c


@cache
def _looks() -> dict[str, str]:
    """Letters that look like Latin ones, or are forms of them -> those."""
    rows = _LETTERS.read_text(encoding="utf-8").splitlines()
    pairs = (row.split("\t") for row in rows if not row.startswith("#"))
    return {chr(int(code, 16)): letters for code, letters in pairs}


def folded(text: str) -> str:
    """The Latin letters that a person sees, lower case: compatibility forms, accents, look-alikes of other scripts
    (Unicode's confusables) and everything that is not shown undone."""
    looks = _looks()
    shown = "".join(_look(looks, c) for c in unicodedata.normalize("NFC", text))
    apart = unicodedata.normalize("NFKD", _IGNORABLE.sub("", shown)).casefold()
    again = "".join(looks.get(c, c) for c in apart)
    return "".join(_seen(c) for c in unicodedata.normalize("NFKD", again))


def _look(looks: dict[str, str], c: str) -> str:
    """By the letter itself, else by how it looks in the other case, else what was left out of Unicode's list."""
    return looks.get(c) or looks.get(c.lower()) or looks.get(c.upper()) or _TURNED.get(c, c)


def _seen(c: str) -> str:
    kind = unicodedata.category(c)
    return c if kind[0] not in "CM" else " " if kind == "Cc" and c.isspace() else ""
