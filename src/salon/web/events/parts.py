"""What other rooms show on an event's page: they know it, and the event comes before them."""

from collections.abc import Callable
from typing import Any

from salon.web.events.models import Event

#: name -> (template, what it is given of an event; None or nothing: the part is left out)
_parts: dict[str, tuple[str, Callable[[Event], dict[str, Any] | None]]] = {}


#: address of a room's page -> whether there is anything behind it at an event
_behind: dict[str, Callable[[Event], bool]] = {}


def register(name: str, template: str, function: Callable[[Event], dict[str, Any] | None]) -> None:
    """For other rooms' `apps.py`: a part of every event's page, archived ones included."""
    _parts[name] = (template, function)


def of(event: Event) -> list[tuple[str, dict[str, Any]]]:
    """The parts that have something to show: (template, what it is given)."""
    return [(template, found) for template, function in _parts.values() if (found := function(event))]


def register_way(address: str, function: Callable[[Event], bool]) -> None:
    """For other rooms: whether an event's page should lead there."""
    _behind[address] = function


def leads_somewhere(address: str, event: Event) -> bool:
    """Whether there is anything behind a room's address; rooms that say nothing always have something."""
    return address not in _behind or _behind[address](event)
