"""What does not fit: told to organisers, who may have their reasons."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from salon.web.events.models import Event
from salon.web.events.times import local
from salon.web.programme.domain.clock import LASTING
from salon.web.programme.models import Session


class Clash(NamedTuple):
    """A sentence, and the sessions that it is about."""

    text: str
    sessions: tuple[Session, ...]


def name_key(name: str) -> str:
    """The same person, however their name was typed."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def overlapping(sessions: Iterable[Session]) -> Iterator[tuple[Session, Session]]:
    """Pairs that happen at the same time, in order of time. One after the other is no overlap."""
    open_: list[Session] = []
    for session in sorted(sessions, key=lambda s: (s.starts_at, s.ends_at, s.id)):
        open_ = [other for other in open_ if other.ends_at > session.starts_at]
        yield from ((other, session) for other in open_)
        open_.append(session)


def _rooms(sessions: list[Session]) -> Iterator[Clash]:
    by_room: dict[int, list[Session]] = defaultdict(list)
    for session in sessions:
        if session.room_id:
            by_room[session.room_id].append(session)
    for held in by_room.values():
        for one, two in overlapping(held):
            words = {"room": one.room, "one": one.title, "two": two.title}
            yield Clash(_("%(room)s is taken twice: “%(one)s” and “%(two)s”.") % words, (one, two))


def _presenters(sessions: list[Session]) -> Iterator[Clash]:
    by_person: dict[str, dict[str, Session]] = defaultdict(dict)
    names = {}
    for session in sessions:
        for presenter in session.presenters.all():
            names[name_key(presenter.name)] = presenter.name
            by_person[name_key(presenter.name)][session.id] = session
    for key, given in by_person.items():
        for one, two in overlapping(given.values()):
            words = {"name": names[key], "one": one.title, "two": two.title}
            yield Clash(_("%(name)s is in two places: “%(one)s” and “%(two)s”.") % words, (one, two))


def _days(event: Event, sessions: list[Session]) -> Iterator[Clash]:
    if not event.starts_on:
        return
    last = event.ends_on or event.starts_on
    for session in sessions:
        if local(event, session.starts_at).date() < event.starts_on or local(event, session.starts_at).date() > last:
            words = {"title": session.title}
            yield Clash(_("“%(title)s” is outside the event's days.") % words, (session,))


def of(event: Event, sessions: Iterable[Session]) -> list[Clash]:
    """Everything that does not fit among these sessions of the event. Cancelled ones are in nobody's way, nor is what
    lasts all day. Room and presenters must have been fetched."""
    held = [session for session in sessions if not session.cancelled]
    passing = [session for session in held if session.ends_at - session.starts_at < LASTING]
    return [*_rooms(passing), *_presenters(passing), *_days(event, held)]


def about(event: Event, session: Session, sessions: Iterable[Session]) -> list[Clash]:
    """Those that concern one session."""
    return [clash for clash in of(event, sessions) if any(s.id == session.id for s in clash.sessions)]
