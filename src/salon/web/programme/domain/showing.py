"""The programme as it is shown: what visitors may see, in the event's time, by day and room."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from msgspec import Struct

from salon.web.events.models import Event, Room
from salon.web.events.times import local
from salon.web.programme.domain import clock, places
from salon.web.programme.domain.clashes import overlapping
from salon.web.programme.domain.places import Left
from salon.web.programme.models import Session
from salon.web.seats.models import Place

#: what begins later than this from now is not "next"
SOON = datetime.timedelta(hours=16)
#: "next" are those that begin within so long of the very next one
TOGETHER = datetime.timedelta(minutes=30)
#: the value that stands for sessions of no room
NOWHERE = "house"


class Shown(Struct, frozen=True):
    """A session with all that a page says of it. Times are the event's, without zone, for templates to print as they
    are."""

    session: Session
    day: datetime.date
    starts: datetime.datetime
    ends: datetime.datetime
    hours: str
    room: str
    presenters: tuple[str, ...]
    left: Left | None = None
    #: the visitor's own place in it, or their wait for one
    place: Place | None = None
    starred: bool = False
    now: bool = False
    over: bool = False

    @property
    def lasting(self) -> bool:
        return self.session.ends_at - self.session.starts_at >= clock.LASTING


class Choice(Struct, frozen=True):
    """What a visitor narrowed the programme to; nothing chosen is everything."""

    days: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days or self.rooms or self.kinds)

    def fits(self, event: Event, session: Session) -> bool:
        room = str(session.room_id or NOWHERE)
        days = {day.isoformat() for day in _days_of(event, session)}
        return (
            (not self.days or bool(days & set(self.days)))
            and (not self.rooms or room in self.rooms)
            and (not self.kinds or session.kind in self.kinds)
        )


def is_open(event: Event) -> bool:
    """Whether visitors see the event's pages."""
    return event.opened_at is not None


def public(event: Event) -> QuerySet[Session]:
    """What visitors may see, with rooms and presenters: two queries."""
    rows = Session.objects.filter(event=event, published=True).select_related("room", "pool")
    return rows.prefetch_related("presenters") if is_open(event) else rows.none()


def _days_of(event: Event, session: Session) -> list[datetime.date]:
    """The day on which it begins; of what lasts, every day that it touches."""
    first = local(event, session.starts_at).date()
    if session.ends_at - session.starts_at < clock.LASTING:
        return [first]
    last = local(event, session.ends_at - datetime.timedelta(seconds=1)).date()
    return [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]


class Whose(Struct, frozen=True):
    """What is a visitor's own: sessions they starred, and places by pool."""

    starred: frozenset[str] = frozenset()
    places: Mapping[str, Place] = {}


NOBODY = Whose()


def shown(event: Event, session: Session, now: datetime.datetime, whose: Whose, left: Mapping[str, Left]) -> Shown:
    """One session as it is shown."""
    starts, ends = local(event, session.starts_at), local(event, session.ends_at)
    return Shown(
        session=session, day=starts.date(), starts=starts.replace(tzinfo=None), ends=ends.replace(tzinfo=None),
        hours=clock.hours(event, session.starts_at, session.ends_at), room=session.room.name if session.room else "",
        presenters=tuple(presenter.name for presenter in session.presenters.all()),
        left=None if session.cancelled else left.get(session.pool_id or ""), starred=session.id in whose.starred,
        place=whose.places.get(session.pool_id or ""),
        now=session.starts_at <= now < session.ends_at and not session.cancelled, over=session.ends_at <= now,
    )  # fmt: skip


def all_shown(
    event: Event, sessions: Iterable[Session], now: datetime.datetime, whose: Whose = NOBODY
) -> list[Shown]:
    """Sessions as they are shown; one query more for the places of all of them."""
    held = list(sessions)
    left = places.left({session.pool for session in held if session.pool})
    return [shown(event, session, now, whose, left) for session in held]


class Cell(NamedTuple):
    """A field of a day's table: a session, or room for none. What is throughout the house spans all columns."""

    shown: Shown | None
    rows: int
    columns: int = 1


Fields = dict[int, Cell]


class Row(NamedTuple):
    """What begins at one time. `label` is empty where something only ends."""

    label: str
    cells: list[Cell]


class Column(NamedTuple):
    """A room; `lanes` is how many sessions overlap there at most."""

    name: str
    access: str
    lanes: int


class Day(NamedTuple):
    """A day of the programme: what lasts, and a table of the rest by time and room."""

    day: datetime.date
    lasting: list[Shown]
    columns: list[Column]
    rows: list[Row]

    @property
    def sessions(self) -> list[Shown]:
        return [cell.shown for row in self.rows for cell in row.cells if cell.shown]


def _lanes(sessions: Sequence[Shown]) -> list[list[Shown]]:
    """Sessions of one room side by side where they overlap, else one below the other."""
    lanes: list[list[Shown]] = []
    for one in sorted(sessions, key=lambda s: (s.session.starts_at, s.session.ends_at, s.session.id)):
        for lane in lanes:
            if lane[-1].session.ends_at <= one.session.starts_at:
                lane.append(one)
                break
        else:
            lanes.append([one])
    return lanes


