"""500 people want 50 seats at the same moment, over real HTTP, from a live server: on SQLite, and with DATABASE_URL on
PostgreSQL (tests/postgres). And the negative control: the same crowd with the lock off gets more than there are."""

from collections import Counter

import pytest
from crowd import form

pytestmark = pytest.mark.slow
PEOPLE, SEATS = 500, 50


def take(server):
    """Everybody presses at once; the answers."""
    return server.together([("POST", f"/places/{server.pool}", form(number)) for number in range(PEOPLE)])


def test_500_people_50_seats_nothing_is_oversold(server):
    server.open(SEATS, "crowded")
    taken = take(server)
    assert Counter(one.status for one in taken) == {302: PEOPLE}
    assert server.count() == {"states": {"held": SEATS, "waiting": PEOPLE - SEATS}, "guests": PEOPLE, "rows": PEOPLE}
    held = server.held()
    late = [one.location for one in taken if one.location not in held][:SEATS]
    confirmed = server.together([("POST", where, {"deed": "confirm"}) for where in held + late])
    assert [one.status for one in confirmed] == [302] * SEATS + [409] * SEATS
    assert server.count()["states"] == {"booked": SEATS, "waiting": PEOPLE - SEATS}
    # half of the seats are given back, twice each and all at once: as many of those who wait are asked, nobody twice
    back = held[: SEATS // 2]
    server.together([("POST", where, {"deed": "give_back"}) for where in back * 2])
    assert server.count()["states"] == {
        "booked": SEATS - len(back),
        "cancelled": len(back),
        "offered": len(back),
        "waiting": PEOPLE - SEATS - len(back),
    }


def test_control_without_the_lock_it_is_oversold(server):
    server.open(SEATS, "crowded", "unlocked")
    take(server)
    assert server.count()["states"]["held"] > SEATS


def test_the_same_press_from_many_connections_is_not_oversold(server):
    server.open(SEATS, "crowded")
    pressed = form(1)
    told = server.together([("POST", f"/places/{server.pool}", pressed)] * 40)
    assert {one.status for one in told} == {302}
    assert len({one.location for one in told}) == 1
    assert server.count() == {"states": {"held": 1}, "guests": 1, "rows": 1}
