"""What an image's file is called where people keep it: words of its prompt in their own letters, its seed, and the
start of its recipe's name, so that two images never have one name."""

import unicodedata
from itertools import groupby

from salon.core.recipe import Recipe

#: letters of the words, and bytes of them in UTF-8: file systems stop at 255 for the whole name
MOST_LETTERS, MOST_BYTES = 48, 144


def _words(text: str, most: int = MOST_LETTERS) -> str:
    """Letters with their marks and digits as they are, everything else a hyphen: "a-red-fox", "赤い狐", "लोमड़ी"."""
    kept = unicodedata.normalize("NFC", text).lower()
    runs = groupby(kept, lambda letter: unicodedata.category(letter)[0] in "LMN" or letter == "_")
    words = "-".join("".join(run) for is_word, run in runs if is_word)[:most]
    return words.encode(errors="ignore")[:MOST_BYTES].decode(errors="ignore").strip("-")


def file_name(recipe: Recipe) -> str:
    """ "a-red-fox-7-1a2b3c4d.png"; "image-..." where the prompt has no letters."""
    return f"{_words(recipe.prompt) or 'image'}-{recipe.seed}-{recipe.id[:8]}.png"


def ascii_name(recipe: Recipe) -> str:
    """The same for programs that know no letters but these: accents are left away, other scripts left out."""
    plain = unicodedata.normalize("NFKD", recipe.prompt).encode("ascii", "ignore").decode()
    return f"{_words(plain) or 'image'}-{recipe.seed}-{recipe.id[:8]}.png"
