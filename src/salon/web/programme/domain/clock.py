"""Days and times as people type them, and as the programme prints them."""

import datetime
import re
import unicodedata
from typing import NamedTuple

from django.utils.translation import gettext as _

from salon.web.events.models import Event
from salon.web.events.times import BadTime, local, parse_local, words

#: an end that is earlier than its beginning means the next day, if that makes no more than so many hours
PAST_MIDNIGHT = datetime.timedelta(hours=12)
#: what lasts so long is told at the head of each of its days, and is no part of the table below
LASTING = datetime.timedelta(hours=12)
LONGEST = datetime.timedelta(days=31)

_TIME = re.compile(r"(\d{1,2})(?:\s*[:.h時](\d{2})?分?)?\s*([ap])?\.?(?:m\.?)?\s*([+-]\d{2}:?\d{2})?", re.IGNORECASE)
_DAYS = (
    (re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"), ("year", "month", "day")),
    (re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})"), ("day", "month", "year")),
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


class Span(NamedTuple):
    """From when to when, both instants (UTC)."""

    starts_at: datetime.datetime
    ends_at: datetime.datetime


def _plain(text: str) -> str:
    """Digits of any width as ASCII."""
    return unicodedata.normalize("NFKC", text).strip()


def parse_day(text: str) -> datetime.date:
    """A day: 2026-06-06, 6.6.2026, or with slashes where only one reading is possible. Raises BadTime."""
    plain = _plain(text)
    hint = _("Write it like this: 2026-06-06.")
    try:
        for pattern, names in _DAYS:
            if found := pattern.fullmatch(plain):
                return datetime.date(**dict(zip(names, map(int, found.groups()))))
        if found := _SLASHES.fullmatch(plain):
            one, two, year = map(int, found.groups())
            if one <= 12 and two <= 12 and one != two:
                raise BadTime(_("“%(text)s” may be two different days.") % {"text": plain}, hint)
            return datetime.date(year, min(one, two) if one != two else one, max(one, two))
    except ValueError:
        pass
    raise BadTime(_("“%(text)s” is not a day.") % {"text": plain[:40]}, hint)


def parse_clock(text: str) -> tuple[int, int, str]:
    """Hour (0 to 24), minute, and an offset if one was typed: 10:30, 10.30, 10h, 2 pm, 02:30+02:00. Raises BadTime."""
    found = _TIME.fullmatch(_plain(text))
    if found:
        hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half == "p" else 0)
        if (hour < 24 and minute < 60) or (hour == 24 and minute == 0):
            return hour, minute, found[4] or ""
    raise BadTime(_("“%(text)s” is not a time.") % {"text": text.strip()[:40]}, _("Write it like this: 10:30."))


def _at(event: Event, day: datetime.date, clock: tuple[int, int, str]) -> datetime.datetime:
    hour, minute, offset = clock
    day += datetime.timedelta(days=hour // 24)
    return parse_local(event, f"{day.isoformat()} {hour % 24:02}:{minute:02}{offset}")


def span(event: Event, day: datetime.date, starts: str, ends: str, ends_day: datetime.date | None = None) -> Span:
    """What the event's clock shows at both ends. Without a day of its own, an end that is earlier than the beginning is
    on the next day, as long as that is within twelve hours. Raises BadTime; its `field` says which end is meant."""
    try:
        starts_at = _at(event, day, parse_clock(starts))
    except BadTime as error:
        error.field = "starts"  # type: ignore[attr-defined]
        raise
    try:
        clock = parse_clock(ends)
        ends_at = _at(event, ends_day or day, clock)
        if ends_at <= starts_at and ends_day is None:
            ends_at = _past_midnight(event, day, clock, starts_at)
        return instants(starts_at, ends_at)
    except BadTime as error:
        error.field = "ends"  # type: ignore[attr-defined]
        raise


def instant(event: Event, text: str) -> datetime.datetime | None:
    """An instant that is written whole, "2026-06-06T10:30:00+02:00", whatever the event's zone was when it was written;
    without an offset it is the event's clock's. None for anything else. Raises BadTime."""
    if not _INSTANT.match(plain := _plain(text)):
        return None
    try:
        found = datetime.datetime.fromisoformat(plain)
        return found.astimezone(datetime.UTC) if found.tzinfo else parse_local(event, plain)
    except (ValueError, OverflowError) as error:
        raise BadTime(_("“%(text)s” is not a time.") % {"text": plain[:40]}, _("Write it like this: 10:30.")) from error


def instants(starts_at: datetime.datetime, ends_at: datetime.datetime) -> Span:
    """From one instant to another. Raises BadTime."""
    if ends_at <= starts_at:
        raise BadTime(_("It ends before it begins."), _("If it ends on another day, say on which."))
    if ends_at - starts_at > LONGEST:
        raise BadTime(_("It would last longer than a month."), _("Look at its last day again."))
    return Span(starts_at, ends_at)


def _past_midnight(
    event: Event, day: datetime.date, clock: tuple[int, int, str], starts_at: datetime.datetime
) -> datetime.datetime:
    ends_at = _at(event, day + datetime.timedelta(days=1), clock)
    return ends_at if ends_at - starts_at <= PAST_MIDNIGHT else starts_at


def shown(event: Event, at: datetime.datetime) -> str:
    """A time of day as the programme prints it."""
    return words(event, at, "H:i")


def hours(event: Event, starts_at: datetime.datetime, ends_at: datetime.datetime) -> str:
    """"10:00–11:30" by the event's clock; the day of a later end stands beside it on the page."""
    moved = local(event, starts_at).utcoffset() != local(event, ends_at).utcoffset()
    return "–".join(words(event, at, "H:i", moved) for at in (starts_at, ends_at))
