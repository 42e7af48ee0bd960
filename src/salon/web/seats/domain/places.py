"""Taking, confirming, waiting, giving back: one way for every limited thing.

Every deed holds the family's lock, sweeps (what time has ended ends, what has come free is offered to those who waited
longest), then counts rows. So a place that is free here is one that nobody waits for.
"""

import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.web.events import times
from salon.web.events.domain import not_archived
from salon.web.people.models import Guest
from salon.web.seats.domain import counts, invitations, letters, locking, proof
from salon.web.seats.domain.locking import Family
from salon.web.seats.models import Invitation, Place, Pool

State = Place.State


class Full(Conflict):
    """Nothing is left."""


class Expired(Conflict):
    """A hold or an offer ran out, and others have been given the place."""


def take(pool_id: str, guest: Guest, key: str, invitation: str = "") -> Place:
    """A place HELD for this guest until `expires_at`, or WAITING when the pool is full. A guest who has a live place
    here gets that one, the same press (`key`) what came of it. `invitation` is a code. Raises Full (and no waiting
    list), Conflict (not open), Forbidden (not invited), BadRecipe (no such pool)."""
    with locking.locked(pool_id) as families:
        return take_in(families[pool_id], pool_id, guest, key, invitation)


def take_invited(pool_id: str, known: Guest | None, key: str, code: str) -> Place:
    """A place BOOKED at one press for an invited guest: the one whose letter's code is brought (that proves the
    mailbox), or whom the browser remembers (then an address has to answer first, and the place is HELD). WAITING where
    none was kept and all are taken. The same press (`key`) twice is one. Raises Conflict (no such invitation, not
    open), Full, BadRecipe."""
    with locking.locked(pool_id) as families:
        family = families[pool_id]
        if sent := Place.objects.filter(pool=pool_id, key=key).select_related("guest").first():
            return sent
        invited = invitations.standing(family.pools[pool_id], known, code)
        if invited is None or invited.guest is None:
            raise Conflict(_("This invitation has been used, or it is not known."), _("Look at what is yours."))
        place = take_in(family, pool_id, invited.guest, key, code, told=not invited.code)
        if place.state not in (State.HELD, State.OFFERED):
            return place
        try:
            proof.settle(place, proven=bool(invited.code))
        except proof.Unproven:
            return place
        place.state, place.expires_at = State.BOOKED, None
        place.save(update_fields=["state", "expires_at", "mailbox", "changed_at"])
        letters.booked(place)
        return place


def take_in(family: Family, pool_id: str, guest: Guest, key: str, invitation: str, told: bool = True) -> Place:
    """`take` inside the lock. `told`: a letter asks the guest's address to answer."""
    sweep_in(family)
    return _mine(family.pools[pool_id], guest, key) or enter(family, pool_id, guest, key, invitation, told)


def enter(family: Family, pool_id: str, guest: Guest, key: str, invitation: str, told: bool = True) -> Place:
    """Inside the lock, after the sweep: a place for somebody who has none here. Raises as `take`."""
    pool = family.pools[pool_id]
    check_open(pool, family.now)
    invited = invitations.check(family, pool, guest, invitation)
    place = Place(pool=pool, guest=guest, key=key, state=State.WAITING)
    if room(family, pool) > 0:
        place.state, place.expires_at = State.HELD, family.now + datetime.timedelta(minutes=pool.hold_minutes)
        if invited and invited.keeps_until:  # a place that was kept is not lost by a slow answer
            place.expires_at = max(place.expires_at, invited.keeps_until)
    elif not pool.waiting_list:
        raise Full(_("Everything is taken."), _("Come back later: places that are given back appear here."))
    place.save(force_insert=True)
    if told or place.state == State.WAITING:
        letters.taken(place)
    return place


def confirm(place_id: str, guest: Guest, proven: bool = False) -> Place:
    """What was held is BOOKED. A hold that ran out is, too, if nobody waits for the place. `proven`: by the link in the
    guest's letter. Raises Expired, Conflict, Unproven."""
    return _book(place_id, guest, State.HELD, proven)


