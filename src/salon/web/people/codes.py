"""Codes by e-mail: six digits, a quarter of an hour, five tries, good in the browser that asked.

Nobody is told whether an address is known: whoever types one causes the same work, one row. Whose it is is found out
later, by the worker, where nobody can hold a watch to it."""

import datetime
import logging
import secrets
import smtplib

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from salon.core.errors import Busy, Forbidden
from salon.core.hashing import bytes_hash
from salon.core.text import tidy
from salon.web.people.models import AskedCode, User

log = logging.getLogger("salon.people")
LIFETIME = datetime.timedelta(minutes=15)
HOUR = datetime.timedelta(hours=1)
MOST_TRIES = 5
#: questions from one place in an hour, whatever the addresses
MOST_A_PLACE = 30
#: letters to one address in an hour: for one place that asks, and in all
MOST_A_PLACE_AND_ADDRESS, MOST_AN_ADDRESS = 3, 12


class TooManyAsked(Busy):
    """One place asked very often."""

    code = "too_many_tries"


def ask(address: str, source: str, token: str = "") -> str:
    """Keeps the question; the token by which this browser is known to have asked, its own again if it has one. `source`
    says where from. Raises TooManyAsked."""
    if AskedCode.objects.filter(source=source, created_at__gt=timezone.now() - HOUR).count() >= MOST_A_PLACE:
        raise TooManyAsked(
            _("Very many codes were asked for from here."), _("Try again in an hour, or ask for a link.")
        )
    clean, token = tidy(address)[:254], token or secrets.token_urlsafe(24)
    AskedCode.objects.create(
        token_hash=bytes_hash(token.encode()), source=source, address=clean, language=get_language() or "en",
        address_hash=_hash("address", clean.casefold()),
    )  # fmt: skip
    return token


def _hash(what: str, value: str) -> str:
    return salted_hmac(f"salon.entry_code.{what}", value, algorithm="sha256").hexdigest()


def answer_all() -> int:
    """Sends what was asked for; how many. Addresses are forgotten as soon as they are looked at. Letters that a mail
    server does not take now are tried again at the next turn, with another code."""
    now, sent = timezone.now(), 0
    AskedCode.objects.filter(created_at__lt=now - HOUR).delete()
    AskedCode.objects.filter(created_at__lt=now - LIFETIME).exclude(address="").update(address="")
    for asked in AskedCode.objects.exclude(address="").order_by("id")[:50]:
        try:
            sent += _answer(asked)
        except smtplib.SMTPRecipientsRefused as error:  # this mailbox only: others' codes go out
            said = [code for code, _words in error.recipients.values()]
            log.warning("a mailbox took no code: %s", said)
            if said and max(said) < 500:
                _again(asked)
        except (OSError, smtplib.SMTPException) as error:
            log.warning("a code could not be sent: %s", error)
            _again(asked)
            break
    return sent


def _again(asked: AskedCode) -> None:
    AskedCode.objects.filter(id=asked.id).update(address=asked.address, code_hash="", user=None)


def _answer(asked: AskedCode) -> int:
    code = f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        if not AskedCode.objects.filter(id=asked.id).exclude(address="").update(address=""):
            return 0  # another worker has it
        user = _user(asked.address)
        if user is None or not settings.EMAIL_CONFIGURED or _enough(asked):
            return 0
        AskedCode.objects.filter(id=asked.id).update(user=user, code_hash=_hash("code", f"{asked.id}:{code}"))
    with translation.override(asked.language):
        text = _("Your code for backstage: %(code)s\n\nIt is good for a quarter of an hour.") % {"code": code}
        send_mail(_("Latent Salon: your code"), text, None, [user.email])
    return 1


def _user(address: str) -> User | None:
    """The person of the house with this address."""
    return User.objects.filter(email__iexact=address, is_staff=True, is_active=True).first() if address else None


def _enough(asked: AskedCode) -> bool:
    """Whether this address was written to often enough: a stranger who asks uses up their own letters first."""
    sent = AskedCode.objects.filter(address_hash=asked.address_hash).exclude(code_hash="")
    lately = sent.filter(created_at__gt=asked.created_at - HOUR)
    return lately.count() >= MOST_AN_ADDRESS or lately.filter(source=asked.source).count() >= MOST_A_PLACE_AND_ADDRESS


def use(token: str, code: str) -> User:
    """The person whom the code lets in, in the browser that asked for it; never again. A wrong code counts. Raises
    Forbidden."""
    since, given = timezone.now() - LIFETIME, code.strip()
    with transaction.atomic():
        mine = AskedCode.objects.filter(token_hash=bytes_hash(token.encode()), created_at__gt=since)
        open_ones = list(mine.select_for_update().exclude(code_hash="").filter(tries__lt=MOST_TRIES))
        right = [one for one in open_ones if constant_time_compare(one.code_hash, _hash("code", f"{one.id}:{given}"))]
        user = User.objects.filter(id=right[0].user_id, is_staff=True, is_active=True).first() if right else None
        # the row stays, since letters to its address are counted by it
        mine.update(tries=MOST_TRIES if user else F("tries") + 1)
    if user is None:
        raise Forbidden(
            _("This code does not fit, or its time is over."), _("Type the newest one, or ask for another.")
        )
    return user
