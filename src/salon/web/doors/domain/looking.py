"""What is looked at backstage: a door's list, to be printed; scans without a line that a person has to look at."""

from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from salon.web.doors import tickets
from salon.web.doors.domain.hands import pools
from salon.web.doors.domain.searching import folded
from salon.web.doors.models import CheckIn, Door, Refusal
from salon.web.events.domain import current_event, lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.people.models import User
from salon.web.seats.models import Place


class Line(NamedTuple):
    """One line of a door's list. `code`: how the code to be typed begins; half of it opens nothing."""

    place: Place
    code: str
    entry: CheckIn | None


def listed(door: Door) -> list[Line]:
    """Whoever may come in at this door, by name, each with a code: on paper it may be all that can be compared."""
    booked = Place.objects.filter(pool__in=pools(door), state=Place.State.BOOKED, guest__erased_at=None)
    places = list(booked.select_related("guest", "pool"))
    ids = [place.id for place in places]
    codes = tickets.editions(places)
    entries = CheckIn.objects.select_related("door__event").filter(place__in=ids, undone_at=None)
    came = {entry.place_id: entry for entry in entries}
    places.sort(key=lambda place: (folded(place.guest.name), place.pool.name, place.id))
    return [Line(place, codes.get(place.id, "")[:5], came.get(place.id)) for place in places]


def conflicts(event: Event) -> QuerySet[Refusal]:
    """Let in without a line, and refused when the scan was sent in; newest first."""
    rows = Refusal.objects.filter(door__event=event, offline=True, settled_at=None)
    return rows.select_related("place__guest", "place__pool", "door__event", "device", "prior__door__event")


def settle(person: User, refusal_id: int) -> None:
    """A person has looked at it."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        found = conflicts(event).filter(id=refusal_id)
        if found.update(settled_at=timezone.now(), settled_by=person):
            note(event, "entry looked at", str(refusal_id), person=person)


def told(person: User, door: Door, how: str) -> None:
    """The list of names was taken out of the house: that is written down."""
    note(current_event(), "list of a door", door.id, person=person, text=f"{door.name}: {how}")


def recent(door: Door, most: int = 12) -> list[dict[str, Any]]:
    """Who came in here last, newest first."""
    rows = door.check_ins.select_related("place__guest", "place__pool")[:most]
    return [{"entry": row, "name": "" if row.place.guest.erased_at else row.place.guest.name} for row in rows]
