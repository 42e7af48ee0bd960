"""A person's data, wherever it lies: each room says what it holds of a guest and how it lets go of it, so that one page
can show all of it and one press erase it."""

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from salon.core.hashing import bytes_hash
from salon.web.ids import new_id
from salon.web.people.models import Guest, User

log = logging.getLogger("salon.web")

#: what stands where a name stood
NOBODY = "…"


class Panel(NamedTuple):
    """What a room shows of a guest on their own page: a template, and what it is given (and `guest`)."""

    template: str
    context: dict[str, Any]


class Holding(NamedTuple):
    """What a room holds: `collect` as plain values for JSON, `erase` inside the caller's transaction, `panel` for the
    guest's own page (None where there is nothing to show), `subjects` the ids of what is theirs, under which the trail
    may hold words of theirs."""

    room: str
    collect: Callable[[Guest], Any]
    erase: Callable[[Guest], None]
    panel: Callable[[Guest], Panel | None] | None = None
    subjects: Callable[[Guest], Iterable[str]] | None = None


_holdings: dict[str, Holding] = {}


def register(
    room: str,
    collect: Callable[[Guest], Any],
    erase: Callable[[Guest], None],
    panel: Callable[[Guest], Panel | None] | None = None,
    subjects: Callable[[Guest], Iterable[str]] | None = None,
) -> None:
    """Called once by each room, in its `apps.py`. `guest.works_stay` tells `erase` what the guest wants of works under
    a free licence: they stay, under nobody's name, or come down as all others do."""
    _holdings[room] = Holding(room, collect, erase, panel, subjects)


def holdings() -> Iterator[Holding]:
    """Every room's, by name."""
    return iter(sorted(_holdings.values(), key=lambda holding: holding.room))


def panels(guest: Guest) -> list[Panel]:
    """What the rooms show of a guest on their own page."""
    shown = (holding.panel(guest) for holding in holdings() if holding.panel)
    return [panel for panel in shown if panel]


def everything(guest: Guest) -> dict[str, Any]:
    """All that the house holds of a guest, room by room."""
    consents = guest.consents.select_related("text")
    about = {
        "name": guest.name, "email": guest.email, "language": guest.language, "since": guest.created_at,
        "consents": [
            {"to": c.text.kind, "version": c.text.version, "language": c.text.language, "text": c.text.text,
             "given_at": c.given_at, "withdrawn_at": c.withdrawn_at} for c in consents
        ],
    }  # fmt: skip
    return {"event": guest.event.name, "you": about} | {h.room: h.collect(guest) for h in holdings()}


def erase(guest_id: str, works_stay: bool | None = None, person: User | None = None) -> bool:
    """Erases all that the house holds of a guest, in every room or in none; False if that was done before. What is left
    is a row without name, address and way in, so that counts stay true, and a line of the trail with its id. Consents
    are withdrawn; the texts that were agreed to hold nothing of the person. `works_stay` None: as the guest has said on
    their page."""
    with transaction.atomic():
        guest = Guest.objects.select_for_update().select_related("event").filter(id=guest_id, erased_at=None).first()
        if guest is None:
            return False
        guest.works_stay = guest.works_stay if works_stay is None else works_stay
        _silence_trail(guest)  # first: it asks rooms what is theirs
        # rooms that know of others first: what they hold hangs on what those hold
        for holding in reversed(_holdings.values()):
            holding.erase(guest)
        now = timezone.now()
        guest.consents.filter(withdrawn_at=None).update(withdrawn_at=now)
        guest.event.entries.create(event=guest.event, deed="guest erased", subject=guest.id, person=person)
        guest.name, guest.email, guest.language, guest.visitor = NOBODY, "", "", ""
        guest.token_hash, guest.erased_at = bytes_hash(new_id().encode()), now
        guest.save()
        transaction.on_commit(press_out, robust=True)
    return True


def _silence_trail(guest: Guest) -> None:
    """The trail goes on saying what was done to whom by id; the notes of lines about this guest go. Which these are is
    said by reference, never by looking for a name: somebody else may have the same, and so may a door."""
    theirs = {guest.id}.union(*(holding.subjects(guest) for holding in holdings() if holding.subjects))
    guest.event.entries.filter(subject__in=theirs).exclude(text="").update(text=NOBODY)
    if guest.visitor:
        guest.event.entries.filter(visitor=guest.visitor).update(visitor="")


def press_out() -> bool:
    """SQLite only: after something was erased the journal still holds the pages as they were; the database file itself
    keeps nothing of what was deleted (secure_delete). If somebody reads just now, the worker tries again
    (`press_out_later`), and the next start does it anyway. Whether nothing is left to do."""
    if connection.vendor != "sqlite":
        return True
    try:
        done = _truncated()
    except DatabaseError:
        done = False
    if not done:
        _note_for_later()
    return done


def _note_for_later() -> None:
    """What was erased is erased: a full disk, of all things, must not make an error of it."""
    try:
        _mark().touch(mode=0o600)
    except OSError as error:
        log.error("the journal is emptied at the next start, not before: %s", error)


def press_out_later() -> None:
    """The worker's duty: what could not be pressed out at once."""
    if _mark().exists() and press_out():
        _mark().unlink(missing_ok=True)


def _mark() -> Path:
    return Path(settings.HOME) / "press-out"


def _truncated() -> bool:
    """Whether the journal could be emptied within a fifth of a second."""
    with connection.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 200")
        try:
            busy, *_pages = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience}")
