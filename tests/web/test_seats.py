"""Places: taken, confirmed, waited for, offered, given back, kept for the door."""

import datetime

import pytest
from django.core import signing
from django.utils import timezone

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.web.events.domain import current_event
from salon.web.mail.models import Letter
from salon.web.people import guests
from salon.web.seats.domain import counts, invitations, places, proof
from salon.web.seats.models import Place, Pool

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
keys = iter(range(10**6))


def pool(capacity=2, **more):
    fields = {"kind": "workshop", "name": "Ink", "capacity": capacity, **more}
    return Pool.objects.create(event=current_event(), **fields)


def guest(name="Ada", email=""):
    return guests.make(current_event().id, name, email)[0]


def take(pool, who=None, **more):
    return places.take(pool.id, who or guest(), f"{next(keys):032x}", **more)


def booked(pool, who=None):
    place = take(pool, who)
    return places.confirm(place.id, place.guest)


def later(monkeypatch, hours):
    now = timezone.now() + hours * HOUR
    monkeypatch.setattr(timezone, "now", lambda: now)


def state(place):
    return Place.objects.get(id=place.id).state


def test_held_confirmed_and_counted():
    ink = pool(3, reserve=1)
    held, other = take(ink), take(ink)
    places.confirm(held.id, held.guest)
    assert places.confirm(held.id, held.guest).state == "booked"  # twice is once
    assert take(ink).state == "waiting"  # the reserve is the door's
    assert counts.of(ink)[:7] == (3, 1, 1, 1, 0, 1, 0)
    assert counts.of(ink).door == 1
    assert places.at_door(ink.id, guest("Bo"), "d").at_door
    with pytest.raises(places.Full):
        places.at_door(ink.id, guest("Cy"), "e")
    assert state(other) == "held"


def test_one_press_and_one_guest_have_one_place():
    ink, ada = pool(5), guest()
    first = places.take(ink.id, ada, "k")
    assert places.take(ink.id, ada, "k").id == places.take(ink.id, ada, "other").id == first.id
    with pytest.raises(Conflict):
        places.take(ink.id, guest("Bo"), "k")
    places.give_back(first.id, ada)
    assert places.take(ink.id, ada, "k").state == "cancelled"  # the old press: what came of it
    assert places.take(ink.id, ada, "new").state == "held"


def test_a_hold_runs_out_and_the_first_who_waits_is_asked(monkeypatch):
    ink = pool(1, offer_hours=6)
    slow, first, second = take(ink), take(ink), take(ink)
    assert [places.rank(one) for one in (first, second)] == [1, 2]
    later(monkeypatch, 1)
    assert counts.of(ink).left == 0  # free, but promised
    with pytest.raises(places.Expired):
        places.confirm(slow.id, slow.guest)
    assert (state(slow), state(first), state(second)) == ("held", "waiting", "waiting")  # refused: nothing was written
    places.sweep(ink)
    assert (state(slow), state(first), state(second)) == ("expired", "offered", "waiting")
    places.decline(first.id, first.guest)
    places.decline(first.id, first.guest)
    assert (state(first), state(second)) == ("declined", "offered")
    assert places.accept(second.id, second.guest).state == "booked"


def test_an_offer_lapses_and_goes_on(monkeypatch):
    ink = pool(1, offer_hours=6)
    had, first, second = booked(ink), take(ink), take(ink)
    places.give_back(had.id, had.guest)
    places.give_back(had.id, had.guest)  # twice is once: one offer
    assert (state(first), state(second)) == ("offered", "waiting")
    later(monkeypatch, 7)
    places.sweep(ink)
    assert (state(first), state(second)) == ("expired", "offered")


def test_too_slow_but_nobody_else_wanted_it(monkeypatch):
    ink = pool(1)
    slow = take(ink)
    later(monkeypatch, 1)
    assert places.confirm(slow.id, slow.guest).state == "booked"


def test_offers_end_before_it_begins(monkeypatch):
    ink = pool(1, starts_at=timezone.now() + HOUR, offer_hours=6)
    had, first = booked(ink), take(ink)
    places.give_back(had.id, had.guest)
    first.refresh_from_db()
    assert first.expires_at < ink.starts_at
    later(monkeypatch, 1)
    places.sweep(ink)
    assert state(first) == "expired"
    with pytest.raises(Conflict):
        take(ink)
    assert places.at_door(ink.id, guest("Bo"), "d").came_at


def test_nobody_came_so_the_door_has_it(monkeypatch):
    ink = pool(2, starts_at=timezone.now() + HOUR, release_after=10)
    late, there = booked(ink), booked(ink)
    places.arrive(there.id)
    with pytest.raises(places.Full):
        places.at_door(ink.id, guest("Bo"), "d")
    later(monkeypatch, 1.5)
    assert counts.of(ink).door == 1
    assert places.at_door(ink.id, guest("Bo"), "d").state == "booked"
    assert (state(late), state(there)) == ("no_show", "booked")
    with pytest.raises(places.Full):
        places.arrive(late.id)


