"""What the call holds of a guest, and how it lets go of it."""

from typing import Any

from salon.web.call.domain import answers, files, states
from salon.web.call.models import Submission
from salon.web.gallery.domain import giving
from salon.web.gallery.models import Licence
from salon.web.people.models import Guest
from salon.web.people.personal import Panel


def collect(guest: Guest) -> list[dict[str, Any]]:
    """Every application: what was sent, what is only typed, files by name and hash."""
    return [_one(submission) for submission in guest.submissions.prefetch_related("answers", "uploads")]


def _one(submission: Submission) -> dict[str, Any]:
    names = {answers.name_of(row["question"]): row["question"].label for row in answers.told(submission)}
    typed = {names.get(name, name): value for name, value in submission.typed.items() if name}
    return {
        "id": submission.id,
        "state": submission.state,
        "artist": submission.artist,
        "title": submission.title,
        "about": submission.about,
        "licence": submission.licence,
        "begun": submission.created_at.isoformat(),
        "sent": submission.submitted_at.isoformat() if submission.submitted_at else None,
        "answers": [
            {"question": row["question"].label, "answer": row["text"], "version": row["version"],
             "language": row["language"]}
            for row in answers.told(submission)
        ],
        "typed, not sent": typed,
        "files": [
            {"name": one.name, "kind": one.kind, "bytes": one.size, "sha256": one.sha256}
            for one in submission.uploads.all()
        ],
    }


def erase(guest: Guest) -> None:
    """Words, answers and files go; the row stays for the counts. A work under a free licence stays, without a name, if
    the guest wants that."""
    for submission in guest.submissions.select_related("work__given", "event"):
        submission.answers.all().delete()
        for upload in submission.uploads.all():
            files.erase(upload)
        if submission.work:
            free = submission.work.licence != Licence.ALL_RIGHTS and guest.works_stay
            giving.forget(submission.work, free)
            submission.work.visitor = f"forgotten-{submission.id[:16]}"
            submission.work.save(update_fields=["visitor"])
        if states.may(submission.state, "withdrawn"):
            states.do(submission, "withdrawn")
        submission.artist = submission.title = submission.about = submission.pending = ""
        submission.typed = {}
        submission.save()


def subjects(guest: Guest) -> list[str]:
    """What the trail calls theirs."""
    return [str(pk) for pk in guest.submissions.values_list("pk", flat=True)]


def panel(guest: Guest) -> Panel | None:
    """The guest's applications, for their own page."""
    mine = list(guest.submissions.all())
    return Panel("call/_panel.html", {"applications": mine}) if mine else None
