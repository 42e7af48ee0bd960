"""Counting what may not be tried for ever: by what was tried, by where from, never one count that shuts out everybody.

A try is a row before it is judged, so that tries at the same moment count too. Neither names nor addresses are kept."""

import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from salon.core.errors import Busy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Try

KEPT = datetime.timedelta(days=1)


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
    now = timezone.now()
    with transaction.atomic():
        lock_current_event(even_archived=True)
        Try.objects.filter(at__lt=now - KEPT).delete()
        if any(_reached(limit, kind, subject, source, now) for limit in limits):
            return None
        return Try.objects.create(kind=kind, subject=subject, source=source)


def _reached(limit: Limit, kind: str, subject: str, source: str, now: datetime.datetime) -> bool:
    same = ({"subject": subject} if limit.subject else {}) | ({"source": source} if limit.source else {})
    return Try.objects.filter(kind=kind, at__gt=now - limit.within, **same).count() >= limit.most


def forgive(tried: Try) -> None:
    """It was right: it and the wrong ones before it, of this subject from this source, count no longer."""
    Try.objects.filter(kind=tried.kind, subject=tried.subject, source=tried.source).delete()


def hashed(text: str) -> str:
    """What is kept of a name or an address."""
    return salted_hmac("salon.tries", text, algorithm="sha256").hexdigest()
