"""`/backstage/trail`: who did what, newest first, all of it, page by page; narrowed by who, what, which, words, days.
Every page and every choice has its own address."""

import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from salon.core.errors import BadRecipe
from salon.core.text import tidy
from salon.web.events import times
from salon.web.events.domain import current_event
from salon.web.events.models import Entry, Event
from salon.web.events.pages import rendered
from salon.web.people.models import User
from salon.web.people.sessions import allowed

LENGTH = 100
#: who did it, beside persons by number
PEOPLE = {
    "staff": Q(person__isnull=False),
    "visitors": Q(person=None) & ~Q(visitor=""),
    "house": Q(person=None, visitor=""),
}
FIELDS = ("who", "deed", "which", "q", "since", "until")


class Turn(NamedTuple):
    """A page's lines, and the lines that its neighbours begin at ("" where there is none)."""

    entries: list[Entry]
    newer: str
    older: str


def narrowed(event: Event, asked: dict[str, str]) -> QuerySet[Entry]:
    """The event's lines that fit. Raises times.BadTime."""
    found = event.entries.select_related("person")
    if asked["who"] in PEOPLE:
        found = found.filter(PEOPLE[asked["who"]])
    elif asked["who"].isascii() and asked["who"].isdigit() and len(asked["who"]) < 16:
        found = found.filter(person=int(asked["who"]))
    if asked["deed"]:
        found = found.filter(deed=asked["deed"])
    if asked["which"]:
        found = found.filter(subject__startswith=asked["which"].rstrip("…"))
    if asked["q"]:
        found = found.filter(text__icontains=asked["q"])
    if asked["since"]:
        found = found.filter(at__gte=_day(event, asked["since"]))
    if asked["until"]:
        found = found.filter(at__lt=_day(event, asked["until"], 1))
    return found


def _day(event: Event, typed: str, later: int = 0) -> datetime.datetime:
    """The midnight, by the event's clock, that this day begins with, or one so many days later."""
    try:
        day = datetime.date.fromisoformat(typed)
        if not 1970 <= day.year <= 9000:
            raise ValueError(typed)
    except ValueError as error:
        message = _("“%(text)s” is no day.") % {"text": typed[:40]}
        raise times.BadTime(message, _("Write it like this: 2026-06-06.")) from error
    midnight = datetime.datetime.combine(day + datetime.timedelta(days=later), datetime.time(), times.zone(event))
    return midnight.astimezone(datetime.UTC)


def turn(found: QuerySet[Entry], older: str = "", newer: str = "") -> Turn:
    """The page of lines that begins at line `older`, or the one that ends at line `newer`; else the newest. A line that
    is gone begins nothing: then the newest are shown."""
    if start := _line(found, newer):
        rows = list(found.filter(Q(at__gt=start.at) | Q(at=start.at, id__gte=start.id)).order_by("at", "id")[:LENGTH])
        rows.reverse()
    elif start := _line(found, older):
        rows = list(found.filter(Q(at__lt=start.at) | Q(at=start.at, id__lte=start.id))[:LENGTH])
    else:
        rows = list(found[:LENGTH])
    if not rows:
        return Turn([], "", "")
    first, last = rows[0], rows[-1]
    before = found.filter(Q(at__gt=first.at) | Q(at=first.at, id__gt=first.id)).order_by("at", "id").first()
    after = found.filter(Q(at__lt=last.at) | Q(at=last.at, id__lt=last.id)).first()
    return Turn(rows, str(before.pk) if before else "", str(after.pk) if after else "")


def _line(found: QuerySet[Entry], number: str) -> Entry | None:
    good = number.isascii() and number.isdigit() and len(number) < 18
    return found.filter(id=int(number)).first() if good else None


def _context(event: Event, request: HttpRequest) -> dict[str, Any]:
    asked = {name: tidy(request.GET.get(name, "")[:64]) for name in FIELDS}
    context: dict[str, Any] = {"event": event, "asked": asked, "wrong": None}
    try:
        found = narrowed(event, asked)
    except BadRecipe as error:
        context["wrong"], found = error, event.entries.none()
    page = turn(found, request.GET.get("older", ""), request.GET.get("newer", ""))
    kept = {name: value for name, value in asked.items() if value}
    return context | {
        "entries": page.entries,
        "count": found.count(),
        "newer": page.newer and urlencode({**kept, "newer": page.newer}),
        "older": page.older and urlencode({**kept, "older": page.older}),
        "first": urlencode(kept),
        "narrowed": bool(kept),
    }


@require_safe
@allowed("curator")
def trail(request: HttpRequest) -> HttpResponse:
    """The page."""
    event = current_event()
    context = _context(event, request)
    deeds = event.entries.order_by("deed").values_list("deed", flat=True).distinct()
    people = User.objects.filter(entries__event=event).distinct().order_by("first_name", "username")
    kinds = [("staff", _("people of the house")), ("visitors", _("visitors")), ("house", _("the house"))]
    context |= {"deeds": list(deeds), "people": [(str(one.pk), str(one)) for one in people], "kinds": kinds}
    return rendered(request, "backstage/trail.html", context, 400 if context["wrong"] else 200)
