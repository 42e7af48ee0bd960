"""What is counted for a while: wrong codes, beginnings without proof of work. Addresses are kept hashed, for a day."""

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from salon.core.errors import Busy
from salon.web.call.models import Attempt
from salon.web.events.domain import lock_event
from salon.web.events.models import Event

KEPT = datetime.timedelta(days=1)


class TooManyTries(Busy):
    """Too much of it within a while."""

    code = "too_many_tries"


def begin(event: Event, kind: str, address: str, pause: datetime.timedelta, most_an_address: int, most: int) -> Attempt:
    """Counts one. Raises TooManyTries if there were too many within `pause`, from this address or altogether."""
    hashed = salted_hmac("salon.call.address", address, algorithm="sha256").hexdigest()
    now = timezone.now()
    with transaction.atomic():
        lock_event(event.id)
        Attempt.objects.filter(at__lt=now - KEPT).delete()
        lately = Attempt.objects.filter(event=event, kind=kind, at__gt=now - pause)
        if lately.filter(address=hashed).count() >= most_an_address or lately.count() >= most:
            minutes = int(pause.total_seconds() // 60)
            raise TooManyTries(
                _("That was tried too often."), _("Try again in %(minutes)d minutes.") % {"minutes": minutes}
            )
        return Attempt.objects.create(event=event, kind=kind, address=hashed)
