"""What the jury holds of a guest: what jurors said of their applications."""

from typing import Any

from salon.web.jury.domain.scoring import total
from salon.web.jury.models import Conflict, Marking, Review
from salon.web.people.models import Guest


def collect(guest: Guest) -> list[dict[str, Any]]:
    """As plain values; jurors by number."""
    found = Review.objects.filter(submission__guest=guest).select_related("phase", "juror", "submission")
    return [
        {"application": one.submission.title, "round": one.phase.name, "juror": one.juror.number,
         "abstained": one.abstained, "total": total(one), "for_the_jury": one.text, "for_the_artist": one.note,
         "at": one.changed_at.isoformat()}
        for one in found.prefetch_related("scores__category")
    ]  # fmt: skip


def erase(guest: Guest) -> None:
    """Words go, points stay: other applications' places were measured against them."""
    Review.objects.filter(submission__guest=guest).update(text="", note="")
    Conflict.objects.filter(submission__guest=guest).update(reason="")
    gone = set(guest.submissions.values_list("pk", flat=True))
    for marking in Marking.objects.filter(phase__event=guest.event):
        if gone & set(marking.after):
            for pending in (marking.before, marking.after):
                for key in gone & set(pending):
                    del pending[key]
            marking.save(update_fields=["before", "after"])
