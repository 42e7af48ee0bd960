"""Times of an event: kept as instants (UTC), typed and shown as the clock on its wall shows them."""

import datetime
import re
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from salon.core.errors import BadRecipe
from salon.web.events.models import Event

#: a format of Django's that says a time of day
_CLOCK = re.compile(r"(?<!\\)[GHghiPfs]")


class BadTime(BadRecipe):
    """What was typed is no time of the event's clock."""


def zone(event: Event) -> ZoneInfo:
    """The event's time zone."""
    return ZoneInfo(event.time_zone)


def local(event: Event, at: datetime.datetime) -> datetime.datetime:
    """The same instant by the event's clock."""
    return at.astimezone(zone(event))


def today(event: Event) -> datetime.date:
    """The day that it is at the event's place."""
    return local(event, timezone.now()).date()


def parse_local(event: Event, text: str) -> datetime.datetime:
    """What the event's clock showed, as an instant (UTC): "2026-06-06T10:30" as a form's field sends it, or with a
    blank. An offset may follow ("...02:30+02:00"), and must be one that the clock has then. Raises BadTime, for an hour
    that the change of clocks leaves out or brings twice, too."""
    try:
        typed = datetime.datetime.fromisoformat(text.strip()).replace(second=0, microsecond=0)
    except ValueError as error:
        message = _("“%(text)s” is not a day and a time.") % {"text": text.strip()[:40]}
        raise BadTime(message, _("Write it like this: 2026-06-06 10:30.")) from error
    if not 1970 <= typed.year <= 9000 or len(text.strip()) < len("2026-06-06 10"):
        raise BadTime(_("A day and a time are needed."), _("Write it like this: 2026-06-06 10:30."))
    if typed.tzinfo:
        return _with_offset(event, typed)
    first, second = (typed.replace(tzinfo=zone(event), fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(datetime.UTC)
    words = {"time": typed.strftime("%Y-%m-%d %H:%M"), "zone": event.time_zone}
    if first.utcoffset() < second.utcoffset():  # type: ignore[operator]
        message = _("%(time)s does not exist in %(zone)s: the clocks go forward then.") % words
        raise BadTime(message, _("Take a time before or after the hour that is left out."))
    words["one"], words["two"] = (one.isoformat(" ", "minutes") for one in (first, second))
    message = _("%(time)s comes twice in %(zone)s: the clocks go back then.") % words
    raise BadTime(message, _("Take another hour, or say which: “%(one)s” or “%(two)s”.") % words)


def _with_offset(event: Event, typed: datetime.datetime) -> datetime.datetime:
    if local(event, typed).utcoffset() != typed.utcoffset():
        message = _("The clock in %(zone)s is not at that offset then.") % {"zone": event.time_zone}
        raise BadTime(message, _("Leave the offset away."))
    return typed.astimezone(datetime.UTC)


def field(event: Event, at: datetime.datetime | None) -> str:
    """What `parse_local` makes this instant of: the value of a field of type datetime-local; empty for none."""
    if not at:
        return ""
    shown = local(event, at)
    return (shown if twice(shown) else shown.replace(tzinfo=None)).isoformat("T", "minutes")


def twice(shown: datetime.datetime) -> bool:
    """Whether a local time is within the hour that comes twice when clocks go back."""
    return shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset()


def day_words(day: datetime.date) -> str:
    """A day in words: "Saturday 6 June 2026"."""
    return date_format(day, pgettext("format of a day", "l j F Y"))


def words(event: Event, at: datetime.datetime, form: str = "", zoned: bool = False) -> str:
    """An instant in words by the event's clock: "Saturday 6 June 2026, 10:30", or in a format of Django's. In the hour
    that comes twice, or if `zoned`, a time of day has its zone's short name with it: "02:30 CEST"."""
    shown, form = local(event, at), form or pgettext("format of a day and a time", "l j F Y, H:i")
    said = date_format(shown, form)
    return f"{said} {shown.tzname()}" if _CLOCK.search(form) and (zoned or twice(shown)) else said


def span(event: Event, starts: datetime.datetime, ends: datetime.datetime, form: str = "") -> str:
    """From when until when, the day said once: "Saturday 6 June 2026, 10:00–11:30". Across a change of clocks both ends
    name their zone, as 01:30–03:30 may be one hour or three."""
    one, two = local(event, starts), local(event, ends)
    moved, same = one.utcoffset() != two.utcoffset(), one.date() == two.date()
    end = words(event, ends, pgettext("format of a time", "H:i") if same else form, moved)
    return f"{words(event, starts, form, moved)}{'–' if same else ' – '}{end}"


def days(event: Event) -> str:
    """The event's days in words; empty while they are not known."""
    first, last = event.starts_on, event.ends_on or event.starts_on
    if first is None or last is None:
        return ""
    if first == last:
        return day_words(first)
    if (first.year, first.month) == (last.year, last.month):
        start, end = pgettext("format of the first of days in a month", "j"), pgettext("... the last", "j F Y")
    elif first.year == last.year:
        start, end = pgettext("format of the first of days in a year", "j F"), pgettext("... the last", "j F Y")
    else:
        start = end = pgettext("format of a day in other years", "j F Y")
    return f"{date_format(first, start)} – {date_format(last, end)}"
