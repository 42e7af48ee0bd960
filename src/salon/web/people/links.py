"""One-time links: printed by `salon run`, made by `salon backstage`, used once, for a day."""

import datetime
import secrets

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Forbidden
from salon.core.hashing import bytes_hash
from salon.web.people.models import EntryLink, User

LIFETIME = datetime.timedelta(hours=24)
#: the account that the house itself makes
KEEPER = "keeper"


def keeper() -> User:
    """The account of whoever holds this machine; without a password until one is set."""
    user, new = User.objects.get_or_create(username=KEEPER, defaults={"is_staff": True, "is_superuser": True})
    if new:
        user.set_unusable_password()
        user.save()
    return user


def new_link(user: User) -> str:
    """The token of a new link. Somebody has one at most: an earlier one that was not used opens nothing any more. Links
    that have expired are swept away."""
    now, token = timezone.now(), secrets.token_urlsafe(24)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two new ones at the same moment are one after the other
        EntryLink.objects.filter(Q(expires_at__lt=now) | Q(user=user, used_at=None)).delete()
        EntryLink.objects.create(user=user, token_hash=bytes_hash(token.encode()), expires_at=now + LIFETIME)
    return token


def _good(token: str, rows: QuerySet[EntryLink]) -> EntryLink:
    link = rows.filter(token_hash=bytes_hash(token.encode())).first()
    if link is None or link.used_at or link.expires_at < timezone.now() or not link.user.is_active:
        raise Forbidden(_("This link has been used, or its day is over."), _("Ask for a new one: salon backstage."))
    return link


def user_of(token: str) -> User:
    """The user whom the link would let in; looking spends nothing. Raises Forbidden."""
    return _good(token, EntryLink.objects.all()).user


def use_link(token: str) -> User:
    """The user whom the link lets in; never again. Raises Forbidden."""
    with transaction.atomic():
        link = _good(token, EntryLink.objects.select_for_update())
        link.used_at = timezone.now()
        link.save(update_fields=["used_at"])
        return link.user
