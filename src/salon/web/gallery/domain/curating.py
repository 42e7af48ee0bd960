"""A curator's side: approve, reject, take down, undo. Each deed checks the state it finds: of two curators who decide
at once the second is told what the first did."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Conflict
from salon.engine.recipes import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.gallery.models import Work
from salon.web.people.models import User

State = Work.State
#: deed -> (states it starts from, state it leads to)
DEEDS: dict[str, tuple[tuple[str, ...], str]] = {
    "approved": ((State.WAITING,), State.HUNG),
    "rejected": ((State.WAITING,), State.REJECTED),
    "pulled": ((State.HUNG,), State.PULLED),
    "reopened": ((State.REJECTED, State.PULLED, State.HUNG), State.WAITING),
}
MOST_REASON = 300


def decide(person: User, work_id: str, deed: str, reason: str = "") -> Work:
    """Do `deed` to the work. Raises Conflict, naming its present state, if it is not (any more) to be done."""
    starts, leads_to = DEEDS[deed]
    with transaction.atomic():
        event = lock_current_event()
        work = Work.objects.select_for_update().filter(id=work_id, event=event).first()
        if work is None:
            raise Conflict(_("This work is gone: its maker withdrew everything."), _("Nothing is left to decide."))
        if work.state not in starts:
            said = _("“%(title)s” %(state)s by now.") % {"title": work.title, "state": work.get_state_display()}
            raise Conflict(said, _("Somebody was quicker; look at the list again."))
        if leads_to in Work.ALIVE and _proposed_again(work):
            raise Conflict(
                _("Its maker has proposed “%(title)s” anew since.") % {"title": work.title},
                _("Decide on the new proposal."),
            )
        work.state, work.reason = leads_to, tidy(reason)[:MOST_REASON]
        if leads_to == State.HUNG:
            work.hung_at = timezone.now()
        work.save(update_fields=["state", "reason", "hung_at"])
        note(event, deed, work.id, person=person, text=work.reason)
        return work


def _proposed_again(work: Work) -> bool:
    """Whether the same visitor has another live work of the same image."""
    others = Work.objects.filter(visitor=work.visitor, image_id=work.image_id, state__in=Work.ALIVE)
    return others.exclude(id=work.id).exists()


def undo(person: User, work_id: str) -> Work:
    """Back among the waiting, whatever was decided."""
    return decide(person, work_id, "reopened")


def inbox(event: Event, most: int = 60) -> list[Work]:
    """What waits, oldest first."""
    waiting = Work.objects.filter(event=event, state=State.WAITING)
    return list(waiting.select_related("image").order_by("created_at", "id")[:most])


def decided(event: Event, most: int = 20) -> list[Work]:
    """What was decided or pulled last, newest first, for undoing."""
    done = Work.objects.filter(event=event, state__in=(State.HUNG, State.REJECTED, State.PULLED))
    return list(done.select_related("image").order_by("-hung_at", "-created_at")[:most])
