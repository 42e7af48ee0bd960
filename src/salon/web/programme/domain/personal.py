"""What the programme holds of a person, and how it lets go of it."""

from typing import Any

from django.db.models import F
from django.utils import timezone

from salon.web.events.times import words
from salon.web.people.models import Guest
from salon.web.people.personal import Panel
from salon.web.programme.domain import stars
from salon.web.programme.models import Presenter, Session


def collect(guest: Guest) -> dict[str, Any]:
    """Sessions that a guest gives, by the name that stands there, and those they starred."""
    given = Presenter.objects.filter(guest=guest).select_related("session")
    rows = [
        {"session": p.session.title, "name": p.name, "starts_at": p.session.starts_at.isoformat()} for p in given
    ]  # fmt: skip
    return {"presents": rows, "stars": stars.collect(guest)}


def erase(guest: Guest) -> None:
    """Inside a transaction: their name leaves the programme (calendars are told by a new sequence), their stars go."""
    given = Presenter.objects.filter(guest=guest)
    sessions = list(given.values_list("session_id", flat=True))
    given.delete()
    Session.objects.filter(id__in=sessions).update(sequence=F("sequence") + 1, changed_at=timezone.now())
    stars.forget(guest.visitor)


def panel(guest: Guest) -> Panel | None:
    """The sessions that a guest gives, for their own page."""
    given = Session.objects.filter(presenters__guest=guest, event=guest.event_id).select_related("room", "event")
    rows = [{"session": one, "when": words(one.event, one.starts_at)} for one in given.distinct()]
    return Panel("programme/_panel.html", {"rows": rows}) if rows else None
