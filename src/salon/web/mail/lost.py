"""Lost private links: whoever types an address is told the same sentence, whatever the house knows of it, and after the
same work: one row. What it means is found out later, by the worker, where nobody can hold a watch to it."""

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from salon.core.errors import Busy
from salon.core.text import tidy
from salon.web.events import tries
from salon.web.events.models import Event
from salon.web.mail import letters
from salon.web.mail.models import LostLink
from salon.web.people.models import Guest

KIND = "lost_link"
SUBJECT = gettext_lazy("Your private link: {event}")
TEXT = gettext_lazy(
    "Hello {name},\n\n"
    "somebody, you we hope, asked for the way to your page at {event}. Here it is:\n\n"
    "{private_link}\n\n"
    "Whoever has this link can see and change what is yours. If it was not you who asked, nothing has happened and "
    "you need do nothing.\n"
)
HOUR = datetime.timedelta(hours=1)
#: letters for one address in an hour
MOST_AN_ADDRESS = 3
#: questions in an hour from one place, whatever the addresses: who floods the house shuts out nobody else
MOST = 600
#: pages that one letter's address may have: an artist's, and some places
MOST_PAGES = 5


def ask(event: Event, address: str, source: str = "") -> None:
    """Keeps the question; `source` says where from. Raises Busy when very many were asked from there, of whatever
    address."""
    if tries.begin("lost link", "", source, (tries.Limit(MOST, HOUR, source=True),)) is None:
        raise Busy(_("Very many people ask for their links just now."), _("Try again in an hour, or ask at the desk."))
    clean = tidy(address)[:254]
    LostLink.objects.create(event=event, address=clean, address_hash=_hash(clean))


def _hash(address: str) -> str:
    return salted_hmac("salon.lost_link", address.casefold(), algorithm="sha256").hexdigest()


def answer_all() -> int:
    """Writes the letters that were asked for; how many. Addresses are forgotten as soon as they are looked at."""
    LostLink.objects.filter(created_at__lt=timezone.now() - 24 * HOUR).delete()
    return sum(_answer(question) for question in LostLink.objects.exclude(address="").select_related("event")[:50])


def _answer(question: LostLink) -> int:
    with transaction.atomic():
        if not LostLink.objects.filter(id=question.id).exclude(address="").update(address=""):
            return 0  # another worker has it
        recent = LostLink.objects.filter(address_hash=question.address_hash, created_at__gt=question.created_at - HOUR)
        if recent.filter(id__lte=question.id).count() > MOST_AN_ADDRESS:
            return 0
        mine = Guest.objects.filter(event=question.event, email__iexact=question.address, erased_at=None)
        pages = mine.order_by("-created_at")[:MOST_PAGES] if letters.whole(question.address) else ()
        written = (letters.write(question.event, guest, KIND, f"lost-link:{question.id}:{guest.id}") for guest in pages)
        return len([letter for letter in written if letter])
