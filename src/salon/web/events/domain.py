"""Rules of events: which one is meant, and that an archived one changes no more."""

from django.utils.translation import gettext as _

from salon.core.errors import Conflict
from salon.web.events.models import Event


def current_event() -> Event:
    """The event that bare routes mean; made at the first migration."""
    return Event.objects.get(current=True)


def not_archived(event: Event) -> Event:
    """The event itself. Raises Conflict if it is archived: its pages stay to be read, its rows as they are."""
    if event.archived_at:
        raise Conflict(
            _("“%(event)s” is over and archived: nothing of it is changed any more.") % {"event": event.name},
            _("It stays to be seen. An organiser can take it out of the archive."),
        )
    return event


def lock_current_event(even_archived: bool = False) -> Event:
    """The current event, its row locked until the transaction ends (on SQLite the transaction itself is the
    lock): rules that count rows of an event are true only while this is held. `even_archived` is for what must go on
    in an archived event: coming in, the lights, and letting go of what a visitor wants forgotten. Raises Conflict."""
    event = locked_current()
    return event if even_archived else not_archived(event)


def locked_current() -> Event:
    """The row of the current event. Whoever waited for it (PostgreSQL) while another became current finds that the one
    they waited for no longer is, and looks again."""
    for _turn in range(5):
        if found := Event.objects.select_for_update().filter(current=True).first():
            return found
    return Event.objects.select_for_update().get(current=True)


def lock_event(event_id: int, even_archived: bool = False) -> Event:
    """The same for an event that need not be the current one."""
    event = Event.objects.select_for_update().get(id=event_id)
    return event if even_archived else not_archived(event)
