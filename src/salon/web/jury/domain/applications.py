"""Which applications the jury looks at."""

from django.db.models import QuerySet

from salon.web.call.models import Submission
from salon.web.events.models import Event

State = Submission.State
#: those that were sent in and not taken back, decided or not
IN = (State.SUBMITTED, State.ACCEPTED, State.CONFIRMED, State.REJECTED, State.CANCELLED)


def to_judge(event: Event) -> QuerySet[Submission]:
    """Those that wait for a decision. What is marked to be rejected is out: a second round goes on without it."""
    return Submission.objects.filter(event=event, state=State.SUBMITTED).exclude(pending=State.REJECTED).order_by("pk")


def judged(event: Event) -> QuerySet[Submission]:
    """Those that a ranking may name."""
    return Submission.objects.filter(event=event, state__in=IN).select_related("guest").order_by("pk")
