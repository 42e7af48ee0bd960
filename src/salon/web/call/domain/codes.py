"""Codes that let an application come after the deadline. Only their hashes are kept. Wrong ones are counted, for one
source and for all together: past that they are not looked at, while a right one (of 59 random bits) is good whatever
others have tried."""

import datetime

from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Forbidden
from salon.core.text import tidy
from salon.web.call.models import AccessCode, Call
from salon.web.events import tries
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.people.models import User
from salon.web.seats.domain.invitations import hash_of, new_code

WRONG = "wrong code"
#: wrong codes in a quarter of an hour: from one source (a venue shares one), and for all together
PAUSE = datetime.timedelta(minutes=15)
MOST_A_SOURCE, MOST = 10, 200
MOST_USES = 200
_SALT = "salon.call.code"
#: seconds between accepting a code and using it
TICKET_LIFE = 60 * 60 * 12


def make(person: User, call: Call, name: str, uses: int, until: datetime.datetime) -> str:
    """A new code, told once. Raises BadRecipe."""
    clean = tidy(name)[:100]
    if not clean or not 1 <= uses <= MOST_USES or until <= timezone.now():
        raise BadRecipe(
            _("A code needs a name, a number of uses and a time that is still to come."),
            _("At most %(most)d uses.") % {"most": MOST_USES},
        )
    code = new_code()
    with transaction.atomic():
        event = lock_current_event()
        AccessCode.objects.create(call=call, code_hash=hash_of(code), name=clean, uses_left=uses, until=until)
        note(event, "code made", "", person=person, text=f"{clean}: {uses}")
    return code


def revoke(person: User, code_id: int) -> None:
    """It opens nothing any more; applications that came by it may still be sent until its end was reached now."""
    with transaction.atomic():
        event = lock_current_event()
        code = AccessCode.objects.filter(id=code_id, call__event=event).first()
        if code:
            code.uses_left, code.until = 0, min(code.until, timezone.now())
            code.save(update_fields=["uses_left", "until"])
            note(event, "code revoked", "", person=person, text=code.name)


def accept(event: Event, typed: str, source: str) -> str:
    """The ticket for a code that is good: what forms carry along. Raises Forbidden for a wrong one, and
    tries.TooManyTries for the next after many."""
    code = AccessCode.objects.filter(call__event=event, code_hash=hash_of(typed)).first()
    if code is None or not _good(code):
        tries.once_more(WRONG, source, PAUSE, MOST_A_SOURCE, MOST)
        raise _wrong()
    return signing.dumps(code.id, salt=_SALT)


def _good(code: AccessCode) -> bool:
    return code.uses_left > 0 and code.until > timezone.now()


def _wrong() -> Forbidden:
    message = _("This code is not known, used up, or its time is over.")
    return Forbidden(message, _("Look at it again, or ask the organisers for another."))


def of_ticket(event: Event, ticket: str, lock: bool = False) -> AccessCode:
    """The code that a ticket stands for, used up or not. Raises Forbidden."""
    rows = AccessCode.objects.select_for_update() if lock else AccessCode.objects
    try:
        found = rows.filter(id=signing.loads(ticket, salt=_SALT, max_age=TICKET_LIFE), call__event=event).first()
    except signing.BadSignature:
        found = None
    if found is None or found.until <= timezone.now():
        raise _wrong()
    return found


def use(code: AccessCode) -> None:
    """Inside the lock: one use less. Raises Forbidden."""
    if not _good(code):
        raise _wrong()
    code.uses_left -= 1
    code.save(update_fields=["uses_left"])
