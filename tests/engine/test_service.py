"""The engine in its own process: the same images, cancelled in the middle, killed, and spoken to by strangers."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time

import msgspec
import numpy as np
import pytest
import zmq

from salon.core.errors import BadRecipe, EngineUnavailable
from salon.core.update import FINAL, Cancelled, Failed, Finished, Preview, RefusedUpdate, Started
from salon.engine import messages as m
from salon.engine.client import LocalEngine, RemoteEngine
from salon.engine.runner import Runner
from salon.engine.service import Service


class Process:
    """A service as `salon run` starts it."""

    def __init__(self, weights, home, address="tcp://127.0.0.1:*"):
        command = [sys.executable, "-m", "salon.engine.service", "--weights", str(weights), "--address", address]
        environment = os.environ | {"SALON_HOME": str(home), "SALON_WEIGHTS": ""}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.address = json.loads(self.process.stdout.readline())["address"]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def service(weights, tmp_path_factory):
    process = Process(weights, tmp_path_factory.mktemp("home"))
    yield process
    assert process.process.poll() is None, "no test may end the service"
    process.stop()


@pytest.fixture
def remote(service):
    engine = RemoteEngine(service.address)
    yield engine
    engine.close()


def until(engine, kind, seconds=30.0):
    """Updates up to the first of that kind."""
    found, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        found += engine.poll(0.5)
        if any(isinstance(update, kind) for update in found):
            return found
    raise AssertionError(f"no {kind} in {found}")


def test_the_same_images_as_in_this_process(remote, engine, ask):
    for one in (remote, engine):
        one.submit(ask("same", [1, 2, 3]))
    far, near = (list(one.updates()) for one in (remote, engine))
    assert [type(u) for u in far] == [type(u) for u in near]
    for a, b in zip(far[-1].images, near[-1].images):
        assert np.abs(np.frombuffer(a.rgb, np.uint8).astype(int) - np.frombuffer(b.rgb, np.uint8)).max() <= 1


def test_models_words_and_health(remote, engine):
    mine = engine.models()  # the service also has the models of the house
    assert [model for model in remote.models() if model.name in {m.name for m in mine}] == mine
    np.testing.assert_allclose(remote.embed(["fox", "wolf"]), engine.embed(["fox", "wolf"]), atol=1e-5)
    assert remote.embed([]).shape == (0, 384)
    stats = remote.stats()
    assert (stats.waiting, stats.running) == (0, 0)
    assert stats.pid != os.getpid()
    assert 50 < stats.rss_mb < 1000
    assert remote.instance == stats.instance
    with pytest.raises(BadRecipe, match="at once"):
        remote.embed(["x"] * 5000)


def test_cancelled_in_the_middle(remote, ask):
    remote.submit(ask("stop", [1, 2], num_inference_steps=100))
    remote.submit(ask("stay", [1, 2], visitor="bob"))
    until(remote, Preview)
    remote.cancel("stop")
    remote.cancel("unknown")
    updates = list(remote.updates())
    assert [type(u) for u in updates if u.request == "stop" and isinstance(u, FINAL)] == [Cancelled]
    assert isinstance(updates[-1], Finished)
    assert updates[-1].request == "stay"
    stats = remote.stats()
    assert (stats.waiting, stats.running) == (0, 0)


def test_asking_twice_draws_once(remote, ask):
    for _ in range(2):
        remote.submit(ask("twice", [1]))
    found = list(remote.updates())
    found += remote.poll(0.3)
    assert sum(isinstance(u, Finished) for u in found) == 1


def test_a_client_that_comes_back_reads_on(service, ask):
    first, second = RemoteEngine(service.address), RemoteEngine(service.address)
    first.submit(ask("handed", [1], num_inference_steps=60))
    until(first, Started)
    first.close()
    second.submit(ask("handed", [1], num_inference_steps=60))
    assert isinstance(list(second.updates())[-1], Finished)
    second.close()


def raw(service, *frames):
    """A stranger's message, and what comes back within a while (None: nothing)."""
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.set(zmq.LINGER, 1000)
    socket.connect(service.address)
    socket.send_multipart(list(frames))
    answer = None
    deadline = time.monotonic() + 3
    while answer is None and time.monotonic() < deadline and socket.poll(500):
        said = m.read_answer(socket.recv())
        answer = None if isinstance(said, m.Heartbeat) else said
    socket.close()
    return answer


