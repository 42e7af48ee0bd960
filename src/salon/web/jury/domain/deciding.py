"""Decisions are marked many at once, taken back as often as one likes, and told when they are applied: each is noted as
on the call's own pages (call/domain/deciding.py)."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.web.call.domain.deciding import set_pending
from salon.web.call.models import Submission
from salon.web.events.domain import lock_current_event
from salon.web.jury.domain.phases import locked, whole
from salon.web.jury.domain.ranking import standing
from salon.web.jury.models import Marking, Phase
from salon.web.people.models import User

State = Submission.State
#: what may be marked; "" takes a mark away
MARKS = (State.ACCEPTED, State.REJECTED, "")


def mark(person: User, phase_id: int, wanted: Mapping[str, str]) -> int:
    """Marks each application (by key) as wanted. Those that are decided or withdrawn by now stay as they are. Returns
    how many were changed. Raises BadRecipe for a mark that is none."""
    if not set(wanted.values()) <= set(MARKS):
        raise BadRecipe(_("Only “accepted” and “not accepted” can be marked."), "")
    with transaction.atomic():
        return _marked(person, _held(phase_id), wanted)


def _held(phase_id: int) -> Phase:
    """The round, locked. The event's row comes first, as wherever decisions are made: else two might wait for each
    other."""
    lock_current_event()
    return locked(phase_id)


def _marked(person: User, phase: Phase, wanted: Mapping[str, str]) -> int:
    before = _pending(phase, wanted)
    after = {key: mark for key, mark in wanted.items() if key in before and before[key] != mark}
    if after:
        Marking.objects.create(phase=phase, person=person, after=after, before={key: before[key] for key in after})
    for key, decision in after.items():
        set_pending(person, key, decision)
    return len(after)


def _pending(phase: Phase, keys: Iterable[str]) -> dict[str, str]:
    """What is marked so far, of those that can be marked; their rows locked."""
    found = Submission.objects.select_for_update().filter(event=phase.event, state=State.SUBMITTED, pk__in=list(keys))
    return dict(found.values_list("pk", "pending"))


def above(person: User, phase_id: int, line_text: str, reject_rest: bool) -> int:
    """Everything down to that place is marked accepted; the ranked rest, if wished, as not accepted. Raises BadRecipe
    for a line that no place has."""
    with transaction.atomic():
        phase = _held(phase_id)
        rows = standing(phase).rows
        line = whole(line_text, 0, len(rows))
        if line is None:
            raise BadRecipe(_("The line is a place, from 0 to %(most)d.") % {"most": len(rows)}, "")
        wanted = {row.submission.pk: str(State.ACCEPTED) for row in rows[:line]}
        if reject_rest:
            wanted |= {row.submission.pk: str(State.REJECTED) for row in rows[line:]}
        return _marked(person, phase, wanted)


def last(phase: Phase) -> Marking | None:
    """The marking that can be taken back."""
    return phase.markings.filter(undone_at=None).first()


def undo(person: User, phase_id: int, marking_id: int) -> int:
    """Takes a marking back, where it still stands: what was marked otherwise since, or is applied, stays. Returns how
    many changed. Raises Conflict if it is not the last one."""
    with transaction.atomic():
        phase = _held(phase_id)
        marking = last(phase)
        if marking is None or marking.pk != marking_id:
            message = _("This was taken back already, or something was marked since.")
            raise Conflict(message, _("Look at the page again."))
        now = _pending(phase, marking.after)
        back = {key: marking.before[key] for key, mark in marking.after.items() if now.get(key) == mark}
        for key, decision in back.items():
            set_pending(person, key, decision)
        marking.undone_at = timezone.now()
        marking.save(update_fields=["undone_at"])
        return len(back)
