"""The line between web and desk: a poke one way, updates the other.

Web pushes `Look` and `Cancel`; the desk publishes, per request, ready-made server-sent events, and under the
topic `house` how the engine is. One subscription a web process feeds all its open streams.
"""

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
import zmq
import zmq.asyncio
from django.conf import settings
from msgspec import Struct

from salon.core.home import socket_address
from salon.engine.client import ModelInfo

log = logging.getLogger("salon.web")

HOUSE = b"house"
#: streams that lag keep the newest of these; only what the next one makes good is dropped
MAILBOX = 24
PASSING = ("preview", "trace")
#: finished requests whose last preview is kept for those who reconnect
PREVIEWS_KEPT = 256
#: the desk says how the engine is at least this often, in seconds
HOUSE_EVERY = 2.0


class Look(Struct, frozen=True, tag="look"):
    """New rows are waiting."""


class Cancel(Struct, frozen=True, tag="cancel"):
    """The row of `request` has been cancelled; stop drawing it."""

    request: str


class Say(Struct, frozen=True, tag="say"):
    """To be told to every web process: an event for those who watch `topic`."""

    topic: str
    event: str
    data: bytes


ToDesk = Look | Cancel | Say


class EngineState(Struct, frozen=True):
    """How the engine is, as the desk sees it: `state` in {starting, ready, missing, away}; `why` a sentence.

    `models` are those it has, or, while it starts, those that the last one had. `writes`: this machine has room to keep
    something new.
    """

    state: str = "away"
    why: str = ""
    hint: str = ""
    models: tuple[ModelInfo, ...] = ()
    writes: bool = True


class Event(Struct, frozen=True):
    """One server-sent event: `tag` is the update's word, `data` its JSON."""

    tag: str
    data: bytes

    @property
    def final(self) -> bool:
        return self.tag in ("finished", "refused", "failed", "cancelled")


def to_desk_address() -> str:
    return socket_address(settings.HOME, "desk")


def from_desk_address() -> str:
    return socket_address(settings.HOME, "updates")


class Mailbox:
    """What one stream has still to send. A reader that lags loses old previews, nothing else."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        if len(self._events) >= MAILBOX:
            passing = [event for event in self._events if event.tag in PASSING]
            if passing:
                self._events.remove(passing[0])
        self._events.append(event)
        self._arrived.set()

    async def get(self, timeout: float) -> Event | None:
        """The next event, or None when nothing came for `timeout` seconds."""
        if not self._events:
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), timeout)
        return self._events.popleft() if self._events else None


class Line:
    """This process's end of the line, bound to the running event loop."""

    def __init__(self) -> None:
        context = zmq.asyncio.Context.instance()
        self._push = context.socket(zmq.PUSH)
        self._push.set(zmq.LINGER, 0)
        self._push.set(zmq.SNDHWM, 1_000)
        self._push.connect(to_desk_address())
        self._sub = context.socket(zmq.SUB)
        self._sub.set(zmq.LINGER, 0)
        self._sub.set(zmq.RCVHWM, 10_000)
        self._sub.subscribe(b"")
        self._sub.connect(from_desk_address())
        self._mailboxes: dict[str, set[Mailbox]] = {}
        self._previews: OrderedDict[str, Event] = OrderedDict()
        self._engine = EngineState()
        self._heard = 0.0
        self._task = asyncio.create_task(self._listen())

    @property
    def engine(self) -> EngineState:
        """How the engine is; `away` when the desk has been silent for long."""
        if time.monotonic() - self._heard < 4 * HOUSE_EVERY:
            return self._engine
        return msgspec.structs.replace(self._engine, state="away", why="", hint="")

    @property
    def streams(self) -> int:
        """Open streams of this process."""
        return sum(map(len, self._mailboxes.values()))

    def tell(self, message: ToDesk) -> None:
        """Tells the desk, without waiting. If nobody listens the desk finds the row by itself."""
        with suppress(zmq.Again):
            self._push.send(msgspec.msgpack.encode(message), zmq.NOBLOCK)

    def last_preview(self, request: str) -> Event | None:
        return self._previews.get(request)

    @asynccontextmanager
    async def watch(self, request: str) -> AsyncIterator[Mailbox]:
        """A mailbox for `request` (or another topic), gone when the block is left, however it is left."""
        mailbox = Mailbox()
        self._mailboxes.setdefault(request, set()).add(mailbox)
        try:
            yield mailbox
        finally:
            watchers = self._mailboxes[request]
            watchers.discard(mailbox)
            if not watchers:
                del self._mailboxes[request]

    async def _listen(self) -> None:
        while True:
            frames = await self._sub.recv_multipart()
            try:
                self._hear(*frames)
            except Exception:  # one message may fail; without the line every stream would wait for ever
                log.exception("a message of the desk could not be heard")

    def _hear(self, topic: bytes, tag: bytes, data: bytes) -> None:
        self._heard = time.monotonic()
        if topic == HOUSE:
            global _room
            self._engine = msgspec.json.decode(data, type=EngineState)
            _room = self._engine.writes
        else:
            self._deliver(topic.decode(), Event(tag.decode(), data))

    def _deliver(self, request: str, event: Event) -> None:
        if event.tag == "preview":
            self._previews[request] = event
            self._previews.move_to_end(request)
            while len(self._previews) > PREVIEWS_KEPT:
                self._previews.popitem(last=False)
        elif event.final:
            self._previews.pop(request, None)
        for mailbox in self._mailboxes.get(request, ()):
            mailbox.put(event)

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._push.close()
        self._sub.close()


_room = True


def has_room() -> bool:
    """Whether anything new can be kept, as the desk said last; for any thread."""
    return _room


_lines: dict[asyncio.AbstractEventLoop, Line] = {}


def line() -> Line:
    """The line of the running event loop: one a web process, made at first use."""
    loop = asyncio.get_running_loop()
    if loop not in _lines:
        _lines[loop] = Line()
    return _lines[loop]


async def close_line() -> None:
    found = _lines.pop(asyncio.get_running_loop(), None)
    if found:
        await found.close()
