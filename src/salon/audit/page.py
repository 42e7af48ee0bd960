"""Pieces of a report in one file: no scripts, no requests, the house's colours and type inside it. For audits, and for
whoever else compares images with numbers beside them."""

import base64
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

from salon.audit.folder import Look

STATIC = Path(__file__).parents[1] / "web" / "static" / "salon"
FONTS = {
    ("Libre Caslon Condensed", "normal", "400"): "libre-caslon-condensed-normal",
    ("Libre Caslon Condensed", "italic", "400"): "libre-caslon-condensed-italic",
    ("Hanken Grotesk", "normal", "400 700"): "hanken-grotesk",
}
#: width and height of a row's plot, in its own units; 0% and 100% lie this far from its ends
WIDE, HIGH, PAD = 300, 40, 8


def data_url(data: bytes, kind: str) -> str:
    """Bytes as an address that holds them."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@cache
def style() -> str:
    """The report's style sheet: the house's tokens, its type, and audit/report.css."""
    faces = [
        f'@font-face{{font-family:"{family}";font-style:{slant};font-weight:{weight};'
        f"src:url({data_url((STATIC / 'fonts' / f'{name}.woff2').read_bytes(), 'font/woff2')}) format('woff2')}}"
        for (family, slant, weight), name in FONTS.items()
    ]
    own = Path(__file__).with_name("report.css").read_text("utf-8")
    return "".join([*faces, (STATIC / "css" / "tokens.css").read_text("utf-8"), own])


def document(title: str, kicker: str, lead: str, body: Iterable[str], foot: str) -> str:
    """A whole page. `title` and `kicker` are text; `lead`, `body` and `foot` are HTML."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{escape(title)}</title><style>{style()}</style></head>
<body><header class="cornice"><span class="wordmark">Latent Salon</span><span>{escape(kicker)}</span></header>
<main><section class="wall"><h1>{escape(title)}</h1>{lead}</section>
{"".join(body)}</main><footer>{foot}</footer></body></html>
"""


def section(name: str, heading: str, *parts: str) -> str:
    """A sheet of paper."""
    return f'<section class="paper" id="{escape(name)}"><h2>{escape(heading)}</h2>{"".join(parts)}</section>'


def paragraph(text: str, kind: str = "") -> str:
    """Text as a paragraph."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they are; the second of each is HTML."""
    return f'<dl class="facts">{"".join(f"<div><dt>{escape(a)}</dt><dd>{b}</dd></div>" for a, b in pairs)}</dl>'


def link(target: str, text: str) -> str:
    """To another place of the page."""
    return f'<a href="#{escape(target)}">{escape(text)}</a>'


def table(caption: str, heads: Sequence[str], rows: Iterable[tuple[str, str, Sequence[str]]]) -> str:
    """Rows are (id, class, cells of HTML); the first cell is the row's head. On a phone each row is a card, whose cells
    say their column's name."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    lines = []
    for name, kind, (first, *rest) in rows:
        cells = "".join(f'<td data-head="{escape(h)}">{cell}</td>' for h, cell in zip(heads[1:], rest, strict=True))
        lines.append(f'<tr id="{escape(name)}" class="{kind}"><th scope="row">{first}</th>{cells}</tr>')
    return (f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
            f'<tbody>{"".join(lines)}</tbody></table></div>')  # fmt: skip


class Mark(NamedTuple):
    """A rate and its interval on a plot from 0 to 1; `kind` is "cell", "reference" or "flagged"."""

    rate: float
    low: float
    high: float
    kind: str


def plot(marks: Sequence[Mark], ticks: bool = False) -> str:
    """Intervals under each other, as inline SVG. Hidden from readers of the screen: the row says the numbers."""
    step = HIGH / (len(marks) + 1)
    lines = [f'<line class="grid" x1="{_x(at)}" x2="{_x(at)}" y1="0" y2="{HIGH}"/>' for at in (0, 0.25, 0.5, 0.75, 1)]
    for place, mark in enumerate(marks, 1):
        y = round(place * step, 1)
        lines.append(f'<g class="{mark.kind}"><line x1="{_x(mark.low)}" x2="{_x(mark.high)}" y1="{y}" y2="{y}"/>'
                     f'<circle cx="{_x(mark.rate)}" cy="{y}" r="5"/></g>')  # fmt: skip
    numbers = "".join(f'<text x="{_x(at)}" y="{HIGH + 13}">{at:.0%}</text>' for at in (0, 0.5, 1)) if ticks else ""
    height = HIGH + (16 if ticks else 0)
    return f'<svg class="plot" viewBox="0 0 {WIDE} {height}" aria-hidden="true">{"".join(lines)}{numbers}</svg>'


def _x(share: float) -> float:
    return round(PAD + share * (WIDE - 2 * PAD), 1)


def figure(look: Look, path: Path, said: str) -> str:
    """One image with its seed and what was seen in it; or its place, if there is none."""
    words = f"{look.prompt}, seed {look.seed}: {said}"
    if path.is_file():
        source = data_url(path.read_bytes(), "image/webp")
        image = f'<img src="{source}" alt="{escape(words)}" width="128" height="128">'
    else:
        image = f'<span class="gone" role="img" aria-label="{escape(words)}">{escape(look.outcome)}</span>'
    return f'<figure>{image}<figcaption><b>{escape(said)}</b> {look.seed}</figcaption></figure>'


def hang(figures: Iterable[str]) -> str:
    """Images in a row that wraps."""
    return f'<div class="hang">{"".join(figures)}</div>'


def folded(summary: str, *parts: str, name: str = "", open_: bool = False) -> str:
    """What is there when it is asked for. A link to something inside opens it."""
    return (f'<details{f" id={chr(34)}{escape(name)}{chr(34)}" if name else ""}{" open" if open_ else ""}>'
            f"<summary>{escape(summary)}</summary>{''.join(parts)}</details>")  # fmt: skip


def percent(share: float) -> str:
    """A share for people: 7%."""
    return f"{100 * share:.0f}%"


def span(low: float, high: float) -> str:
    """An interval for people: 3 to 14%."""
    return f"{100 * low:.0f} to {100 * high:.0f}%"


def points(difference: float) -> str:
    """A difference of shares for people: +81 points."""
    return f"{100 * difference:+.0f}"
