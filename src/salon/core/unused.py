"""What was asked for and changes nothing: words that the models do not read, options that do nothing as they stand.
It is drawn all the same, but never without a word."""

from msgspec import Struct

from salon.core.reading import unknown, unread
from salon.core.recipe import BlendOptions, DiffusionOptions, Recipe, TokenOptions

#: of the words that are not read a sentence names so many
NAMED = 12


class Unused(Struct, frozen=True):
    """`field` as a request calls it; `words` are those that are not read."""

    field: str
    message: str
    words: tuple[str, ...] = ()


class UnusedWarning(UserWarning):
    """Something of a request changes nothing."""


def unused(recipe: Recipe) -> list[Unused]:
    """What of a recipe its picture does not show."""
    options = [o for o in recipe.stages.values() if isinstance(o, DiffusionOptions | TokenOptions)]
    sources = [o.source for o in recipe.stages.values() if isinstance(o, BlendOptions)]
    found = unused_of(recipe.prompt, recipe.negative_prompt, [o.guidance_scale for o in options])
    return found + [one for source in sources for one in _not_read("source", "text of what it was", source)]


def unused_of(prompt: str, negative_prompt: str, guidance: list[float]) -> list[Unused]:
    """The same of words and of the guidance of each stage (none: it is not known)."""
    found = _not_read("prompt", "prompt", prompt)
    strongest = max(guidance, default=2.0)
    if negative_prompt and strongest <= 1:
        words = "Only a guidance above 1 makes use of it."
        found.append(Unused("negative_prompt", f"The negative prompt does nothing at guidance {strongest:g}. {words}"))
    else:
        found += _not_read("negative_prompt", "negative prompt", negative_prompt)
    if strongest < 1:
        found.append(Unused("guidance_scale", "A guidance below 1 draws what a guidance of 1 draws."))
    return found


def _not_read(field: str, name: str, text: str) -> list[Unused]:
    """What the encoder does not read of a text, whether it comes too late or says nothing to it."""
    found = too_long(field, name, text)
    late = set(unknown(" ".join(found[0].words))) if found else set()
    if words := [word for word in unknown(text) if word not in late]:
        found.append(Unused(field, f"The models cannot read this of the {name}: {_named(words)}", tuple(words)))
    return found


def too_long(field: str, name: str, text: str) -> list[Unused]:
    """The words beyond what the encoder reads, named."""
    if not (words := unread(text)):
        return []
    message = f"The {name} is longer than the models can read. Not read: {_named(words)}"
    return [Unused(field, message, tuple(words))]


def _named(words: list[str]) -> str:
    return " ".join(words[:NAMED]) + (" …" if len(words) > NAMED else "")
