"""The set-up of an event, step by step: each can be left and resumed; at the end the event is opened."""

import datetime
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from django.db import models, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from salon.core.errors import Conflict
from salon.core.hashing import bytes_hash
from salon.web import leftovers
from salon.web.events import logos, texts, times
from salon.web.events.domain import lock_event
from salon.web.events.models import Event, Room
from salon.web.events.trail import note
from salon.web.people.models import User

Values = dict[str, Any]


class Step(NamedTuple):
    """A page of the set-up: its name in addresses, its title, the event's fields that it keeps."""

    name: str
    title: Any
    fields: tuple[str, ...]


STEPS = (
    Step("basics", gettext_lazy("Name and place"), ("name", "place", "address", "contact")),
    Step("days", gettext_lazy("Days and clock"), ("starts_on", "ends_on", "time_zone")),
    Step("rooms", gettext_lazy("Rooms"), ()),
    Step("words", gettext_lazy("Welcome and privacy"), ("welcome", "privacy", "texts")),
    Step("look", gettext_lazy("Colour and logo"), ("colour",)),
    Step("languages", gettext_lazy("Languages"), ("languages",)),
)
#: fields in which rooms of the house keep times that people typed by the event's clock
DATED = ("starts_at", "opens_at", "closes_at")


class Changed(Conflict):
    """Somebody else changed the same step since it was opened."""


class Moves(Conflict):
    """Another clock moves times that are shown already; `moved` is an example of each: (what, before, after)."""

    def __init__(self, moved: list[tuple[str, str, str]], number: int) -> None:
        super().__init__(
            _("%(number)d times are set already. They keep their instant, so the clock's hands they show will move.")
            % {"number": number},
            _("If that is what you want, tick the box below the field and keep it again."),
        )
        self.moved = moved


def step_named(name: str) -> Step | None:
    return next((step for step in STEPS if step.name == name), None)


def after(step: Step) -> Step | None:
    """The step that follows; None after the last."""
    place = STEPS.index(step) + 1
    return STEPS[place] if place < len(STEPS) else None


def values_of(event: Event, step: Step) -> Values:
    """What is kept of a step, as plain values."""
    if step.name == "rooms":
        return {"rooms": [{"id": str(room.id), "name": room.name, "access": room.access} for room in event.rooms.all()]}
    kept = {name: getattr(event, name) for name in step.fields}
    return {
        name: value.isoformat() if isinstance(value, datetime.date) else value or "" for name, value in kept.items()
    }


def stamp(event: Event, step: Step) -> str:
    """Changes whenever what is kept of the step changes."""
    return bytes_hash(msgspec.json.encode(values_of(event, step), order="sorted"))[:16]


def keep(person: User, event_id: int, step: Step, values: Values, was: str = "", sure: bool = False) -> Event:
    """Keeps a step. `was` is the stamp that the form was made with; `sure` says that shown times may move. Raises
    Changed if somebody else kept something different since, Moves, Conflict."""
    with transaction.atomic():
        event = lock_event(event_id)
        stale = was and was != stamp(event, step)
        if step.name == "rooms":
            changed = _keep_rooms(event, values["rooms"], bool(stale))
        else:
            changed = [name for name in step.fields if (getattr(event, name) or "") != (values[name] or "")]
            _stop_if(bool(changed and stale))
            if "time_zone" in changed and not sure:
                _stop_if_times_move(event, values["time_zone"])
            if "languages" in changed and event.languages and values["languages"][0] != event.languages[0]:
                texts.turn(event, event.languages[0], values["languages"][0])
            for name in changed:
                setattr(event, name, values[name])
        _rename(event, changed)
        if changed:
            note(event, "set up", step.name, person=person, text=", ".join(changed)[:300])
        if step.name not in event.steps:
            event.steps = [*event.steps, step.name]
        event.save()
        return event


def _stop_if(stale: bool) -> None:
    if stale:
        raise Changed(
            _("Somebody else changed this page while you were writing."),
            _("Yours is still in the fields, theirs stands beside them. Keep it again if yours is right."),
        )


def _rename(event: Event, changed: list[str]) -> None:
    """The address follows the name until somebody may have been told of it."""
    if "name" in changed and event.opened_at is None:
        event.slug = free_slug(event.name, event)


def free_slug(name: str, but: Event | None = None) -> str:
    """A word for addresses that no other event has."""
    base = slugify(name)[:50].strip("-") or "event"
    taken = set(
        Event.objects.filter(slug__startswith=base).exclude(id=but.id if but else None).values_list("slug", flat=True)
    )
    return next(word for n in range(1, len(taken) + 2) if (word := base if n == 1 else f"{base}-{n}") not in taken)


def _stop_if_times_move(event: Event, name: str) -> None:
    found = [(what, at) for what, at in dated(event) if _offset(event.time_zone, at) != _offset(name, at)]
    if found:
        then = Event(time_zone=name)
        moved = [(what, times.words(event, at, "j M H:i"), times.words(then, at, "j M H:i")) for what, at in found[:5]]
        raise Moves(moved, len(found))


