"""The worker's rounds: each duty in its turn, sleep between, no duty's error is another's."""

import errno
import threading

import pytest

from salon.core.errors import SalonError
from salon.web.mail import worker

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """Time that passes only while the worker sleeps."""

    def __init__(self, rounds):
        self.now, self.rounds, self.slept = 1000.0, rounds, []

    def monotonic(self):
        return self.now

    def is_set(self):
        return self.rounds <= 0

    def wait(self, seconds):
        self.rounds -= 1
        self.now += seconds
        self.slept.append(seconds)
        return self.is_set()


@pytest.fixture
def run(monkeypatch):
    """Does so many rounds of these duties; what was done at which second, and every sleep."""

    def run(rounds, **duties):
        clock, done = Clock(rounds), []
        monkeypatch.setattr(worker, "_duties", {})
        monkeypatch.setattr(worker, "_stop", clock)
        monkeypatch.setattr(worker, "time", clock)
        for name, (seconds, function) in duties.items():
            worker.every(seconds, name, lambda n=name, f=function: (done.append((n, clock.now - 1000)), f()))
        worker.work()
        return done, clock.slept

    return run


def fail():
    raise SalonError("no")


def test_each_in_its_turn_and_sleep_between(run):
    done, slept = run(6, often=(10, int), seldom=(25, int))
    assert done == [("often", 0), ("seldom", 0), ("often", 10), ("often", 20), ("seldom", 25)]
    assert slept == [0, 0, 10, 10, 5, 5]  # nothing is polled: it wakes when something is due, not before


def test_an_error_stops_nothing_else_and_is_left_alone_for_a_while(run):
    done, _slept = run(10, good=(10, int), bad=(1, fail))
    assert done[:4] == [("good", 0), ("bad", 0), ("good", 10), ("good", 20)]
    assert ("bad", worker.PAUSE) in done
    assert sum(name == "bad" for name, _ in done) == 2


def test_it_ends_from_its_sleep_at_once(monkeypatch):
    monkeypatch.setattr(worker, "_duties", {})
    monkeypatch.setattr(worker, "_stop", threading.Event())
    once = threading.Event()
    worker.every(10_000, "once", once.set)
    thread = threading.Thread(target=worker.work)
    thread.start()
    assert once.wait(60)
    worker.stop()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_is_not_filled_with_reports_of_it(caplog, number):
    """A line of every duty, every minute; control: of anything else the log says where it happened."""

    def duty():
        raise OSError(number, "no")

    assert worker.do(worker.Duty(1, "letters", duty)) == worker.PAUSE
    (said,) = caplog.records
    assert bool(said.exc_info) is (number != errno.ENOSPC)
    assert "letters" in said.getMessage()
