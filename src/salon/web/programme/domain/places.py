"""How many places are left, of all the programme's pools at once; and pools that keep up with their sessions."""

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from salon.web.people.models import Guest
from salon.web.programme.models import Session
from salon.web.seats.domain import counts, locking
from salon.web.seats.domain import places as seats
from salon.web.seats.models import Place, Pool


class Left(NamedTuple):
    """Places of a session: how many are left, and whether any may be taken now."""

    pool: Pool
    count: int
    open: bool


def left(pools: Iterable[Pool]) -> dict[str, Left]:
    """By pool's id; two queries, however many they are."""
    held, now = {pool.id: pool for pool in pools}, timezone.now()
    if not held:
        return {}
    found = counts.all_of(held.values(), now)
    return {name: Left(pool, found[name].left, seats.takes_people(pool, now)) for name, pool in held.items()}


def own(guest: Guest | None, visitor: str | None = None) -> dict[str, Place]:
    """A guest's live places by pool, or a visitor's: whoever took them with the browser of that ticket. One query."""
    whose = Q(guest=guest) if guest else Q(guest__visitor=visitor) if visitor else None
    if whose is None:
        return {}
    lasting = Q(state__in=(Place.State.BOOKED, Place.State.WAITING)) | Q(expires_at__gt=timezone.now())
    return {place.pool_id: place for place in Place.objects.filter(whose, lasting, state__in=Place.LIVE)}


def locked(pool_id: str) -> Pool:
    """The pool as it is now, nobody else changing it or its places until the transaction ends."""
    return locking.hold([pool_id])[pool_id].pools[pool_id]


def follow(session: Session, starts_at: datetime.datetime, ends_at: datetime.datetime, room_id: int | None) -> None:
    """A pool with its session's times moves along with it; one with times of its own stays."""
    if session.pool_id is None:
        return
    pool = locked(session.pool_id)
    if (pool.starts_at, pool.ends_at) == (session.starts_at, session.ends_at):
        pool.starts_at, pool.ends_at, pool.room_id = starts_at, ends_at, room_id
        pool.save(update_fields=["starts_at", "ends_at", "room"])


def close(session: Session, at: datetime.datetime) -> None:
    """Nobody should book what does not take place. A pool that other sessions use stays as it is."""
    if session.pool_id is None or Session.objects.filter(pool=session.pool_id, cancelled_at=None).count() > 1:
        return
    pool = locked(session.pool_id)
    if pool.closes_at is None or pool.closes_at > at:
        pool.closes_at = at
        pool.save(update_fields=["closes_at"])


def reopen(session: Session) -> None:
    """What `close` closed is open again."""
    if session.pool_id is None:
        return
    pool = locked(session.pool_id)
    if pool.closes_at == session.cancelled_at:
        pool.closes_at = None
        pool.save(update_fields=["closes_at"])
