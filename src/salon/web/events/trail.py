"""The audit trail: who did what to what, when. Written in the transaction of the deed itself.

`subject` is the id of what was acted on. What a person from outside has written themselves (a name, a reason of theirs)
may stand in `text` only where `subject` is that person's own: so erasing them finds it by reference, and touches no
line about anybody else (people/personal.py).
"""

import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from salon.web.events.models import Entry, Event

#: within which the same is one line
SAME = datetime.timedelta(hours=1)


def note(event: Event, deed: str, subject: str, **more: Any) -> Entry:
    """One line of the trail. `more`: `person` (a User), or `visitor` (a ticket's key), `text`."""
    return Entry.objects.create(event=event, deed=deed, subject=subject, **more)


def again(event: Event, deed: str, subject: str, visitor: str = "", text: str = "") -> Entry:
    """The same for somebody from outside, who may do it to the same thing over and over: within an hour that is one
    line, with how often and when last. So nobody can push the trail full."""
    lately = Entry.objects.filter(event=event, deed=deed, subject=subject, visitor=visitor, person=None)
    found = lately.filter(at__gt=timezone.now() - SAME).first()
    if found is None:
        return note(event, deed, subject, visitor=visitor, text=text)
    Entry.objects.filter(id=found.id).update(times=F("times") + 1, at=timezone.now(), text=text)
    found.refresh_from_db()
    return found
