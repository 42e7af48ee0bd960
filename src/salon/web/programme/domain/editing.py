"""An organiser's side: writing, moving, cancelling, publishing. Every deed locks the event and is a line of the
trail."""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from msgspec import Struct

from salon.core.errors import BadRecipe, Conflict
from salon.core.text import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event, Room
from salon.web.events.times import BadTime, local, twice, zone
from salon.web.events.trail import note
from salon.web.mail.letters import many_lines
from salon.web.people.models import Guest, User
from salon.web.programme.domain import clashes, clock, places, telling
from salon.web.programme.domain.clashes import Clash
from salon.web.programme.models import Presenter, Session
from salon.web.seats.models import Pool

MOST_PRESENTERS = 40
#: more than a day holds, and few enough that every page can show them all
MOST_SESSIONS = 1000
MOST_PLACES = 10_000
#: the value of the form's choice of places that makes a new pool
NEW_POOL = "new"
#: what an organiser may do with a session beside writing it
DEEDS = ("publish", "unpublish", "cancel", "restore", "delete")

_POOL_KIND = {Session.Kind.WORKSHOP: Pool.Kind.WORKSHOP, Session.Kind.MEETING: Pool.Kind.MEETING}


class Draft(Struct, frozen=True, kw_only=True):
    """A session as it is to be, every value checked. `presenters`: (name, guest's id or "")."""

    title: str
    kind: str
    about: str
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    room_id: int | None = None
    pool_id: str | None = None
    #: of a pool that is to be made with it
    places: int | None = None
    presenters: tuple[tuple[str, str], ...] = ()


class Edited(NamedTuple):
    """What was kept, and what does not fit."""

    session: Session
    clashes: list[Clash]


class Stale(Conflict):
    """Somebody else saved the session since this form was opened."""


def artists(event: Event) -> list[Guest]:
    """Guests whose applications are accepted: whom a presenter may be. The call comes after the programme, so its rows
    are reached from the guest's side."""
    accepted = Guest.objects.filter(event=event, erased_at=None, submissions__state__in=("accepted", "confirmed"))
    return list(accepted.distinct().order_by("name", "id"))


def _presenters(event: Event, form: Any) -> tuple[tuple[str, str], ...]:
    """Names as typed, one a field or a line, or parted by semicolons; a guest chosen beside lends theirs where none was
    typed."""
    known = {guest.id: guest.name for guest in artists(event)}
    names, guests = form.getlist("presenter"), form.getlist("guest")
    guests += [""] * (len(names) - len(guests))
    rows = []
    for typed, guest in zip(names, guests):
        chosen = guest if guest in known else ""
        rows += [(name, chosen) for part in re.split("[;\n\r]", typed) if (name := tidy(part)[:120])]
        if not typed.strip() and chosen:
            rows.append((tidy(known[chosen].replace(";", ","))[:120], chosen))
    unique = {(clashes.name_key(name), guest): (name, guest) for name, guest in reversed(rows)}
    return tuple(reversed(unique.values()))[:MOST_PRESENTERS]


def _chosen(event: Event, form: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any]:
    """Room and pool, which must be the event's own."""
    room, pool, values = form.get("room", ""), form.get("pool", ""), {}
    if room:
        values["room_id"] = int(room) if room.isdecimal() and len(room) < 18 else None
        if not Room.objects.filter(event=event, id=values["room_id"]).exists():
            wrong["room"] = _("This room is gone. Choose another.")
    if pool == NEW_POOL:
        places = form.get("places", "").strip()
        values["places"] = int(places) if places.isdecimal() and len(places) < 6 else 0
        if not 1 <= values["places"] <= MOST_PLACES:
            wrong["places"] = _("Say how many places there are, from 1 to %(most)s.") % {"most": MOST_PLACES}
    elif pool:
        values["pool_id"] = pool
        if not Pool.objects.filter(event=event, id=pool).exists():
            wrong["pool"] = _("These places are gone. Choose others.")
    return values


def _times(event: Event, form: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any]:
    days: dict[str, datetime.date | None] = {}
    for name in ("day", "ends_day"):
        try:
            days[name] = clock.parse_day(form.get(name, "")) if form.get(name) or name == "day" else None
        except BadTime as error:
            wrong[name] = str(error)
    if wrong.keys() & {"day", "ends_day"} or days["day"] is None:
        return {}
    try:
        return clock.span(event, days["day"], form.get("starts", ""), form.get("ends", ""), days["ends_day"])._asdict()
    except BadTime as error:
        wrong[getattr(error, "field", "starts")] = str(error)
        return {}


def read_form(event: Event, form: Any) -> tuple[Draft | None, dict[str, str]]:
    """What a form (a QueryDict) asks for, or what is wrong with it by field."""
    wrong: dict[str, str] = {}
    title, kind = tidy(form.get("title", ""))[:200], form.get("kind", "")
    if not title:
        wrong["title"] = _("It needs a title.")
    if kind not in Session.Kind.values:
        wrong["kind"] = _("Choose what it is.")
    values = {**_times(event, form, wrong), **_chosen(event, form, wrong)}
    if wrong:
        return None, wrong
    about = many_lines(form.get("about", ""))[:4000]
    return Draft(title=title, kind=kind, about=about, presenters=_presenters(event, form), **values), {}


