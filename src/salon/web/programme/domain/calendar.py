"""The programme as iCalendar (RFC 5545). Instants are UTC: no calendar has to know the event's zone to be right;
X-WR-TIMEZONE says in which to show them. A session keeps its UID for ever, SEQUENCE grows with each change, and what is
cancelled stays in the feed as cancelled: a calendar that has it takes it away or strikes it out."""

import datetime
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _
from icalendar import Calendar, vDuration, vText
from icalendar import Event as Entry

from salon.core.text import tidy
from salon.web.events.models import Event
from salon.web.mail.letters import many_lines
from salon.web.programme.models import Session

#: how often a calendar should ask again
REFRESH = datetime.timedelta(minutes=30)


class Words(vText):
    """TEXT of RFC 5545, 3.3.11. The library takes a backslash before a capital N for a line's end (icalendar 7.3), and
    "C:\\New" is not."""

    def to_ical(self) -> bytes:
        escaped = str(self).replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,").replace("\n", r"\n")
        return escaped.encode(self.encoding)


def uid(session: Session) -> str:
    """128 random bits and what made them: the same in every feed, whatever the house's address."""
    return f"{session.id}@latent-salon"


def feed(event: Event, sessions: Iterable[Session], address: Callable[[Session], str], name: str = "") -> bytes:
    """A calendar of these sessions, lines folded at 75 octets. `address` makes the address of a session's page."""
    calendar = Calendar()
    calendar.add("prodid", "-//Latent Salon//Programme//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", Words(tidy(name or event.name)))
    calendar.add("x-wr-timezone", event.time_zone)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for session in sessions:
        calendar.add_component(_entry(event, session, address(session)))
    return bytes(calendar.to_ical())


def _entry(event: Event, session: Session, address: str) -> Entry:
    entry = Entry()
    title = tidy(session.title)
    for name, value in (
        ("uid", uid(session)),
        ("sequence", session.sequence),
        ("dtstamp", session.changed_at),
        ("last-modified", session.changed_at),
        ("dtstart", session.starts_at.astimezone(datetime.UTC)),
        ("dtend", session.ends_at.astimezone(datetime.UTC)),
        # not every calendar looks at STATUS
        ("summary", Words(_("Cancelled: %(title)s") % {"title": title} if session.cancelled else title)),
        ("status", "CANCELLED" if session.cancelled else "CONFIRMED"),
        ("location", Words(_where(event, session))),
        ("description", Words(_description(session))),
        ("categories", [str(session.get_kind_display())]),
        ("url", address),
    ):
        _add(entry, name, value)
    return entry


def _add(entry: Entry, name: str, value: Any) -> None:
    if value != "":
        entry.add(name, value)


def _where(event: Event, session: Session) -> str:
    parts = (session.room.name if session.room else "", event.place, " ".join(event.address.split()))
    return ", ".join(tidy(part) for part in parts if part.strip())


def _description(session: Session) -> str:
    presenters = ", ".join(tidy(presenter.name) for presenter in session.presenters.all())
    reason = session.reason if session.cancelled else ""
    return "\n\n".join(part for part in (tidy(reason), presenters, many_lines(session.about)) if part)