def test_late_but_still_free(monkeypatch):
    ink = pool(1, starts_at=timezone.now() + HOUR, release_after=10)
    late = booked(ink)
    later(monkeypatch, 2)
    places.sweep(ink)
    assert state(late) == "no_show"
    assert places.arrive(late.id).state == places.arrive(late.id).state == "booked"
    assert places.unarrive(late.id).state == "no_show"


def test_a_seat_takes_a_laptop_or_nothing():
    laptops = pool(2, kind="laptop", name="Laptops")
    at = timezone.now() + HOUR
    morning, noon, evening = (
        pool(5, needs=laptops, starts_at=at + begin * HOUR, ends_at=at + (begin + 2) * HOUR) for begin in (0, 1, 2)
    )
    booked(morning)
    assert counts.of(evening).left == 2  # those of the morning are back by then
    one = booked(noon)
    full = counts.of(morning)
    assert (full.left, full.lacking, full.capacity - full.booked) == (0, True, 4)
    waits = take(morning)
    assert waits.state == "waiting"
    assert counts.of(evening).left == 1
    places.give_back(one.id, one.guest)  # a laptop comes free in another pool
    assert state(waits) == "offered"


def test_invited_first():
    ink = pool(5, invited_until=timezone.now() + HOUR)
    ada, bo = guest("Ada"), guest("Bo")
    with pytest.raises(Forbidden):
        take(ink, ada)
    invitations.invite(ink, ada, "artist")
    invitations.invite(ink, ada, "artist")
    assert take(ink, ada).state == "held"
    code = invitations.make_code(ink)
    with pytest.raises(Forbidden):
        take(ink, bo, invitation="AAAA-BBBB-CCCC")
    assert take(ink, bo, invitation=code.lower().replace("-", " ")).state == "held"
    with pytest.raises(Conflict):
        take(ink, guest("Cy"), invitation=code)


def test_the_wrong_event_place_or_guest():
    from salon.web.events.models import Event

    ink, ada = pool(), guest()
    there = guests.make(Event.objects.create(slug="other", name="Other").id, "Bo")[0]
    with pytest.raises(BadRecipe):
        take(ink, there)
    with pytest.raises(BadRecipe):
        places.take("nothing", ada, "k")
    mine = take(ink, ada)
    for deed in (places.confirm, places.give_back, places.accept, places.decline):
        with pytest.raises(BadRecipe):
            deed(mine.id, guest("Bo"))
    with pytest.raises(Conflict):
        places.accept(mine.id, ada)


@pytest.mark.parametrize("known", [True, False])
def test_an_address_has_one_place_and_nobody_learns_whether_it_has(settings, known):
    settings.EMAIL_CONFIGURED = True
    ink, owner = pool(9), guest("Ada", "ada@example.org")
    if known:
        mine = take(ink, owner)
        places.confirm(mine.id, owner, proven=True)
    stranger = guest("Eve", "ADA@example.org")
    again = take(ink, stranger)
    assert again.state == "held"  # whether known or not
    with pytest.raises(proof.Unproven):
        places.confirm(again.id, stranger)
    letter = Letter.objects.filter(guest=stranger).get()
    assert letter.kind == ("place_again" if known else "place_held")
    assert proof.token_of(again, letter=True) not in letter.text or not known
    if known:  # even with the link
        with pytest.raises(Conflict):
            places.confirm(again.id, stranger, proven=True)
    else:
        assert places.confirm(again.id, stranger, proven=True).state == "booked"


def test_the_mailbox_rule_is_the_databases_too():
    from django.db import IntegrityError, transaction

    ink, box = pool(9), proof.mailbox("ada@example.org")
    Place.objects.create(pool=ink, guest=guest(), key="0", state="booked", mailbox=box)
    with pytest.raises(IntegrityError), transaction.atomic():
        Place.objects.create(pool=ink, guest=guest(), key="1", state="held", mailbox=box)


def test_links_are_whole_or_nothing():
    place = take(pool())
    assert proof.read(proof.token_of(place)) == (place.id, 0, False)
    before = signing.Signer(salt="salon.seats.browser").sign(place.id)  # what links of earlier houses carry
    assert proof.token_of(place) == before
    assert proof.read(proof.token_of(place, letter=True)) == (place.id, 0, True)
    for forged in (place.id, proof.token_of(place)[:-1], f"{'0' * 32}:{proof.token_of(place).split(':')[1]}"):
        with pytest.raises(Forbidden):
            proof.read(forged)
