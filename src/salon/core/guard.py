"""Prompt rules: what the house does not draw, whatever the model. Word lists and nothing clever, so that everyone can
read why a prompt was refused. They err on the side of refusing only where minors are concerned.

A prompt is looked at as written, and again with disguises undone: compatibility forms (NFKC), accents, digits and signs
that stand for letters, single letters in a row, letters drawn out."""

import re
import unicodedata
from typing import NamedTuple

#: a word of each of these families, as a whole word, any ending in `*`
MINOR = """child* kid kids kiddo* toddler* infant* baby babies newborn* minor minors underage* preteen* teen teens
    teenage* tween* schoolgirl* schoolboy* girl girls boy boys lolita* loli lolis shota* shotas daughter* son sons
    kindergart* pupil pupils adolescent* juvenile*"""
SEXUAL = """nude* naked* nudity topless undress* unclothed sex sexy sexual* sexiest porn* hentai* erotic* fetish*
    lingerie orgasm* masturbat* genital* penis* vagina* vulva* breasts boobs nipple* nsfw xxx bdsm explicit lewd* horny
    seductive* aroused stripper* strip striptease fellatio blowjob* intercourse rape raped raping rapist*"""
#: sexual in any company: the house is open to all ages
ALWAYS_SEXUAL = """porn* hentai* orgasm* masturbat* blowjob* fellatio xxx bdsm striptease penis* vagina* vulva* rape
    raped raping rapist* lolita* loli lolis shota* shotas"""
CRUEL = """behead* decapitat* disembowel* dismember* gore gory mutilat* tortured torturing torture"""
HATE = """swastika* nazi nazis hitler kkk lynch lynched lynching* genocid* holocaust subhuman* untermensch*"""
#: innocent phrases that hold such a word
INNOCENT = (
    r"naked (mole.?rats?|eye|flame|trees?)",
    r"(baby|kid) goats?",
    r"nude (colou?rs?|lipsticks?|shades?)",
    r"strip (of|mall)",
    r"(bacon|comic|film|landing|mobius) strip",
    r"explicit (instructions?|memory)",
    r"(robin('s)?|chicken) breasts",
    r"sex pistols",
)
AGES = re.compile(r"\b([0-9]|1[0-7])\s*(-|\s)?\s*(years?|yrs?|yo|y\.o\.?)(\W*old)?\b")
STAND_INS = str.maketrans("013457@$!|", "oieastasil")
SPACED = re.compile(r"\b(?:\w[\s.\-_*]{1,2}){2,}\w\b")


class Verdict(NamedTuple):
    """Why a prompt is refused. `minor` ones are never stored, not even as refused."""

    rule: str
    minor: bool = False


def _family(words: str) -> re.Pattern[str]:
    forms = (re.escape(word.rstrip("*")) + (r"\w*" if word.endswith("*") else "") for word in words.split())
    return re.compile(rf"\b(?:{'|'.join(forms)})\b")


FAMILIES = {name: _family(globals()[name]) for name in ("MINOR", "SEXUAL", "ALWAYS_SEXUAL", "CRUEL", "HATE")}
_INNOCENT = re.compile("|".join(INNOCENT))


def plain(text: str) -> str:
    """Lower case without accents and compatibility forms."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def undisguised(text: str) -> str:
    """`plain`, with stand-ins for letters, spaced and drawn out letters undone."""
    clear = plain(text).translate(STAND_INS)
    joined = SPACED.sub(lambda found: re.sub(r"[\s.\-_*]", "", found[0]), clear)
    return re.sub(r"(\w)\1{2,}", r"\1", joined)


def judge(prompt: str) -> Verdict | None:
    """Why this prompt is refused, or None."""
    for text in (plain(prompt), undisguised(prompt)):
        clear = _INNOCENT.sub(" ", text)
        sexual = bool(FAMILIES["SEXUAL"].search(clear))
        if sexual and (FAMILIES["MINOR"].search(clear) or AGES.search(plain(prompt))):
            return Verdict("sexual", minor=True)
        for rule, family in (("sexual", "ALWAYS_SEXUAL"), ("violent", "CRUEL"), ("hate", "HATE")):
            if FAMILIES[family].search(clear):
                return Verdict(rule)
    return None
