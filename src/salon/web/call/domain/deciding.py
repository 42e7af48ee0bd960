"""The house's decisions: set one by one, told to nobody, and applied together."""

from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.web.call.domain import hanging, letters, states
from salon.web.call.models import Submission
from salon.web.events.domain import lock_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.gallery.models import Work
from salon.web.people.models import User
from salon.web.seats.domain import invitations, locking
from salon.web.seats.models import Invitation, Pool


class Applied(NamedTuple):
    """How many decisions were applied, by state; applications whose state no longer fitted; works that came down, for
    the walls."""

    counts: dict[str, int]
    overtaken: list[Submission]
    down: list[Work]


def set_pending(person: User, submission_id: str, decision: str) -> Submission:
    """Notes a decision ("" takes it back). The artist sees nothing of it. Raises BadRecipe, Conflict."""
    if decision and decision not in states.PENDING:
        raise BadRecipe(_("This is no decision."), "")
    with transaction.atomic():
        found = Submission.objects.select_related("event").filter(id=submission_id, event__current=True).first()
        if found is None:
            raise Conflict(_("This application is gone."), "")
        event = lock_event(found.event_id)
        submission = Submission.objects.select_for_update().get(id=found.id)
        if decision and not states.may(submission.state, decision):
            raise Conflict(
                _("This application is %(state)s by now.") % {"state": submission.get_state_display()},
                _("Something changed meanwhile; look at it again."),
            )
        if submission.pending != decision:
            submission.pending = decision
            submission.save(update_fields=["pending"])
            note(event, "decision noted", submission.id, person=person, text=decision)
        return submission


def apply_pending(event: Event, person: User) -> Applied:
    """Applies every decision that is noted, all or none: states, letters (they wait in the outbox), invitations of
    accepted artists to the meet & greet, the trail. Twice is once. Raises Conflict for an archived event."""
    with transaction.atomic():
        event = lock_event(event.id)
        rows = Submission.objects.select_for_update(of=("self",)).filter(event=event).exclude(pending="")
        pools = list(Pool.objects.filter(event=event, kind=Pool.Kind.MEETING))
        locking.hold(pool.id for pool in pools)  # all at once: invitations keep places, one pool after the other
        applied = Applied({}, [], [])
        for submission in rows.select_related("guest", "work", "event").order_by("id"):
            _apply(submission, person, pools, applied)
        if applied.counts:
            text = ", ".join(f"{state}: {count}" for state, count in applied.counts.items())
            note(event, "decisions applied", "", person=person, text=text)
        return applied


def _apply(submission: Submission, person: User, pools: list[Pool], applied: Applied) -> None:
    decision, submission.pending = submission.pending, ""
    if not states.may(submission.state, decision):  # withdrawn meanwhile, for instance
        submission.save(update_fields=["pending"])
        applied.overtaken.append(submission)
        return
    states.do(submission, decision)
    submission.decided_at = timezone.now()
    submission.save(update_fields=["state", "pending", "decided_at", "changed_at"])
    note(submission.event, decision, submission.id, person=person)
    letters.tell(f"call-{decision}", submission)
    if decision == Submission.State.ACCEPTED:
        for pool in pools:
            invitations.invite(pool, submission.guest, Invitation.Reason.ARTIST)
    else:
        hanging.release_place(submission.guest)
    if decision == Submission.State.CANCELLED and (work := hanging.take_back(submission)):
        applied.down.append(work)
    applied.counts[decision] = applied.counts.get(decision, 0) + 1
