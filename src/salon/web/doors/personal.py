"""What the doors hold of a guest: when they came in, and where they were not let in. Codes are worth nothing once their
guest is erased."""

from typing import Any

from salon.web.doors.models import CheckIn, Refusal, Ticket
from salon.web.people.models import Guest


def collect(guest: Guest) -> dict[str, Any]:
    """As plain values."""
    came = CheckIn.objects.filter(place__guest=guest).select_related("door", "place__pool")
    refused = Refusal.objects.filter(place__guest=guest).select_related("door", "place__pool")
    return {
        "tickets": [
            {"code": ticket.code, "made_at": ticket.created_at.isoformat()}
            for ticket in Ticket.objects.filter(place__guest=guest)
        ],
        "entries": [
            {
                "to": entry.place.pool.name,
                "door": entry.door.name,
                "at": entry.at.isoformat(),
                "undone_at": entry.undone_at.isoformat() if entry.undone_at else None,
            }
            for entry in came
        ],
        "refusals": [
            {"to": one.place.pool.name if one.place else "", "door": one.door.name, "at": one.at.isoformat(),
             "reason": one.reason}
            for one in refused
        ],
    }  # fmt: skip


def erase(guest: Guest) -> None:
    """Codes go; that a place was used stays as a number, without a name to it."""
    Ticket.objects.filter(place__guest=guest).delete()
    Refusal.objects.filter(place__guest=guest).delete()
