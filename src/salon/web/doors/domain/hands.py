"""Doors, and the hands at them: a device that was posted at a door, or a person of the house."""

import datetime
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.core.text import tidy
from salon.web.doors.models import Door, Post
from salon.web.events import devices, times
from salon.web.events.domain import current_event, lock_current_event
from salon.web.events.models import Device, Event
from salon.web.events.trail import note
from salon.web.people.models import User
from salon.web.seats.models import Pool


class Hand(NamedTuple):
    """Who stands at which door: exactly one of `device` and `person`."""

    door: Door
    device: Device | None = None
    person: User | None = None

    @property
    def who(self) -> dict[str, Any]:
        """As rows keep it."""
        return {"device": self.device, "person": self.person}


def doors(event: Event) -> QuerySet[Door]:
    """The event's doors that are still there."""
    return Door.objects.filter(event=event, removed_at=None)


def hand_of(device: Device) -> Hand:
    """Where the device stands. Raises Forbidden if it stands at no door, or its door is gone or of another event."""
    post = Post.objects.select_related("door__event").filter(device=device, door__removed_at=None).first()
    if post is None or not post.door.event.current:
        raise Forbidden(_("This device stands at no door of this event."), _("Ask for a new link for it backstage."))
    return Hand(post.door, device=device)


def personal(person: User, door_id: str) -> Hand:
    """A person of the house at a door of the current event. Raises BadRecipe."""
    return Hand(_door(current_event(), door_id), person=person)


def pools(door: Door) -> QuerySet[Pool]:
    """What people at this door have places for."""
    chosen = door.pools.all()
    return chosen if chosen.exists() else Pool.objects.filter(event=door.event_id)


def leads(door: Door, pool: Pool) -> bool:
    """Whether people with a place in this pool of the door's event come in here."""
    chosen = set(Door.pools.through.objects.filter(door=door).values_list("pool_id", flat=True))
    return pool.id in chosen or not chosen


def _door(event: Event, door_id: str) -> Door:
    found = doors(event).filter(id=door_id).first()
    if found is None:
        raise BadRecipe(_("There is no such door."), _("Look at the list of doors."))
    return found


def set_door(person: User, door_id: str, values: dict[str, Any], chosen: Iterable[str]) -> Door:
    """Makes a door (`door_id` empty) or changes one. `values`: `name`, `opens_at`, `closes_at` as typed by the event's
    clock, `minutes_before`. Raises BadRecipe, Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        door = _door(event, door_id) if door_id else Door(event=event)
        _fill(door, event, values)
        door.save()
        door.pools.set(Pool.objects.filter(event=event, id__in=chosen))
        note(event, "door changed" if door_id else "door made", door.id, person=person, text=door.name)
        return door


def _fill(door: Door, event: Event, values: dict[str, Any]) -> None:
    name = tidy(values.get("name", ""))[:60]
    if not name:
        raise BadRecipe(_("A door needs a name."), _("Name it after where it is: main door, workshop room."))
    if doors(event).filter(name=name).exclude(id=door.id).exists():
        raise Conflict(_("There is a door of that name already."), _("Take another name, or change that door."))
    door.name = name
    door.opens_at, door.closes_at = (_time(event, values.get(field, "")) for field in ("opens_at", "closes_at"))
    if door.opens_at and door.closes_at and door.closes_at <= door.opens_at:
        raise BadRecipe(_("A door closes after it opens."), _("Look at both times."))
    minutes = values.get("minutes_before", "").strip()
    if minutes and not (minutes.isascii() and minutes.isdigit() and int(minutes) <= 1440):
        raise BadRecipe(_("Minutes are a number, 1440 at most: a day."), _("Empty: people may come any time."))
    door.minutes_before = int(minutes) if minutes else None


def _time(event: Event, typed: str) -> datetime.datetime | None:
    return times.parse_local(event, typed) if typed.strip() else None


def remove(person: User, door_id: str) -> None:
    """The door is no more, its devices open nothing; who came in by it is kept."""
    with transaction.atomic():
        event = lock_current_event()
        door = _door(event, door_id)
        door.removed_at = timezone.now()
        door.save(update_fields=["removed_at"])
        Device.objects.filter(post__door=door, revoked_at=None).update(revoked_at=door.removed_at)
        note(event, "door removed", door.id, person=person, text=door.name)


def post(person: User, door_id: str, name: str) -> tuple[Device, str]:
    """A new device at a door, and its token, which is shown once. Raises BadRecipe."""
    with transaction.atomic():
        door = _door(lock_current_event(), door_id)
        device, token = devices.make(person, Device.Kind.DOOR, name)
        Post.objects.create(device=device, door=door)
        return device, token
