"""A curator's side: approve, reject, take down, undo. Each deed checks the state it finds: of two curators who decide
at once the second is told what the first did."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Conflict
from salon.core.text import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.gallery.domain import giving
from salon.web.gallery.models import Embedding, Work
from salon.web.leftovers import discard_later
from salon.web.people.models import User
from salon.web.station.models import Image, Withheld

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
        if leads_to == State.HUNG and not work.picture.file:
            hint = _("Let it be drawn again first (Screens).") if work.image_id else ""
            raise Conflict(_("The picture of this work was erased."), hint)
        work.state, work.reason = leads_to, tidy(reason)[:MOST_REASON]
        if leads_to == State.HUNG:
            work.hung_at = timezone.now()
        work.save(update_fields=["state", "reason", "hung_at"])
        note(event, deed, work.id, person=person, text=work.reason)
        return work


def _proposed_again(work: Work) -> bool:
    """Whether the same visitor has another live work of the same picture."""
    same = {"image_id": work.image_id} if work.image_id else {"given_id": work.given_id}
    others = Work.objects.filter(visitor=work.visitor, state__in=Work.ALIVE, **same)
    return others.exclude(id=work.id).exists()


def undo(person: User, work_id: str) -> Work:
    """Back among the waiting, whatever was decided."""
    return decide(person, work_id, "reopened")


def remove(person: User, image_id: str, reason: str = "") -> tuple[Event, list[Work]]:
    """Takes an image away from everywhere: its works come down, its file is erased, nobody can draw it again until it
    is let in. The works that hung are returned, for the walls. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        # whichever event it was drawn at first: the same recipe at another one is the same image
        image = Image.objects.select_for_update().filter(id=image_id).first()
        if image is None:
            raise Conflict(_("This picture is gone already."), _("Nothing is left to take down."))
        alive = list(Work.objects.select_for_update().filter(image=image, state__in=Work.ALIVE))
        why, file = tidy(reason)[:MOST_REASON], image.file
        for work in alive:
            note(event, "pulled", work.id, person=person, text=why)
        Work.objects.filter(id__in=[work.id for work in alive]).update(state=State.PULLED, reason=why)
        image.file, image.sha256, image.withheld = "", "", Withheld.HOUSE
        image.save(update_fields=["file", "sha256", "withheld"])
        Embedding.objects.filter(image=image).delete()
        note(event, "removed", image.id, person=person, text=why)
        if file:
            discard_later([file])
        return event, [work for work in alive if work.hangs]


def remove_given(person: User, work_id: str, reason: str = "") -> Work:
    """Takes a given picture away from everywhere: its work comes down, the file that is shown is erased. What its
    artist sent in stays with the application. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        work = Work.objects.select_related("given").filter(id=work_id, event=event).exclude(given=None).first()
        if work is None or not work.given.file:
            raise Conflict(_("This picture is gone already."), _("Nothing is left to take down."))
        why = tidy(reason)[:MOST_REASON]
        if work.state in Work.ALIVE:
            work.state, work.reason = State.PULLED, why
            work.save(update_fields=["state", "reason"])
            note(event, "pulled", work.id, person=person, text=why)
        giving.erase(work.given)
        note(event, "removed", work.given_id, person=person, text=why)
        return work


def let_in(person: User, image_id: str) -> None:
    """Undoes `remove`, as far as it can: the picture may be drawn again from its recipe. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        if not Image.objects.filter(id=image_id, withheld=Withheld.HOUSE).update(withheld=""):
            raise Conflict(_("This picture is not (or no longer) kept out."), "")
        note(event, "let in", image_id, person=person)


def removed(event: Event, most: int = 40) -> list[Image]:
    """What was taken away, for undoing."""
    return list(Image.objects.filter(event=event, withheld=Withheld.HOUSE).order_by("-created_at")[:most])


def inbox(event: Event, most: int = 60) -> list[Work]:
    """What waits, oldest first."""
    waiting = Work.objects.filter(event=event, state=State.WAITING)
    return list(waiting.select_related("image", "given").order_by("created_at", "id")[:most])


def decided(event: Event, most: int = 20) -> list[Work]:
    """What was decided or pulled last, newest first, for undoing."""
    done = Work.objects.filter(event=event, state__in=(State.HUNG, State.REJECTED, State.PULLED))
    return list(done.select_related("image", "given").order_by("-hung_at", "-created_at")[:most])
