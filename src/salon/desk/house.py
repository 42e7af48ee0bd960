"""The desk's process: one lock, one listening socket, three children (web, engine, worker), one dispatcher."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, assert_never

import msgspec
import zmq
import zmq.asyncio

from salon.core.errors import StorageFull
from salon.core.home import home as default_home
from salon.core.home import keep_private
from salon.core.limits import raise_open_files
from salon.core.running import Where, say
from salon.desk.certificate import certificate_for
from salon.desk.child import FIRST_WAIT, LONGEST_WAIT, Child
from salon.desk.lock import AlreadyRunning, only_desk

log = logging.getLogger("salon.desk")

#: hosts that mean all of this machine's addresses
EVERYWHERE = ("0.0.0.0", "::", "")
#: connections that may queue while web starts
BACKLOG = 256


def open_house(port: int, host: str, home: Path | str | None, https: bool = False) -> int:
    """See `salon.desk.run`."""
    raise_open_files()
    folder = keep_private(Path(home).expanduser().resolve() if home else default_home())
    os.environ["SALON_HOME"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "salon.web.settings"
    names = [] if host in ("127.0.0.1", "localhost", "::1") else own_names(host)
    if names:
        os.environ["SALON_HOSTS"] = ",".join(filter(None, [os.environ.get("SALON_HOSTS"), *names]))
    if host in EVERYWHERE:
        os.environ.setdefault("SALON_PUBLIC_URL", f"http{'s' * https}://{network_address()}:{port}")
    with only_desk(folder), listening_socket(host, port) as listening:
        own = own_address(host, listening.getsockname()[1], https)
        where = Where(own, os.environ.get("SALON_PUBLIC_URL", ""))
        say(folder, where)
        prepare_database()
        files = certificate_for(folder, ["127.0.0.1", "localhost", *names]) if https else None
        asyncio.run(_House(listening, host, where, files).serve())
    return 0


def tell(*lines: str) -> None:
    """To whoever started the house. If nobody reads it (a pipe that was shut, a file on a full disk), that closes
    nothing."""
    try:
        print(*lines, sep="\n", flush=True)
    except OSError as error:
        log.warning("nothing more is printed here: %s", error)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (as long as the process lives)


def own_names(host: str) -> list[str]:
    """Names and addresses by which others on the network may call this machine."""
    if host not in EVERYWHERE:
        return [host]
    name = socket.gethostname()
    return sorted({name, f"{name}.local", network_address()})


def own_address(host: str, port: int, https: bool) -> str:
    """The house's address on this machine."""
    return f"http{'s' * https}://{_in_url('127.0.0.1' if host in EVERYWHERE else host)}:{port}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def network_address() -> str:
    """This machine's address on the network it would use to go out; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens already: visitors who come early wait. Raises AlreadyRunning if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise AlreadyRunning(
            f"Port {port} on {host} cannot be used ({error.strerror}).",
            f"Stop what uses it, or choose another: salon run --port {port + 1}.",
        ) from error
    listening.set_inheritable(True)
    return listening


def prepare_database() -> None:
    """Brings the tables up to date; at most starts they are, and the look costs little."""
    import django

    django.setup()

    from django.core.management import call_command
    from django.db import OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    from salon.web.answers import is_full_disk

    executor = MigrationExecutor(connection)
    try:
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
    except OperationalError as error:
        if not is_full_disk(error):
            raise
        raise StorageFull(
            "There is no room on this machine's disk, and the house's tables must be brought up to date first.",
            "Make room, then start again; nothing was changed.",
        ) from error
    finally:
        connection.close()


def new_entry() -> str:
    """The token of a link for backstage; "" while there is no room to note one."""
    from salon.web.answers import is_full_disk
    from salon.web.people.links import keeper, new_link

    try:
        return new_link(keeper())
    except Exception as error:
        if not is_full_disk(error):
            raise
        return ""


class _House:
    """Everything that lives while the house is open."""

    def __init__(
        self, listening: socket.socket, host: str, where: Where, certificate: tuple[Path, Path] | None = None
    ) -> None:
        # lazy: these read Django's settings
        from salon.desk.dispatcher import Dispatcher
        from salon.desk.engine_line import EngineLine, remembered
        from salon.web.line import from_desk_address, to_desk_address

        self.host, self.port, self.entry = host, listening.getsockname()[1], new_entry()
        self.where, self.folder = where, default_home()
        context = zmq.asyncio.Context.instance()
        self.pull = context.socket(zmq.PULL)
        self.pull.bind(to_desk_address())
        self.publisher = context.socket(zmq.XPUB)
        self.publisher.set(zmq.XPUB_VERBOSE, 1)
        self.publisher.set(zmq.SNDHWM, 10_000)
        self.publisher.bind(from_desk_address())
        self.state = remembered()
        self.writes = True
        self.engine_line = EngineLine(
            self._engine_state, lambda update: self.dispatcher.take(update), lambda: self.engine.kill()
        )
        self.dispatcher = Dispatcher(self.engine_line, self._publish)
        # what letters name: nobody asks for a page when they are written or sent
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "SALON_OWN_URL": where.own}
        files = [listening.fileno()]
        web = [sys.executable, "-m", "salon.web.serve", "--fd", str(listening.fileno())]
        self.scheme = "http"
        if certificate:
            self.scheme = "https"
            web += ["--certificate", str(certificate[0]), "--key", str(certificate[1])]
        self.web = Child("web", web, environment, files)
        self.engine = Child(
            "engine",
            self.engine_line.command(),
            environment,
            on_start=self.engine_line.started,
            on_exit=self._engine_gone,
        )
        self.worker = Child("worker", [sys.executable, "-m", "salon.desk.worker"], environment)
        self._open = asyncio.Event()
        self._stop = asyncio.Event()

    async def serve(self) -> None:
        """Until a signal, and for nothing else; then web first (visitors see the end of it), then the engine."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        duties = (
            self.web.keep, self.engine.keep, self._work, self.dispatcher.run,
            self._listen, self._greet, self._pulse, self._welcome,
        )  # fmt: skip
        tasks = [asyncio.create_task(self._duty(duty)) for duty in duties]
        await self._stop.wait()
        tell("Closing the house; what is not drawn yet goes on at the next start.")
        await asyncio.gather(self.web.stop(5.0), self.engine.stop(5.0), self.worker.stop(5.0))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.engine_line.close()
        self.dispatcher.close()
        self.pull.close(0)
        self.publisher.close(0)

    async def _duty(self, duty: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Nothing the desk does may end quietly, and nothing that goes wrong in it closes the house: it is written down
        and begins again, after twice as long each time."""
        wait = FIRST_WAIT
        while True:
            try:
                return await duty()
            except Exception:
                log.exception("%s went wrong; it begins again in %.1f s", duty.__qualname__, wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _work(self) -> None:
        """The worker begins when web has answered: the first page does not wait for letters."""
        await self._open.wait()
        await self.worker.keep()

    async def _welcome(self) -> None:
        """Prints the address once web answers. The connection waits in the socket's queue, so nothing is polled."""
        here = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host
        # our own certificate on our own machine: nothing to verify
        tls = ssl._create_unverified_context() if self.scheme == "https" else None
        reader, writer = await asyncio.open_connection(here, self.port, ssl=tls)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        with suppress(OSError):
            await reader.readline()
        writer.close()
        self._open.set()
        base = f"{self.scheme}://{_in_url(here)}:{self.port}"
        tell(f"Latent Salon is open at {base}")
        if self.entry:
            tell(f"Backstage, once, within a day: {base}/backstage/enter/{self.entry}")
        else:
            tell(
                "This machine's disk is full: what is here is shown; the rest goes on when there is room.",
                "A link for backstage is made then by: salon backstage",
            )
        if self.host in EVERYWHERE:
            tell(f"On this network: {os.environ['SALON_PUBLIC_URL']}")
        elif not os.environ.get("SALON_PUBLIC_URL"):
            tell("Open to this machine only: for phones and QR codes, salon run --lan (make run LAN=1)")

    # the line to web

    def _publish(self, request: str, event: Any) -> None:
        self.publisher.send_multipart([request.encode(), event.tag.encode(), event.data], zmq.NOBLOCK)

    def _publish_house(self) -> None:
        from salon.web.line import HOUSE

        state = msgspec.structs.replace(self.state, writes=self.writes and not self.dispatcher.full)
        if self.dispatcher.trouble:
            state = msgspec.structs.replace(state, state="away", why=self.dispatcher.trouble)
        self.publisher.send_multipart([HOUSE, b"house", msgspec.json.encode(state)], zmq.NOBLOCK)

    async def _listen(self) -> None:
        """What web says."""
        while True:
            frame = await self.pull.recv()
            try:
                await self._hear(frame)
            except Exception:  # one message may fail, the line may not
                log.exception("a message of web could not be heard")

    async def _hear(self, frame: bytes) -> None:
        from salon.web.line import Cancel, Event, Look, Say, ToDesk

        message: ToDesk = msgspec.msgpack.decode(frame, type=ToDesk)
        match message:
            case Cancel(request=request):
                await self.dispatcher.cancel(request)
            case Say(topic=topic, event=event, data=data):
                self._publish(topic, Event(event, data))
            case Look():
                self.dispatcher.look()
            case _:
                assert_never(message)

    async def _greet(self) -> None:
        """A web process that has just subscribed learns at once how the engine is."""
        while True:
            await self.publisher.recv()
            self._publish_house()

    async def _pulse(self) -> None:
        from salon.web.line import HOUSE_EVERY
        from salon.web.room import can_write

        said = True
        while True:
            self.writes = await asyncio.to_thread(can_write)
            self._publish_house()
            # what could not be said without room is said as soon as there is some
            said = (said and self.writes) or (self.writes and say(self.folder, self.where))
            await asyncio.sleep(HOUSE_EVERY)

    # the engine's life

    async def _engine_state(self, state: Any) -> None:
        before, self.state = self.state, state
        self._publish_house()
        if state.state == "ready" and before.state != "ready":
            await self.dispatcher.engine_ready(state)

    async def _engine_gone(self, code: int) -> None:
        try:
            await self.engine_line.lost()
        finally:
            self.state = msgspec.structs.replace(self.state, state="starting", why="The engine is starting again.")
            self._publish_house()
            await self.dispatcher.engine_died()
