"""The scheduler alone, with fake work: fair, complete, and background never in the way."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salon.engine.scheduler import Sample, Scheduler

STAGES = 2  # steps, then a finish each


def request(name, visitor, count=1, steps=3, background=False, model="m"):
    samples = [Sample(name, i, visitor, model, background) for i in range(count)]
    for sample in samples:
        sample.left = steps
    return samples


def work(scheduler, turn):
    """What the runner does with a turn, without networks; the names of requests that are complete."""
    complete = []
    for sample in turn.samples:
        if not turn.finish:
            sample.left -= 1
        else:
            sample.stage, sample.left = sample.stage + 1, 0
            if sample.stage == STAGES and scheduler.done(sample):
                complete.append(sample.request)
    return complete


def drain(scheduler, arrivals=()):
    """Turns until nothing is left; `arrivals` [(turn, samples)] come in on the way."""
    turns, waiting = [], sorted(arrivals, key=lambda a: a[0])
    while True:
        while waiting and waiting[0][0] <= len(turns):
            scheduler.add(waiting.pop(0)[1])
        turn = scheduler.next()
        if turn is None and not waiting:
            return turns
        if turn is not None:
            # taken down before the work changes the samples
            seen = [(s.request, s.index, s.visitor, s.background) for s in turn.samples]
            needs = {s.needs for s in turn.samples}
            turns.append((seen, needs, work(scheduler, turn)))
        else:
            turns.append(([], set(), []))


requests = st.lists(
    st.tuples(
        st.integers(0, 30),  # turn of arrival
        st.sampled_from("abcdefgh"),  # visitor
        st.integers(1, 12),  # images
        st.integers(1, 9),  # steps
        st.booleans(),  # background
        st.sampled_from("mn"),  # model
    ),
    max_size=14,
)
schedulers = st.builds(Scheduler, st.integers(1, 18), st.integers(1, 9), st.integers(1, 5), st.integers(1, 4))


@settings(deadline=None, max_examples=200)
@given(schedulers, requests)
def test_nothing_is_lost_doubled_or_mixed(scheduler, asked):
    arrivals = [(t, request(f"r{i}", v, n, k, b, m)) for i, (t, v, n, k, b, m) in enumerate(asked)]
    turns = drain(scheduler, arrivals)
    drawn = Counter((name, index) for seen, _, _ in turns for name, index, *_ in seen)
    wanted = {(f"r{i}", j): k + STAGES for i, (_, _, n, k, _, _) in enumerate(asked) for j in range(n)}
    assert drawn == wanted
    assert sorted(name for *_, complete in turns for name in complete) == sorted(f"r{i}" for i in range(len(asked)))
    for seen, needs, _ in turns:
        assert len(needs) <= 1  # one call: one model, one stage, one action
        assert len(seen) <= (scheduler.capacity if seen and not next(iter(needs))[2] else scheduler.finish_capacity)
        assert len({background for *_, background in seen}) <= 1
    assert len(scheduler) == 0


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 9))
def test_no_visitor_waits_longer_than_the_others_need(visitors, flood, steps):
    """One visitor asks for `flood` times as much as anybody else, first: nobody waits for more than the first of it."""
    scheduler = Scheduler(capacity=9, seats=3)
    for i in range(flood * 5):
        scheduler.add(request(f"flood{i}", "greedy", 9, steps))
    for i in range(visitors):
        scheduler.add(request(f"r{i}", f"v{i}", 9, steps))
    turns = drain(scheduler)
    first = {}
    last = {}
    for number, (seen, _, complete) in enumerate(turns):
        for _, _, visitor, _ in seen:
            first.setdefault(visitor, number)
        last |= dict.fromkeys(complete, number)
    each = steps + STAGES
    assert max(first.values()) <= 2 * (visitors + 1)  # a first step within two turns for each who came before
    assert max(last[f"r{i}"] for i in range(visitors)) <= (visitors + 4) * each + 2 * visitors


def test_without_lines_by_visitor_a_flood_drowns_the_others():
    """Negative control: if the flood comes as one visitor each, its requests are all served before."""
    scheduler = Scheduler(capacity=9)
    for i in range(20):
        scheduler.add(request(f"flood{i}", f"mask{i}", 9, 4))
    scheduler.add(request("r", "v", 9, 4))
    turns = drain(scheduler)
    assert next(i for i, (*_, complete) in enumerate(turns) if "r" in complete) > 20 * 4


def test_a_newcomer_is_shown_something_at_the_next_turn():
    scheduler = Scheduler()
    scheduler.add(request("old", "a", 9, 50))
    for _ in range(5):
        work(scheduler, scheduler.next())
    scheduler.add(request("new", "b", 9, 50))
    assert {s.request for s in scheduler.next().samples} == {"new"}


def test_newcomers_cannot_stop_those_who_are_running():
    scheduler = Scheduler()
    scheduler.add(request("old", "a", 9, 10))
    work(scheduler, scheduler.next())
    served = 0
    for i in range(20):
        scheduler.add(request(f"new{i}", f"v{i}", 9, 10))
        turn = scheduler.next()
        served += turn.samples[0].request == "old"
        work(scheduler, turn)
    assert served >= 3  # takes turns with the seated, and with newcomers


def test_small_requests_share_a_call():
    scheduler = Scheduler(capacity=9)
    for i in range(6):
        scheduler.add(request(f"r{i}", f"v{i}", 2, 4))
    assert len(scheduler.next().samples) == 9


def test_background_never_shares_or_delays_a_visitors_call_but_for_its_patience():
    scheduler = Scheduler(capacity=9, background=4, patience=10)
    scheduler.add(request("audit", "machine", 9, 100, background=True))
    assert len(scheduler.next().samples) == 4
    scheduler.add(request("r", "a", 9, 40))
    turns = []
    while scheduler.samples("r"):
        turn = scheduler.next()
        turns.append([s.background for s in turn.samples])
        work(scheduler, turn)
    behind = [flags for flags in turns if flags[0]]
    assert 42 // 10 <= len(behind) <= 42 // 10 + 1  # not starved
    assert all(len(flags) == 1 for flags in behind)  # and no more than a sample at a time
    assert all(len(set(flags)) == 1 for flags in turns)


def test_a_cancelled_request_is_gone_and_its_visitor_goes_on():
    scheduler = Scheduler()
    scheduler.add(request("a1", "a", 3))
    scheduler.add(request("a2", "a", 3))
    work(scheduler, scheduler.next())
    assert scheduler.drop("a1")
    assert not scheduler.drop("a1")
    assert {name for seen, *_ in drain(scheduler) for name, *_ in seen} == {"a2"}
    assert scheduler.next() is None


def test_positions_take_turns_by_visitor():
    scheduler = Scheduler()
    for name, visitor, background in [("a1", "a", 0), ("a2", "a", 0), ("x", "m", 1), ("b1", "b", 0), ("a3", "a", 0)]:
        scheduler.add(request(name, visitor, background=bool(background)))
    positions = scheduler.positions()
    assert sorted(positions, key=positions.get) == ["a1", "b1", "a2", "a3", "x"]


@pytest.mark.parametrize("seats", [1, 3])
def test_some_finish_while_others_wait(seats):
    """With seats, the mean of the completion times is far below that of everybody sharing to the end."""
    means = {}
    for chairs in (seats, 99):
        scheduler = Scheduler(capacity=9, seats=chairs)
        for i in range(12):
            scheduler.add(request(f"r{i}", f"v{i}", 9, 10))
        ends = [number for number, (*_, complete) in enumerate(drain(scheduler)) for _ in complete]
        means[chairs] = sum(ends) / len(ends)
    assert means[seats] < 0.75 * means[99]
