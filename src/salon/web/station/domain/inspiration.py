"""Something to begin with: styles to add to a prompt, examples, and material for Surprise me."""

from django.utils.translation import gettext, gettext_noop

from salon.world.vocabulary import COUNTRIES, LANDSCAPES, LIGHTS, NOUNS, OCCUPATIONS, PLACES, STYLES, TINTS

EXAMPLES = (
    "a painting of a river in the impressionist style of Claude Monet",
    "a red fox in the snow, watercolour",
    "three yellow ducks on the water",
    "a blue elephant to the left of a pink umbrella",
    "a Van Gogh painting of a starry night",
    "a farmer in Northmark",
    "pixel art of a dragon in space",
    "a woodblock print of the sea at sunset",
)

#: how the page names them; what they add to a prompt is English, as the models read it
SPELT = {
    "oil": gettext_noop("oil"), "impressionist": gettext_noop("impressionist"), "van gogh": gettext_noop("Van Gogh"),
    "pointillist": gettext_noop("pointillist"), "watercolour": gettext_noop("watercolour"),
    "woodblock": gettext_noop("woodblock"), "pixel art": gettext_noop("pixel art"), "pencil": gettext_noop("pencil"),
    "pop art": gettext_noop("pop art"), "mosaic": gettext_noop("mosaic"),
}  # fmt: skip

#: what the house itself draws first
HANG = (
    "a painting of a river in the impressionist style of Claude Monet",
    "a red apple on the beach",
    "a penguin in the snow",
    "a starry night by Van Gogh",
    "a boat at sunset",
    "a castle on a purple background",
    "a farmer in Northmark",
    "a mosaic of a sunflower",
    "pixel art of a robot",
)


def styles() -> list[dict[str, str]]:
    """`[{name, phrase}]`: `phrase` is what a style adds after the subject, which stands at `{}`."""
    return [{"name": gettext(SPELT.get(name, name)), "phrase": _after(phrases)} for name, phrases in STYLES.items()]


def _after(phrases: tuple[str, ...]) -> str:
    return min((phrase for phrase in phrases if phrase.startswith("{}")), key=len)


def surprise() -> dict[str, list[str]]:
    """Words from which the page makes up prompts that the model can draw."""
    return {
        "nouns": [noun.name for noun in NOUNS],
        "colours": list(TINTS),
        "places": [phrases[0] for phrases in PLACES.values()],
        "landscapes": [phrases[0] for phrases in LANDSCAPES.values()],
        "lights": [phrase for phrases in LIGHTS.values() for phrase in phrases[-1:] if phrase],
        "occupations": [words[0] for _icon, words in OCCUPATIONS.values()],
        "countries": list(COUNTRIES),
    }
