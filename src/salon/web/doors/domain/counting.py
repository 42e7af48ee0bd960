"""How many are in: counted from rows, so that every door says the same."""

from typing import Any

from django.db.models import Count

from salon.web.doors.domain.hands import pools
from salon.web.doors.models import CheckIn, Door
from salon.web.seats.domain import counts
from salon.web.seats.models import Pool


def topic(event_id: int) -> str:
    """The topic of an event's doors on the line to the desk."""
    return f"doors-{event_id}"


def inside(event_id: int) -> dict[str, int]:
    """Pool id -> how many of its guests came in, by whichever door; pools without any are left out."""
    rows = CheckIn.objects.filter(undone_at=None, place__pool__event=event_id).order_by()
    return dict(rows.values_list("place__pool").annotate(Count("id")))


def board(door: Door) -> list[dict[str, Any]]:
    """Of each pool that the door lets in: who has a place, who came, what the door may still give. Laptops come along
    with a seat: they are told only where somebody has one by itself."""
    there, chosen = inside(door.event_id), list(pools(door))
    now = counts.all_of(chosen)
    chosen = [pool for pool in chosen if pool.kind != Pool.Kind.LAPTOP or now[pool.id].booked]
    return [
        {
            "id": pool.id,
            "name": pool.name,
            "inside": there.get(pool.id, 0),
            "booked": now[pool.id].booked,
            "capacity": now[pool.id].capacity,
            "left": now[pool.id].door,
        }
        for pool in chosen
    ]
