"""Dispatch: rows become orders for the engine, its updates become events for the streams, its images become files.

A row is the truth. The engine's work is acknowledged (the row marked finished) only after the files are written; what
an engine had when it died goes to the next one with the same recipes, so with the same seeds.
"""

import asyncio
import base64
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, assert_never

import msgspec
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

from salon.core import update as u
from salon.core.errors import EngineUnavailable
from salon.core.recipe import Request as Order
from salon.desk import pictures, store
from salon.web.answers import is_full_disk
from salon.web.line import EngineState, Event
from salon.web.room import can_write

log = logging.getLogger("salon.desk")
Answer = TypeVar("Answer")

#: orders the engine holds at once; it takes turns among them, the rest wait as rows
IN_FLIGHT = 48
#: engines that may die while they draw one request before it is held to be the cause
MOST_ATTEMPTS = 3
#: seconds between looks at the rows when nobody pokes
SLOW_LOOK = 5.0
#: seconds between tries to keep a result when there is no room
FULL_PAUSE = 3.0
#: tries after which what cannot be written, though there is room, is given up
MOST_TRIES = 5
#: what a database says that does not answer, or has no room
AWAY = (OperationalError, InterfaceError)


class Engine(Protocol):
    """What the dispatcher needs of an engine's client."""

    async def submit(self, order: Order) -> None: ...
    async def cancel(self, request: str) -> None: ...


@dataclass
class Flight:
    """An order that the engine has. `updates` are handled one after the other, so that they keep their order."""

    order: Order
    started: bool = False
    #: the engine has said its last word on it; what remains is ours to do
    drawn: bool = False
    over: bool = False
    updates: asyncio.Queue[u.Update] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None


def _with_fresh_connection(function: Callable[..., Answer], *arguments: Any) -> Answer:
    """A connection that failed is not used again (a database server may have been restarted)."""
    try:
        return function(*arguments)
    except (DatabaseError, InterfaceError):
        connection.close()
        raise


def _unforeseen(error: Exception) -> bool:
    """Whether the log should say where it happened; a database that is away says enough by its name."""
    return not isinstance(error, AWAY)


