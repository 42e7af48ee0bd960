"""A contact sheet of verdicts, to be looked at: image, prompt, what was seen, passed or not."""

import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from salon.judge.scoring import Judged

SIDE, LINES, LINE, EDGE = 192, 6, 14, 8
PAPER, INK, GRAY, GREEN, RED = (250, 248, 244), (28, 28, 32), (110, 108, 104), (22, 128, 74), (190, 40, 44)
CHARACTERS = 33


def _text(pen: ImageDraw.ImageDraw, look: Judged, left: int, top: int, font: ImageFont.FreeTypeFont) -> None:
    colour = GREEN if look.passed else RED
    rows = [(line, INK) for line in textwrap.wrap(look.prompt.text, CHARACTERS)[:2]]
    seen = textwrap.wrap(f"seen: {look.verdict.said()}", CHARACTERS)
    rows += [(line, GRAY) for line in seen[: LINES - 1 - len(rows)]]
    rows.append((f"{'pass' if look.passed else 'FAIL'}  {look.prompt.task}", colour))
    for number, (line, ink) in enumerate(rows):
        pen.text((left, top + number * LINE), line, ink, font)


def _boxes(pen: ImageDraw.ImageDraw, look: Judged, left: int, top: int) -> None:
    for thing in look.verdict.things:
        x0, y0, x1, y1 = (min(max(end, 0.0), 1.0) * (SIDE - 1) for end in thing.box)
        if x1 > x0 and y1 > y0:
            pen.rectangle((left + x0, top + y0, left + x1, top + y1), outline=(255, 255, 255))
            pen.rectangle((left + x0 + 1, top + y0 + 1, left + x1 + 1, top + y1 + 1), outline=(0, 0, 0))


def sheet(looks: Sequence[Judged], columns: int = 10) -> Image.Image:
    """The looks in reading order, `columns` in a row."""
    wide, high = SIDE + 2 * EDGE, SIDE + LINES * LINE + 3 * EDGE
    rows = -(-len(looks) // columns)
    page = Image.new("RGB", (min(columns, len(looks)) * wide, rows * high), PAPER)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for index, look in enumerate(looks):
        left, top = index % columns * wide + EDGE, index // columns * high + EDGE
        page.paste(look.image.resize((SIDE, SIDE), Image.Resampling.NEAREST), (left, top))
        _boxes(pen, look, left, top)
        _text(pen, look, left, top + SIDE + EDGE // 2, font)
    return page
