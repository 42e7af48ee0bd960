"""Taking along what was drawn at a booth. The device keeps the ticket it has, or is given a new one; rows move to it,
and the sender's ticket is never handed out. A code says for which time it is, so that it works once, and whichever of
several codes is used first makes the others void."""

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from salon.core.errors import Forbidden
from salon.web.arena.domain import leaving
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Entry
from salon.web.gallery.domain.proposing import live_images
from salon.web.gallery.models import TakenAlong, Work
from salon.web.refuses.models import Report
from salon.web.station.models import Image, Request

#: seconds that a code is good for
LIFETIME = 15 * 60
_SALT = "salon.take"


def code(visitor: str) -> str:
    """What the QR code at the booth carries. Making one changes nothing."""
    return signing.dumps([visitor, _times(visitor)], salt=_SALT, compress=True)


def _times(visitor: str) -> int:
    return TakenAlong.objects.filter(visitor=visitor).values_list("times", flat=True).first() or 0


def sender(token: str) -> str:
    """Whose pictures the code takes along. Raises Forbidden once it was used."""
    try:
        visitor, times = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError) as error:
        raise Forbidden(_("This code is too old, or not ours."), _("Ask for a new one at the booth.")) from error
    if times != _times(visitor):
        raise Forbidden(
            _("This code was used already: it works once."),
            _("Whoever used it finds the pictures under “Yours”. For what was drawn since, take a new code."),
        )
    return str(visitor)


def take(token: str, own: str) -> None:
    """What was drawn and proposed under the code's ticket belongs to the ticket `own` from now on, beside what that
    has. What both have (a proposal or a report of the same image) stays with the sender's. Raises Forbidden."""
    with transaction.atomic():
        lock_current_event(even_archived=True)
        visitor = sender(token)
        TakenAlong.objects.update_or_create(visitor=visitor, defaults={"times": _times(visitor) + 1})
        Request.objects.filter(visitor=visitor).update(visitor=own, key=None)
        for model, mine in ((Work, live_images(own)), (Report, Report.objects.filter(visitor=own).values("image_id"))):
            model.objects.filter(visitor=visitor).exclude(image_id__in=mine).update(visitor=own)
        leaving.take_along(visitor, own)
        Entry.objects.filter(visitor=visitor).update(visitor=own)


def look(visitor: str, most: int) -> tuple[int, list[str], str]:
    """What would be taken along: how many pictures, the newest of them, and the booth where the last was asked for."""
    asked = Request.objects.filter(visitor=visitor, state=Request.State.FINISHED)
    found = Image.objects.filter(drawings__request__in=asked).exclude(file="")
    newest = found.order_by("-drawings__request__created_at", "drawings__index").values_list("id", flat=True)
    last = asked.exclude(device=None).select_related("device").order_by("-created_at").first()
    booth = last.device.name if last and last.device else ""
    return found.distinct().count(), list(dict.fromkeys(newest[: 4 * most]))[:most], booth
