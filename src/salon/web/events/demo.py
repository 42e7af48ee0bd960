"""A demo event: made with one press to look at everything, taken away again with another. Rooms of the house add what
they show in it."""

import datetime
from collections.abc import Callable
from typing import Any

from django.db import models, transaction
from django.db.models.deletion import ProtectedError, RestrictedError
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Conflict, Forbidden
from salon.web.events import setup, several, words
from salon.web.events.domain import current_event, lock_event
from salon.web.events.models import Event, Room
from salon.web.events.trail import note
from salon.web.people.models import Role, User
from salon.web.people.sessions import may

#: called with the demo event, which is the current one by then, and with whoever made it
Make = Callable[[Event, User], None]
#: called with the demo event and with the one that comes after it, before the rows of the demo are erased
Clear = Callable[[Event, Event], None]
_rooms: list[tuple[Make | None, Clear | None]] = []


def register(function: Make | None, clear: Clear | None = None) -> None:
    """For other rooms' `apps.py`: `function(event, person)` makes their demo's rows inside its transaction.
    `clear(event, successor)` is for what is not a row of the event's own (files, rows that events share)."""
    _rooms.append((function, clear))


def existing() -> Event | None:
    """The demo event, if there is one."""
    return Event.objects.filter(demo=True).first()


def _theirs(person: User, event: Event) -> Event:
    """The event itself, for whoever organises it. Raises Forbidden for organisers of others."""
    if may(person, event_id=event.id):
        return event
    raise Forbidden(_("Somebody else organises the demo event."), _("Ask them, or a keeper of this house."))


def make(person: User) -> Event:
    """The demo event, open and current; pressed twice there is one. Raises Conflict while the current event is not to
    be left, Forbidden if it is somebody else's."""
    with transaction.atomic():
        lock_event(current_event().id, even_archived=True)
        if made := existing():
            return _theirs(person, made)
        first = timezone.now().date() + datetime.timedelta(days=(5 - timezone.now().weekday()) % 7 or 7)
        name = _("A Day of Latent Pictures")
        made = Event.objects.create(
            slug=setup.free_slug(name), name=name, demo=True, place=_("The Old Tram Depot"),
            address=_("12 Turntable Lane\nSecond gate, beside the bicycle shop"), contact="hello@example.org",
            starts_on=first, ends_on=first + datetime.timedelta(days=1), time_zone="Europe/Amsterdam",
            colour="#3b2a5c", opened_at=timezone.now(), steps=[step.name for step in setup.STEPS],
            welcome=_(
                "For two days the depot belongs to machines that draw, and to the people who argue with them.\n\n"
                "Come to the station and write a line; nine pictures come of it. Bring one home, or propose it for the "
                "wall. Artists show what they made of a year with such machines, and on Sunday afternoon all of them "
                "are there to be asked."
            ),
        )  # fmt: skip
        made.privacy = words.privacy(made)
        made.save(update_fields=["privacy"])
        rooms = (
            (_("Great hall"), _("Ground floor, no steps. Seats along the east wall.")),
            (_("Workshop"), _("First floor, by lift or stairs. Twelve tables."), ),
            (_("Café"), _("Ground floor, behind the hall. Quiet corner to the left.")),
        )  # fmt: skip
        Room.objects.bulk_create(
            Room(event=made, name=name, access=access, order=order) for order, (name, access) in enumerate(rooms)
        )
        Role.objects.create(event=made, user=person, kind=Role.Kind.ORGANISER)
        note(made, "demo made", made.slug, person=person)
        made = several.choose(person, made)
        for function, _clear in _rooms:
            if function:
                function(made, person)
        return made


def remove(person: User) -> Event:
    """Erases the demo event with all that belongs to it; the event that is current then. Raises Conflict, and Forbidden
    for whoever does not organise it."""
    with transaction.atomic():
        demo = Event.objects.select_for_update().filter(demo=True).first()
        if demo is None:
            raise Conflict(_("There is no demo event."), _("It may have been taken away already."))
        _theirs(person, demo)
        successor = _successor(demo)
        if demo.current:
            demo.archived_at = None
            demo.save(update_fields=["archived_at"])
            successor = several.choose(person, successor)
        for _make, clear in _rooms:
            if clear:
                clear(demo, successor)
        name = demo.name
        _erase(Event.objects.filter(id=demo.id), demo.id)
        note(successor, "demo removed", "", person=person, text=name)
        return successor


def _successor(demo: Event) -> Event:
    """The event that was current before: the newest that goes on."""
    rest = Event.objects.exclude(id=demo.id).order_by("-current", "-opened_at", "-id")
    found = rest.filter(archived_at=None).first()
    if found is None:
        raise Conflict(
            _("Every other event is archived, and one must be current."), _("Make a new event first, then come back.")
        )
    return found


def _erase(rows: "models.QuerySet[Any]", demo: int) -> None:
    """Deletes rows, and before them those that keep them from going. What belongs to another event stops it all."""
    while True:
        try:
            with transaction.atomic():
                rows.delete()
                return
        except (ProtectedError, RestrictedError) as error:
            held = getattr(error, "protected_objects", None) or error.restricted_objects  # type: ignore[union-attr]
        by_model: dict[type[models.Model], list[Any]] = {}
        for row in held:
            if getattr(row, "event_id", demo) != demo:
                raise Conflict(
                    _("Something of another event hangs on the demo: %(what)s.") % {"what": str(row)[:100]},
                    _("Take that away first."),
                )
            by_model.setdefault(type(row), []).append(row.pk)
        for model, keys in by_model.items():
            _erase(model._default_manager.filter(pk__in=keys), demo)
