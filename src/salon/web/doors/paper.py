"""A ticket and a door's list as the printing room wants them: plain words, in letters that can be set here."""

import datetime
from collections.abc import Callable
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from salon import printing
from salon.web import codes
from salon.web.doors import tickets
from salon.web.doors.domain.looking import listed
from salon.web.doors.models import Door
from salon.web.events import times
from salon.web.seats.models import Place, Pool

#: the language whose letters the house's own fonts have, where the reader's has others that cannot be set
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


def _shown(words: list[str]) -> list[str]:
    """As they can be set here: a gap for letters without a font; words that are nothing else are said to be so."""
    instead = _("(letters that no font here has)")
    return [made if set(made) - {printing.GAP, " "} or not made else instead for made in printing.legible(*words)]


def ticket(place: Place) -> dict[str, Any]:
    """For the form `ticket`. Where letters are missing for want of a font, the note says so: the page has them."""
    code, said = tickets.edition(place).code, [place.pool.event.name, place.pool.name, place.guest.name]

    def made() -> dict[str, Any]:
        rows = facts(place)
        wanted = [*said, *(words for _what, words in rows)]
        event, pool, name, *told = _shown(wanted)
        note = _("One entry. Show this code at the door, on paper or on a screen; it may also be typed.")
        if [event, pool, name, *told] != wanted:
            note += " " + _("Some letters are missing here for want of a font; the ticket's page has them all.")
        return {
            "language": translation.get_language() or PLAIN,
            "note": note,
            "event": event,
            "pool": pool,
            "name": name,
            "lines": [(what, words) for (what, _words), words in zip(rows, told)],
            "said": [note, *(what for what, _words in rows), times.words(place.pool.event, timezone.now())],
        }

    return _legible(made) | {
        "title": place.pool.name,
        "code": tickets.spelled(code),
        "qr": codes.qr_svg(tickets.ticket_of(place)).decode(),
    }


def door_list(door: Door, now: datetime.datetime) -> dict[str, Any]:
    """For the form `door`. Whose name has no letters here is found by the code, which stands on every ticket."""
    lines = listed(door)
    said = [door.event.name, door.name]
    said += [words for line in lines for words in (line.place.guest.name, line.place.pool.name)]

    def made() -> dict[str, Any]:
        event, name, *told = _shown(said)
        note = _("For the time without a line. Tick whoever comes in; a cross says that somebody is in already. "
                 "Who is not on the list has no place: count them, places may be left.")  # fmt: skip
        if [event, name, *told] != said:
            note += " " + _("Where letters are missing for want of a font, go by the code on the ticket.")
        heads = [_("Name"), _("For"), _("Code begins")]
        count = _("%(count)s names, printed %(time)s. Tear it up after the day.") % {
            "count": len(lines), "time": times.words(door.event, now),
        }  # fmt: skip
        return {
            "language": translation.get_language() or PLAIN,
            "note": note,
            "told": count,
            "heads": heads,
            "event": event,
            "door": name,
            "rows": [[*two, line.code, line.entry is not None] for line, *two in zip(lines, told[::2], told[1::2])],
            "said": [note, count, *heads],
        }

    return _legible(made) | {"title": door.name}


#: what a ticket can be taken along as: its type and how it is made
KINDS: dict[str, tuple[str, Callable[[Place], bytes]]] = {
    "pdf": ("application/pdf", lambda place: printing.pdf("ticket", ticket(place))),
    "png": ("image/png", lambda place: printing.png("ticket", ticket(place))),
}