PICKLE = pickle.dumps(print)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"rubbish",
        os.urandom(1000),
        PICKLE,
        b"\xdd\xff\xff\xff\xff",  # an array of four thousand million
        b"\x91" * 100_000,  # a hundred thousand arrays inside each other
        msgspec.msgpack.encode({"type": "dance"}),
        msgspec.msgpack.encode({"type": "cancel", "id": 7}),
        msgspec.msgpack.encode({"type": "embed", "ref": 1, "texts": "fox"}),
        msgspec.msgpack.encode(["submit"]),
        msgspec.msgpack.encode({"type": "ask", "ref": "x" * 1000, "what": None}),
    ],
    ids=range(11),
)
def test_garbage_is_answered_with_a_problem(service, remote, frame):
    assert isinstance(raw(service, frame), m.Problem)
    assert remote.stats().waiting == 0


@pytest.mark.parametrize(
    "change",
    [{"recipes": []}, {"recipes": "x"}, {"recipes": [1] * 99}, {"visitor": None}, {"recipes": None}],
    ids=range(5),
)
def test_a_request_that_does_not_fit_is_refused_by_name(service, ask, change):
    good = msgspec.to_builtins(ask("odd", [1]))
    answer = raw(service, msgspec.msgpack.encode({"type": "submit", "request": good | change}))
    assert isinstance(answer, RefusedUpdate)
    assert answer.request == "odd"


def test_a_message_too_large_is_not_even_read(service, remote):
    assert raw(service, b"x" * (m.LARGEST + 1)) is None
    assert remote.stats().rss_mb < 1000


def test_a_killed_engine_is_seen_at_once_and_its_successor_serves(weights, tmp_path, ask):
    address = f"ipc://{tmp_path}/engine.sock"
    first = Process(weights, tmp_path / "home", address)
    engine = RemoteEngine(address, silence=600)  # not by waiting
    long = ask("long", [1, 2], num_inference_steps=100)
    engine.submit(long)
    until(engine, Preview)
    before = engine.instance
    os.kill(first.process.pid, signal.SIGKILL)
    with pytest.raises(EngineUnavailable, match="died"):
        until(engine, FINAL)
    with pytest.raises(EngineUnavailable):
        engine.poll(0.1)
    with pytest.raises(EngineUnavailable):
        engine.stats()
    first.stop()
    second = Process(weights, tmp_path / "home", address)
    for _ in range(100):
        try:
            engine.poll(0.2)
            if engine.instance != before:
                break
        except EngineUnavailable:
            time.sleep(0.1)
    engine.submit(long)  # with its seeds
    assert isinstance(list(engine.updates())[-1], Finished)
    engine.close()
    second.stop()


def test_an_engine_that_hangs_is_seen_after_a_while(weights, tmp_path):
    process = Process(weights, tmp_path)
    engine = RemoteEngine(process.address, silence=2.0)
    engine.stats()
    os.kill(process.process.pid, signal.SIGSTOP)
    with pytest.raises(EngineUnavailable, match="silent"):
        until(engine, FINAL, 10)
    os.kill(process.process.pid, signal.SIGCONT)
    until_alive(engine)
    engine.close()
    process.stop()


def until_alive(engine):
    for _ in range(50):
        try:
            engine.stats()
            return
        except EngineUnavailable:
            time.sleep(0.1)
    raise AssertionError("the engine did not come back")


def test_without_heartbeats_a_living_engine_would_pass_for_dead(weights, tmp_path, monkeypatch):
    """Negative control of the detector: heartbeats are what tells silence from idleness."""
    process = Process(weights, tmp_path)
    engine = RemoteEngine(process.address, silence=2.0)
    engine.stats()
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        engine.poll(0.2)  # alive, though there is nothing to say
    monkeypatch.setattr(engine, "_greet", lambda: None)
    deaf = engine._sort
    monkeypatch.setattr(engine, "_sort", lambda data: None if b"heartbeat" in data else deaf(data))
    with pytest.raises(EngineUnavailable, match="silent"):
        until(engine, FINAL, 10)
    engine.close()
    process.stop()


def test_nobody_there(tmp_path):
    engine = RemoteEngine(f"ipc://{tmp_path}/nobody.sock", silence=0.5)
    with pytest.raises(EngineUnavailable):
        engine.models()
    engine.close()


def test_told_to_stop_it_stops_and_says_so_to_who_waits(weights, tmp_path, ask):
    process = Process(weights, tmp_path)
    engine = RemoteEngine(process.address)
    engine.submit(ask("cut", [1], num_inference_steps=100))
    until(engine, Started)
    process.process.terminate()
    assert any(isinstance(u, Failed) and u.code == "engine_unavailable" for u in until(engine, FINAL))
    assert process.process.wait(10) == 0
    engine.close()
    process.stop()


