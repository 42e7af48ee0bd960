"""How the rest of the house speaks to the engine: in this process, or in another one, with the same face."""

import contextlib
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np
import zmq
from numpy.typing import NDArray
from zmq.utils.monitor import recv_monitor_message

from salon.core.errors import EngineUnavailable
from salon.core.recipe import Request
from salon.core.update import FINAL, Update
from salon.engine import messages as m
from salon.engine.models import ModelInfo

if TYPE_CHECKING:
    from salon.engine.registry import Registry

Floats = NDArray[np.float32]

#: seconds without a word after which an engine counts as dead: longer than its longest network call
SILENCE_S = 15.0
RESTART = "It is restarted by `salon run`; what was accepted is drawn again."


class Engine(Protocol):
    """The face of both engines. Not thread-safe: one for each thread."""

    def submit(self, request: Request) -> None: ...
    def cancel(self, request: str) -> None: ...
    def poll(self, timeout: float = 0.0) -> list[Update]: ...
    def updates(self) -> Iterator[Update]: ...
    def models(self) -> list[ModelInfo]: ...
    def embed(self, texts: list[str]) -> Floats: ...
    def stats(self) -> m.Stats: ...
    def close(self) -> None: ...


class _Engine(ABC):
    """What both do alike: know which requests are open, and iterate until none is."""

    def __init__(self) -> None:
        self.open: set[str] = set()

    @abstractmethod
    def poll(self, timeout: float = 0.0) -> list[Update]: ...

    def _settle(self, updates: list[Update]) -> list[Update]:
        self.open -= {update.request for update in updates if isinstance(update, FINAL)}
        return updates

    def updates(self) -> Iterator[Update]:
        """Every update until each request that was submitted has had its last. Raises EngineUnavailable."""
        while self.open:
            yield from self.poll(1.0)


class LocalEngine(_Engine):
    """The engine inside this process: `poll` takes a turn. For Python, the command line and tests."""

    def __init__(self, registry: "Registry | None" = None, scores: bool = False, rules: bool = True) -> None:
        """`scores`: CLIP looks at what is drawn, if it is installed (`Finished.scores`). `rules`: as the Runner's."""
        super().__init__()
        # here, not above: readers of this module in web and desk need neither runtime nor networks
        from salon.engine.registry import Registry
        from salon.engine.runner import Runner
        from salon.engine.scoring import Scorer

        registry = registry or Registry()
        self.runner = Runner(registry, scorer=Scorer(registry) if scores else None, rules=rules)
        self._said: list[Update] = []

    def submit(self, request: Request) -> None:
        """Take a request in; refusals come as updates."""
        self.open.add(request.id)
        self._said += self.runner.submit(request)

    def cancel(self, request: str) -> None:
        """Its owner no longer wants it."""
        self._said += self.runner.cancel(request)

    def poll(self, timeout: float = 0.0) -> list[Update]:
        """What there is to say, and one turn of work; never waits."""
        said, self._said = self._said, []
        return self._settle([*said, *self.runner.turn()])

    def models(self) -> list[ModelInfo]:
        """Every installed model, ready or not."""
        return self.runner.registry.infos()

    def embed(self, texts: list[str]) -> Floats:
        """A vector of length 1 for each text, [N, 384]."""
        return self.runner.registry.text_encoder().embed(texts)

    def stats(self) -> m.Stats:
        """The health of this process as an engine."""
        from salon.engine.service import stats_of  # as in the constructor

        return stats_of(self.runner)

    def close(self) -> None:
        """Nothing is held."""


