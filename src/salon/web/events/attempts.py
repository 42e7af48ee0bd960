"""What is counted for a while: wrong codes, forms without proof of work, tickets, reports, letters to strangers.
Sources (sources.py) are kept hashed, for a day."""

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Busy
from salon.web.events.domain import lock_event
from salon.web.events.models import Attempt, Event

KEPT = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)


class TooManyTries(Busy):
    """Too much of it within a while."""

    code = "too_many_tries"


def begin(event: Event, kind: str, source: str, pause: datetime.timedelta, most_a_source: int, most: int) -> Attempt:
    """Counts one. Raises TooManyTries if there were too many within `pause`, from this source or altogether."""
    with transaction.atomic():
        lock_event(event.id)
        if not has_room(event, kind, source, pause, most_a_source, most):
            minutes = int(pause.total_seconds() // 60)
            raise TooManyTries(
                _("That was tried too often."), _("Try again in %(minutes)d minutes.") % {"minutes": minutes}
            )
        return count(event, kind, source)


def has_room(event: Event, kind: str, source: str, pause: datetime.timedelta, most_a_source: int, most: int) -> bool:
    """Whether one more fits; true while the event is locked. Fewer than `most` within `pause` in all, and fewer than
    `most_a_source` from there."""
    lately = Attempt.objects.filter(event=event, kind=kind, at__gt=timezone.now() - pause)
    return lately.filter(source=source).count() < most_a_source and lately.count() < most


def count(event: Event, kind: str, source: str) -> Attempt:
    """One more of it, under the event's lock; what is older than a day is forgotten."""
    Attempt.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return Attempt.objects.create(event=event, kind=kind, source=source)
