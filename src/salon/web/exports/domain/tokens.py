"""Tokens: made once, shown once, counted by the minute."""

import secrets
import time
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Busy, Conflict, Forbidden
from salon.core.hashing import bytes_hash
from salon.core.text import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.trail import note
from salon.web.exports.models import Scope, Token
from salon.web.people.models import Role, User

#: days for which a token may be good
MOST_DAYS = 366
#: so that one that was left somewhere is known for what it is
PREFIX = "salon_"


class TokenNeeded(Forbidden):
    """No token, or one that opens nothing (any more)."""

    code = "token_needed"


class TooManyCalls(Busy):
    """This token has asked as often as it may in this minute."""

    code = "too_many_tries"


def make(person: User, name: str, scopes: Collection[str], days: int | None) -> tuple[Token, str]:
    """A new token and its text, which is told once. Raises BadRecipe without a name, a scope or a number of days."""
    clean = tidy(name)[:60]
    if not clean:
        raise BadRecipe(_("Say what the token is for."), "")
    if not scopes or not set(scopes) <= set(Scope.values):
        raise BadRecipe(_("Say what the token may do."), _("Tick one thing at least."))
    if days is None or not 1 <= days <= MOST_DAYS:
        raise BadRecipe(_("A token is good for 1 to %(most)d days.") % {"most": MOST_DAYS}, "")
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        event = lock_current_event()
        token = Token.objects.create(
            event=event, name=clean, scopes=sorted(set(scopes)), made_by=person, token_hash=bytes_hash(text.encode()),
            expires_at=timezone.now() + timedelta(days=days),
        )  # fmt: skip
        note(event, "token made", str(token.pk), person=person, text=f"{clean}: {' '.join(token.scopes)}")
    return token, text


def revoke(person: User, token_id: int) -> None:
    """It opens nothing any more. Twice is once. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        found = Token.objects.select_for_update().filter(pk=token_id, event=event).first()
        if found is None:
            raise Conflict(_("There is no such token."), _("Look at the list again."))
        if found.revoked_at is None:
            found.revoked_at = timezone.now()
            found.save(update_fields=["revoked_at"])
            note(event, "token revoked", str(found.pk), person=person, text=found.name)


def use(text: str, scope: str) -> Token:
    """The token, one use of it counted. Raises TokenNeeded, Forbidden without the scope, TooManyCalls. A use that is
    refused for its scope counts as well."""
    with transaction.atomic():
        found = _known(text)
        minute = int(time.time() // 60)
        found.calls = found.calls + 1 if found.minute == minute else 1
        if found.calls > settings.SALON_API_PER_MINUTE:
            message = _("This token may ask %(most)d times a minute.") % {"most": settings.SALON_API_PER_MINUTE}
            raise TooManyCalls(message, _("Wait for the next minute; ask for larger pages."))
        found.minute, found.used_at = minute, timezone.now()
        found.save(update_fields=["minute", "calls", "used_at"])
    if scope not in found.scopes:
        message = _("This token may not do that: it lacks “%(scope)s”.") % {"scope": scope}
        raise Forbidden(message, _("Make one that may, backstage."))
    return found


def _known(text: str) -> Token:
    rows = Token.objects.select_for_update(of=("self",)).select_related("event", "made_by")
    found = rows.filter(token_hash=bytes_hash(text.encode())).first() if text else None
    if found is None:
        raise TokenNeeded(_("This needs a token of the event."), _("Send it as “Authorization: Bearer ...”."))
    if found.revoked_at or found.expires_at <= timezone.now() or not found.event.current or not _trusted(found):
        raise TokenNeeded(_("This token opens nothing any more."), _("Ask an organiser for a new one."))
    return found


def _trusted(token: Token) -> bool:
    """Whether whoever made it keeps the event still."""
    maker = token.made_by
    if maker is None or not maker.is_active:
        return False
    return maker.is_superuser or Role.objects.filter(
        user=maker, event=token.event_id, kind=Role.Kind.ORGANISER
    ).exists()
