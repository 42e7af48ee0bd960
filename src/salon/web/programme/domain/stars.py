""""My day": what a visitor has starred, by their ticket's key."""

from collections.abc import Iterable

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from salon.core.errors import Forbidden
from salon.web.events.models import Event
from salon.web.people.models import Guest
from salon.web.programme.models import Session, Star

_SALT = "salon.programme.mine"


def of(event: Event, visitor: str | None) -> frozenset[str]:
    """Ids of the starred sessions."""
    if visitor is None:
        return frozenset()
    return frozenset(Star.objects.filter(session__event=event, visitor=visitor).values_list("session_id", flat=True))


def put(session: Session, visitor: str, on: bool) -> None:
    """Stars a session, or takes the star away. Twice is once."""
    if on:
        with transaction.atomic():
            Star.objects.get_or_create(session=session, visitor=visitor)
    else:
        Star.objects.filter(session=session, visitor=visitor).delete()


def key_of(visitor: str) -> str:
    """What a calendar brings along to be shown this visitor's day: it has no cookie. It opens nothing else."""
    return signing.dumps(visitor, salt=_SALT)


def visitor_of_key(key: str) -> str:
    """The visitor of a calendar's address. Raises Forbidden for every other text."""
    try:
        return str(signing.loads(key, salt=_SALT))
    except signing.BadSignature as error:
        message = _("This address opens nobody's day.")
        raise Forbidden(message, _("Copy it again from “My day”, whole.")) from error


def forget(visitor: str) -> None:
    """Takes all their stars away."""
    if visitor:
        Star.objects.filter(visitor=visitor).delete()


def collect(guest: Guest) -> list[str]:
    """Titles of what a guest's browser has starred."""
    if not guest.visitor:
        return []
    starred: Iterable[str] = Star.objects.filter(visitor=guest.visitor, session__event=guest.event_id).values_list(
        "session__title", flat=True
    )
    return sorted(starred)
