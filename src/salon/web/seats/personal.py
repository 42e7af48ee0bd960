"""What the room holds of a guest: their places and invitations."""

from typing import Any

from salon.web.people.models import Guest
from salon.web.people.personal import Panel
from salon.web.seats.domain import places, proof, showing
from salon.web.seats.models import Invitation, Place


def collect(guest: Guest) -> dict[str, list[dict[str, Any]]]:
    """Their places, and where they were invited."""
    had = Place.objects.filter(guest=guest).select_related("pool").order_by("created_at")
    invited = Invitation.objects.filter(guest=guest).select_related("pool")
    return {
        "places": [
            {"what": place.pool.name, "starts_at": place.pool.starts_at, "state": place.state,
             "taken_at": place.created_at, "changed_at": place.changed_at, "came_at": place.came_at}
            for place in had
        ],
        "invitations": [{"what": one.pool.name, "reason": one.reason, "at": one.created_at} for one in invited],
    }  # fmt: skip


def erase(guest: Guest) -> None:
    """What they have or wait for goes to others; the rows stay as bare counts."""
    for place in Place.objects.filter(guest=guest, state__in=Place.LIVE):
        if not place.came_at:
            places.give_back(place.id, guest, quietly=True)
    Place.objects.filter(guest=guest).update(mailbox=None)
    Invitation.objects.filter(guest=guest).delete()


def panel(guest: Guest) -> Panel | None:
    """Their live places, each with the way to its own page."""
    live = Place.objects.filter(guest=guest, state__in=Place.LIVE)
    had = live.select_related("pool__event", "guest").order_by("created_at")
    rows = [{"place": place, "when": showing.when(place.pool), "token": proof.token_of(place)} for place in had]
    return Panel("seats/_panel.html", {"rows": rows}) if rows else None
