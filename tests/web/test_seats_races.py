"""Presses at the same moment, in threads: the last place, an offer, an expiry; and what happens with the lock off.
Crowds over real HTTP: tests/rush."""

import datetime
import threading
from contextlib import contextmanager

import hands
import pytest
from django.utils import timezone

from salon.core.errors import SalonError
from salon.web.people import guests
from salon.web.seats.domain import locking, places
from salon.web.seats.models import Place, Pool

pytestmark = pytest.mark.django_db(transaction=True)
PRESSES = 6


@pytest.fixture
def event(first_event):
    return first_event


def pool(event, capacity, **more):
    return Pool.objects.create(event=event, kind="meeting", name="Tea", capacity=capacity, **more)


def take(event, pool, number):
    return places.take(pool.id, guests.make(event.id, f"Person {number}")[0], f"{number:032x}")


def at_once(*deeds):
    """What each of these answers when all are pressed at the same moment."""
    return [type(one).__name__ if isinstance(one, SalonError) else one for one in hands.at_once(*deeds)]


def states(pool):
    return sorted(Place.objects.filter(pool=pool).values_list("state", flat=True))


def test_the_last_place_is_not_oversold(event):
    tea = pool(event, 1)
    at_once(*(lambda number=number: take(event, tea, number) for number in range(PRESSES)))
    assert states(tea) == ["held"] + ["waiting"] * (PRESSES - 1)


def test_without_the_lock_it_is_oversold(event, monkeypatch):
    """Negative control."""
    gate, count = threading.Barrier(PRESSES, timeout=60), places.room

    @contextmanager
    def open_door(*pool_ids):
        yield locking.families(pool_ids)

    def slow_count(*arguments, **more):
        found = count(*arguments, **more)
        gate.wait()
        return found

    tea = pool(event, 1)
    monkeypatch.setattr(locking, "locked", open_door)
    monkeypatch.setattr(places, "room", slow_count)
    at_once(*(lambda number=number: take(event, tea, number) for number in range(PRESSES)))
    assert states(tea).count("held") > 1


def test_laptops_of_two_workshops_are_not_oversold(event):
    lent = pool(event, 1, listed=False)
    ink, oil = (pool(event, 5, needs=lent) for _ in range(2))
    at_once(*(lambda n=number: take(event, (ink, oil)[n % 2], n) for number in range(PRESSES)))
    assert sorted(states(ink) + states(oil)) == ["held"] + ["waiting"] * (PRESSES - 1)


def test_given_back_twice_at_once_one_is_asked_and_nothing_oversold(event):
    tea = pool(event, 1)
    had = take(event, tea, 0)
    first, _second = take(event, tea, 1), take(event, tea, 2)
    at_once(*[lambda: places.give_back(had.id, had.guest)] * PRESSES)
    assert states(tea) == ["cancelled", "offered", "waiting"]
    assert Place.objects.get(state="offered").id == first.id


def test_an_offer_accepted_while_it_is_declined_is_not_oversold(event):
    tea = pool(event, 1)
    had = take(event, tea, 0)
    first, _second = take(event, tea, 1), take(event, tea, 2)
    places.give_back(had.id, had.guest)
    at_once(lambda: places.accept(first.id, first.guest), lambda: places.decline(first.id, first.guest))
    assert states(tea) in (["booked", "cancelled", "waiting"], ["cancelled", "declined", "offered"])


def test_confirmed_while_it_expires_is_not_oversold(event, monkeypatch):
    tea = pool(event, 1)
    slow = take(event, tea, 0)
    Place.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    others = [lambda number=number: take(event, tea, number) for number in range(1, PRESSES)]
    at_once(lambda: places.confirm(slow.id, slow.guest), *others)
    found = states(tea)
    assert found.count("held") + found.count("booked") == 1
    assert (found.count("booked") == 1) is (Place.objects.get(id=slow.id).state == "booked")
