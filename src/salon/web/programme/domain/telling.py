"""Letters to those who have a place in a session: it moved, or it does not take place. They wait in the outbox until an
organiser releases them."""

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from salon.web.events.models import Event
from salon.web.events.times import words
from salon.web.mail import letters
from salon.web.programme.models import Session
from salon.web.seats.models import Place

MOVED, CANCELLED = "session_moved", "session_cancelled"


def register() -> None:
    """Both kinds of letter."""
    letters.register(
        MOVED,
        gettext_lazy("{title}: another time or room"),
        gettext_lazy(
            "Dear {name},\n\nyou have a place in “{title}” at {event}. It is now on {when}, {where}.\n\n"
            "If you cannot come, please give your place back, so that somebody else gets it: {private_link}\n"
        ),
        variables=("title", "when", "where"),
    )
    letters.register(
        CANCELLED,
        gettext_lazy("{title} does not take place"),
        gettext_lazy(
            "Dear {name},\n\n“{title}” at {event}, in which you have a place, does not take place. {reason}\n\n"
            "We are sorry. What else there is: {private_link}\n"
        ),
        variables=("title", "reason"),
    )


def _holders(session: Session) -> list[Place]:
    if session.pool_id is None:
        return []
    return list(Place.objects.filter(pool_id=session.pool_id, state__in=Place.LIVE).select_related("guest"))


def _key(kind: str, session: Session, place: Place) -> str:
    return f"{kind}:{session.id}:{session.sequence}:{place.id}"


def moved(event: Event, session: Session) -> None:
    """To everybody with a place (or a wait for one), in the transaction of the move."""
    for place in _holders(session):
        with translation.override(letters.language_of(event, place.guest)):
            more = {"when": words(event, session.starts_at), "where": str(session.room or _("throughout the house"))}
        key = _key(MOVED, session, place)
        letters.write(event, place.guest, MOVED, key, title=session.title, **more)


def cancelled(event: Event, session: Session) -> None:
    """To everybody with a place (or a wait for one), in the transaction of the cancelling."""
    for place in _holders(session):
        key = _key(CANCELLED, session, place)
        letters.write(event, place.guest, CANCELLED, key, title=session.title, reason=session.reason)
