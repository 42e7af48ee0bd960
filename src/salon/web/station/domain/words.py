"""Words that the model's world does not hold, and near words to try; words that nobody reads. Advice only: it never
stops a drawing."""

import difflib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from salon.core.guard import listed
from salon.core.reading import vocabulary
from salon.core.unused import Unused
from salon.web.sentences import spoken
from salon.web.station.domain.neighbours import neighbours
from salon.world.vocabulary import STOP_WORDS, known_words, suggestions

#: small words that name nothing to paint, by language. What takes something away (without, no, not) is none of them.
SMALL_WORDS = {
    "en": """for than how through out just its his her their that this these those which who whose while into onto has
        have having but or so all each other both there they he she we you be been being was were do does only also like
        off past up down along around against within during after before where when what more most much many any
        such as if about towards toward upon via per your our us them him""",
    "es": """el la los las lo un una unos unas de del al y e o u en con por para su sus que es son está están se a
        ante bajo sobre entre hacia hasta desde como muy más mi tu este esta estos estas ese esa""",
    "ja": """の は が を に へ と で も や か な から まで より など です ます する した して いる ある この その""",
}
_PARTICLES = re.compile("(?:" + "|".join(sorted(SMALL_WORDS["ja"].split(), key=len, reverse=True)) + ")+")
_PARTICLE = "から|まで|より|など|です|[のはがをにへとでもや]"
#: a word of letters; in Japanese, which knows no blanks, what stands between particles
_WORD = re.compile(
    rf"[\u4e00-\u9fff々]+(?:(?!{_PARTICLE})[\u3041-\u3096])*|[\u30a1-\u30ff]+|[\u3041-\u3096]+"
    r"|(?:(?![\u3041-\u30ff\u4e00-\u9fff])[^\W\d_])+(?:['’-](?:(?![\u3041-\u30ff\u4e00-\u9fff])[^\W\d_])+)*"
)
_PICTOGRAPH = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
#: unknown words that are looked for near words; with more, a prompt is in another language or not words at all
MOST = 8
NEAR = 3
#: likeness of letters (difflib) from which a word that no dictionary knows is a slip of the pen
SLIP = 0.8


@lru_cache(1)
def _known() -> frozenset[str]:
    parts = {part for word in known_words() for part in word.casefold().split()}
    small = {word for words in SMALL_WORDS.values() for word in words.split()}
    return frozenset(parts | small | {word.casefold() for word in known_words()} | set(STOP_WORDS))


def _stems(word: str) -> tuple[str, ...]:
    """The word and what remains without an English ending."""
    endings = ("'s", "’s", "s", "es", "ed", "ing", "ly")
    return (word, *(word.removesuffix(end) for end in endings if word.endswith(end) and len(word) > len(end) + 2))


def unknown_words(prompt: str) -> list[str]:
    """Words of the prompt, in order, that the world does not hold: all of them."""
    known = _known()
    seen: dict[str, None] = {}
    for word in _WORD.findall(prompt.casefold()):
        parts = [part for part in re.split(r"['’-]", word) if len(part) > 1]
        told = (len(word) > 1 or bool(_PICTOGRAPH.match(word))) and not _PARTICLES.fullmatch(word)
        if told and not any(stem in known for stem in _stems(word)) and not (parts and known.issuperset(parts)):
            seen.setdefault(word)
    return list(seen)


@lru_cache(4096)
def spelt_like(word: str) -> tuple[str, ...]:
    """Names of the world spelt like `word`, best first, if it is a slip of the pen: a word that the models know as a
    whole is none (a knight is no kite), nor one made of two of them (a rowboat is no robot)."""
    known, halves = vocabulary(), [(word[:at], word[at:]) for at in range(3, len(word) - 2)]
    if word in known or any(a in known and b in known for a, b in halves):
        return ()
    found = difflib.get_close_matches(word, suggestions(), n=NEAR, cutoff=SLIP)
    return tuple(name for name in found if name[0] == word[0])


def _near(word: str) -> list[str]:
    """Slips of the pen first, then what means nearly the same; nothing in place of what the house does not draw."""
    if listed(word) or _PICTOGRAPH.match(word):
        return []
    return list(dict.fromkeys([*spelt_like(word), *neighbours.known(word)]))[:NEAR]


def far_words(prompt: str) -> list[dict[str, object]]:
    """`[{word, near: [...]}]` from what is known already, at once: a drawing never waits for advice."""
    return [{"word": word, "near": _near(word) if at < MOST else []} for at, word in enumerate(unknown_words(prompt))]


def ask_neighbours(prompt: str) -> list[dict[str, object]]:
    """The same, after asking the engine for words not met before. Blocks; run it in a thread."""
    neighbours.find([word for word in unknown_words(prompt)[:MOST] if not listed(word)])
    return far_words(prompt)


def told(found: Sequence[Unused]) -> list[dict[str, Any]]:
    """What changes nothing, as the API says it: `[{field, message, words}]`."""
    return [msgspec.to_builtins(one) | {"message": spoken(one.message)} for one in found]