def _offset(zone: str, at: datetime.datetime) -> datetime.timedelta | None:
    return times.local(Event(time_zone=zone), at).utcoffset()


def dated(event: Event) -> Iterator[tuple[str, datetime.datetime]]:
    """Every time that was typed by this event's clock, in whichever room of the house, with what it is of."""
    for relation in Event._meta.related_objects:
        model: type[models.Model] = relation.related_model  # type: ignore[assignment]
        names = {field.name for field in model._meta.concrete_fields}
        for name in (name for name in DATED if name in names):
            rows = model._default_manager.filter(**{relation.field.name: event}).exclude(**{name: None})
            yield from ((str(row), getattr(row, name)) for row in rows.order_by(name))


def _keep_rooms(event: Event, rows: list[dict[str, str]], stale: bool) -> list[str]:
    """Names of the rooms that were made, changed or taken away; a row without a name is one that goes."""
    now = {str(room.id): room for room in event.rooms.all()}
    wanted, changed = [row for row in rows if row["name"]], []
    listed = {row["id"] for row in wanted}
    gone = [room for key, room in now.items() if key not in listed]
    same = [(str(r.id), r.name, r.access) for r in now.values()] == [(r["id"], r["name"], r["access"]) for r in wanted]
    _stop_if(stale and not same)
    for room in gone:
        _check_unused(room)
        changed.append(room.name)
        room.delete()
    # names are unique: those that are swapped must not meet on the way
    for key, room in now.items():
        if key in listed:
            Room.objects.filter(id=room.id).update(name=f"\n{room.id}")
    for order, row in enumerate(wanted):
        room = now.get(row["id"]) or Room(event=event)
        if room.pk is None or (room.name, room.access, room.order) != (row["name"], row["access"], order):
            changed.append(row["name"])
        room.name, room.access, room.order = row["name"], row["access"], order
        room.save()
    return changed


def _check_unused(room: Room) -> None:
    for relation in Room._meta.related_objects:
        if relation.related_model._default_manager.filter(**{relation.field.name: room}).exists():  # type: ignore[union-attr]
            raise Conflict(
                _("“%(room)s” is used: something of the programme takes place there.") % {"room": room.name},
                _("Move that to another room first, or give this one another name."),
            )


def set_logo(person: User, event_id: int, data: bytes) -> Event:
    """Another logo (what `logos.read` made), or none (b""). The old file stays while another event shows it."""
    with transaction.atomic():
        event = lock_event(event_id)
        name, before = logos.stored(data) if data else "", event.logo.name
        if before != name:
            event.logo.name = name
            event.save(update_fields=["logo"])
            note(event, "set up", "look", person=person, text="logo")
            leftovers.discard_later([before] if before else [])
        return event


class Missing(NamedTuple):
    """What is not there yet: in which step, in words, and whether the event cannot open without."""

    step: Step
    words: str
    needed: bool


def missing(event: Event) -> list[Missing]:
    """What an event lacks, what it cannot open without first."""
    basics, days, rooms, words, look, languages = STEPS
    wants = (
        (basics, event.place, _("Where it is: visitors need a place to come to."), True),
        (days, event.starts_on, _("The day on which it begins."), True),
        (words, event.privacy, _("The privacy text: a suggestion stands there to be adapted."), True),
        (days, "days" in event.steps, _("The time zone: it is UTC, unless you say otherwise."), True),
        (basics, event.address, _("An address, for maps and taxis."), False),
        (basics, event.contact, _("Whom to ask: an e-mail address or a telephone number."), False),
        (rooms, event.rooms.exists(), _("Rooms, if there is more than one."), False),
        (words, event.welcome, _("A few words of welcome."), False),
        (look, "look" in event.steps, _("A colour or a logo of its own."), False),
        (languages, "languages" in event.steps, _("Which languages visitors may choose."), False),
    )
    return [Missing(step, said, needed) for step, there, said, needed in wants if not there]


def next_step(event: Event) -> Step | None:
    """Where to go on: the first step that was not kept yet, or that lacks what is needed."""
    lacking = {one.step.name for one in missing(event) if one.needed}
    return next((step for step in STEPS if step.name not in event.steps or step.name in lacking), None)


def open_event(person: User, event_id: int) -> Event:
    """From now on visitors see the event. Raises Conflict while something that is needed is missing."""
    with transaction.atomic():
        event = lock_event(event_id)
        lacking = [one.words for one in missing(event) if one.needed]
        if lacking:
            raise Conflict(_("Something is still missing."), " ".join(lacking))
        if event.opened_at is None:
            event.opened_at = timezone.now()
            event.save(update_fields=["opened_at"])
            note(event, "event opened", event.slug, person=person, text=event.name)
        return event


def close_event(person: User, event_id: int) -> Event:
    """Visitors see the event no more; all of it stays."""
    with transaction.atomic():
        event = lock_event(event_id)
        if event.opened_at is not None:
            event.opened_at = None
            event.save(update_fields=["opened_at"])
            note(event, "event closed", event.slug, person=person)
        return event
