"""The same juror in two tabs, two organisers who draw, one token in many hands: at the same moment. Each with its
control: with the transaction left away, which on SQLite is the lock, the rule is broken."""

import threading
from contextlib import nullcontext, suppress
from types import SimpleNamespace

import hands
import pytest
from django.db import IntegrityError
from django.db.models import QuerySet
from jury_house import applications, asked, judge, jury, olga, phase, seat  # noqa: F401 (fixtures)

from salon.core.errors import Busy, Conflict
from salon.web.exports.domain import tokens
from salon.web.exports.models import Token
from salon.web.jury.domain import assigning, jurors, reviewing
from salon.web.jury.models import Review

# ruff: noqa: F811 (fixtures of jury_house.py)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _event(first_event):
    return first_event


@pytest.fixture(params=[True, False], ids=["locked", "control"])
def locked(request, monkeypatch):
    """Whether the rules' transactions are there."""
    if not request.param:
        for module in (assigning, reviewing, tokens):
            monkeypatch.setattr(module, "transaction", SimpleNamespace(atomic=nullcontext))
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **more: rows)
    return request.param


def meeting(monkeypatch, module, name, number, locked):
    """Whoever has called the function waits for the others, if they get there: all have read before one writes."""
    there, real = threading.Barrier(number), getattr(module, name)

    def called(*arguments, **more):
        found = real(*arguments, **more)
        with suppress(threading.BrokenBarrierError):
            there.wait(0.4 if locked else 20)  # behind a lock nobody else gets there
        return found

    monkeypatch.setattr(module, name, called)


def at_once(*deeds):
    """ "done", "told" or "broken" for each."""
    words = {Conflict: "told", Busy: "told", IntegrityError: "broken", type(None): "done"}
    kinds = [type(one) if isinstance(one, Exception) else type(None) for one in hands.at_once(*deeds)]
    return sorted(next((word for kind, word in words.items() if issubclass(one, kind)), repr(one)) for one in kinds)


def test_of_two_tabs_one_is_told(olga, jury, applications, monkeypatch, locked):
    made = phase(olga)
    assigning.assign(olga, made.pk, applications[0].pk, seat(jury[0]).pk)
    judge(jury[0], applications[0], made, 5)
    own, (category,) = asked(jury[0], applications[0], made).pk, made.categories.all()
    meeting(monkeypatch, reviewing, "review_of", 2, locked)
    said = [{"abstained": False, "scores": {category.pk: n}, "text": "", "note": ""} for n in (1, 9)]
    found = at_once(*(lambda one=one: reviewing.save(jury[0], own, one, 1) for one in said))
    assert (found == ["done", "told"]) is locked
    assert Review.objects.get().revision == 2


def test_two_who_draw_at_once_ask_as_many_as_one(olga, jury, applications, monkeypatch, locked):
    """In the control both draw for all: somebody is asked beside another, or the database stops the same lot."""
    made = phase(olga, each=1)
    assert len(jurors.seated(made.event)) == 3
    meeting(monkeypatch, assigning, "balanced", 2, locked)
    found = at_once(*(lambda seed=seed: assigning.draw(olga, made.pk, seed) for seed in ("1", "2")))
    asked_of = list(made.assignments.values_list("submission", flat=True))
    whole = len(asked_of) == len(set(asked_of)) == len(applications)
    assert (whole and "broken" not in found) is locked


def test_one_token_in_many_hands_is_counted_whole(olga, settings, monkeypatch, locked):
    settings.SALON_API_PER_MINUTE = 2
    monkeypatch.setattr(tokens.time, "time", lambda: 6e7)
    _token, text = tokens.make(olga, "x", ["places:read"], 1)
    meeting(monkeypatch, tokens, "_known", 4, locked)
    found = at_once(*[lambda: tokens.use(text, "places:read")] * 4)
    assert found.count("done") == (2 if locked else 4)
    assert Token.objects.get().calls == (2 if locked else 1)
