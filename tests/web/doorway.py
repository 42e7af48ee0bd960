"""A house with two doors, people with places, and hands at the doors."""

import datetime
import secrets

from django.utils import timezone

from salon.web.doors import tickets
from salon.web.doors.domain import hands, redeeming
from salon.web.doors.domain.redeeming import Scan
from salon.web.events.domain import current_event
from salon.web.people import guests
from salon.web.people.models import User
from salon.web.seats.models import Place, Pool


def nonce():
    return secrets.token_hex(16)


def organiser():
    return User.objects.get_or_create(username="olga", defaults={"is_staff": True, "is_superuser": True})[0]


def pool(name="Workshop", starts=30, ends=150, **more):
    """Begins and ends so many minutes from now."""
    now = timezone.now()
    at = {"starts_at": starts, "ends_at": ends}
    times = {name: now + datetime.timedelta(minutes=m) for name, m in at.items() if m is not None}
    fields = {"event": current_event(), "kind": "workshop", "capacity": 10, **times, **more}
    return Pool.objects.create(name=name, **fields)


def place(of, name="Ada Löwe", state="booked", **more):
    guest, token = guests.make(of.event_id, name)
    made = Place.objects.create(pool=of, guest=guest, state=state, key=nonce(), **more)
    made.token = token
    return made


def door(name="Main door", *pools, **values):
    return hands.set_door(organiser(), "", {"name": name, **values}, [one.id for one in pools])


def hand(at, name="Noor's phone"):
    """A device at a door; its token hangs at the hand's device."""
    device, token = hands.post(organiser(), at.id, name)
    device.token = token
    return hands.Hand(at, device=device)


def scan(code="", **more):
    return Scan(nonce(), code, **more)


def show(here, what, **more):
    """What the domain says when a ticket (or any text) is held up."""
    code = tickets.ticket_of(what) if isinstance(what, Place) else what
    return redeeming.redeem(here, scan(code, **more))
