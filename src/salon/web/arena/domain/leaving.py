"""When a visitor goes: what remains of their votes."""

import secrets

from salon.web.arena.domain.asking import owner
from salon.web.arena.models import Battle
from salon.web.station.domain.erasing import erase_visitor
from salon.web.station.models import Request


def forget(visitor: str) -> list[str]:
    """Inside a transaction: open and void battles go with their drawings; votes stay, without words, pictures and
    person, under one random name (they must still count as one voter's). Names of the requests that were open."""
    mine = Battle.objects.filter(visitor=visitor)
    mine.filter(winner="").delete()
    mine.update(visitor=f"forgotten-{secrets.token_hex(16)}", key=None, request=None)
    return erase_visitor(owner(visitor))


def take_along(booth: str, own: str) -> None:
    """Inside a transaction: battles asked for at a booth belong to the phone's ticket from now on."""
    Battle.objects.filter(visitor=booth).update(visitor=own, key=None)
    Request.objects.filter(visitor=owner(booth)).update(visitor=owner(own), key=None)
