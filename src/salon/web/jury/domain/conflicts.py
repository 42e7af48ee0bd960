"""Conflicts of interest: whoever has one neither sees nor judges the application; what they said does not count."""

from django.db import transaction
from django.utils.translation import gettext as _

from salon.core.errors import Conflict as Clash
from salon.core.text import tidy
from salon.web.call.models import Submission
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.jury.domain import reviewing
from salon.web.jury.models import Assignment, Conflict, Juror, Review
from salon.web.people.models import User

MOST_REASON = 300


def declare_own(user: User, assignment_id: str, reason: str) -> Conflict:
    """By the juror, on the application's page. Raises Forbidden, Conflict as the page itself."""
    with transaction.atomic():
        event = lock_current_event()
        found = reviewing.asked(user, assignment_id)
        return _declare(event, found.submission_id, found.juror, user, reason)


def declare(person: User, submission_id: str, juror_id: int, reason: str = "") -> Conflict:
    """By an organiser. Raises Conflict if there is no such application or juror."""
    with transaction.atomic():
        event = lock_current_event()
        juror = Juror.objects.filter(pk=juror_id, event=event).first()
        if juror is None or not Submission.objects.filter(pk=submission_id, event=event).exists():
            raise Clash(_("There is no such application, or no such juror."), _("Look at the page again."))
        return _declare(event, submission_id, juror, person, reason)


def _declare(event: Event, submission_id: str, juror: Juror, said_by: User, reason: str) -> Conflict:
    clean = tidy(reason)[:MOST_REASON]
    made, new = Conflict.objects.get_or_create(
        submission_id=submission_id, juror=juror, defaults={"said_by": said_by, "reason": clean}
    )
    judged = Review.objects.filter(submission_id=submission_id, juror=juror).values("phase")
    Assignment.objects.filter(submission_id=submission_id, juror=juror).exclude(phase__in=judged).delete()
    if new:
        note(event, "conflict declared", submission_id, person=said_by, text=str(juror))
    return made


def lift(person: User, conflict_id: int) -> None:
    """It was an error; what was said before counts again. Twice is once."""
    with transaction.atomic():
        event = lock_current_event()
        found = Conflict.objects.filter(pk=conflict_id, juror__event=event).select_related("juror").first()
        if found:
            note(event, "conflict lifted", found.submission_id, person=person, text=str(found.juror))
            found.delete()
