"""The audit trail: who did what to what, when. Written in the transaction of the deed itself."""

from typing import Any

from salon.web.events.models import Entry, Event


def note(event: Event, deed: str, subject: str, **more: Any) -> Entry:
    """One line of the trail. `more`: `person` (a User), or `visitor` (a ticket's key), `text`."""
    return Entry.objects.create(event=event, deed=deed, subject=subject, **more)