def values_of(event: Event, session: Session) -> dict[str, Any]:
    """A session as the form's fields show it."""
    one, two = local(event, session.starts_at), local(event, session.ends_at)
    unsaid = two.date() == one.date() or (
        two.date() - one.date() == datetime.timedelta(days=1)
        and session.ends_at - session.starts_at <= clock.PAST_MIDNIGHT
        and two.time() < one.time()
    )
    return {
        "title": session.title, "kind": session.kind, "about": session.about,
        "room": str(session.room_id or ""), "pool": session.pool_id or "",
        "day": one.date().isoformat(), "starts": _typed(one),
        "ends": _typed(two), "ends_day": "" if unsaid else two.date().isoformat(),
        "presenters": [(p.name, p.guest_id or "") for p in session.presenters.all()],
    }  # fmt: skip


def _typed(at: datetime.datetime) -> str:
    """A local time that `clock.parse_clock` reads as the same instant."""
    return at.strftime("%H:%M") + (at.isoformat()[-6:] if twice(at) else "")


def one(event: Event, session_id: str, lock: bool = False) -> Session | None:
    """A session of the event, published or not, with what its form shows."""
    rows = Session.objects.select_for_update(of=("self",)) if lock else Session.objects
    return rows.select_related("room", "pool").prefetch_related("presenters").filter(
        event=event, id=session_id
    ).first()  # fmt: skip


def everything(event: Event) -> list[Session]:
    """The whole programme, in three queries."""
    return list(Session.objects.filter(event=event).select_related("room", "pool").prefetch_related("presenters"))


def _needed(event: Event, session_id: str) -> Session:
    session = one(event, session_id, lock=True)
    if session is None:
        raise Conflict(_("This session is gone."), _("Somebody else has deleted it."))
    return session


def _make_pool(event: Event, person: User, draft: Draft, room: Room | None) -> Pool:
    pool = Pool.objects.create(
        event=event, kind=_POOL_KIND.get(draft.kind, Pool.Kind.OTHER), name=draft.title[:120], room=room,
        about=draft.about[:2000],
        starts_at=draft.starts_at, ends_at=draft.ends_at, capacity=draft.places,
    )  # fmt: skip
    note(event, "places made", pool.id, person=person, text=f"{pool.name}: {pool.capacity}"[:300])
    return pool


def _write_presenters(session: Session, presenters: Sequence[tuple[str, str]]) -> None:
    session.presenters.all().delete()
    rows = [Presenter(session=session, name=n, guest_id=g or None, order=i) for i, (n, g) in enumerate(presenters)]
    Presenter.objects.bulk_create(rows)


def _outward(session: Session) -> tuple[Any, ...]:
    """What visitors and calendars are told of a session's time and place."""
    return session.starts_at, session.ends_at, session.room_id


def put(event: Event, person: User, draft: Draft, room: Room | None) -> Session:
    """Inside a transaction: a new session with its presenters and places."""
    pool_id = _make_pool(event, person, draft, room).id if draft.places else draft.pool_id
    session = Session.objects.create(
        event=event, kind=draft.kind, title=draft.title, about=draft.about, room=room, pool_id=pool_id,
        starts_at=draft.starts_at, ends_at=draft.ends_at, time_zone=event.time_zone,
    )  # fmt: skip
    _write_presenters(session, draft.presenters)
    return session


def create(person: User, draft: Draft) -> Edited:
    """A new session, not yet published. Raises Conflict when the programme is full."""
    with transaction.atomic():
        event = lock_current_event()
        if Session.objects.filter(event=event).count() >= MOST_SESSIONS:
            raise Conflict(_("A programme holds at most %(n)s sessions.") % {"n": MOST_SESSIONS}, "")
        made = put(event, person, draft, Room.objects.filter(event=event, id=draft.room_id).first())
        note(event, "session made", made.id, person=person, text=made.title)
        return Edited(made, clashes.about(event, made, everything(event)))


def change(person: User, session_id: str, draft: Draft, known: int) -> Edited:
    """The session as `draft` says. `known` is the sequence that the form was opened with: raises Stale if somebody else
    saved since, Conflict if it is gone. Whoever has a place in what is public is written to when its time or room
    changes."""
    with transaction.atomic():
        event = lock_current_event()
        session = _needed(event, session_id)
        if session.sequence != known:
            message = _("Somebody else changed this session while you were writing.")
            raise Stale(message, _("Your words are still in the form: look at both, then save again."))
        before, place_before = values_of(event, session), _outward(session)
        if draft.pool_id == session.pool_id:
            places.follow(session, draft.starts_at, draft.ends_at, draft.room_id)
        for name in ("kind", "title", "about", "room_id", "starts_at", "ends_at", "pool_id"):
            setattr(session, name, getattr(draft, name))
        if draft.places:
            session.pool = _make_pool(event, person, draft, session.room)
        session.time_zone = event.time_zone
        if [(p.name, p.guest_id or "") for p in session.presenters.all()] != list(draft.presenters):
            _write_presenters(session, draft.presenters)
        _keep(session)
        session = _needed(event, session_id)
        note(event, "session changed", session.id, person=person, text=_told(before, values_of(event, session)))
        if _outward(session) != place_before and session.published and not session.cancelled:
            telling.moved(event, session)
        return Edited(session, clashes.about(event, session, everything(event)))


