"""Counting what may not be tried, or had, for ever: wrong passwords, codes, PINs; letters asked for, tickets, reports.
By what was tried and by where from (sources.py); what is limited for all together has other ways left.

A try is a row before it is judged, so that tries at the same moment count too. Neither names nor addresses are kept."""

import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from salon.core.errors import Busy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Try

KEPT = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)


class TooManyTries(Busy):
    """That was tried too often."""

    code = "too_many_tries"


class Limit(NamedTuple):
    """At most so many within a while: of the same subject, of the same source, of both; of neither: in all."""

    most: int
    within: datetime.timedelta
    subject: bool = False
    source: bool = False


def begin(kind: str, subject: str, source: str, limits: tuple[Limit, ...]) -> Try | None:
    """Counts a try; None, and nothing is counted, if one of the limits was reached."""
    with transaction.atomic():
        lock_current_event(even_archived=True)
        return add(kind, subject, source) if has_room(kind, subject, source, limits) else None


def once_more(kind: str, source: str, within: datetime.timedelta, most_a_source: int, most: int) -> Try:
    """Counts one from a source. Raises TooManyTries if there were too many within a while, from there or altogether."""
    tried = begin(kind, "", source, (Limit(most_a_source, within, source=True), Limit(most, within)))
    if tried is None:
        minutes = int(within.total_seconds() // 60)
        raise TooManyTries(
            _("That was tried too often."), _("Try again in %(minutes)d minutes.") % {"minutes": minutes}
        )
    return tried


def has_room(kind: str, subject: str, source: str, limits: tuple[Limit, ...]) -> bool:
    """Whether one more fits; true while the event is locked."""
    return not any(_reached(limit, kind, subject, source) for limit in limits)


def add(kind: str, subject: str = "", source: str = "") -> Try:
    """One more, under the event's lock; what is older than a day is forgotten."""
    Try.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return Try.objects.create(kind=kind, subject=subject, source=source)


def _reached(limit: Limit, kind: str, subject: str, source: str) -> bool:
    same = ({"subject": subject} if limit.subject else {}) | ({"source": source} if limit.source else {})
    since = timezone.now() - limit.within
    return Try.objects.filter(kind=kind, at__gt=since, **same).count() >= limit.most


def forgive(tried: Try) -> None:
    """It was right: it and the wrong ones before it, of this subject from this source, count no longer."""
    Try.objects.filter(kind=tried.kind, subject=tried.subject, source=tried.source).delete()


def hashed(text: str) -> str:
    """What is kept of a name or an address."""
    return salted_hmac("salon.tries", text, algorithm="sha256").hexdigest()
