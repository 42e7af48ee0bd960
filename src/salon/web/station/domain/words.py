"""Words that the model's world does not hold, and near words to try. Advice only: it never stops a drawing."""

import difflib
import re
from functools import lru_cache

from salon.web.station.domain.neighbours import neighbours
from salon.world.vocabulary import STOP_WORDS, known_words, suggestions

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
#: a prompt with more unknown words than this is in another language or not words at all
MOST = 8
NEAR = 3


@lru_cache(1)
def _known() -> frozenset[str]:
    parts = {part for word in known_words() for part in word.casefold().split()}
    return frozenset(parts | {word.casefold() for word in known_words()} | set(STOP_WORDS))


def _stems(word: str) -> tuple[str, ...]:
    """The word and what remains without an English ending."""
    endings = ("'s", "’s", "s", "es", "ed", "ing", "ly")
    return (word, *(word.removesuffix(end) for end in endings if word.endswith(end) and len(word) > len(end) + 2))


def unknown_words(prompt: str) -> list[str]:
    """Words of the prompt, in order, that the world does not hold."""
    known = _known()
    seen: dict[str, None] = {}
    for word in _WORD.findall(prompt.casefold()):
        parts = [part for part in re.split(r"['’-]", word) if len(part) > 1]
        if len(word) > 1 and not any(stem in known for stem in _stems(word)) and not known.issuperset(parts):
            seen.setdefault(word)
    return list(seen)[:MOST]


@lru_cache(4096)
def spelt_like(word: str) -> tuple[str, ...]:
    """Names of the world spelt like `word` (a typing slip), best first."""
    return tuple(difflib.get_close_matches(word, suggestions(), n=NEAR, cutoff=0.72))


def _near(word: str) -> list[str]:
    """Slips of the pen first, then what means nearly the same."""
    return list(dict.fromkeys([*spelt_like(word), *neighbours.known(word)]))[:NEAR]


def far_words(prompt: str) -> list[dict[str, object]]:
    """`[{word, near: [...]}]` from what is known already, at once: a drawing never waits for advice."""
    return [{"word": word, "near": _near(word)} for word in unknown_words(prompt)]


def ask_neighbours(prompt: str) -> list[dict[str, object]]:
    """The same, after asking the engine for words not met before. Blocks; run it in a thread."""
    neighbours.find(unknown_words(prompt))
    return far_words(prompt)
