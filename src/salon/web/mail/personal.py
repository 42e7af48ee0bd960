"""What the room holds of a guest: the letters to them."""

from typing import Any

from django.db import transaction

from salon.web.mail import sending
from salon.web.mail.models import Letter, LostLink
from salon.web.people.models import Guest


def collect(guest: Guest) -> list[dict[str, Any]]:
    """Their letters, as they were sent. What waits backstage is no message to them yet: a decision is told when it is
    released, not by asking for one's data."""
    waiting = (Letter.State.DRAFT, Letter.State.DISCARDED)
    return [
        {"to": letter.to, "subject": letter.subject, "text": letter.text, "state": letter.state,
         "written_at": letter.created_at, "sent_at": letter.sent_at}
        for letter in Letter.objects.filter(guest=guest).exclude(state__in=waiting).order_by("created_at")
    ]  # fmt: skip


def erase(guest: Guest) -> None:
    """Their letters, wherever they lie; what waits is never sent."""
    letters = Letter.objects.filter(guest=guest)
    files = [sending.file_of(letter_id) for letter_id in letters.values_list("id", flat=True)]
    letters.delete()
    if guest.email:
        LostLink.objects.filter(address__iexact=guest.email).delete()
    for file in files:  # one that cannot be erased keeps neither the others nor what follows
        transaction.on_commit(lambda file=file: file.unlink(missing_ok=True), robust=True)
