"""Passwords, slowly: after a few wrong ones a name's door stays shut for a while. One-time links still open it.

A try is a line of the trail before the password is looked at, so that tries at the same moment count too.
"""

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Busy
from salon.core.hashing import bytes_hash
from salon.engine.recipes import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Entry
from salon.web.events.trail import note
from salon.web.people.models import User

DEED = "wrong password"
PAUSE = datetime.timedelta(minutes=15)
#: wrong passwords within PAUSE: for one name, and for all together (each costs a third of a second of hashing)
MOST_A_NAME, MOST = 8, 80


class TooManyTries(Busy):
    """Too many wrong passwords."""

    code = "too_many_tries"


def begin(name: str) -> Entry:
    """Counts a try for this name. Raises TooManyTries."""
    subject = bytes_hash(name.strip().casefold().encode())[:32]
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        tries = Entry.objects.filter(event=event, deed=DEED, at__gt=timezone.now() - PAUSE)
        if tries.filter(subject=subject).count() >= MOST_A_NAME or tries.count() >= MOST:
            raise TooManyTries(
                _("Too many wrong passwords: this door stays shut for a quarter of an hour."),
                _("A one-time link opens at once: salon backstage."),
            )
        # a name that is nobody's may be a password in the wrong field: it is not written down
        known = User.objects.filter(username__iexact=tidy(name)).first()
        return note(event, DEED, subject, text=known.username[:60] if known else "")


def succeed(person: User, tried: Entry) -> None:
    """The password was right: the try is no wrong one, and earlier ones of this name are forgiven."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        tried.delete()
        Entry.objects.filter(event=event, deed=DEED, subject=tried.subject).update(subject="")
        note(event, "came in", "", person=person)
