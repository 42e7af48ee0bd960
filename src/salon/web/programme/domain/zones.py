"""When the event's time zone or its days change after sessions were written. Instants are kept, so the printed times
change with the zone: only an organiser knows what was meant."""

import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.times import BadTime, zone
from salon.web.events.trail import note
from salon.web.people.models import User
from salon.web.programme.domain import editing
from salon.web.programme.models import Session

#: keep what was printed (10:00 stays 10:00), or keep the instant (a stream's audience elsewhere)
CLOCK, INSTANT = "clock", "instant"
FURTHEST = datetime.timedelta(days=2 * 366)


def strangers(event: Event) -> list[Session]:
    """Sessions whose times were set while the event was in another zone, and are printed differently now."""
    rows = Session.objects.filter(event=event).exclude(time_zone=event.time_zone)
    return [session for session in rows.select_related("pool", "room") if _kept(event, session) != _now(session)]


def _now(session: Session) -> tuple[datetime.datetime, datetime.datetime]:
    return session.starts_at, session.ends_at


def _kept(event: Event, session: Session) -> tuple[datetime.datetime, datetime.datetime]:
    """The instants at which the event's clock shows what it showed in the session's own zone."""
    old, new = ZoneInfo(session.time_zone), zone(event)
    return _shown_again(session, old, new, datetime.timedelta())


def _shown_again(
    session: Session, old: ZoneInfo, new: ZoneInfo, by: datetime.timedelta
) -> tuple[datetime.datetime, datetime.datetime]:
    """What the old clock shows of a session, so many days later, as instants of the new one. Within an hour that is
    left out or comes twice, Python's rule holds: as before the change."""
    starts_at, ends_at = (
        (at.astimezone(old).replace(tzinfo=None) + by).replace(tzinfo=new).astimezone(datetime.UTC)
        for at in (session.starts_at, session.ends_at)
    )
    return starts_at, max(ends_at, starts_at + datetime.timedelta(minutes=1))


def settle(person: User, how: str) -> int:
    """Keeps the printed times (`CLOCK`) or the instants of all that `strangers` names; returns how many those were."""
    with transaction.atomic():
        event = lock_current_event()
        found = strangers(event)
        if how == CLOCK:
            for session in found:
                editing.move(event, session, *_kept(event, session))
        Session.objects.filter(event=event).exclude(time_zone=event.time_zone).update(
            time_zone=event.time_zone, changed_at=timezone.now()
        )
        if found:
            note(event, f"times kept by {how}", "", person=person, text=f"{len(found)}: {event.time_zone}")
        return len(found)


def postpone(person: User, first: datetime.date) -> int:
    """Moves the whole programme by as many days as bring its first session to `first`; times on the clock stay. Returns
    how many sessions moved. Raises BadTime for a day without reason."""
    with transaction.atomic():
        event = lock_current_event()
        here = zone(event)
        held = list(Session.objects.filter(event=event).select_related("room", "pool"))
        by = first - held[0].starts_at.astimezone(here).date() if held else datetime.timedelta()
        if abs(by) > FURTHEST:
            raise BadTime(_("That is more than two years from where it is."), _("Look at the year again."))
        if not by:
            return 0
        for session in held:
            editing.move(event, session, *_shown_again(session, here, here, by))
        note(event, "programme postponed", "", person=person, text=f"{len(held)}: {by.days:+} d")
        return len(held)
