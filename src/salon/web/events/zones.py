"""Time zones by their IANA names, found by what people type."""

import datetime
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe

#: the continents and oceans of IANA's names; what else there is (EST5EDT, Etc/GMT+3) is no place on a map
AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def names() -> tuple[str, ...]:
    """All that may be chosen, UTC first."""
    return ("UTC", *sorted(name for name in available_timezones() if name.split("/")[0] in AREAS))


def _plain(text: str) -> str:
    return text.casefold().replace("_", " ").replace("-", " ").strip()


def find(text: str) -> str:
    """The zone that somebody means: its name, or its city ("berlin"). Raises BadRecipe, naming near ones."""
    wanted = _plain(text)
    by_name = {_plain(name): name for name in names()}
    if wanted in by_name:
        return by_name[wanted]
    found = [name for name in names() if _plain(name.rpartition("/")[2]) == wanted] or [
        name for name in names() if wanted and wanted in _plain(name)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        cities = {_plain(name.rpartition("/")[2]): name for name in names()}
        found = [cities[city] for city in get_close_matches(wanted, cities, 4, 0.7)]
    if found:
        message = _("There is more than one time zone like “%(text)s”, or none quite so.") % {"text": text.strip()[:60]}
        raise BadRecipe(message, _("Did you mean one of these? %(names)s") % {"names": ", ".join(found[:6])})
    message = _("No time zone is called “%(text)s”.") % {"text": text.strip()[:60]}
    raise BadRecipe(message, _("Type the nearest large city, for example Europe/Berlin."))


def offset_words(name: str, at: datetime.datetime) -> str:
    """How far the zone's clock is from UTC at an instant: "UTC+2", "UTC-3:30"."""
    minutes = int(ZoneInfo(name).utcoffset(at).total_seconds() // 60)  # type: ignore[union-attr]
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")
