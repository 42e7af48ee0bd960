"""Applications that nobody has sent: how much room their files may take, and when they go.

Whoever begins an application is nobody yet, so what they leave here has an end: all drafts together have a part of the
room for files, what comes from one network has a share, and a draft that nobody touches expires with its files.
"""

import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import StorageFull
from salon.web.call.domain import windows
from salon.web.call.models import Call, Submission, Upload
from salon.web.events.models import Event
from salon.web.events.trail import note

#: how long a draft is kept after the call has closed: codes let late ones in
AFTER_CLOSING = datetime.timedelta(days=14)
State = Submission.State


class NoRoom(StorageFull):
    """The venue's room for files is used up, or this sender's part of it."""


def unsent() -> QuerySet[Submission]:
    """What was never sent."""
    return Submission.objects.filter(state=State.DRAFT, submitted_at=None)


def check_room(submission: Submission, more: int) -> None:
    """Whether so many bytes more may be kept: in all, of drafts together, from one network as long as nothing is
    decided. Raises NoRoom."""
    rows = Upload.objects.all()
    if bytes_of(rows) + more > settings.SALON_CALL_MOST_BYTES:
        raise NoRoom(
            _("This house has no room for more files just now."), _("Tell the organisers; your words are kept.")
        )
    drafts = rows.filter(submission__in=unsent())
    if submission.state == State.DRAFT and bytes_of(drafts) + more > settings.SALON_CALL_DRAFT_BYTES:
        raise NoRoom(
            _("There is no room for more files of applications that are not sent yet."),
            _("Send yours without this file: once it is sent there is room. Your words are kept."),
        )
    theirs = rows.filter(submission__source=submission.source, submission__state__in=(State.DRAFT, State.SUBMITTED))
    if submission.source and bytes_of(theirs) + more > settings.SALON_CALL_SOURCE_BYTES:
        raise NoRoom(
            _("Very many files have come from your network."),
            _("Give a link to it instead, or tell the organisers; your words are kept."),
        )


def bytes_of(uploads: QuerySet[Upload]) -> int:
    return uploads.aggregate(sum=Sum("size"))["sum"] or 0


def touch(submission: Submission) -> None:
    """Somebody was here: the draft is kept longer."""
    Submission.objects.filter(id=submission.id).update(changed_at=timezone.now())


def expires_at(submission: Submission, call: Call | None) -> datetime.datetime | None:
    """When this draft goes if nobody touches it; None for what is no draft. After the call's end, or a late one's own,
    there is a fortnight."""
    if submission.state != State.DRAFT or submission.submitted_at:
        return None
    idle = submission.changed_at + datetime.timedelta(days=settings.SALON_CALL_DRAFT_DAYS)
    end = windows.deadline(call, submission) if call else None
    return min(idle, max(end + AFTER_CLOSING, submission.changed_at + AFTER_CLOSING)) if end else idle


def expire() -> int:
    """The worker's duty: drafts whose time has come go, with their files; how many. And where an application came from
    is forgotten once it is decided."""
    decided = Submission.objects.exclude(source="").exclude(state__in=(State.DRAFT, State.SUBMITTED))
    decided.update(source="")
    shortest = min(AFTER_CLOSING, datetime.timedelta(days=settings.SALON_CALL_DRAFT_DAYS))
    old = unsent().filter(changed_at__lt=timezone.now() - shortest).order_by("changed_at")
    return sum(_expire(pk) for pk in list(old.values_list("pk", flat=True)))


def _expire(submission_id: str) -> bool:
    from salon.web.call.domain import files  # it asks this room for its own

    with transaction.atomic():
        found = (
            unsent().select_for_update(of=("self",)).select_related("event", "code").filter(pk=submission_id).first()
        )
        at = expires_at(found, windows.call_of(found.event)) if found else None
        if found is None or at is None or at > timezone.now():
            return False
        for upload in found.uploads.all():
            files.erase(upload)
        note(found.event, "draft expired", found.id)
        found.delete()
        return True


def told(event: Event) -> dict[str, Any]:
    """For organisers: how many drafts there are, the bytes of their files and how many there may be, and since when the
    oldest has not been touched."""
    mine = unsent().filter(event=event)
    size = bytes_of(Upload.objects.filter(submission__in=mine))
    numbers = mine.aggregate(count=Count("pk"), oldest=Min("changed_at"))
    return {**numbers, "bytes": size, "most": settings.SALON_CALL_DRAFT_BYTES, "days": settings.SALON_CALL_DRAFT_DAYS}
