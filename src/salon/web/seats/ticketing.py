"""The way to a place's ticket. Tickets belong to a later room, which says here where they are."""

from collections.abc import Callable

from salon.web.seats.models import Place

_known: list[Callable[[Place], str]] = []


def register(link: Callable[[Place], str]) -> None:
    """For the room of the doors: `link(place)` is the path of the ticket's page, for whoever holds the place's own."""
    _known[:] = [link]


def link_of(place: Place) -> str:
    """The ticket's page of a booked place; empty without one."""
    return _known[0](place) if _known and place.state == Place.State.BOOKED else ""