def accept(place_id: str, guest: Guest, proven: bool = False) -> Place:
    """What was offered is BOOKED. Raises Expired, Conflict, Unproven."""
    return _book(place_id, guest, State.OFFERED, proven)


def decline(place_id: str, guest: Guest) -> Place:
    """The offer goes to the next who waits. Twice is once. Raises Conflict if there is no offer."""
    with _own(place_id, guest) as (family, place):
        if place.state == State.OFFERED:
            _end(family, place, State.DECLINED)
        elif place.state not in (State.DECLINED, State.EXPIRED):
            raise Conflict(_("There is no offer to decline."), _("Look at what is yours now."))
        return place


def give_back(place_id: str, guest: Guest, quietly: bool = False) -> Place:
    """The place, or the wait, is over, and what has come free is offered on. Twice is once. `quietly`: without a letter
    to the guest."""
    with _own(place_id, guest) as (family, place):
        if place.state in Place.LIVE:
            had = place.state
            _end(family, place, State.DECLINED if had == State.OFFERED else State.CANCELLED)
            if had == State.BOOKED and not quietly:
                letters.given_back(place)
        return place


def at_door(pool_id: str, guest: Guest, key: str) -> Place:
    """A place BOOKED for somebody who stands at the door: out of the reserve, of what was released, or of what nobody
    waits for. A guest who has one already keeps it; one who waits or holds gets theirs booked. Raises Full, Conflict,
    BadRecipe."""
    with locking.locked(pool_id) as families:
        return put(families[pool_id], pool_id, guest, key, door=True)


def put(family: Family, pool_id: str, guest: Guest, key: str, door: bool) -> Place:
    """Inside the lock: the guest's place is BOOKED without asking them; at the door, or for them where the public's
    places suffice. Raises Full, Conflict, BadRecipe."""
    pool = family.pools[pool_id]
    sweep_in(family)
    mine = _mine(pool, guest, key)
    if mine and mine.state not in (State.HELD, State.OFFERED, State.WAITING):
        return mine  # booked, or what became of the same press
    if pool.ends_at and pool.ends_at <= family.now:
        raise Conflict(_("It is over."), "")
    Invitation.objects.filter(pool=pool, guest=guest, used_at=None).update(used_at=family.now)
    if mine and mine.state in (State.HELD, State.OFFERED):  # fills a place already
        mine.expires_at = None
    elif room(family, pool, door=True) <= 0:
        raise Full(_("Nothing is left, not at the door either."), _("Ask again when places are released."))
    else:
        mine = mine or Place(pool=pool, guest=guest, key=key)
        mine.at_door = door or room(family, pool) <= 0
    mine.state = State.BOOKED
    if pool.starts_at and pool.starts_at <= family.now:
        mine.came_at = family.now
    mine.save()
    return mine


def arrive(place_id: str) -> Place:
    """The door let its guest in; twice is once. Somebody late whose place was released gets one again while the door
    has any. Raises Full, Conflict."""
    with _any(place_id) as (family, place):
        if place.state == State.NO_SHOW:
            if room(family, family.pools[place.pool_id], door=True) <= 0:
                raise Full(_("This place was released, and others sit there now."), _("Ask when the next one is free."))
            place.state, place.at_door = State.BOOKED, True
        if place.state != State.BOOKED:
            said = _("It says: %(state)s.") % {"state": place.get_state_display()}
            raise Conflict(_("This is no place that is booked."), said)
        place.came_at = place.came_at or family.now
        place.save(update_fields=["state", "at_door", "came_at", "changed_at"])
        return place


def unarrive(place_id: str) -> Place:
    """Undoes `arrive`: the guest has not come."""
    with _any(place_id, sweep=False) as (family, place):
        place.came_at = None
        place.save(update_fields=["came_at", "changed_at"])
        sweep_in(family)
        place.refresh_from_db()
        return place


