"""The colour of an event's walls: one that its lettering can be read on, and all that is made of it.

The wall is painted linen, lit from above (house.css): at its lightest it is the colour with LIGHT of white over it, and
that is where contrast is judged, by WCAG 2.2."""

import re
from typing import NamedTuple

from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe

#: the lettering of walls, by day and by night, and how far soft words are drawn towards the wall's own colour
INK, NIGHT_INK = "#f5f2e6", "#f7eadc"
SOFT = 0.12
LIGHT = 0.11
#: WCAG AA for text
LEAST = 4.5
#: how much black makes the wall's foot, the night, and the foot at night
DEEP, NIGHT, NIGHT_DEEP = 0.27, 0.42, 0.66
Channels = tuple[float, float, float]


class Wall(NamedTuple):
    """What tokens.css calls wall, wall-deep, on-wall, on-wall-soft: each (day, night)."""

    wall: tuple[str, str]
    deep: tuple[str, str]
    ink: tuple[str, str]
    soft: tuple[str, str]


def _channels(colour: str) -> Channels:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))  # type: ignore[return-value]


def mixed(one: str, other: str, share: float) -> str:
    """`share` of the other colour in the first, channel by channel."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * share)):02x}" for a, b in pairs)


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Between 1 and 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def wall(colour: str) -> Wall:
    """All that is made of a wall's colour."""
    night = mixed(colour, "#000000", NIGHT)
    return Wall(
        (colour, night),
        (mixed(colour, "#000000", DEEP), mixed(colour, "#000000", NIGHT_DEEP)),
        (INK, NIGHT_INK),
        (mixed(INK, colour, SOFT), mixed(NIGHT_INK, night, SOFT)),
    )


def readable(colour: str) -> float:
    """The least contrast that words have on this wall, where it is lit most."""
    made = wall(colour)
    lit = [mixed(one, "#ffffff", LIGHT) for one in made.wall]
    return min(contrast(word, back) for words in (made.ink, made.soft) for word, back in zip(words, lit, strict=True))


def darker(colour: str) -> str:
    """The lightest shade of it that words can be read on."""
    return next(
        shade for part in range(101) if readable(shade := mixed(colour, "#000000", part / 100)) >= LEAST
    )  # black itself will do


class Unreadable(BadRecipe):
    """A wall that words cannot be read on; `instead` is a shade that will do."""

    def __init__(self, colour: str) -> None:
        self.instead = darker(colour)
        words = {"ratio": f"{readable(colour):.1f}", "least": f"{LEAST:.1f}", "instead": self.instead}
        super().__init__(
            _("Words on this wall would have a contrast of %(ratio)s : 1; to be read they need %(least)s : 1.") % words,
            _("Take a darker colour; %(instead)s is the lightest shade of yours that will do.") % words,
        )


def checked(text: str) -> str:
    """The colour as "#rrggbb"; empty for the house's own. Raises BadRecipe, Unreadable."""
    clean = text.strip().lower().removeprefix("#")
    if not clean:
        return ""
    if re.fullmatch(r"[0-9a-f]{3}", clean):
        clean = "".join(2 * digit for digit in clean)
    if not re.fullmatch(r"[0-9a-f]{6}", clean):
        raise BadRecipe(_("A colour is written as # and six digits or letters from a to f."), _("For example #23504a."))
    colour = f"#{clean}"
    if readable(colour) < LEAST:
        raise Unreadable(colour)
    return colour


def stylesheet(colour: str) -> str:
    """The walls in this colour, over the house's tokens."""
    made = wall(colour)
    names = {"wall": made.wall, "wall-deep": made.deep, "on-wall": made.ink, "on-wall-soft": made.soft}
    lines = "".join(f"  --{name}: light-dark({day}, {night});\n" for name, (day, night) in names.items())
    return f":root {{\n{lines}}}\n"
