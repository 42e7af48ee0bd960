"""Who may take a place before everybody else: invited guests, and whoever holds a code."""

import secrets

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Conflict, Forbidden
from salon.core.hashing import bytes_hash
from salon.web.events import times
from salon.web.people.models import Guest
from salon.web.seats.domain import letters
from salon.web.seats.domain.locking import Family
from salon.web.seats.models import Invitation, Pool

#: no letters that are taken for others; 12 of them are 59 bits
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXY"
LENGTH = 12


def new_code() -> str:
    """Three groups of four, to be read out or typed."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(signs[start : start + 4] for start in range(0, LENGTH, 4))


def hash_of(code: str) -> str:
    """Of a code however it was typed."""
    return bytes_hash("".join(code.upper().replace("-", " ").split())[:64].encode())


def invite(pool: Pool, guest: Guest, reason: str = Invitation.Reason.OTHER) -> Invitation:
    """The guest may take a place first; a letter tells them, with a code that makes any browser theirs. Inviting
    somebody again, by another row with the same address too, changes nothing."""
    with transaction.atomic():
        Pool.objects.select_for_update(no_key=True).get(id=pool.id)
        same = Q(guest=guest) | (Q(guest__email__iexact=guest.email) if guest.email else Q())
        if found := Invitation.objects.filter(same, pool=pool).first():
            return found
        code = new_code()
        made = Invitation.objects.create(pool=pool, guest=guest, reason=reason, code_hash=hash_of(code))
        letters.invited(pool, guest, code)
        return made


def make_code(pool: Pool, reason: str = Invitation.Reason.OTHER) -> str:
    """A code for one person whom nobody knows yet; told once."""
    code = new_code()
    Invitation.objects.create(pool=pool, reason=reason, code_hash=hash_of(code))
    return code


def of_code(pool: Pool, code: str) -> Invitation | None:
    """The pool's invitation with this code."""
    found = Invitation.objects.filter(pool=pool, code_hash=hash_of(code)).select_related("guest")
    return found.first() if code else None


def check(family: Family, pool: Pool, guest: Guest, code: str) -> None:
    """Inside the lock: while a pool is open to invited guests only, this guest must be one; a code that is nobody's yet
    becomes theirs. Raises Forbidden, Conflict."""
    if pool.invited_until is None or pool.invited_until <= family.now:
        return
    mine = Invitation.objects.filter(pool=pool, guest=guest).first()
    if mine is None:
        mine = of_code(pool, code)
        if mine is None:
            since = times.words(pool.event, pool.invited_until)
            raise Forbidden(
                _("Until %(time)s these places are for invited guests.") % {"time": since},
                _("Type your code, or come back then.") if not code else _("This code is not known: look at it again."),
            )
        if mine.guest_id and mine.guest_id != guest.id:
            raise Conflict(_("This code has been used."), _("Each is for one person; ask the organisers for another."))
        mine.guest = guest
    if mine.used_at is None:
        mine.used_at = timezone.now()
    mine.save(update_fields=["guest", "used_at"])
