"""What organisers type into the pages of the set-up: the values to keep, and what is wrong with which field."""

import datetime
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe
from salon.core.text import tidy, tidy_lines
from salon.web.events import colours, texts, zones
from salon.web.events.models import Event

Values = dict[str, Any]
Wrong = dict[str, str]
MOST_ROOMS = 60
#: days that an event may last, and years that a date may be in
LONGEST, YEARS = 60, range(2000, 2200)


def lines(text: str) -> str:
    """Several lines, each tidied."""
    return tidy_lines(text)


def read(step: str, form: QueryDict, event: Event) -> tuple[Values, Wrong]:
    """What a form says for a step of the set-up."""
    return _words(form, event) if step == "words" else READERS[step](form)


def _text(form: QueryDict, name: str, wrong: Wrong, several: bool = False) -> str:
    clean = lines(form.get(name, "")) if several else tidy(form.get(name, ""))
    most = Event._meta.get_field(name).max_length or 0
    if len(clean) > most:
        wrong[name] = _("At most %(most)d characters; there are %(are)d.") % {"most": most, "are": len(clean)}
    return clean


def _basics(form: QueryDict) -> tuple[Values, Wrong]:
    wrong: Wrong = {}
    values: Values = {
        name: _text(form, name, wrong, name == "address") for name in ("name", "place", "address", "contact")
    }
    if not values["name"]:
        wrong["name"] = _("The event needs a name.")
    return values, wrong


def _day(form: QueryDict, name: str, wrong: Wrong) -> datetime.date | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        wrong[name] = _("This is no date; write it like 2026-06-06.")
        return None
    if day.year not in YEARS:
        wrong[name] = _("The year must be between %(first)d and %(last)d.") % {"first": YEARS[0], "last": YEARS[-1]}
    return day


def _days(form: QueryDict) -> tuple[Values, Wrong]:
    wrong: Wrong = {}
    first, last = _day(form, "starts_on", wrong), _day(form, "ends_on", wrong)
    if first is None and last is not None and "starts_on" not in wrong:
        wrong["starts_on"] = _("Say the first day, too.")
    elif first and last and last < first:
        wrong["ends_on"] = _("The last day comes before the first.")
    elif first and last and (last - first).days >= LONGEST:
        wrong["ends_on"] = _("That is longer than %(most)d days.") % {"most": LONGEST}
    values: Values = {"starts_on": first, "ends_on": last, "time_zone": ""}
    try:
        values["time_zone"] = zones.find(form.get("time_zone", ""))
    except BadRecipe as error:
        wrong["time_zone"] = str(error)
    return values, wrong


def typed_rooms(form: QueryDict) -> list[dict[str, str]]:
    """The rows of rooms as they were typed, without empty ones at the end."""
    columns = (form.getlist(name)[: MOST_ROOMS + 1] for name in ("room_id", "room_name", "room_access"))
    rows = [dict(zip(("id", "name", "access"), row)) for row in zip(*columns)]
    return [row for row in rows if row["id"] or row["name"].strip() or row["access"].strip()]


def _rooms(form: QueryDict) -> tuple[Values, Wrong]:
    wrong: Wrong = {}
    rows = [row | {"name": tidy(row["name"]), "access": tidy(row["access"])} for row in typed_rooms(form)]
    names = [row["name"].casefold() for row in rows if row["name"]]
    if len(rows) > MOST_ROOMS:
        wrong["rooms"] = _("At most %(most)d rooms.") % {"most": MOST_ROOMS}
    elif twice := next((row["name"] for row in rows if names.count(row["name"].casefold()) > 1), ""):
        wrong["rooms"] = _("Two rooms are called “%(name)s”.") % {"name": twice}
    elif any(row["access"] and not row["name"] for row in rows if not row["id"]):
        wrong["rooms"] = _("A room has no name.")
    for name, most in (("name", 100), ("access", 300)):
        if any(len(row[name]) > most for row in rows):
            wrong["rooms"] = _("At most %(most)d characters in a field.") % {"most": most}
    return {"rooms": rows}, wrong


#: what may be said in several languages
OF_WORDS = {"welcome": texts.Field(lines, 4000), "privacy": texts.Field(lines, 10_000)}


def _words(form: QueryDict, event: Event) -> tuple[Values, Wrong]:
    wrong: Wrong = {}
    values: Values = {name: _text(form, name, wrong, several=True) for name in OF_WORDS}
    try:
        values["texts"] = texts.merged(event.texts, event.languages, texts.read(form, event.languages, OF_WORDS))
    except BadRecipe as error:
        wrong["texts"] = str(error)
    return values, wrong


def _look(form: QueryDict) -> tuple[Values, Wrong]:
    """A colour is taken only where somebody wants one of their own: a colour's field is never empty."""
    if form.get("own") != "1":
        return {"colour": ""}, {}
    try:
        return {"colour": colours.checked(form.get("instead") or form.get("colour", ""))}, {}
    except BadRecipe as error:
        return {"colour": ""}, {"colour": str(error)}


def _languages(form: QueryDict) -> tuple[Values, Wrong]:
    known = dict(settings.LANGUAGES)
    ticked = [code for code in form.getlist("languages") if code in known]
    first = form.get("first", "")
    if first not in known:
        return {"languages": ticked}, {"languages": _("Choose the event's own language.")}
    return {"languages": [first, *(code for code in known if code in ticked and code != first)]}, {}


READERS = {
    "basics": _basics,
    "days": _days,
    "rooms": _rooms,
    "look": _look,
    "languages": _languages,
}
