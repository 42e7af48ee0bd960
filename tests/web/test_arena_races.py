"""Many presses at the same moment: one battle, one pair at a time, one vote; and what happens with the lock off."""

import threading
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import hands
import msgspec
import pytest

from salon.core.errors import SalonError
from salon.web.arena.domain import asking, voting
from salon.web.arena.models import Battle
from salon.web.events.domain import current_event
from salon.web.line import EngineState
from salon.web.station.models import Request

pytestmark = pytest.mark.django_db(transaction=True)
ADA, PRESSES = "a" * 32, 6


@pytest.fixture(autouse=True)
def _event(first_event):
    return first_event


@pytest.fixture
def engine(engine):
    tiny = engine.models[0]
    return EngineState("ready", models=tuple(msgspec.structs.replace(tiny, name=name) for name in ("ochre", "umber")))


def at_once(deed):
    """What `deed(number)` answers to each of several people who press at the same moment."""
    said = hands.at_once(*(partial(deed, number) for number in range(PRESSES)))
    return [type(one).__name__ if isinstance(one, SalonError) else one for one in said]


def test_the_same_press_sent_often_is_one_battle(engine):
    assert len(set(at_once(lambda number: asking.ask(ADA, "0" * 16, "a fox", engine).id))) == 1
    assert (Battle.objects.count(), Request.objects.count()) == (1, 1)


def test_of_many_presses_one_pair_is_drawn(engine):
    answers = at_once(lambda number: asking.ask(ADA, f"{number:016x}", "a fox", engine).id)
    assert answers.count("TooManyWaiting") == PRESSES - 1
    assert Request.objects.count() == 1


def test_without_the_lock_more_are_drawn(engine, monkeypatch):
    """Negative control: counting and storing without one transaction lets more in."""
    gate, check = threading.Barrier(PRESSES, timeout=60), asking._check_room

    def slow_check(*arguments):
        check(*arguments)
        gate.wait()

    monkeypatch.setattr(asking, "transaction", SimpleNamespace(atomic=nullcontext))
    monkeypatch.setattr(asking, "lock_current_event", current_event)
    monkeypatch.setattr(asking, "_check_room", slow_check)
    at_once(lambda number: asking.ask(ADA, f"{number:016x}", "a fox", engine).id)
    assert Request.objects.count() > 1


def test_of_many_votes_the_first_stays_and_all_are_told_so(engine):
    battle = asking.ask(ADA, "0" * 16, "a fox", engine)
    Request.objects.update(state="finished")
    for image in (battle.image_a, battle.image_b):
        image.file = "x.png"
        image.save()
    words = ("a", "b", "tie", "both_bad", "a", "b")
    told = set(at_once(lambda number: voting.vote(voting.owned(battle.id, ADA), words[number]).winner))
    assert told == {Battle.objects.get().winner}