class RemoteEngine(_Engine):
    """An engine in its own process. Every call raises EngineUnavailable when it is dead: at once when its
    connection breaks (it was killed), after `silence` seconds when it hangs.

    After that, the same object serves the engine that takes its place at the same address: `poll` raises until the
    new one is heard; `instance` has then changed, and what was open must be submitted again (asking twice draws once).
    """

    def __init__(self, address: str, silence: float = SILENCE_S, timeout: float = 30.0) -> None:
        super().__init__()
        self.address, self.silence, self.timeout = address, silence, timeout
        self.instance = ""
        self._inbox: deque[Update] = deque()
        self._replies: dict[int, m.Answer] = {}
        self._ref = 0
        self._heard = self._greeted = time.monotonic()
        self._hello = 0  # the greeting whose answer proves that somebody is there
        self._lost = self._told = self._back = False
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        #: for the desk's own poller: readable when there is something to `poll` for (poll once more after any call)
        self.socket: zmq.Socket[bytes] = context.socket(zmq.DEALER)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.RCVHWM, 100_000)
        self.socket.set(zmq.RECONNECT_IVL, 50)
        self.socket.set(zmq.RECONNECT_IVL_MAX, 500)
        self._monitor: zmq.Socket[bytes] = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.socket.connect(address)
        self._greet()

    def submit(self, request: Request) -> None:
        """Send a request; refusals come as updates."""
        self.open.add(request.id)
        self._send(m.Submit(msgspec.Raw(msgspec.msgpack.encode(request))))

    def cancel(self, request: str) -> None:
        """Its owner no longer wants it; Cancelled follows, or what came first."""
        self._send(m.Cancel(request))

    def poll(self, timeout: float = 0.0) -> list[Update]:
        """The updates that have arrived, waiting up to `timeout` seconds for the first."""
        if not self._inbox:
            self._receive(timeout)
        updates, self._inbox = list(self._inbox), deque()
        return self._settle(updates)

    def models(self) -> list[ModelInfo]:
        """Every installed model, ready or not."""
        answer = self._ask("models")
        return answer.models if isinstance(answer, m.Models) else []

    def stats(self) -> m.Stats:
        """The engine's health."""
        answer = self._ask("stats")
        assert isinstance(answer, m.Stats)
        return answer

    def embed(self, texts: list[str]) -> Floats:
        """A vector of length 1 for each text, [N, 384]. Waits for the turn that is running, not for the queue."""
        self._ref += 1
        answer = self._reply(m.Embed(self._ref, texts), self._ref)
        assert isinstance(answer, m.Embedded)
        return np.frombuffer(answer.data, np.float32).reshape(-1, answer.width)

    def shutdown(self) -> None:
        """Ask the engine to end after the present turn."""
        self._send(m.Shutdown())

    def close(self) -> None:
        """Let go of the sockets; the engine goes on."""
        self.socket.disable_monitor()
        self._monitor.close(0)
        self.socket.close(0)

    def _send(self, command: m.Command) -> None:
        try:
            self.socket.send(m.encode(command), zmq.NOBLOCK)
        except zmq.Again as error:
            raise EngineUnavailable("The engine takes no more messages.", RESTART) from error

    def _ask(self, what: str) -> m.Answer:
        self._ref += 1
        return self._reply(m.Ask(self._ref, what), self._ref)

    def _reply(self, command: m.Command, ref: int) -> m.Answer:
        self._send(command)
        deadline = time.monotonic() + self.timeout
        while ref not in self._replies:
            self._receive(0.2)
            if time.monotonic() > deadline:
                raise EngineUnavailable("The engine does not answer.", RESTART)
        answer = self._replies.pop(ref)
        if isinstance(answer, m.Problem):
            raise m.error_of(answer.code, answer.message, answer.hint)
        return answer

    def _receive(self, timeout: float) -> None:
        """Sort what has arrived. Raises EngineUnavailable if the engine is dead."""
        if self.socket.poll(int(timeout * 1000)):
            with contextlib.suppress(zmq.Again):
                while True:
                    self._sort(self.socket.recv(zmq.NOBLOCK))
        self._check()

    def _sort(self, data: bytes) -> None:
        try:
            answer = m.read_answer(data)
        except msgspec.MsgspecError as error:
            raise EngineUnavailable("The engine speaks another version of this language.", RESTART) from error
        self._heard = time.monotonic()
        if isinstance(answer, m.Heartbeat):
            self.instance = answer.instance
            self._back |= answer.ref == self._hello
        elif isinstance(answer, m.Models | m.Stats | m.Embedded | m.Problem):
            if answer.ref:
                self._replies[answer.ref] = answer
        else:
            self._inbox.append(answer)

    def _greet(self) -> None:
        self._ref += 1
        self._hello, self._greeted, self._back = self._ref, time.monotonic(), False
        self._send(m.Ask(self._hello, "hello"))

    def _check(self) -> None:
        """Raises EngineUnavailable if it is dead; a death is told at least once, however fast the next one comes."""
        while self._monitor.poll(0):
            recv_monitor_message(self._monitor)
            self._lost, self._told = True, False
            self._greet()
        now = time.monotonic()
        if now - max(self._heard, self._greeted) > 1.0:
            self._greet()
        if self._inbox:
            return  # what it said before it died comes first
        if self._lost and not (self._told and self._back):
            self._told = True
            raise EngineUnavailable("The engine has died.", RESTART)
        self._lost = False
        if now - self._heard > self.silence:
            raise EngineUnavailable(f"The engine has been silent for {self.silence:g} seconds.", RESTART)


def socket_path(folder: Path) -> str:
    """The ipc address of the engine whose state lives in `folder`."""
    return f"ipc://{folder / 'engine.sock'}"