def release_kept(guest: Guest) -> None:
    """No place is kept for this guest any more (they take no part, or are erased): it goes to whoever waits."""
    with transaction.atomic():
        for pool in Pool.objects.filter(id__in=invitations.release(guest)):
            sweep(pool)


def sweep(pool: Pool) -> int:
    """What time has ended ends now; how many offers went out. Nothing depends on it: every deed does it first."""
    with locking.locked(pool.id) as families:
        return sweep_in(families[pool.id])


def sweep_all() -> int:
    """The worker's duty: every pool in which time has ended something, or kept a place for somebody no longer while
    others wait; how many offers went out."""
    over = Place.objects.filter(state__in=(State.HELD, State.OFFERED), expires_at__lte=timezone.now())
    unseen = Place.objects.filter(state=State.BOOKED, came_at=None, pool__release_after__isnull=False)
    begun = unseen.filter(pool__starts_at__lte=timezone.now())
    lapsed = Invitation.objects.filter(used_at=None, keeps_until__lte=timezone.now())
    waited = lapsed.filter(pool__in=Place.objects.filter(state=State.WAITING).values("pool"))
    found = Pool.objects.filter(id__in=[*over.values_list("pool", flat=True), *begun.values_list("pool", flat=True),
                                        *waited.values_list("pool", flat=True)])  # fmt: skip
    return sum(sweep(pool) for pool in found)


def rank(place: Place) -> int:
    """How many wait in front, this one included."""
    before = Place.objects.filter(pool=place.pool_id, state=State.WAITING, created_at__lte=place.created_at)
    return before.exclude(created_at=place.created_at, id__gt=place.id).count()


def check_open(pool: Pool, now: datetime.datetime) -> None:
    """Raises Conflict unless the pool takes people at that time."""
    not_archived(pool.event)
    if not pool.listed:
        raise Conflict(_("Nobody can take one of these alone."), _("It comes with a place that needs it."))
    if pool.opens_at and now < pool.opens_at:
        since = times.words(pool.event, pool.opens_at)
        raise Conflict(_("Not open yet."), _("It opens on %(time)s.") % {"time": since})
    if (ends := closes(pool)) and ends <= now:
        raise Conflict(_("This is closed now."), _("Ask at the door: places may be kept or released there."))


def takes_people(pool: Pool, now: datetime.datetime) -> bool:
    """Whether somebody may take a place by themselves at that time, or join the waiting list."""
    ends = closes(pool)
    return not (pool.opens_at and now < pool.opens_at) and not (ends and ends <= now)


def closes(pool: Pool) -> datetime.datetime | None:
    """When nobody can take a place by themselves any more: said, or when it begins."""
    return pool.closes_at or pool.starts_at


# inside the lock


def room(family: Family, pool: Pool, door: bool = False) -> int:
    """How many more the public, or the door, may take."""
    found = counts.tallies(family.pools.values(), family.now)
    return counts.free(pool, family.pools, found, door)


def _mine(pool: Pool, guest: Guest, key: str) -> Place | None:
    """The live place that the guest has, or what this press has made already. Raises Conflict for another's key."""
    if guest.event_id != pool.event_id:
        raise BadRecipe(_("This belongs to another event."), "")
    found = list(Place.objects.filter(Q(key=key) | Q(guest=guest, state__in=Place.LIVE), pool=pool).order_by())
    if any(place.guest_id != guest.id for place in found):
        raise Conflict(_("This form was sent by somebody else."), _("Open the page anew."))
    mine = next((place for place in found if place.state in Place.LIVE), found[0] if found else None)
    if mine:
        mine.pool, mine.guest = pool, guest
    return mine


