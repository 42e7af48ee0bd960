"""Sentences of the rooms that know no languages (engine, desk, printing): recognised as they arrive, and said in the
visitor's language. What is not recognised stays as it came."""

import functools
import re

import msgspec
from django.utils.translation import get_language, gettext, gettext_noop

#: with {names} where something stands that differs
SENTENCES = (
    gettext_noop("The prompt is empty."),
    gettext_noop("Describe a picture in words, for example: a red fox in the snow."),
    gettext_noop("The {field} must be text."),
    gettext_noop("Describe a picture in words."),
    gettext_noop("The {field} has {count} characters; at most {most} can be read."),
    gettext_noop("Say it more briefly."),
    gettext_noop("{option} must be {kind} from {low} to {high}."),
    gettext_noop("Choose one in that range."),
    gettext_noop("This sampler is unknown."),
    gettext_noop("Choose one of: {names}."),
    gettext_noop("{option} is nothing that {model} can be told here."),
    gettext_noop("It takes: {names}."),
    gettext_noop("The model {model} cannot be used."),
    gettext_noop("The model {model} draws nothing."),
    gettext_noop("Choose one that draws."),
    gettext_noop("The weights file {file} cannot be read ({why})."),
    gettext_noop("The weights file {file} is not what its card says: it is damaged or was changed."),
    gettext_noop("{file} cannot be read ({why})."),
    gettext_noop("Put it back (git checkout, or install again)."),
    gettext_noop("Put the original back (git checkout, or install again)."),
    gettext_noop("No model is installed here yet."),
    gettext_noop("Put the weights in place, then start again."),
    gettext_noop("The image filter cannot be loaded ({why})."),
    gettext_noop("The image filter failed, so these pictures are not shown."),
    gettext_noop("Try again."),
    gettext_noop("This cannot be printed here: {why}."),
    gettext_noop("Print the page itself instead."),
    gettext_noop("This cannot be drawn here: {why}."),
    gettext_noop("Take the page itself instead."),
    gettext_noop("The engine could not draw this ({why}). Try again; the log says more."),
    gettext_noop("The engine is stopping. It will be drawn."),
    gettext_noop("The engine is starting again."),
    gettext_noop("The engine drew this but could not say so. Try again; the log says more."),
    gettext_noop(
        "Something went wrong on our side, so this was set aside. Ask again; if it happens again, tell a volunteer."
    ),
    gettext_noop("The house has emptied the line, so that everybody could begin anew."),
    gettext_noop("Ask for it again."),
    gettext_noop("The engine stopped {count} times while drawing this, so it was given up."),
    gettext_noop("This house is open to all ages; it does not draw that."),
    gettext_noop("This house does not draw cruelty."),
    gettext_noop("This house does not draw signs of hatred."),
    gettext_noop("Say it otherwise."),
    gettext_noop("The {field} is longer than the models can read. Not read: {words}"),
    gettext_noop("The models cannot read this of the {field}: {words}"),
    gettext_noop("The negative prompt does nothing at guidance {scale}. Only a guidance above 1 makes use of it."),
    gettext_noop("A guidance below 1 draws what a guidance of 1 draws."),
    gettext_noop("This is an AVIF picture, which cannot be read here."),
    gettext_noop("Save it as a PNG or JPEG."),
    gettext_noop("This is a HEIC photo, as iPhones keep them, which cannot be read here."),
    gettext_noop("On an iPhone choose it from Photos, not from Files: it then arrives as a JPEG. Elsewhere open it and "
                 "save or share it as a JPEG."),
)
#: what may stand there and is itself in words
PARTS = frozenset({
    gettext_noop("prompt"), gettext_noop("negative prompt"), gettext_noop("a number"), gettext_noop("a whole number"),
    gettext_noop("The number of steps"), gettext_noop("The guidance"), gettext_noop("The seed"),
    gettext_noop("The number of images"), gettext_noop("The sampler"),
})  # fmt: skip


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The sentences as patterns; those that say most come first."""
    pieces = {text: re.split(r"\{(\w+)\}", text) for text in SENTENCES}
    patterns = {
        text: "".join(f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(parts))
        for text, parts in pieces.items()
    }
    ordered = sorted(patterns, key=lambda text: -sum(map(len, pieces[text][::2])))
    return [(re.compile(rf"{patterns[text]}(?=\s|$)\s*"), text) for text in ordered]


def _said(found: re.Match[str], text: str) -> str:
    words = {name: gettext(value) if value in PARTS else value for name, value in found.groupdict().items()}
    return gettext(text).format(**words)


def spoken(text: str) -> str:
    """The sentences of `text` in the language that is spoken now."""
    if not text or (get_language() or "en").startswith("en"):
        return text
    said, rest = [], text
    while found := next(((match, name) for pattern, name in _patterns() if (match := pattern.match(rest))), None):
        said.append(_said(*found))
        rest = rest[found[0].end() :]
        if not rest:
            break
    return " ".join([*said, rest]).strip() if said else text


def spoken_event(data: bytes) -> bytes:
    """The JSON of a final event of the line with its sentences spoken."""
    if (get_language() or "en").startswith("en"):
        return data
    told = msgspec.json.decode(data)
    return msgspec.json.encode(
        told | {name: spoken(told[name]) for name in ("why", "message", "hint") if told.get(name)}
    )
