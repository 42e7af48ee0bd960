"""What is told to the screens when something hangs or comes down."""

import msgspec

from salon.web.events.models import Event
from salon.web.gallery.domain.showing import shown
from salon.web.gallery.models import Work
from salon.web.line import Say


def topic(event_id: int) -> str:
    """The topic of an event's walls."""
    return f"wall-{event_id}"


def changed(work: Work) -> Say:
    """`hung` with all that a label needs, or `gone`."""
    if work.hangs:
        return Say(topic(work.event_id), "hung", msgspec.json.encode(shown(work)))
    return Say(topic(work.event_id), "gone", msgspec.json.encode({"id": work.id}))


def lights(event: Event) -> Say:
    """The walls went dark, or light again: they ask what to show."""
    return Say(topic(event.id), "lights", b"{}")


def removed(event: Event, image_id: str) -> Say:
    """An image that the house took off every screen, booths included."""
    return Say(topic(event.id), "removed", msgspec.json.encode({"image": image_id}))


def gone(event: Event, work_id: str) -> Say:
    """A work that was erased."""
    return Say(topic(event.id), "gone", msgspec.json.encode({"id": work_id}))
