"""Prompt rules: what the house does not draw, whatever the model. Word lists and nothing clever, so that everyone can
read why a prompt was refused. They err on the side of refusing only where minors are concerned.

A prompt is looked at as the model reads it and as a person does (core/text.py), and again with disguises undone: digits
and signs that stand for letters, letters drawn out or apart, words run together. A word list is never the last fence:
pictures are looked at, too (docs/guard.md)."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from salon.core.errors import Refused
from salon.core.reading import vocabulary
from salon.core.recipe import BlendOptions, Recipe
from salon.core.text import as_read, folded

#: a word of each of these families, as a whole word, any ending in `*`, a blank or a mark or nothing at `-`
MINOR = """child* kid kids kiddo* toddler* tot tots infant* baby babies babe babes newborn* minor minors under-age*
    jail-bait* preteen* pre-pubescen* pubescen* teen teens teenage* tween* school-girl* school-boy* school-kid*
    school-child* schooler* pre-school* girl girls boy boys lad lads laddie* lass lasses lassie* lolita* loli lolis
    lolicon* shota* shotas daughter* son sons grand-daughter* grand-son* grand-child* grand-kid* step-daughter*
    step-son* step-child* kindergart* pupil pupils adolescent* juvenile* youngster* youth youths"""
SEXUAL = """nude* nudis* naked* nudity topless undress* unclothed sex sexy sexual* sexiest porn* hentai* erotic* fetish*
    lingerie orgasm* masturbat* genital* penis* vagina* vulva* breasts boobs nipple* nsfw xxx bdsm explicit lewd* horny
    seductive* aroused stripper* strip strip-tease fellatio blow-job* intercourse rape raped raping rapist*"""
#: sexual in any company: the house is open to all ages
ALWAYS_SEXUAL = """porn* hentai* orgasm* masturbat* blow-job* fellatio xxx bdsm strip-tease penis* vagina* vulva* rape
    raped raping rapist* lolita* loli lolis shota* shotas"""
CRUEL = """behead* decapitat* disembowel* dismember* gore gory mutilat* tortured torturing torture"""
HATE = """swastika* nazi nazis hitler kkk lynch lynched lynching* genocid* holocaust subhuman* untermensch*"""
#: innocent phrases that hold such a word
INNOCENT = (
    r"naked (mole.?rats?|eye|flame|trees?)",
    r"(baby|kid).?goats?",
    r"nude (colou?rs?|lipsticks?|shades?)",
    r"strip (of|mall)",
    r"(bacon|comic|film|landing|mobius) strip",
    r"explicit (instructions?|memory)",
    r"(robin'?s?|chicken|red).?breasts",
    r"sex pistols",
    r"gore.?tex",
    r"\bpen is\b",
    r"rapeseeds?",
    r"\b(a|bi|hetero|homo|inter|pan|trans)sexual(s|ity|ly)?\b",
    r"therapists?",
    r"lynchpins?",
    r"(air|film|out)strip(s|ped|ping)?",
    r"(anchor|chair|lay|sales|sports)?persons",
    r"canteens",
    r"(cut|wind)lass(es)?",
    r"\ba roused\b",
)
#: sentences for whoever asked, by the rule that was met
REFUSALS = {
    "sexual": "This house is open to all ages; it does not draw that.",
    "violent": "This house does not draw cruelty.",
    "hate": "This house does not draw signs of hatred.",
}
HINT = "Say it otherwise."
_YEARS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
_NUMBER = rf"(?:[0-9]|1[0-7]|{_YEARS})"
AGES = re.compile(
    rf"(?<!\w){_NUMBER}[\s-]*(?:years?|yrs?|y[\s./-]*o\.?)(?:\W*old)?(?!\w)|(?:months?|weeks?|days?)[\s-]*old(?!\w)"
    rf"|(?<!\w)age[ds]?\W*(?:of\W+)?{_NUMBER}(?!\w)"
    rf"|(?<!\w)(?:(?:under|below|sub)[\s-]*(?:the\s+age\s+of\s+)?|<\s*)(?:{_NUMBER}|18|eighteen)(?!\w)"
)
STAND_INS = str.maketrans("013457@$!|", "oieastasil")
#: a letter, to a person: what is neither a digit nor an underline
_LETTER = r"[^\W\d_]"
_WORD = re.compile(rf"{_LETTER}+")
#: single letters in a row, however far apart: n u d e, n.u.d.e, n - u - d - e
_SPACED = re.compile(rf"(?<!{_LETTER})(?:{_LETTER}[\W_]{{1,4}}){{2,}}{_LETTER}(?!{_LETTER})")
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")
#: marks inside of a word: na-ked, k.i.d.s; not those of what somebody owns
_INNER = re.compile(rf"(?<={_LETTER})(?!['’]s(?!{_LETTER}))(?:[^\w\s]|_)+(?={_LETTER})")
#: letters of a part of a word that was cut up into nothing but short ones, and parts of one
_MOST_LETTERS, _MOST_PARTS = 3, 8
#: letters of the shortest and the longest word that may be run together with others; too short to be told by itself
_LEAST_LETTERS, _LONGEST, _SHORT = 3, 20, 3


class Verdict(NamedTuple):
    """Why a prompt is refused. `minor` ones are never stored, not even as refused."""

    rule: str
    minor: bool = False


def _family(words: str) -> str:
    """The words as a pattern. A capital I is an l to the eye: one stands for the other, but in words of four letters,
    where both are (to loll)."""
    return "|".join(map(_form, words.split()))


def _form(word: str) -> str:
    stem, more = word.rstrip("*"), rf"{_LETTER}*" if word.endswith("*") else ""
    eye = stem if stem.startswith("loli") and not more else re.sub("[il]", "[il]", stem)
    return eye.replace("-", r"[\W_]?") + more


FAMILIES = {
    name: re.compile(rf"(?<!{_LETTER})(?:{_family(globals()[name])})(?!{_LETTER})")
    for name in ("MINOR", "SEXUAL", "ALWAYS_SEXUAL", "CRUEL", "HATE")
}
_LISTED = re.compile(_family(" ".join((MINOR, SEXUAL, ALWAYS_SEXUAL, CRUEL, HATE))))
_INNOCENT = re.compile("|".join(INNOCENT))


def readings(text: str) -> Iterator[str]:
    """The text as a model and as a person read it, then with disguises undone."""
    for plain in dict.fromkeys((as_read(text), folded(text))):
        clear = _INNOCENT.sub(" ", plain)
        yield clear
        for said in dict.fromkeys((clear, clear.translate(STAND_INS))):
            drawn_in = _DRAWN_OUT.sub(r"\1", said)
            yield drawn_in
            yield closed(drawn_in)
            yield " ".join(put_together(drawn_in))
            yield " ".join(taken_apart(drawn_in))


def closed(text: str) -> str:
    """Single letters in a row and words with marks inside of them, closed up."""
    joined = _SPACED.sub(lambda found: "".join(_WORD.findall(found[0])), text)
    return _INNER.sub("", joined)


def put_together(text: str) -> Iterator[str]:
    """Words of the lists that were cut into short parts (nu de, ki-ds, po rn), or into parts of which one is no word
    (nake d, chil dren). "A roused crowd" is two words."""
    parts = _WORD.findall(text)
    for at in range(len(parts)):
        for end in range(at + 2, min(at + _MOST_PARTS, len(parts)) + 1):
            if len(word := "".join(parts[at:end])) > _LONGEST:
                break
            if _is_cut(parts[at:end]) and _LISTED.fullmatch(word):
                yield word


def _is_cut(parts: list[str]) -> bool:
    words = (part in vocabulary() and (len(part) > 1 or part in "ai") for part in parts)
    return max(map(len, parts)) <= _MOST_LETTERS or not all(words)


def taken_apart(text: str) -> Iterator[str]:
    """Words of the lists that were run together with each other, or with words that the model knows."""
    for word in {*_WORD.findall(text), *_WORD.findall(closed(text))}:
        if word not in vocabulary():
            yield from run_together(word)


def run_together(word: str) -> list[str]:
    """The words of the lists in this one, where known words fill all that is beside them: a long one or two short ones
    (sexton and bellboy are neither, and many names end in sons). What must not be drawn together is not hidden by other
    letters either."""
    spans = [(a, b) for a in range(len(word)) for b in range(a + _LEAST_LETTERS, min(a + _LONGEST, len(word)) + 1)]
    named = {(a, b) for a, b in spans if _LISTED.fullmatch(word[a:b])}
    steps = [(a, b) for a, b in spans if (a, b) in named or word[a:b] in vocabulary()] if named else []
    begun, ended = {0}, {len(word)}
    for a, b in sorted(steps):
        begun |= {b} if a in begun else set()
    for a, b in sorted(steps, reverse=True):
        ended |= {a} if b in ended else set()
    found = [word[a:b] for a, b in sorted(named) if a in begun and b in ended]
    long = [word[a:b] for a, b in sorted(named) if b - a > _SHORT]
    if all(any(map(FAMILIES[name].fullmatch, long)) for name in ("MINOR", "SEXUAL")):
        return long
    return found if len(found) > 1 or any(len(one) > _SHORT and one != "sons" for one in found) else []


def judge(*texts: str) -> Verdict | None:
    """Why what these texts say together is refused, or None. Raises WeightsMissing, WeightsDamaged without the models'
    vocabulary."""
    text = " \n".join(texts)
    said = list(dict.fromkeys(readings(text)))
    has = {name: any(map(family.search, said)) for name, family in FAMILIES.items()}
    if has["SEXUAL"] and (has["MINOR"] or any(map(AGES.search, (as_read(text), folded(_in_digits(text)))))):
        return Verdict("sexual", minor=True)
    rules = (("sexual", "ALWAYS_SEXUAL"), ("violent", "CRUEL"), ("hate", "HATE"))
    return next((Verdict(rule) for rule, family in rules if has[family]), None)


def _in_digits(text: str) -> str:
    """Digits of every script as 0 to 9."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def listed(word: str) -> bool:
    """Whether a word is on one of the lists, however it is written: nothing is suggested in its place."""
    return any(family.search(said) for said in readings(word) for family in FAMILIES.values())


def judge_recipes(recipes: Iterable[Recipe]) -> Verdict | None:
    """The same of all that recipes say; what a picture is moved from and what it is moved to are one text."""
    said = {texts for recipe in recipes for texts in texts_of(recipe)}
    found = [verdict for texts in sorted(said) if (verdict := judge(*texts))]
    return max(found, key=lambda verdict: verdict.minor, default=None)


def check_texts(*texts: str, hint: str = HINT) -> None:
    """Raises Refused if the rules stand against one of these."""
    if found := next(filter(None, map(judge, texts)), None):
        raise Refused(REFUSALS[found.rule], hint)


def texts_of(recipe: Recipe) -> list[tuple[str, ...]]:
    """What a recipe's picture is made of, in words."""
    sources = [options.source for options in recipe.stages.values() if isinstance(options, BlendOptions)]
    return [(recipe.prompt, *sources), (recipe.negative_prompt,)]


def check_recipes(recipes: Iterable[Recipe], rules: bool = True, hint: str = HINT) -> None:
    """Raises Refused for what is not drawn. Without `rules` only the rule about minors holds: nothing switches that
    off."""
    if (found := judge_recipes(recipes)) and (found.minor or rules):
        raise Refused(REFUSALS[found.rule], hint)
