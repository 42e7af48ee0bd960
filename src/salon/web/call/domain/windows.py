"""When a call is open, and for whom: until its deadline, a little longer for whoever has the form open, and until their
code's end for those who hold one. Everything is computed when it is looked at."""

import datetime

from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Conflict
from salon.web.call.models import Call, Submission
from salon.web.events import times
from salon.web.events.models import Event

#: how much later a form may be sent that was opened before the deadline
GRACE = datetime.timedelta(minutes=2)
_OPENED = signing.TimestampSigner(salt="salon.call.opened")


class Late(Conflict):
    """It was sent after the deadline. What was typed is kept."""


def call_of(event: Event) -> Call | None:
    """The event's call, whether or not it is open."""
    return Call.objects.select_related("event").filter(event=event).first()


def phase(call: Call | None, now: datetime.datetime | None = None) -> str:
    """`none` (nothing is called for), `before`, `open` or `closed`."""
    now = now or timezone.now()
    if call is None or call.event.opened_at is None or call.event.archived_at or call.opens_at is None:
        return "none"
    if now < call.opens_at:
        return "before"
    return "open" if call.closes_at is None or now < call.closes_at else "closed"


def deadline(call: Call, submission: Submission | None = None) -> datetime.datetime | None:
    """Until when this application may be sent; None for no end."""
    if call.closes_at is None or submission is None or submission.code is None:
        return call.closes_at
    return max(call.closes_at, submission.code.until)


def writable(call: Call | None, submission: Submission, now: datetime.datetime | None = None) -> bool:
    """Whether the artist may change and send it now."""
    now = now or timezone.now()
    if call is None or phase(call, now) in ("none", "before"):
        return False
    end = deadline(call, submission)
    return end is None or now < end


def opened(submission: Submission) -> str:
    """Signed: when this application's form was opened."""
    return _OPENED.sign(submission.id)


def _opened_at(token: str, submission: Submission) -> datetime.datetime | None:
    """When the form was opened, if the token is ours and this application's."""
    try:
        if _OPENED.unsign(token) != submission.id:
            return None
        seconds = signing.b62_decode(token.rsplit(":", 2)[1])
    except (signing.BadSignature, IndexError, ValueError):
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def check(call: Call | None, submission: Submission, token: str) -> None:
    """Raises Late if it is too late for this application. A form that was opened before the deadline has GRACE."""
    now = timezone.now()
    if writable(call, submission, now):
        return
    end = deadline(call, submission) if call and phase(call, now) in ("open", "closed") else None
    began = _opened_at(token, submission)
    if end and began and began < end and now < end + GRACE:
        return
    if end is None or call is None:
        raise Late(_("The call is not open."), _("What you typed is kept here."))
    raise Late(
        _("The deadline was %(time)s: this came too late and was not sent.") % {"time": times.words(call.event, end)},
        _("What you typed is kept here. Ask the organisers: with a code of theirs you can still send it."),
    )
