"""How long what lets people in lasts: through the event's days."""

import datetime

from django.utils import timezone

from salon.web.events.models import Event
from salon.web.events.times import zone


def until(event: Event, least: datetime.timedelta, most: datetime.timedelta) -> datetime.datetime:
    """Noon after the event's last day, by its clock: the walls have been taken down. At least `least` and at most
    `most` from now; `least` where no days are known, or they are over."""
    now = timezone.now()
    last = event.ends_on or event.starts_on
    if last is None:
        return now + least
    day = min(last, (now + most).date()) + datetime.timedelta(days=1)
    end = datetime.datetime.combine(day, datetime.time(12), zone(event))
    return min(max(end.astimezone(datetime.UTC), now + least), now + most)
