"""Intervals as lines on a common scale: percentages for SVG attributes, which need no inline style."""

from collections.abc import Sequence
from math import log
from typing import Any

from salon.web.arena.domain.leaderboard import finite

#: odds against the average machine that the scale marks
ODDS = (16, 8, 4, 2)
#: the scale reaches at least and at most so far; lines beyond it leave the picture with an open end
LEAST, MOST = log(3), log(24)
#: per cent of the width kept free at each end
MARGIN = 6.0


def reach(rows: Sequence[dict[str, Any]]) -> float:
    """How far the scale goes each way."""
    return min(MOST, max([LEAST, *(1.08 * abs(value) for value in finite(rows))]))


def _at(value: float, far: float) -> float:
    """Per cent of the width."""
    return round(50 + (50 - MARGIN) * max(-1.0, min(1.0, value / far)), 2)


def _places(row: dict[str, Any]) -> str:
    """The places that a machine may have."""
    best, worst = row["place_best"], row["place_worst"]
    return "–" if best is None else f"{best}–{worst}" if best < worst else str(best)


def with_lines(component: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The machines with `low`, `dot`, `high` in per cent, `open_low` and `open_high` where the line goes on, and
    `places` in words; and the scale's `ticks`."""
    far = reach(component)
    rows = []
    for row in component:
        low, high = row["rating_low"], row["rating_high"]
        ends = {
            "open_low": low is None or low < -far,
            "open_high": high is None or high > far,
            "low": _at(-far if low is None else low, far),
            "high": _at(far if high is None else high, far),
        }
        percent = round(100 * (row["both_bad_share"] or 0))
        ends |= {"places": _places(row), "both_bad_percent": percent, "dot": _at(row["rating"], far)}
        rows.append({**row, **ends})
    sides = [(odds, sign) for odds in ODDS if log(odds) <= far for sign in (-1, 1)]
    shown = sides if len(sides) <= 4 else [(odds, sign) for odds, sign in sides if odds in (4, 16)]
    ticks = [{"at": _at(sign * log(odds), far), "odds": odds, "better": sign > 0} for odds, sign in shown]
    return {"machines": rows, "ticks": ticks}
