"""How the models read words: the word pieces of their text encoder's tokenizer (BERT's, arXiv 1810.04805), told again
in plain Python, so that who counts or judges words needs no engine. tests/engine/test_reading.py holds it against the
tokenizer itself."""

import json
import lzma
import re
import string
import unicodedata
from functools import cache
from pathlib import Path

from salon.core.errors import WeightsDamaged, WeightsMissing
from salon.core.text import as_read

FOLDER = Path(__file__).parents[1] / "weights" / "minilm"
REINSTALL = "Install Latent Salon again."
#: letters of the longest word that is cut into pieces; a longer one is one unknown piece
LONGEST = 100
UNKNOWN = "[UNK]"


@cache
def vocabulary() -> frozenset[str]:
    """Every piece that the models know; the inner ones begin with `##`. Raises WeightsMissing, WeightsDamaged."""
    path = FOLDER / "tokenizer.json.xz"
    try:
        return frozenset(json.loads(lzma.decompress(path.read_bytes()))["model"]["vocab"])
    except OSError as error:
        raise WeightsMissing(f"The text encoder's file {path.name} cannot be read.", REINSTALL) from error
    except (lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise WeightsDamaged(f"The text encoder's file {path.name} is damaged.", REINSTALL) from error


@cache
def most_pieces() -> int:
    """Pieces of a prompt that the encoder reads, without the two that mark its ends."""
    return int(json.loads((FOLDER / "encoder.json").read_bytes())["max_tokens"]) - 2


def pieces(text: str) -> list[str]:
    """The pieces of a text, as the encoder is given them; '##es' goes on where a piece ended."""
    return [piece for word in _apart(as_read(text)).split() for piece in _cut(word)]


def unread(text: str) -> list[str]:
    """The words of a text, as they stand, that the encoder does not read to their end: those beyond its last piece."""
    read, left = 0, []
    for word in text.split():
        read += len(pieces(word))
        if read > most_pieces():
            left.append(word)
    return left


def unknown(text: str) -> list[str]:
    """What of a text no piece is known for, each once, as the encoder cuts it: emoji, rare signs, very long words. All
    of them are the same to it, whatever they say."""
    return list(dict.fromkeys(word for word in _apart(as_read(text)).split() if _cut(word) == [UNKNOWN]))


def _apart(text: str) -> str:
    """Each punctuation mark between blanks."""
    return re.sub(r"[^\w\s]|_", lambda found: f" {found[0]} " if _is_mark(found[0]) else found[0], text)


def _is_mark(c: str) -> bool:
    return c in string.punctuation or unicodedata.category(c)[0] == "P"


def _cut(word: str) -> list[str]:
    """The longest known piece, then the longest that goes on, and so forth; unknown as a whole if one of them is."""
    known, found, at = vocabulary(), [], 0
    if len(word) > LONGEST:
        return [UNKNOWN]
    while at < len(word):
        mark = "##" if at else ""
        end = next((end for end in range(len(word), at, -1) if mark + word[at:end] in known), 0)
        if not end:
            return [UNKNOWN]
        found.append(mark + word[at:end])
        at = end
    return found
