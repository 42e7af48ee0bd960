"""Codes by e-mail: six digits, a quarter of an hour, five tries. Nobody is told whether an address is known."""

import datetime
import secrets

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from salon.core.errors import Forbidden
from salon.web.people.models import EntryCode, User

LIFETIME = datetime.timedelta(minutes=15)
MOST_TRIES = 5
#: a new code is sent this long after the last one, not sooner
PAUSE = datetime.timedelta(minutes=1)


def _hash(user: User, code: str) -> str:
    return salted_hmac("salon.entry_code", f"{user.pk}:{code}", algorithm="sha256").hexdigest()


def _user(address: str) -> User | None:
    """The person of the house with this address."""
    return (
        User.objects.filter(email__iexact=address.strip(), is_staff=True, is_active=True).first() if address else None
    )


def send_code(address: str) -> bool:
    """Send a code to the address, if it is a person's of the house; whether one went out (not to be told)."""
    user = _user(address)
    if user is None or not settings.EMAIL_CONFIGURED:
        return False
    now, code = timezone.now(), f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        before = EntryCode.objects.select_for_update().filter(user=user).first()
        if before and before.expires_at - LIFETIME + PAUSE > now:
            return False
        fields = {"code_hash": _hash(user, code), "expires_at": now + LIFETIME, "tries": 0}
        EntryCode.objects.update_or_create(user=user, defaults=fields)
    text = _("Your code for backstage: %(code)s\n\nIt is good for a quarter of an hour.") % {"code": code}
    send_mail(_("Latent Salon: your code"), text, None, [user.email])
    return True


def use_code(address: str, code: str) -> User:
    """The person whom the code lets in; never again. A wrong code counts. Raises Forbidden."""
    wrong = Forbidden(_("This code does not fit, or its time is over."), _("Ask for a new one."))
    user = _user(address)
    if user is None:
        raise wrong
    with transaction.atomic():
        kept = EntryCode.objects.select_for_update().filter(user=user).first()
        if kept is None or kept.tries >= MOST_TRIES or kept.expires_at < timezone.now():
            raise wrong
        right = constant_time_compare(kept.code_hash, _hash(user, code.strip()))
        if right:
            kept.delete()
        else:
            kept.tries += 1
            kept.save(update_fields=["tries"])
    if not right:
        raise wrong
    return user
