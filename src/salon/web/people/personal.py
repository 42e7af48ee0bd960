"""A person's data, wherever it lies: each room says what it holds of a guest and how it lets go of it, so that one page
can show all of it and one press erase it."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from salon.core.hashing import bytes_hash
from salon.web.ids import new_id
from salon.web.people.models import Guest, User

#: what stands where a name stood
NOBODY = "…"


class Panel(NamedTuple):
    """What a room shows of a guest on their own page: a template, and what it is given (and `guest`)."""

    template: str
    context: dict[str, Any]


class Holding(NamedTuple):
    """What a room holds: `collect` as plain values for JSON, `erase` inside the caller's transaction, `panel` for the
    guest's own page (None where there is nothing to show)."""

    room: str
    collect: Callable[[Guest], Any]
    erase: Callable[[Guest], None]
    panel: Callable[[Guest], Panel | None] | None = None


_holdings: dict[str, Holding] = {}


def register(
    room: str,
    collect: Callable[[Guest], Any],
    erase: Callable[[Guest], None],
    panel: Callable[[Guest], Panel | None] | None = None,
) -> None:
    """Called once by each room, in its `apps.py`. `guest.works_stay` tells `erase` what the guest wants of works under
    a free licence: they stay, under nobody's name, or come down as all others do."""
    _holdings[room] = Holding(room, collect, erase, panel)


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
        # rooms that know of others first: what they hold hangs on what those hold
        for holding in reversed(_holdings.values()):
            holding.erase(guest)
        now = timezone.now()
        guest.consents.filter(withdrawn_at=None).update(withdrawn_at=now)
        _silence_trail(guest)
        guest.event.entries.create(event=guest.event, deed="guest erased", subject=guest.id, person=person)
        guest.name, guest.email, guest.language, guest.visitor = NOBODY, "", "", ""
        guest.token_hash, guest.erased_at = bytes_hash(new_id().encode()), now
        guest.save()
        transaction.on_commit(_press_out)
    return True


def _silence_trail(guest: Guest) -> None:
    """The trail goes on saying what was done to whom by id; name and address leave its notes."""
    told = [word for word in (guest.name, guest.email) if word]
    anywhere = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in told), re.IGNORECASE)
    for entry in guest.event.entries.exclude(text="").iterator():
        text = NOBODY if entry.subject == guest.id else anywhere.sub(NOBODY, entry.text)
        if text != entry.text:
            entry.text = text
            entry.save(update_fields=["text"])
    if guest.visitor:
        guest.event.entries.filter(visitor=guest.visitor).update(visitor="")


def _press_out() -> None:
    """SQLite only: the journal still holds the pages as they were; the database file itself keeps nothing of what was
    deleted (secure_delete). If somebody reads just now, the next erasure or start does it."""
    if connection.vendor != "sqlite":
        return
    with suppress(DatabaseError), connection.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 200")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience}")
