"""What a person types, made safe to store, show and draw, without changing what it says."""

import re
import unicodedata

from salon.core.errors import BadRecipe
from salon.core.recipe import MAX_PROMPT

# Characters that reorder or hide text around them. Right-to-left scripts need none of them; the plain marks
# (U+200E, U+200F, U+061C) and the joiners of emoji and Indic scripts stay.
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u2028\u2029\u00ad\u180e\u200b\u2060-\u2064]")
_SPACE = re.compile(r"\s+")


def _visible(char: str) -> bool:
    """False for controls, lone surrogates and noncharacters."""
    return unicodedata.category(char) not in ("Cc", "Cs") and ord(char) & 0xFFFE != 0xFFFE and not (
        0xFDD0 <= ord(char) <= 0xFDEF
    )


def clean(text: str) -> str:
    """`text` in NFC on one line, without controls, surrogates and bidi overrides, spaces collapsed."""
    text = _HIDDEN.sub("", text.replace("\u2028", " ").replace("\u2029", " "))
    text = _SPACE.sub(" ", text)
    return unicodedata.normalize("NFC", "".join(filter(_visible, text))).strip()


def clean_prompt(text: str, name: str = "prompt", empty_ok: bool = False) -> str:
    """The prompt to draw. Raises BadRecipe when it is empty or longer than MAX_PROMPT characters."""
    if len(text) > MAX_PROMPT:
        raise BadRecipe(
            f"The {name} has {len(text):,} characters; the longest this salon draws is {MAX_PROMPT:,}.",
            "Say it in fewer words: one sentence works best.",
        )
    cleaned = clean(text)
    if len(cleaned) > MAX_PROMPT:
        raise BadRecipe(f"The {name} is too long.", "Say it in fewer words: one sentence works best.")
    if not cleaned and not empty_ok:
        raise BadRecipe("There is no prompt yet.", "Type what you would like to see, or press Surprise me.")
    return cleaned
