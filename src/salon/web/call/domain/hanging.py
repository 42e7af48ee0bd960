"""What of an application flows to the exhibition: the first picture, with its label, to the curators."""

from django.core.files.storage import default_storage

from salon.web.call.models import Answer, Question, Submission, Upload
from salon.web.events.trail import note
from salon.web.gallery.domain import giving
from salon.web.gallery.models import Work
from salon.web.people.models import Guest
from salon.web.seats.domain import places


def owner_of(submission: Submission) -> str:
    """Whose the work is; a visitor's key is 32 hex digits, so nobody can hold this one."""
    return f"guest-{submission.guest_id}"


def picture_of(submission: Submission) -> Upload | None:
    """The picture that would hang: the first in the order of the form."""
    pictures = submission.uploads.exclude(shown="").select_related("question")
    return min(pictures, key=lambda one: (one.question.rank if one.question else 0, one.created_at), default=None)


def propose(submission: Submission) -> Work | None:
    """Inside a transaction: the work that waits for a curator; None without a picture. The application points to it."""
    upload = picture_of(submission)
    if upload is None:
        return None
    with default_storage.open(upload.shown) as file:
        shown = file.read()
    label = {"title": submission.title, "maker": submission.artist, "statement": submission.about}
    work = giving.propose(
        submission.event, owner_of(submission), shown, submission.licence, medium=medium_of(submission), **label
    )
    submission.work = work
    submission.save(update_fields=["work"])
    note(submission.event, "proposed", work.id, text=f"application {submission.id}")
    return work


def release_place(guest: Guest) -> None:
    """Inside a transaction: an artist of whom nothing is shown any more is not kept a place."""
    if not guest.submissions.filter(state__in=(Submission.State.ACCEPTED, Submission.State.CONFIRMED)).exists():
        places.release_kept(guest)


def medium_of(submission: Submission) -> str:
    """What the label says under the title: the answers to questions for it."""
    rows = Answer.objects.filter(submission=submission, question__use=Question.Use.LABEL).order_by("question__rank")
    return ", ".join(str(row.value) for row in rows if row.value)


def take_back(submission: Submission) -> Work | None:
    """Inside a transaction: its work comes down. The work if it hung, for the walls."""
    work = submission.work
    return work if work and giving.take_back(work) else None
