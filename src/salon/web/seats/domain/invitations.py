"""Who may take a place before everybody else: invited guests, and whoever holds a code. A place is kept for each, for a
while: it counts as taken for everybody else, and lapses by itself."""

import datetime
import secrets
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Conflict, Forbidden
from salon.core.hashing import bytes_hash
from salon.web.events import times
from salon.web.people.models import Guest
from salon.web.seats.domain import counts, letters, locking
from salon.web.seats.domain.locking import Family
from salon.web.seats.models import Invitation, Place, Pool

#: no letters that are taken for others; 12 of them are 59 bits
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXY"
LENGTH = 12
#: how long a place is kept where the pool does not say until when it is open to invited guests only
KEPT = datetime.timedelta(days=7)


def new_code() -> str:
    """Three groups of four, to be read out or typed."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(signs[start : start + 4] for start in range(0, LENGTH, 4))


def hash_of(code: str) -> str:
    """Of a code however it was typed."""
    return bytes_hash("".join(code.upper().replace("-", " ").split())[:64].encode())


def invite(pool: Pool, guest: Guest, reason: str = Invitation.Reason.OTHER) -> Invitation:
    """The guest may take a place first, and one is kept for them while there is one; a letter tells them, with a code
    that makes any browser theirs. Inviting somebody again, by another row with the same address too, changes
    nothing."""
    with transaction.atomic():
        family = locking.hold([pool.id])[pool.id]
        same = Q(guest=guest) | (Q(guest__email__iexact=guest.email) if guest.email else Q())
        if found := Invitation.objects.filter(same, pool=pool).first():
            return found
        code = new_code()
        there = Place.objects.filter(pool=pool, guest=guest, state__in=Place.LIVE).exists()
        keeps = None if there else _keeps_until(family, pool)
        made = Invitation.objects.create(
            pool=pool, guest=guest, reason=reason, code_hash=hash_of(code), keeps_until=keeps,
            used_at=family.now if there else None,
        )  # fmt: skip
        letters.invited(family.pools[pool.id], guest, code, keeps)
        return made


def make_code(pool: Pool, reason: str = Invitation.Reason.OTHER) -> str:
    """A code for one person whom nobody knows yet, and a place kept for them while there is one; told once."""
    with transaction.atomic():
        family, code = locking.hold([pool.id])[pool.id], new_code()
        keeps = _keeps_until(family, pool)
        Invitation.objects.create(pool=pool, reason=reason, code_hash=hash_of(code), keeps_until=keeps)
        return code


def _keeps_until(family: Family, pool: Pool) -> datetime.datetime | None:
    """Inside the lock: until when a place is kept for somebody who is invited now; None where none is left."""
    pool = family.pools[pool.id]
    if counts.of(pool).left <= 0:
        return None
    first = pool.invited_until if pool.invited_until and pool.invited_until > family.now else family.now + KEPT
    ends = min(at for at in (first, pool.closes_at, pool.starts_at) if at)
    return ends if ends > family.now else None


def release(guest: Guest) -> list[str]:
    """Inside a transaction: no place is kept for this guest any more (they take no part, or are erased); the pools that
    have one more."""
    kept = Invitation.objects.filter(guest=guest, used_at=None, keeps_until__gt=timezone.now())
    pools = list(kept.values_list("pool", flat=True))
    locking.hold(pools)
    kept.update(keeps_until=None)
    return pools


class Standing(NamedTuple):
    """An invitation as its page tells it. `until`: it keeps a place till then, which may be over (None: it kept none);
    `guest` is None for a code that is nobody's yet; `code` is empty where the browser is known instead."""

    guest: Guest | None
    until: datetime.datetime | None
    code: str


def standing(pool: Pool, guest: Guest | None, code: str) -> Standing | None:
    """The invitation that whoever opens this page has not used yet: by the code that they bring, or as the guest whom
    the browser remembers. An erased guest's is nobody's."""
    found = of_code(pool, code) or (Invitation.objects.filter(pool=pool, guest=guest).first() if guest else None)
    if found is None or found.used_at or (found.guest and found.guest.erased_at):
        return None
    return Standing(found.guest, found.keeps_until, code if found.code_hash == hash_of(code) else "")


def of_code(pool: Pool, code: str) -> Invitation | None:
    """The pool's invitation with this code."""
    found = Invitation.objects.filter(pool=pool, code_hash=hash_of(code)).select_related("guest")
    return found.first() if code else None


def named_by(pool: Pool, code: str) -> Guest | None:
    """The guest whom a code names that was not used yet; None for a code that is nobody's. Raises Conflict for a used
    one: its guest has a place's link and their own, and whoever finds the letter later gets neither."""
    found = of_code(pool, code)
    if found and found.used_at:
        raise _used()
    return found.guest if found else None


def _used() -> Conflict:
    return Conflict(_("This code has been used."), _("Each is for one person; ask the organisers for another."))


def check(family: Family, pool: Pool, guest: Guest, code: str) -> Invitation | None:
    """Inside the lock: the invitation by which this guest takes a place for the first time, used from now on; a code
    that is nobody's yet becomes theirs. None where they have none, or had theirs already. Raises Forbidden (while a
    pool is open to invited guests only), Conflict (another's code)."""
    mine = Invitation.objects.filter(pool=pool, guest=guest).first() or of_code(pool, code)
    if mine is None:
        if pool.invited_until is None or pool.invited_until <= family.now:
            return None
        since = times.words(pool.event, pool.invited_until)
        raise Forbidden(
            _("Until %(time)s these places are for invited guests.") % {"time": since},
            _("Type your code, or come back then.") if not code else _("This code is not known: look at it again."),
        )
    if mine.guest_id and mine.guest_id != guest.id:
        raise _used()
    if mine.used_at:
        return None
    mine.guest, mine.used_at = guest, timezone.now()
    mine.save(update_fields=["guest", "used_at"])
    return mine
