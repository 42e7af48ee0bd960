"""Several events in one installation: made, copied from, chosen, archived."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.core.text import tidy
from salon.web import leftovers
from salon.web.events.domain import current_event, lock_event, locked_current, not_archived
from salon.web.events.models import Device, Event, Room
from salon.web.events.setup import free_slug
from salon.web.events.trail import note
from salon.web.people.models import Role, User
from salon.web.people.sessions import may


class Copy(NamedTuple):
    """Something that a new event may take over from an earlier one."""

    name: str
    label: Any
    function: Callable[[Event, Event], None]


def _copy_rooms(source: Event, made: Event) -> None:
    Room.objects.bulk_create(
        Room(event=made, name=room.name, access=room.access, order=room.order) for room in source.rooms.all()
    )


def _copy_texts(source: Event, made: Event) -> None:
    for name in ("place", "address", "contact", "time_zone", "welcome", "privacy", "texts", "colour", "languages"):
        setattr(made, name, getattr(source, name))
    leftovers.alone()  # the logo stays until two events show it
    made.logo.name = Event.objects.values_list("logo", flat=True).get(id=source.id)
    made.save()


def _copy_people(source: Event, made: Event) -> None:
    rows = Role.objects.filter(event=source, user__is_active=True).values_list("user", "kind")
    Role.objects.bulk_create((Role(event=made, user_id=user, kind=kind) for user, kind in rows), ignore_conflicts=True)


_copies: dict[str, Copy] = {}


def register_copy(name: str, label: Any, function: Callable[[Event, Event], None]) -> None:
    """For other rooms' `apps.py`: what a new event may take over, copied by `function(source, made)` inside the
    transaction that makes it."""
    _copies[name] = Copy(name, label, function)


register_copy("rooms", gettext_lazy("Rooms"), _copy_rooms)
register_copy("texts", gettext_lazy("Place, texts, colour and logo"), _copy_texts)
register_copy("people", gettext_lazy("The people of the house and their roles"), _copy_people)


def copies() -> list[Copy]:
    return list(_copies.values())


def events_of(person: User) -> list[Event]:
    """The events that somebody organises, the current one first, then the newest."""
    found = Event.objects.order_by("-current", "-created_at", "-id")
    if not person.is_superuser:
        found = found.filter(roles__user=person, roles__kind=Role.Kind.ORGANISER)
    return list(found)


def organised(person: User, slug: str) -> Event:
    """The event of that name, if the person organises it. Raises Forbidden, and says no more of one that is not
    theirs."""
    event = Event.objects.filter(slug=slug).first()
    if event is None or not may(person, event_id=event.id):
        raise Forbidden(_("No event of yours has this name."), _("Look at the list of your events."))
    return event


def make(person: User, name: str, source: Event | None = None, what: Iterable[str] = (), key: str = "") -> Event:
    """A new event, organised by whoever makes it; with `what` (names of copies) of an earlier one. It is not the
    current one until it is chosen. The same `key` makes it once. Raises BadRecipe."""
    clean = tidy(name)
    if not 0 < len(clean) <= 200:
        raise BadRecipe(_("The event needs a name of at most 200 characters."), "")
    with transaction.atomic():
        lock_event(current_event().id, even_archived=True)
        if key and (made := Event.objects.filter(entries__deed="event made", entries__subject=key).first()):
            return made
        made = Event.objects.create(slug=free_slug(clean), name=clean)
        Role.objects.create(event=made, user=person, kind=Role.Kind.ORGANISER)
        wanted = set(what) if source else set()
        for copy in (copy for copy in copies() if copy.name in wanted):
            copy.function(source, made)  # type: ignore[arg-type]
        note(made, "event made", key or made.slug, person=person, text=clean)
        return made


def choose(person: User, event: Event) -> Event:
    """Bare routes mean this event from now on; booths and walls of the house go along. Raises Conflict for an archived
    one, Forbidden for one whose people did not ask for it."""
    with transaction.atomic():
        before = locked_current()
        chosen = lock_event(event.id)
        if chosen.id == before.id:
            return chosen
        if not may(person, event_id=before.id) or not may(person, event_id=chosen.id):
            raise Forbidden(_("Only somebody who organises both events can change over."), _("Ask one of them."))
        not_archived(chosen)
        Event.objects.filter(id=before.id).update(current=False)
        chosen.current = True
        chosen.save(update_fields=["current"])
        moved = Device.objects.filter(event=before, revoked_at=None).exclude(kind=Device.Kind.DOOR).update(event=chosen)
        text = f"{before.slug} -> {chosen.slug}"
        note(before, "current event", chosen.slug, person=person, text=text)
        note(chosen, "current event", chosen.slug, person=person, text=f"{text}, devices: {moved}")
        return chosen


def archive(person: User, event: Event) -> Event:
    """It is over: its pages stay to be read, nothing of it is changed any more."""
    with transaction.atomic():
        kept = lock_event(event.id)
        kept.archived_at = timezone.now()
        kept.save(update_fields=["archived_at"])
        note(kept, "event archived", kept.slug, person=person)
        return kept


def unarchive(person: User, event: Event) -> Event:
    """It goes on."""
    with transaction.atomic():
        kept = lock_event(event.id, even_archived=True)
        if kept.archived_at is None:
            raise Conflict(_("This event is not archived."), "")
        kept.archived_at = None
        kept.save(update_fields=["archived_at"])
        note(kept, "event unarchived", kept.slug, person=person)
        return kept
