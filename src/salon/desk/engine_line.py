"""The desk's line to the engine: a RemoteEngine in the desk's event loop, a new one for each life of the engine."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import zmq
import zmq.asyncio
from django.conf import settings

from salon.core.errors import EngineUnavailable, SalonError
from salon.core.home import socket_address
from salon.core.recipe import Request as Order
from salon.core.update import Update
from salon.engine.client import ModelInfo, RemoteEngine
from salon.web.line import EngineState

log = logging.getLogger("salon.desk")

#: seconds an engine may take to load (the first start prepares the graphs for this machine)
PATIENCE_AT_START = 180.0
#: seconds without a word after which a loaded engine counts as hung and is ended
SILENCE = 20.0


class EngineLine:
    """`on_state` hears how the engine is, `on_update` what it draws, `kill` ends an engine that hangs."""

    def __init__(
        self,
        on_state: Callable[[EngineState], Awaitable[None]],
        on_update: Callable[[Update], None],
        kill: Callable[[], None],
    ) -> None:
        self.on_state, self.on_update, self.kill = on_state, on_update, kill
        self.engine: RemoteEngine | None = None
        self._task: asyncio.Task[None] | None = None

    @staticmethod
    def command() -> list[str]:
        """How the engine's process is started."""
        threads = os.environ.get("SALON_ENGINE_THREADS", "2")
        address = socket_address(settings.HOME, "engine")
        service = [sys.executable, "-m", "salon.engine.service", "--with-parent"]
        return [*service, "--address", address, "--threads", threads]

    async def started(self) -> None:
        """A new process lives: listen to it."""
        self.engine = RemoteEngine(socket_address(settings.HOME, "engine"), silence=PATIENCE_AT_START)
        self._task = asyncio.create_task(self._follow(self.engine))

    async def lost(self) -> None:
        """The process has ended: hear what it said last, then let go."""
        try:
            if self.engine:
                self._drain_later(self.engine)
        finally:
            await self.close()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self.engine:
            self.engine.close()
        self._task = self.engine = None

    async def submit(self, order: Order) -> None:
        if self.engine:
            self.engine.submit(order)
            self._drain_later(self.engine)

    async def cancel(self, request: str) -> None:
        if self.engine:
            self.engine.cancel(request)
            self._drain_later(self.engine)

    def _drain_later(self, engine: RemoteEngine) -> None:
        """Sending may swallow the socket's edge-triggered signal, so look once after each send."""
        with suppress(SalonError):
            self._drain(engine)

    def _drain(self, engine: RemoteEngine) -> None:
        for update in engine.poll(0):
            try:
                self.on_update(update)
            except Exception:
                log.exception("an update of the engine could not be taken: %s", type(update).__name__)

    async def _follow(self, engine: RemoteEngine) -> None:
        socket = zmq.asyncio.Socket.shadow(engine.socket)
        try:
            await self._until_loaded(engine, socket)
            engine.silence = SILENCE
            await self.on_state(state_of(engine.models()))
            while True:
                await socket.poll(1_000)
                self._drain(engine)
        except EngineUnavailable as error:
            log.info("the line to the engine broke: %s", error)
            self.kill()
        except Exception:  # an engine that nobody listens to would draw for nobody: the next one is listened to
            log.exception("the engine cannot be followed any more and is ended")
            self.kill()

    @staticmethod
    async def _until_loaded(engine: RemoteEngine, socket: zmq.asyncio.Socket) -> None:
        while not engine.instance:
            await socket.poll(1_000)
            engine.poll(0)


def _models_file() -> Path:
    return Path(settings.HOME) / "models.json"


def remembered() -> EngineState:
    """The state at the desk's start: starting, with the models that the last engine had."""
    try:
        models = msgspec.json.decode(_models_file().read_bytes(), type=list[ModelInfo])
    except (OSError, msgspec.DecodeError, UnicodeError):
        models = []
    return EngineState("starting", models=tuple(models))


def _remember(models: list[ModelInfo]) -> None:
    part = _models_file().with_suffix(".part")
    try:
        part.write_bytes(msgspec.json.encode(models))
        part.replace(_models_file())  # whole or not at all: without room the last list stays
    except OSError as error:
        part.unlink(missing_ok=True)
        log.warning("the list of models could not be noted: %s", error)


def state_of(models: list[ModelInfo]) -> EngineState:
    """Ready when one model can draw; else missing, with the reason."""
    _remember(models)
    if any(model.ready for model in models):
        return EngineState("ready", models=tuple(models))
    problems = " ".join(model.problem for model in models)
    why = problems or "No model is installed here yet."
    return EngineState("missing", why=why, hint="Put the weights in place, then start again.", models=tuple(models))
