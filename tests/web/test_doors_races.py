"""Two doors, one ticket, one moment: exactly one hears "in"; and what happens with the lock off."""

import threading
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import connection
from doorway import door, hand, nonce, place, pool, scan
from hands import at_once as together

from salon.core.errors import SalonError
from salon.web.doors import tickets
from salon.web.doors.domain import redeeming
from salon.web.doors.models import CheckIn, Refusal
from salon.web.seats.models import Place

pytestmark = pytest.mark.django_db(transaction=True)
DOORS = 6


@pytest.fixture(autouse=True)
def _event(first_event):
    return first_event


@pytest.fixture
def hands():
    return [hand(door(f"Door {number}")) for number in range(DOORS)]


def at_once(deed):
    """What `deed(number)` answers at each of several doors that scan at the same moment."""
    said = together(*(partial(deed, number) for number in range(DOORS)))
    return [one.code if isinstance(one, SalonError) else one for one in said]


def test_of_many_doors_one_hears_in(hands):
    text = tickets.ticket_of(place(pool()))
    answers = at_once(lambda number: redeeming.redeem(hands[number], scan(text)))
    assert sorted(getattr(said, "reason", "in") for said in answers) == ["already_in"] * (DOORS - 1) + ["in"]
    assert (CheckIn.objects.count(), Refusal.objects.count()) == (1, DOORS - 1)


def test_the_same_press_sent_often_is_one_entry(hands):
    press = scan(tickets.ticket_of(place(pool())))
    answers = at_once(lambda number: redeeming.redeem(hands[0], press))
    assert len({said.pk for said in answers}) == 1
    assert (CheckIn.objects.count(), Refusal.objects.count()) == (1, 0)


def test_doors_do_not_oversell_the_last_place(hands):
    """One place is left, and six walk in at six doors."""
    talk = pool("Talk", capacity=1, reserve=1)
    answers = at_once(lambda number: redeeming.walk_in(hands[number], talk.id, "", nonce()))
    assert answers.count("conflict") == DOORS - 1
    assert Place.objects.filter(pool=talk, state="booked").count() == 1


@pytest.fixture
def _without_constraint():
    """The database itself would refuse the second entry; here it must not, so that the lock is seen to matter."""
    (rule,) = [one for one in CheckIn._meta.constraints if one.name == "in_once"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(CheckIn, rule)
    yield
    CheckIn.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(CheckIn, rule)


@pytest.mark.usefixtures("_without_constraint")
def test_without_the_lock_several_hear_in(hands, monkeypatch):
    """Negative control: looking and writing without one transaction lets more in."""
    gate, reason = threading.Barrier(DOORS, timeout=60), redeeming._reason

    def slow_reason(*arguments):
        found = reason(*arguments)
        gate.wait()
        return found

    monkeypatch.setattr(redeeming, "transaction", SimpleNamespace(atomic=nullcontext))
    monkeypatch.setattr(redeeming, "locking", SimpleNamespace(hold=lambda pools: None))
    monkeypatch.setattr(redeeming, "_hold", lambda hand: None)
    monkeypatch.setattr(redeeming, "_reason", slow_reason)
    text = tickets.ticket_of(place(pool()))
    at_once(lambda number: redeeming.redeem(hands[number], scan(text)))
    assert CheckIn.objects.filter(undone_at=None).count() > 1