def _spans(sessions: Sequence[Shown]) -> list[Shown]:
    """Sessions of no room during which nothing else is: a printed programme sets them across all rooms."""
    rest = {name for pair in overlapping([one.session for one in sessions]) for name in (pair[0].id, pair[1].id)}
    return [one for one in sessions if one.session.room_id is None and one.session.id not in rest]


def _fields(lane: Sequence[Shown], across: Sequence[Shown], at: Mapping[datetime.datetime, int], rows: int) -> Fields:
    """A lane as cells by their first row; what is free between two sessions is one cell. `across` is left out."""
    fields, free, spanning = {}, 0, {one.session.id for one in across}
    for one in sorted((*lane, *across), key=lambda one: one.session.starts_at):
        first, after = at[one.session.starts_at], at[one.session.ends_at]
        if first > free:
            fields[free] = Cell(None, first - free)
        if one.session.id not in spanning:
            fields[first] = Cell(one, after - first)
        free = after
    if rows > free:
        fields[free] = Cell(None, rows - free)
    return fields


def _columns(sessions: Sequence[Shown], rooms: Sequence[Room]) -> tuple[list[Column], list[list[Shown]]]:
    """Rooms in which something is, in the rooms' order, and their lanes."""
    columns, lanes = [], []
    for room in (None, *rooms):
        here = _lanes([one for one in sessions if one.session.room_id == (room.id if room else None)])
        if here:
            columns.append(Column(room.name if room else "", room.access if room else "", len(here)))
            lanes += here
    return columns, lanes


def _table(event: Event, sessions: Sequence[Shown], rooms: Sequence[Room]) -> tuple[list[Column], list[Row]]:
    """Columns by room, rows by every time at which something begins or ends."""
    moments = sorted({at for one in sessions for at in (one.session.starts_at, one.session.ends_at)})
    at = {moment: number for number, moment in enumerate(moments)}
    across = _spans(sessions)
    columns, lanes = _columns([one for one in sessions if one not in across], rooms)
    fields = [_fields(lane, across, at, len(moments) - 1) for lane in lanes]
    spanning = {at[one.session.starts_at]: one for one in across}
    begins = {one.session.starts_at for one in sessions}
    rows = []
    for number, moment in enumerate(moments[:-1]):
        cells = [field[number] for field in fields if number in field]
        if one := spanning.get(number):
            cells = [Cell(one, at[one.session.ends_at] - number, max(1, len(lanes)))]
        rows.append(Row(clock.shown(event, moment) if moment in begins else "", cells))
    return columns, rows


def by_day(event: Event, sessions: Iterable[Shown], days: Sequence[str] = ()) -> list[Day]:
    """Days with what happens on them; `days` leaves out all others."""
    on: dict[datetime.date, list[Shown]] = {}
    for one in sessions:
        for day in _days_of(event, one.session):
            on.setdefault(day, []).append(one)
    rooms = list(event.rooms.all())
    told = []
    for day in sorted(on):
        if not days or day.isoformat() in days:
            lasting = [one for one in on[day] if one.lasting]
            told.append(Day(day, lasting, *_table(event, [one for one in on[day] if not one.lasting], rooms)))
    return told


class Moment(NamedTuple):
    """Now, and what comes next."""

    now: list[Shown]
    next: list[Shown]

    def __bool__(self) -> bool:
        return bool(self.now or self.next)


def moment(sessions: Iterable[Shown], now: datetime.datetime) -> Moment:
    """What happens now (what lasts comes last), and what begins next, if that is soon."""
    held = [one for one in sessions if not one.session.cancelled]
    running = sorted((one for one in held if one.now), key=lambda one: (one.lasting, one.session.starts_at))
    coming = [one for one in held if now < one.session.starts_at <= now + SOON]
    first = min((one.session.starts_at for one in coming), default=now)
    return Moment(running, [one for one in coming if one.session.starts_at <= first + TOGETHER])


class Overlap(NamedTuple):
    """Two starred sessions at the same time."""

    one: Shown
    two: Shown


def overlaps(sessions: Iterable[Shown]) -> list[Overlap]:
    """What of these nobody can do both. What lasts leaves time for others."""
    held = {one.session.id: one for one in sessions if not one.session.cancelled and not one.lasting}
    pairs = overlapping([one.session for one in held.values()])
    return [Overlap(held[one.id], held[two.id]) for one, two in pairs]


def choices(event: Event, sessions: Iterable[Session]) -> dict[str, Any]:
    """What there is to choose from: only what would find something."""
    held = list(sessions)
    days = sorted({day for session in held for day in _days_of(event, session)})
    rooms = {str(s.room_id or NOWHERE): s.room.name if s.room else _("Throughout the house") for s in held}
    order = {str(room.id): number for number, room in enumerate(event.rooms.all())}
    kinds = {session.kind for session in held}
    return {
        "days": [(day.isoformat(), day) for day in days],
        "rooms": sorted(rooms.items(), key=lambda item: order.get(item[0], -1)),
        "kinds": [(value, name) for value, name in Session.Kind.choices if value in kinds],
    }
