"""A ticket and a door's list as the printing room wants them: plain words, in letters this machine has."""

import datetime
from collections.abc import Callable
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from salon import printing
from salon.web import codes
from salon.web.doors import tickets
from salon.web.doors.domain.looking import Line, listed
from salon.web.doors.models import Door
from salon.web.events import times
from salon.web.seats.models import Place, Pool

#: languages are tried in this order: the reader's, then the one whose letters the house's own fonts have
PLAIN = "en"


def when(pool: Pool) -> str:
    """From when until when, by the event's clock; the day is said once."""
    if pool.starts_at is None:
        return times.days(pool.event)
    if pool.ends_at is None:
        return times.words(pool.event, pool.starts_at)
    return times.span(pool.event, pool.starts_at, pool.ends_at)


def facts(place: Place) -> list[tuple[str, str]]:
    """What a ticket says beside its name: (what, words)."""
    pool, event = place.pool, place.pool.event
    rows = [
        (_("When"), when(pool)),
        (_("Where"), pool.room.name if pool.room else event.place),
        (_("Address"), ", ".join(filter(None, (event.place if pool.room else "", *event.address.split("\n"))))),
        (_("Getting in"), pool.room.access if pool.room else ""),
        (_("With it"), pool.needs.name if pool.needs else ""),
    ]
    return [(what, " ".join(words.split())) for what, words in rows if words.strip()]


def _legible(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The form's words in the reader's language; in plain English where this machine lacks its letters."""
    made = make()
    if printing.readable(*made.pop("said")):
        return made
    with translation.override(PLAIN):
        made = make()
        made.pop("said")
        return made


def ticket(place: Place) -> dict[str, Any]:
    """For the form `ticket`. What people wrote in letters that this machine has no font for is left out, and the note
    says so: the page itself shows it."""
    code = tickets.edition(place).code

    def made() -> dict[str, Any]:
        rows = [(what, words) for what, words in facts(place) if printing.readable(words)]
        note = _("One entry. Show this code at the door, on paper or on a screen; it may also be typed.")
        missing = not printing.readable(place.guest.name, place.pool.name, place.pool.event.name)
        if missing or len(rows) < len(facts(place)):
            note += " " + _("Some words are missing here for want of a font; the ticket's page has them all.")
        return {
            "language": translation.get_language() or PLAIN,
            "note": note,
            "lines": rows,
            "said": [note, *(what for what, _words in rows), times.words(place.pool.event, timezone.now())],
        }

    return _legible(made) | {
        "title": _shown(place.pool.name) or "Ticket",
        "event": _shown(place.pool.event.name),
        "pool": _shown(place.pool.name),
        "name": _shown(place.guest.name),
        "code": tickets.spelled(code),
        "qr": codes.qr_svg(tickets.ticket_of(place)).decode(),
    }


def _shown(words: str) -> str:
    return words if printing.readable(words) else ""


def door_list(door: Door, now: datetime.datetime) -> dict[str, Any]:
    """For the form `door`. A name without letters here is its code, which stands on its ticket, too."""
    lines = listed(door)

    def made() -> dict[str, Any]:
        told = {
            "language": translation.get_language() or PLAIN,
            "note": _("For the time without a line. Tick whoever comes in; a cross says that somebody is in already. "
                      "Who is not on the list has no place: count them, places may be left."),
            "told": _("%(count)s names, printed %(time)s. Tear it up after the day.")
            % {"count": len(lines), "time": times.words(door.event, now)},
            "heads": [_("Name"), _("For"), _("Code begins")],
        }  # fmt: skip
        return told | {"said": [told["note"], told["told"], *told["heads"]]}

    plain = printing.readable(*(f"{line.place.guest.name} {line.place.pool.name}" for line in lines))
    return _legible(made) | {
        "title": _shown(door.name) or "Door",
        "event": _shown(door.event.name),
        "door": _shown(door.name),
        "rows": [_row(line, plain) for line in lines],
    }


def _row(line: Line, plain: bool) -> list[Any]:
    name, pool = line.place.guest.name, line.place.pool.name
    if not plain:
        name, pool = _shown(name) or "?", _shown(pool) or "?"
    return [name, pool, line.code, line.entry is not None]


#: what a ticket can be taken along as: its type and how it is made
KINDS: dict[str, tuple[str, Callable[[Place], bytes]]] = {
    "pdf": ("application/pdf", lambda place: printing.pdf("ticket", ticket(place))),
    "png": ("image/png", lambda place: printing.png("ticket", ticket(place))),
}
