"""What is left, counted from rows."""

import datetime
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from salon.web.seats.domain.locking import families
from salon.web.seats.models import Place, Pool

State = Place.State
ALWAYS = (datetime.datetime.min.replace(tzinfo=datetime.UTC), datetime.datetime.max.replace(tzinfo=datetime.UTC))
#: the one query that every deed makes twice: in a rush, building it from models would cost more than all else
_TALLY = """
    SELECT pool_id, state, at_door, expires_at IS NOT NULL AND expires_at <= %s AS ended, came_at IS NOT NULL AS came,
        COUNT(*)
    FROM seats_place WHERE pool_id IN ({pools}) AND state IN ({states})
    GROUP BY pool_id, state, at_door, ended, came
    UNION ALL
    SELECT pool_id, 'kept', FALSE, FALSE, FALSE, COUNT(*)
    FROM seats_invitation WHERE pool_id IN ({pools}) AND used_at IS NULL AND keeps_until > %s
    GROUP BY pool_id
"""


class Counts(NamedTuple):
    """A pool at one moment. `left` is what the public may take, `door` what the door may; `at_door` of the booked were
    taken there; `kept` are for invited guests who have not answered yet. `lacking`: seats are left, but what they need
    is not."""

    capacity: int
    reserve: int
    booked: int
    held: int
    offered: int
    waiting: int
    left: int
    door: int
    at_door: int
    lacking: bool
    kept: int = 0

    @property
    def taken(self) -> int:
        """Seats that somebody has or may still confirm."""
        return self.booked + self.held + self.offered + self.kept

    @property
    def lent(self) -> int:
        """How many go with seats of other pools, at their fullest moment."""
        return max(0, self.capacity - self.door - self.taken)


class Tally(NamedTuple):
    """Rows of a pool by what they fill."""

    booked: int = 0
    held: int = 0
    offered: int = 0
    waiting: int = 0
    #: of the booked ones
    at_door: int = 0
    #: what has ended, though its row does not say so yet
    over: int = 0
    #: places that invitations keep
    kept: int = 0

    @property
    def public(self) -> int:
        return self.booked - self.at_door + self.held + self.offered + self.kept


def released_at(pool: Pool) -> datetime.datetime | None:
    """When places nobody came to go to the door; None: never."""
    if pool.starts_at is None or pool.release_after is None:
        return None
    return pool.starts_at + datetime.timedelta(minutes=pool.release_after)


def tallies(pools: Iterable[Pool], now: datetime.datetime) -> dict[str, Tally]:
    """Of each pool, by one query. What has expired counts no more, whether its row says so already or not."""
    known = {pool.id: pool for pool in pools}
    if not known:
        return {}
    late = {pool.id for pool in known.values() if (at := released_at(pool)) and at <= now}
    with connection.cursor() as cursor:
        marks = [", ".join(["%s"] * number) for number in (len(known), len(Place.LIVE))]
        moment = connection.ops.adapt_datetimefield_value(now)
        values = [moment, *known, *Place.LIVE, *known, moment]
        cursor.execute(_TALLY.format(pools=marks[0], states=marks[1]), values)
        rows = cursor.fetchall()
    found: dict[str, dict[str, int]] = {pool: {} for pool in known}
    for pool, state, at_door, over, there, number in rows:
        own = found[pool]
        released = pool in late and state == State.BOOKED and not there
        name = "over" if released or (over and state in (State.HELD, State.OFFERED)) else state
        own[name] = own.get(name, 0) + number
        if at_door and name == State.BOOKED:
            own["at_door"] = own.get("at_door", 0) + number
    return {pool: Tally(**numbers) for pool, numbers in found.items()}


def times(pool: Pool) -> tuple[datetime.datetime, datetime.datetime]:
    """From when until when what is taken here is in use."""
    return pool.starts_at or ALWAYS[0], pool.ends_at or ALWAYS[1]


def free(pool: Pool, pools: Mapping[str, Pool], found: Mapping[str, Tally], door: bool = False) -> int:
    """How many more the public (or the door) may take in a pool of this family. What the pool needs is free as often as
    at its fullest moment: laptops lent in the morning are there again in the afternoon."""
    own = found[pool.id]
    if pool.needs_id is None:
        return min(_free(pool, public, taken, door) for public, taken in _moments(pool, pool, pools, found))
    lent = _moments(pools[pool.needs_id], pool, pools, found)
    needed = min(_free(pools[pool.needs_id], public, taken, door) for public, taken in lent)
    return min(_free(pool, own.public, own.at_door, door), needed)


def _free(pool: Pool, public: int, at_door: int, door: bool) -> int:
    kept = at_door if door else max(at_door, pool.reserve)
    return pool.capacity - public - kept


def _moments(
    root: Pool, during: Pool, pools: Mapping[str, Pool], found: Mapping[str, Tally]
) -> Iterable[tuple[int, int]]:
    """(public, at the door) that have one of the root's, at each moment while `during` lasts at which they may become
    more."""
    start, end = times(during)
    sharing = [(times(pool), found[pool.id]) for pool in pools.values() if root.id in (pool.id, pool.needs_id)]
    for moment in {start, *(begins for (begins, _), _ in sharing if start < begins < end)}:
        there = [tally for (begins, ends), tally in sharing if begins <= moment < ends]
        yield sum(tally.public for tally in there), sum(tally.at_door for tally in there)


def all_of(pools: Iterable[Pool], now: datetime.datetime | None = None) -> dict[str, Counts]:
    """Counts of several pools, by two queries."""
    wanted, now = list(pools), now or timezone.now()
    kin = families(pool.id for pool in wanted)
    every = {pool.id: pool for family in kin.values() for pool in family.pools.values()}
    found = tallies(every.values(), now)
    return {pool.id: _counts(pool, every, found, now) for pool in wanted}


def of(pool: Pool) -> Counts:
    """Counts of one pool as it is now."""
    return all_of([pool])[pool.id]


def may_offer(pool: Pool, now: datetime.datetime) -> bool:
    """Whether what comes free is offered to those who wait: once it has begun the door gives it out."""
    return pool.starts_at is None or now < pool.starts_at


def _counts(pool: Pool, pools: Mapping[str, Pool], found: Mapping[str, Tally], now: datetime.datetime) -> Counts:
    own = found[pool.id]
    left, door = (max(0, free(pool, pools, found, at_door)) for at_door in (False, True))
    promised = min(left, own.waiting) if may_offer(pool, now) else 0  # free, and to be offered at the next deed
    seats = _free(pool, own.public, own.at_door, False)
    return Counts(
        pool.capacity, pool.reserve, own.booked, own.held, own.offered, own.waiting,
        left - promised, door - promised, own.at_door, left == 0 and seats > 0, own.kept,
    )  # fmt: skip