def _keep(session: Session) -> None:
    session.sequence += 1
    session.save()


def _told(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """One line for the trail: what it is now called, and which parts changed."""
    changed = [name for name in after if before[name] != after[name]]
    return f"{after['title'][:200]}: {', '.join(changed) or '-'}"[:300]


def _publish(event: Event, session: Session) -> None:
    session.published = True
    session.published_at = session.published_at or timezone.now()


def _unpublish(event: Event, session: Session) -> None:
    session.published = False


def _cancel(event: Event, session: Session) -> None:
    session.cancelled_at = timezone.now()
    places.close(session, session.cancelled_at)
    if session.published:
        telling.cancelled(event, session)


def _restore(event: Event, session: Session) -> None:
    places.reopen(session)
    session.cancelled_at, session.reason = None, ""


_STEPS: dict[str, tuple[Callable[[Session], bool], Callable[[Event, Session], None], str]] = {
    "publish": (lambda s: not s.published, _publish, "session published"),
    "unpublish": (lambda s: s.published, _unpublish, "session unpublished"),
    "cancel": (lambda s: not s.cancelled, _cancel, "session cancelled"),
    "restore": (lambda s: s.cancelled, _restore, "session restored"),
}


def step(person: User, session_id: str, deed: str, reason: str = "") -> Session:
    """Publish, unpublish, cancel or restore one session. Raises Conflict if it is not in a state for that (somebody
    else was quicker), or gone."""
    fits, act, words = _STEPS[deed]
    with transaction.atomic():
        event = lock_current_event()
        session = _needed(event, session_id)
        if not fits(session):
            raise Conflict(_("Somebody else was quicker: that is done already."), _("Look at the programme again."))
        if deed == "cancel":
            session.reason = tidy(reason)[:300]
        act(event, session)
        _keep(session)
        note(event, words, session.id, person=person, text=session.title)
        return session


def publish_all(person: User) -> int:
    """Publishes all that is not yet; returns how many."""
    with transaction.atomic():
        event = lock_current_event()
        waiting = list(Session.objects.filter(event=event, published=False, cancelled_at=None))
        for session in waiting:
            _publish(event, session)
            _keep(session)
        if waiting:
            note(event, "programme published", "", person=person, text=str(len(waiting)))
        return len(waiting)


def delete(person: User, session_id: str) -> None:
    """Away with what was never public. Raises Conflict for the rest: calendars out there must be told."""
    with transaction.atomic():
        event = lock_current_event()
        session = _needed(event, session_id)
        if session.published_at:
            message = _("This session has been public: calendars may hold it.")
            raise Conflict(message, _("Cancel it, so that they are told; or unpublish it, and it is out of sight."))
        note(event, "session deleted", session.id, person=person, text=session.title)
        session.delete()


class Shift(NamedTuple):
    """What was moved, by how many minutes."""

    moved: int
    minutes: int


def shift(person: User, session_id: str, minutes: int) -> Shift:
    """Running late: moves a session and all that follow it in its room that day. Raises BadRecipe, Conflict."""
    if not minutes or abs(minutes) > 12 * 60:
        raise BadRecipe(_("Say by how many minutes, at most twelve hours."), "")
    by = datetime.timedelta(minutes=minutes)
    with transaction.atomic():
        event = lock_current_event()
        first = _needed(event, session_id)
        day = local(event, first.starts_at).date()
        midnight = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), zone(event))
        rows = Session.objects.filter(
            event=event, room_id=first.room_id, cancelled_at=None, starts_at__gte=first.starts_at,
            starts_at__lt=midnight,
        )  # fmt: skip
        moved = list(rows.select_related("pool", "room"))
        for session in moved:
            move(event, session, session.starts_at + by, session.ends_at + by)
        note(event, "sessions shifted", first.id, person=person, text=f"{len(moved)}: {minutes:+} min")
        return Shift(len(moved), minutes)


def move(event: Event, session: Session, starts_at: datetime.datetime, ends_at: datetime.datetime) -> None:
    """Inside a transaction: to another time, its places along with it; whoever has one is written to."""
    places.follow(session, starts_at, ends_at, session.room_id)
    session.starts_at, session.ends_at, session.time_zone = starts_at, ends_at, event.time_zone
    _keep(session)
    if session.published:
        telling.moved(event, session)
