"""A juror's queue, and what a juror says of an application."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from salon.core.errors import Conflict, Forbidden
from salon.core.text import tidy_lines
from salon.web.call.models import Submission
from salon.web.events.domain import current_event, not_archived
from salon.web.events.trail import note
from salon.web.jury.domain import jurors
from salon.web.jury.domain.anonymity import title
from salon.web.jury.domain.phases import Wrong, is_open, is_over, whole
from salon.web.jury.domain.scoring import total
from salon.web.jury.models import Assignment, Category, Juror, Phase, Review, Score
from salon.web.people.models import User

MOST_TEXT = 4_000
Others = Phase.Others


class Waiting(NamedTuple):
    """One line of a juror's queue."""

    assignment: Assignment
    title: str
    review: Review | None
    total: float | None


class Line(NamedTuple):
    """A juror's queue in one round."""

    phase: Phase
    waiting: list[Waiting]
    done: int
    open: bool
    over: bool

    @property
    def next(self) -> Assignment | None:
        return next((one.assignment for one in self.waiting if one.review is None), None)


def _mine(juror: Juror) -> QuerySet[Assignment]:
    """What is asked of a juror: not where there is a conflict, nor what was taken back or is decided."""
    found = Assignment.objects.filter(juror=juror, submission__state=Submission.State.SUBMITTED)
    found = found.exclude(submission__conflicts__juror=juror)
    return found.select_related("phase__event", "submission__guest", "juror")


def lines(user: User) -> list[Line]:
    """The rounds that ask something of this juror, with what they ask. Raises Forbidden for who is no juror."""
    event = current_event()
    juror = jurors.seat_of(event, user)
    return [line(juror, phase) for phase in event.phases.filter(assignments__juror=juror).distinct()]


def line(juror: Juror, phase: Phase) -> Line:
    """This juror's queue in the round."""
    given = {one.submission_id: one for one in juror.reviews.filter(phase=phase).prefetch_related("scores__category")}
    waiting = [
        Waiting(one, title(one.submission, phase), review := given.get(one.submission_id), review and total(review))
        for one in _mine(juror).filter(phase=phase)
    ]
    return Line(phase, waiting, sum(one.review is not None for one in waiting), is_open(phase), is_over(phase))


def asked(user: User, assignment_id: str) -> Assignment:
    """What this juror is asked to judge now. Raises Forbidden if it is not theirs, or there is a conflict; Conflict if
    it was withdrawn or decided, or the round is not open."""
    juror = jurors.seat_of(current_event(), user)
    found = _mine(juror).filter(pk=assignment_id).first()
    if found is None:
        _say_why_not(juror, assignment_id)
    if not is_open(found.phase):
        said = _("This round is over.") if is_over(found.phase) else _("This round has not begun.")
        raise Conflict(said, _("Your queue says when it is open."))
    return found


def _say_why_not(juror: Juror, assignment_id: str) -> None:
    """Withdrawn, or none of theirs: whether it is there at all is not told."""
    gone = Assignment.objects.filter(pk=assignment_id, juror=juror, phase__event__current=True)
    if gone.exclude(submission__conflicts__juror=juror).exists():
        message = _("This application was withdrawn, or is decided by now.")
        raise Conflict(message, _("Nothing is left to do here; take the next one."))
    raise Forbidden(_("You are not asked to judge this."), _("Look at your queue."))


def review_of(found: Assignment) -> Review | None:
    """What this juror said, if they did."""
    return Review.objects.filter(phase=found.phase, submission=found.submission, juror=found.juror).first()


def read_review(categories: Sequence[Category], form: Mapping[str, Any]) -> tuple[dict[str, Any], Wrong]:
    """The form's values (`scores` by category's key), and what is wrong with them by field."""
    values: dict[str, Any] = {"abstained": form.get("do") == "abstain", "scores": {}}
    wrong: Wrong = {}
    for category in [] if values["abstained"] else categories:
        said, field = str(form.get(f"score-{category.pk}", "")).strip(), f"score-{category.pk}"
        value = whole(said, category.low, category.high)
        if value is not None:
            values["scores"][category.pk] = value
        elif said or not category.optional:
            ends = {"low": category.low, "high": category.high}
            wrong[field] = _("A whole number from %(low)d to %(high)d.") % ends
    for name in ("text", "note"):
        values[name] = tidy_lines(str(form.get(name, "")))
        if len(values[name]) > MOST_TEXT:
            wrong[name] = _("At most %(most)d characters, please.") % {"most": MOST_TEXT}
    return values, wrong


def save(user: User, assignment_id: str, values: Mapping[str, Any], revision: int) -> Review:
    """Keeps what `read_review` read. `revision` is that of the review which the form was made of (0: none). The same
    form sent twice is one review; raises Conflict if it has changed since in another tab, in an archived event, and as
    `asked`."""
    with transaction.atomic():
        Assignment.objects.select_for_update().filter(pk=assignment_id).first()
        found = asked(user, assignment_id)
        not_archived(found.phase.event)
        kept = review_of(found)
        if kept and _same(kept, values):
            return kept
        if (kept.revision if kept else 0) != revision:
            raise Conflict(
                _("You have changed this in another tab since."),
                _("What you wrote is still in its fields. Look at what is kept; save again to replace it."),
            )
        return _kept(found, kept, values, user)


def _same(kept: Review, values: Mapping[str, Any]) -> bool:
    words = all(getattr(kept, name) == values[name] for name in ("abstained", "text", "note"))
    return words and dict(kept.scores.values_list("category", "value")) == values["scores"]


def _kept(found: Assignment, kept: Review | None, values: Mapping[str, Any], user: User) -> Review:
    review = kept or Review(phase=found.phase, submission=found.submission, juror=found.juror, revision=0)
    review.abstained, review.text, review.note = values["abstained"], values["text"], values["note"]
    review.revision += 1
    review.save()
    review.scores.all().delete()
    Score.objects.bulk_create(
        Score(review=review, category_id=key, value=value) for key, value in values["scores"].items()
    )
    deed = "abstained" if review.abstained else ("judged" if kept is None else "judged again")
    note(found.phase.event, deed, found.submission_id, person=user, text=f"{found.phase}: {found.juror.number}")
    return review


def others_of(found: Assignment) -> list[Review] | None:
    """What other jurors said, as far as this one may see it by now; None while it is kept from them."""
    phase = found.phase
    others = Review.objects.filter(phase=phase, submission=found.submission).exclude(juror=found.juror)
    others = others.exclude(juror__conflicts__submission=found.submission_id).select_related("juror")
    if phase.others == Others.AFTER_OWN and review_of(found) is None:
        return None
    if phase.others == Others.AFTER_ALL and not _all_done(phase, found.submission):
        return None
    return list(others.prefetch_related("scores__category"))


def _all_done(phase: Phase, submission: Submission) -> bool:
    judged = Review.objects.filter(phase=phase, submission=submission).values("juror")
    return not Assignment.objects.filter(phase=phase, submission=submission).exclude(juror__in=judged).exists()


def progress(phase: Phase) -> dict[int, tuple[int, int]]:
    """How many of how many each juror has judged, by the juror's key."""
    judged = set(phase.reviews.values_list("submission_id", "juror_id"))
    asked_of = phase.assignments.filter(submission__state=Submission.State.SUBMITTED)
    counts: dict[int, tuple[int, int]] = {}
    for pair in asked_of.values_list("submission_id", "juror_id"):
        done, of = counts.get(pair[1], (0, 0))
        counts[pair[1]] = done + (pair in judged), of + 1
    return counts