def test_an_address_that_cannot_be_bound(registry):
    with pytest.raises(EngineUnavailable, match="cannot listen"):
        Service("ipc:///nowhere/at/all/engine.sock", Runner(registry))


def test_one_request_at_fault_does_not_take_the_others_with_it(registry, ask, monkeypatch):
    """A call that fails is taken again for each request alone."""
    engine = LocalEngine(registry)
    stage = registry.load("tiny").stages[0]
    finish = stage.finish

    def fragile(states):
        if any(state.seed == 13 for state in states):
            raise RuntimeError("unlucky")
        return finish(states)

    monkeypatch.setattr(stage, "finish", fragile)
    engine.submit(ask("bad", [13]))
    engine.submit(ask("good", [14], visitor="bob"))
    last = {u.request: u for u in engine.updates() if isinstance(u, FINAL)}
    assert isinstance(last["good"], Finished)
    assert isinstance(last["bad"], Failed)
    assert "RuntimeError" in last["bad"].why
    assert engine.runner.idle


def test_an_image_that_is_not_finite_is_not_shown(registry, ask, monkeypatch):
    engine = LocalEngine(registry)
    stage = registry.load("tiny").stages[1]
    monkeypatch.setattr(stage, "finish", lambda states: [np.full((3, 8, 8), np.nan, np.float32) for _ in states])
    engine.submit(ask("nan", [1]))
    assert isinstance(list(engine.updates())[-1], Failed)


@pytest.fixture
def indoors(registry):
    """A service in this process: (service, what it has said)."""
    service = Service("tcp://127.0.0.1:*", Runner(registry))
    said = []
    service.send = lambda peer, answer: said.append(m.read_answer(m.encode(answer)))
    yield service, said
    service.socket.close()


class Dance(msgspec.Struct, frozen=True, tag="dance"):
    """A command that a later version of the language may have."""

    ref: int


def test_only_shutdown_stops_the_engine(indoors):
    """A command that nobody thought of in `obey` is a problem of whoever sent it."""
    service, said = indoors
    service.obey(b"peer", m.Shutdown())
    assert service.stopping  # the control: this one does
    service.stopping = False
    original, m.read_command = m.read_command, lambda frame: Dance(7)
    try:
        service.hear(b"peer", b"...")
    finally:
        m.read_command = original
    assert not service.stopping
    assert [type(answer) for answer in said] == [m.Problem]
    assert said[0].ref == 7


@pytest.mark.parametrize("place", ["submit", "guard", "scorer", "begin", "unsayable"])
def test_whatever_goes_wrong_a_request_has_a_last_word_and_the_next_is_drawn(indoors, ask, monkeypatch, place):
    service, said = indoors
    runner = service.runner

    def broken(*_):
        raise RuntimeError("nobody foresaw this")

    class Broken:
        check = withheld = scores = staticmethod(broken)

    with monkeypatch.context() as patch:
        if place == "submit":
            patch.setattr(runner, "submit", broken)
        elif place == "guard":
            patch.setattr(runner, "guard", type("Guard", (), {"check": lambda self: None, "withheld": broken})())
        elif place == "scorer":
            patch.setattr(runner, "scorer", Broken())
        elif place == "begin":
            patch.setattr(runner, "_begin", broken)
        else:
            encode = m.encode
            patch.setattr(m, "encode", lambda answer: broken() if isinstance(answer, Finished) else encode(answer))
        service.submit(b"peer", m.Submit(msgspec.Raw(msgspec.msgpack.encode(ask("one", [1])))))
        while not runner.idle:
            service.tell_all(runner.turn())
    last = [answer for answer in said if isinstance(answer, FINAL)]
    assert [type(answer) for answer in last] == [Finished if place == "scorer" else Failed]
    assert not service.owners
    said.clear()
    service.submit(b"peer", m.Submit(msgspec.Raw(msgspec.msgpack.encode(ask("two", [2])))))
    while not runner.idle:
        service.tell_all(runner.turn())
    assert isinstance(said[-1], Finished)


def test_a_sample_without_a_job_does_not_lead_for_ever(indoors, ask):
    service, _ = indoors
    service.submit(b"peer", m.Submit(msgspec.Raw(msgspec.msgpack.encode(ask("lost", [1])))))
    service.runner.jobs.clear()
    service.tell_all(service.runner.turn())
    assert service.runner.scheduler.next() is None


def test_an_engine_whose_parent_is_gone_did_not_end_on_purpose(indoors):
    service, _ = indoors
    assert service.run(parent=-1) is False
    service.stopping = True
    assert service.run() is True
