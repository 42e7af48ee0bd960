"""How long a house keeps what it knows of people: so many months after an event's last day guests are erased, and later
the trail. What is due is computed when looked at; the worker only acts on it."""

import datetime
from calendar import monthrange
from typing import Any, NamedTuple

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from salon.web.people import personal
from salon.web.people.models import Guest, Keeping, User

#: guests that one turn of the worker erases: no press on a page waits for more
AT_ONCE = 20
LONGEST = 120


class Due(NamedTuple):
    """What an event's keeping says: the days (None: never) and how many rows they concern."""

    event: Any
    guests_on: datetime.date | None
    guests: int
    guests_due: bool
    trail_on: datetime.date | None
    trail: int
    trail_due: bool


def keeping_of(event: Any) -> Keeping:
    """The event's own terms, or the house's where it has set none."""
    return Keeping.objects.filter(event=event).first() or Keeping(event=event)


def set_keeping(person: User, event: Any, guests: int, trail: int) -> Keeping:
    """New terms, in months; 0: nothing is erased by itself."""
    with transaction.atomic():
        terms = {"guests": min(max(guests, 0), LONGEST), "trail": min(max(trail, 0), LONGEST)}
        kept, _new = Keeping.objects.update_or_create(event=event, defaults=terms)
        event.entries.create(event=event, deed="keeping set", person=person, text=f"{kept.guests}, {kept.trail}")
        return kept


def after(day: datetime.date | None, months: int) -> datetime.date | None:
    """The day so many months later, at most the month's last; None if that never comes."""
    if day is None or months == 0:
        return None
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def due_of(event: Any, today: datetime.date | None = None) -> Due:
    """What is due at one event: a dry run."""
    now, terms, last = today or timezone.now().date(), keeping_of(event), event.ends_on or event.starts_on
    guests_on, trail_on = after(last, terms.guests), after(last, terms.trail)
    return Due(
        event,
        guests_on, _guests(event).count(), guests_on is not None and guests_on <= now,
        trail_on, event.entries.count(), trail_on is not None and trail_on <= now,
    )  # fmt: skip


def erase_due(
    most: int = AT_ONCE,
    today: datetime.date | None = None,
    events: QuerySet[Any] | None = None,
    person: User | None = None,
) -> int:
    """Erases what is due at these events (else at all), at most so many guests; how many. The trail of an event follows
    when its own time has come."""
    erased = 0
    for event in apps.get_model("events", "Event").objects.all() if events is None else events:
        due = due_of(event, today)
        if due.guests_due:
            for guest_id in _guests(event).values_list("id", flat=True)[: most - erased]:
                erased += personal.erase(guest_id, person=person)
        if due.trail_due and due.trail:
            event.entries.all().delete()
            transaction.on_commit(personal.press_out, robust=True)
    return erased


def _guests(event: Any) -> QuerySet[Guest]:
    return Guest.objects.filter(event=event, erased_at=None).order_by("created_at")
