"""One-time links: printed by `salon run`, made by `salon backstage`, used once, for a day; those that are handed to
people of the house last through the event (`events.roles`)."""

import datetime
import secrets

from django.db import transaction
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


def new_link(user: User, until: datetime.datetime | None = None) -> str:
    """The token of a new link, good until then, else for a day. Links that have expired are swept away."""
    now = timezone.now()
    EntryLink.objects.filter(expires_at__lt=now).delete()
    token = secrets.token_urlsafe(24)
    EntryLink.objects.create(user=user, token_hash=bytes_hash(token.encode()), expires_at=until or now + LIFETIME)
    return token


def use_link(token: str) -> User:
    """The user whom the link lets in; never again. Raises Forbidden."""
    with transaction.atomic():
        link = EntryLink.objects.select_for_update().filter(token_hash=bytes_hash(token.encode())).first()
        now = timezone.now()
        if link is None or link.used_at or link.expires_at < now or not link.user.is_active:
            raise Forbidden(_("This link has been used, or its day is over."), _("Ask for a new one: salon backstage."))
        link.used_at = now
        link.save(update_fields=["used_at"])
        return link.user