class Dispatcher:
    """One a desk. `publish(request, event)` hands events to the web's streams."""

    def __init__(self, engine: Engine, publish: Callable[[str, Event], None]) -> None:
        self.engine = engine
        self.publish = publish
        self.flights: dict[str, Flight] = {}
        self.ready = False
        #: nothing can be kept just now
        self.full = False
        #: why the rows cannot be looked at ("": they can)
        self.trouble = ""
        #: requests that failed and whose failure could not even be noted
        self.aside: set[str] = set()
        self._newest: EngineState | None = None
        self._look = asyncio.Event()
        # one thread for the rows (SQLite has one writer), two for pictures
        self._rows = ThreadPoolExecutor(1, "rows")
        self._pictures = ThreadPoolExecutor(2, "pictures")

    async def run(self) -> None:
        """Until cancelled: look at the rows when poked, and now and then. Whatever goes wrong with one look, the next
        one follows."""
        await self._insist(store.begin)
        await asyncio.gather(self._row(store.warm), self._in(self._pictures, pictures.warm))
        while True:
            self._look.clear()
            try:
                await self._once()
                self.trouble = ""
            except Exception as error:
                self.trouble = "The house cannot look at its rows just now."
                log.error("a look at the rows failed, the next one follows: %s", error, exc_info=_unforeseen(error))
            # not wait_for: until Python 3.12 a poke at the moment of closing swallows the cancellation
            with suppress(TimeoutError):
                async with asyncio.timeout(SLOW_LOOK):
                    await self._look.wait()

    def look(self) -> None:
        """There may be new rows."""
        self._look.set()

    async def _once(self) -> None:
        if self.flights:
            for request in await self._row(store.unwanted_among, list(self.flights)):
                await self.cancel(request)
        if not self.ready or self.full:
            return
        await self._hang_first()
        room = IN_FLIGHT - len(self.flights)
        if room <= 0:
            return
        found = await self._row(store.waiting_orders, [*self.flights, *self.aside], room)
        for request in found.aside:
            await self._publish_state(request)
        for order in found.orders:
            await self._send(self._new_flight(order))

    async def _hang_first(self) -> None:
        """Asks for the house's own first draws, once an engine; without them the house is open as well."""
        engine, self._newest = self._newest, None
        if engine is None:
            return
        try:
            await self._row(store.hang_first, engine)
        except Exception as error:
            self._newest = None if _unforeseen(error) else engine
            log.error("the first draws could not be asked for: %s", error, exc_info=_unforeseen(error))

    def _new_flight(self, order: Order) -> Flight:
        flight = self.flights[order.id] = Flight(order)
        flight.task = asyncio.create_task(self._tell(flight))
        return flight

    async def _send(self, flight: Flight) -> None:
        """An engine that takes no message now is asked again at the next look; an order that cannot be said is not."""
        if not self.ready:
            return
        try:
            await self.engine.submit(flight.order)
        except EngineUnavailable as error:
            log.warning("request %s is sent again later: %s", flight.order.id, error)
            self._drop(flight)
        except Exception as error:
            await self._set_aside(flight, error)

    def _drop(self, flight: Flight) -> None:
        """No longer the desk's; its row, if there is one that is open, is found again."""
        flight.over = True
        self.flights.pop(flight.order.id, None)
        if flight.task and flight.task is not asyncio.current_task():
            flight.task.cancel()

    async def _set_aside(self, flight: Flight, error: Exception) -> None:
        """Something that nobody foresaw: this request has failed, the others go on."""
        log.error("request %s is set aside", flight.order.id, exc_info=error)
        try:
            await self._end(flight, "failed", "error", store.ASIDE)
        except Exception:
            log.exception("request %s: not even its failure could be noted", flight.order.id)
            self.aside.add(flight.order.id)  # not asked for again by this desk
            self._drop(flight)
            self._publish(flight.order.id, "failed", code="error", why=store.ASIDE)

    async def cancel(self, request: str) -> None:
        """The row is cancelled already, or gone: stop the drawing and tell those who watch."""
        flight = self.flights.get(request)
        if flight:
            self._drop(flight)
            if self.ready:
                with suppress(EngineUnavailable):
                    await self.engine.cancel(request)
        await self._publish_state(request)
        self.look()

    # Life and death of the engine

    async def engine_ready(self, engine: EngineState) -> None:
        """A (new) engine takes orders: it gets all that the last one had, in the old order, then the waiting rows."""
        self.ready, self._newest = True, engine
        for flight in list(self.flights.values()):
            if not flight.drawn:
                await self._send(flight)
        self.look()

    async def engine_died(self) -> None:
        """What it had waits for the next one; a request that killed several is given up."""
        self.ready = False
        running = [flight for flight in self.flights.values() if flight.started and not flight.drawn]
        for flight in running:
            flight.started = False
        for flight in running:
            try:
                await self._insist(store.mark_again, flight.order.id)
                await self._blame(flight)
            except Exception as error:
                await self._set_aside(flight, error)

    async def _blame(self, flight: Flight) -> None:
        attempts = await self._insist(store.count_attempt, flight.order.id)
        if attempts is None:
            await self.cancel(flight.order.id)
        elif attempts >= MOST_ATTEMPTS:
            why = _("The engine stopped %(times)d times while drawing this, so it was given up.") % {"times": attempts}
            await self._end(flight, "failed", "engine_unavailable", why)
        else:
            self._publish(
                flight.order.id,
                "queued",
                position=0,
                code="engine_unavailable",
                message=_("The engine had to start again; your pictures begin anew with the same seeds."),
            )

    # Updates of the engine

    def take(self, update: u.Update) -> None:
        """An update of the engine, in order. What belongs to no open flight is late and is dropped, and an engine's
        goodbye is no failure: the next one draws it."""
        if isinstance(update, u.Failed) and update.code == EngineUnavailable.code:
            return
        flight = self.flights.get(update.request)
        if flight and not flight.drawn:
            flight.started = flight.started or isinstance(update, u.Started)
            flight.drawn = isinstance(update, u.FINAL)
            flight.updates.put_nowait(update)

    async def _tell(self, flight: Flight) -> None:
        while not flight.over:
            update = await flight.updates.get()
            try:
                await self._handle(flight, update)
            except Exception as error:
                log.error("request %s: %s could not be handled", flight.order.id, type(update).__name__)
                if isinstance(update, u.FINAL):
                    await self._set_aside(flight, error)

    async def _handle(self, flight: Flight, update: u.Update) -> None:
        request = flight.order.id
        match update:
            case u.Queued(position=position):
                self._publish(request, "queued", position=position)
            case u.Started() if not flight.started:
                pass  # of an engine that has died since: the row waits again
            case u.Started():
                self._publish(request, "started")
                await self._row(store.mark_started, request)
            case u.Preview():
                await self._preview(flight, update)
            case u.Trace():
                self._trace(update)
            case u.StageDone(stage=stage):
                self._publish(request, "stage_done", stage=stage)
            case u.Finished():
                await self._finish(flight, update)
            case u.RefusedUpdate(code=code, why=why):
                await self._end(flight, "refused", code, why)
            case u.Failed(code=code, why=why):
                await self._end(flight, "failed", code, why)
            case u.Cancelled():
                await self._end(flight, "cancelled", "", "")
            case _:
                assert_never(update)

    def _trace(self, update: u.Trace) -> None:
        """What happens inside, for those who asked for it: each tensor's bytes as base64."""
        tensors = [{**msgspec.structs.asdict(t), "data": base64.b64encode(t.data).decode()} for t in update.tensors]
        self._publish(update.request, "trace", stage=update.stage, step=update.step, tensors=tensors)

    async def _preview(self, flight: Flight, update: u.Preview) -> None:
        if flight.drawn:
            return
        sources = await self._in(self._pictures, lambda: [pictures.webp_url(picture) for picture in update.images])
        images = [{"index": p.index, "src": source} for p, source in zip(update.images, sources, strict=True)]
        where = {"stage": update.stage, "step": update.step, "steps": update.steps}
        self._publish(update.request, "preview", **where, images=images)

    async def _finish(self, flight: Flight, update: u.Finished) -> None:
        recipes = flight.order.recipes
        drawn = sorted(update.images, key=lambda picture: picture.index)
        files = await asyncio.gather(
            *(self._in(self._pictures, pictures.png_file, picture, recipes[picture.index]) for picture in drawn)
        )
        named = [(recipes[p.index].id, file) for p, file in zip(drawn, files, strict=True)]
        withheld = [recipes[index].id for index in update.withheld]
        scores = {recipes[p.index].id: score for p, score in zip(update.images, update.scores)}
        facts = (flight.order.id, named, withheld, update.seconds, scores)
        await self._insist(store.keep, *facts, request=flight.order.id)
        await self._close(flight)

    async def _end(self, flight: Flight, state: str, code: str, why: str) -> None:
        await self._insist(store.mark_ended, flight.order.id, state, code, why)
        await self._close(flight)

    async def _close(self, flight: Flight) -> None:
        self._drop(flight)
        await self._publish_state(flight.order.id)
        self.look()

    # Rows, files, streams

    async def _insist(self, function: Callable[..., Answer], *arguments: Any, request: str = "") -> Answer:
        """Calls `function` in the rows' thread until it works: no room is waited for, nothing is thrown away.

        While it lasts no new rows are taken, so that what waits in memory stays small.
        """
        tries = 0
        while True:
            try:
                answer = await self._row(function, *arguments)
                self.full = False
                return answer
            except (OSError, *AWAY) as error:
                tries += 1
                away = isinstance(error, OperationalError) or is_full_disk(error)
                if tries >= MOST_TRIES and not away and await self._in(self._pictures, can_write):
                    self.full = False
                    raise  # there is room: it is this one's own trouble, and the others need not wait for it
                if not self.full:
                    log.error("this could not be kept yet and is tried again: %s", error)
                self.full = True
                await self._say_full(request, error)
                await asyncio.sleep(FULL_PAUSE)

    async def _say_full(self, request: str, error: Exception) -> None:
        if not request:
            return
        if is_full_disk(error):
            message = _("Your pictures are drawn, but this machine's disk is full. They are kept until there is room.")
        else:
            message = _("Your pictures are drawn, but cannot be stored just now. They are kept and tried again.")
        self._publish(request, "queued", position=0, code="storage_full", message=message)
        try:
            await self._row(store.note, request, "storage_full", message)
        except (OSError, *AWAY):
            pass  # the database has no room either; the stream has the message

    async def _publish_state(self, request: str) -> None:
        """To those who watch; if it cannot be read now, their streams look again at their next heartbeat."""
        try:
            self.publish(request, await self._row(store.present, request))
        except Exception as error:
            log.error("the state of request %s could not be told: %s", request, error, exc_info=_unforeseen(error))

    def _publish(self, request: str, tag: str, **data: Any) -> None:
        self.publish(request, Event(tag, msgspec.json.encode({"request": request, **data})))

    async def _row(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        return await self._in(self._rows, _with_fresh_connection, function, *arguments)

    @staticmethod
    async def _in(executor: Executor, function: Callable[..., Answer], *arguments: Any) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)

    def close(self) -> None:
        """Stops without marking anything: what is open is open for the next desk."""
        for flight in self.flights.values():
            flight.over = True
            if flight.task:
                flight.task.cancel()
        self._rows.submit(connection.close)
        self._rows.shutdown(wait=True)
        self._pictures.shutdown(wait=False, cancel_futures=True)