@contextmanager
def _any(place_id: str, sweep: bool = True) -> Iterator[tuple[Family, Place]]:
    """The place under its family's lock, after the sweep. Raises BadRecipe."""
    pool_id = Place.objects.filter(id=place_id).order_by().values_list("pool", flat=True).first() or ""
    with locking.locked(pool_id) as families:
        family = families[pool_id]
        if sweep:
            sweep_in(family)
        place = Place.objects.select_related("guest").get(id=place_id)
        if place.pool_id != pool_id:
            raise Conflict(_("This place was moved just now."), _("Look at it again."))
        place.pool = family.pools[pool_id]
        yield family, place


@contextmanager
def _own(place_id: str, guest: Guest) -> Iterator[tuple[Family, Place]]:
    with _any(place_id) as (family, place):
        if place.guest_id != guest.pk:
            raise BadRecipe(_("There is no place of yours by that name."), _("Open your private link."))
        yield family, place


def _book(place_id: str, guest: Guest, wanted: str, proven: bool) -> Place:
    with _own(place_id, guest) as (family, place):
        if place.state == State.BOOKED:
            return place
        if place.state == State.EXPIRED:
            _revive(family, place)
        elif place.state != wanted:
            raise Conflict(_("That cannot be done any more."), _("Look at what is yours now."))
        proof.settle(place, proven)
        place.state, place.expires_at = State.BOOKED, None
        place.save(update_fields=["state", "expires_at", "mailbox", "changed_at"])
        letters.booked(place)
        return place


def _revive(family: Family, place: Place) -> None:
    """Somebody who was too slow, while nobody else wanted the place. Raises Expired, Conflict."""
    pool = family.pools[place.pool_id]
    check_open(pool, family.now)
    again = Place.objects.filter(pool=pool, guest=place.guest_id, state__in=Place.LIVE).exists()
    if again or room(family, pool) <= 0:
        raise Expired(_("Your time for this place ran out."), _("Take one anew: if all are taken, you can wait."))


def _end(family: Family, place: Place, state: str) -> None:
    place.state, place.expires_at = state, None
    place.save(update_fields=["state", "expires_at", "changed_at"])
    sweep_in(family)


def sweep_in(family: Family) -> int:
    """Inside the lock: what has ended ends, what is free is offered to those who waited longest; how many offers."""
    found = counts.tallies(family.pools.values(), family.now)
    if any(tally.over for tally in found.values()):
        _end_over(family)
    offers = 0
    while any(tally.waiting for tally in found.values()) and (place := _next(family, found)):
        _offer(family, place)
        offers += 1
        found = counts.tallies(family.pools.values(), family.now)
    return offers


def _end_over(family: Family) -> None:
    there, now = Place.objects.filter(pool__in=list(family.pools)), timezone.now()
    ended = there.filter(state__in=(State.HELD, State.OFFERED), expires_at__lte=family.now)
    ended.update(state=State.EXPIRED, changed_at=now)
    late = [pool.id for pool in family.pools.values() if (at := counts.released_at(pool)) and at <= family.now]
    there.filter(pool__in=late, state=State.BOOKED, came_at=None).update(state=State.NO_SHOW, changed_at=now)


def _next(family: Family, found: Mapping[str, counts.Tally]) -> Place | None:
    """Who has waited longest, of those for whom there is a place now."""
    pools = [
        pool.id
        for pool in family.pools.values()
        if found[pool.id].waiting
        and counts.may_offer(pool, family.now)
        and counts.free(pool, family.pools, found) > 0
    ]
    if not pools:
        return None
    waiting = Place.objects.filter(pool__in=pools, state=State.WAITING).order_by("created_at", "id")
    return waiting.select_related("guest").first()


def _offer(family: Family, place: Place) -> None:
    pool = family.pools[place.pool_id]
    stands = datetime.timedelta(hours=pool.offer_hours)
    if pool.starts_at:  # the nearer the start, the less time to think: the next should have some, too
        stands = min(stands, (pool.starts_at - family.now) / 2)
    place.pool, place.state, place.expires_at = pool, State.OFFERED, family.now + stands
    place.save(update_fields=["state", "expires_at", "changed_at"])
    letters.offered(place)
