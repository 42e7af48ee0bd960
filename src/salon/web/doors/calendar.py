"""A place as a calendar's entry (RFC 5545)."""

import datetime

from icalendar import Calendar, Event
from icalendar.prop import vText

from salon.web.events import times
from salon.web.seats.models import Place

#: of what has no end of its own
LENGTH = datetime.timedelta(hours=1)


def entry(place: Place, address: str) -> bytes:
    """One entry; `address` is the ticket's page. What has no time of its own is a day of the event's, or all of them.
    The same place is the same entry: added twice it is there once."""
    event, pool = Event(), place.pool
    event.add("uid", f"place-{place.id}@salon")
    event.add("dtstamp", place.changed_at.astimezone(datetime.UTC))
    event.add("sequence", place.serial)
    event.add("summary", f"{pool.name} ({pool.event.name})")
    event.add("url", address)
    event["location"] = vText(_where(place))
    event.add("description", " ".join(filter(None, (pool.room.access if pool.room else "", address))))
    _when(event, place)
    calendar = Calendar()
    calendar.add("prodid", "-//Latent Salon//Tickets//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return calendar.to_ical()


def _where(place: Place) -> str:
    event, room = place.pool.event, place.pool.room
    return ", ".join(filter(None, (room.name if room else "", event.place, *event.address.splitlines())))


def _when(entry: Event, place: Place) -> None:
    pool, event = place.pool, place.pool.event
    if pool.starts_at:
        ends = pool.ends_at or pool.starts_at + LENGTH
        entry.add("dtstart", pool.starts_at.astimezone(datetime.UTC))
        entry.add("dtend", ends.astimezone(datetime.UTC))
        return
    first = event.starts_on or times.today(event)
    entry.add("dtstart", first)
    entry.add("dtend", (event.ends_on or first) + datetime.timedelta(days=1))
