"""Rules of events."""

from salon.web.events.models import Event


def current_event() -> Event:
    """The event that bare routes mean; made at the first migration."""
    return Event.objects.get(current=True)


def lock_current_event() -> Event:
    """The current event, its row locked until the transaction ends (on SQLite the transaction itself is the
    lock): rules that count rows of an event are true only while this is held."""
    return Event.objects.select_for_update().get(current=True)
