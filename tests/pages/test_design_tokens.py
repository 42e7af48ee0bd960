"""The tokens keep WCAG AA in both themes: 4.5 for text, 3 for large text and edges of controls."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "src/salon/web/static/salon/css/tokens.css"
PAIR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
THEMES = {"day": 1, "night": 2}
TEXT = [
    ("ink", "plaster"),
    ("ink-soft", "plaster"),
    ("on-wall", "wall"),
    ("on-wall", "wall-deep"),
    ("on-wall-soft", "wall"),
    ("on-wall-soft", "wall-deep"),
    ("on-paper", "paper"),
    ("on-paper", "paper-2"),
    ("on-paper-soft", "paper"),
    ("paper", "on-paper"),
    ("on-act", "act"),
    ("on-act", "act-hi"),
    ("on-floor", "floor"),
    ("on-floor", "floor-2"),
]
EDGES = [
    ("edge", "paper"),
    ("edge", "paper-2"),
    ("focus", "paper"),
    ("focus", "plaster"),
    ("focus-on-wall", "wall"),
    ("focus-on-wall", "wall-deep"),
    ("act", "paper"),
    ("dot", "paper"),
    ("dot", "plaster"),
]


def tokens(theme: str) -> dict[str, str]:
    return {match[1]: match[1 + THEMES[theme]] for match in PAIR.finditer(TOKENS.read_text())}


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the well-known grey that just fails


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_can_be_read(theme: str, front: str, back: str) -> None:
    found = tokens(theme)
    assert contrast(found[front], found[back]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), EDGES)
def test_controls_can_be_seen(theme: str, front: str, back: str) -> None:
    found = tokens(theme)
    assert contrast(found[front], found[back]) >= 3
