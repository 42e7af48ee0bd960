"""The engine as a process of its own: `python -m salon.engine.service --address ipc:///...`. One loop, no threads."""

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import time
import uuid
from collections import deque
from pathlib import Path
from typing import Any, assert_never

import msgspec
import zmq

from salon.core.errors import BadRecipe, EngineUnavailable, SalonError
from salon.core.limits import raise_open_files
from salon.core.recipe import Request
from salon.core.update import FINAL, Failed, RefusedUpdate, Update
from salon.engine import messages as m
from salon.engine.guard import house_guard
from salon.engine.registry import Registry, weights_folders
from salon.engine.runner import Runner, failed
from salon.engine.scoring import Scorer

log = logging.getLogger(__name__)

HEARTBEAT_S = 0.5
UNSAID = "The engine drew this but could not say so. Try again; the log says more."
read_request = msgspec.msgpack.Decoder(Request).decode


def rss_mb() -> float:
    """Resident memory of this process in MB; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, IndexError):
        return 0.0


class Rate:
    """Samples stepped a second, over the last minute."""

    def __init__(self) -> None:
        self.marks: deque[tuple[float, int]] = deque()

    def mark(self, total: int) -> None:
        now = time.monotonic()
        self.marks.append((now, total))
        while now - self.marks[0][0] > 60:
            self.marks.popleft()

    def value(self) -> float:
        if len(self.marks) < 2:
            return 0.0
        (t0, n0), (t1, n1) = self.marks[0], self.marks[-1]
        return (n1 - n0) / max(t1 - t0, 1e-3)


class Service:
    """A Runner behind a ROUTER socket. Nothing that arrives on the socket may end it, but Shutdown."""

    def __init__(self, address: str, runner: Runner) -> None:
        """Raises EngineUnavailable if the address cannot be bound."""
        self.runner, self.instance, self.born = runner, uuid.uuid4().hex, time.monotonic()
        self.owners: dict[str, bytes] = {}  # request -> who reads its updates
        self.peers: dict[bytes, float] = {}  # who has spoken to us, and when last
        self.rate, self.beat, self.stopping = Rate(), 0.0, False
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.set(zmq.MAXMSGSIZE, m.LARGEST)
        self.socket.set(zmq.SNDHWM, 100_000)
        self.socket.set(zmq.LINGER, 500)
        try:
            self.socket.bind(address)
        except zmq.ZMQError as error:
            hint = "Choose another address; a socket's path may have about 100 characters."
            raise EngineUnavailable(f"The engine cannot listen on {address}: {error}.", hint) from error
        self.address: str = self.socket.get_string(zmq.LAST_ENDPOINT)

    def run(self, parent: int | None = None) -> bool:
        """Until told to stop (then True), or until the process `parent` is no longer our parent."""
        while not self.stopping and (parent is None or os.getppid() == parent):
            self.listen()
            for update in self.runner.turn():
                self.tell(update)
            if not self.runner.idle:
                self.rate.mark(self.runner.sample_steps)
            self.heartbeat()
        for name in list(self.owners):
            self.tell(Failed(request=name, code="engine_unavailable", why="The engine is stopping. It will be drawn."))
        self.socket.close()
        return self.stopping

    def listen(self) -> None:
        """Everything that has arrived; waits for it only if there is nothing to draw."""
        patience = int(HEARTBEAT_S * 1000) if self.runner.idle else 0
        while self.socket.poll(patience):
            peer, *frames = self.socket.recv_multipart()
            self.peers[peer] = time.monotonic()
            self.hear(peer, frames[-1] if frames else b"")
            patience = 0

    def hear(self, peer: bytes, frame: bytes) -> None:
        """One message from a peer."""
        try:
            command = m.read_command(frame)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
            self.send(peer, m.Problem(0, "error", f"The engine cannot read this message: {error}.", ""))
            return
        ref = getattr(command, "ref", 0)
        try:
            self.obey(peer, command)
        except SalonError as error:
            self.send(peer, m.Problem(ref, error.code, error.message, error.hint))
        except Exception as error:  # a message may fail, the engine may not
            log.error("a message failed", exc_info=error)
            self.send(peer, m.Problem(ref, "error", f"The engine failed at this ({type(error).__name__}).", ""))

    def obey(self, peer: bytes, command: m.Command) -> None:
        match command:
            case m.Submit():
                self.submit(peer, command)
            case m.Cancel(id=name):
                self.tell_all(self.runner.cancel(name))
            case m.Embed():
                self.embed(peer, command)
            case m.Ask():
                self.send(peer, self.answer(command))
            case m.Shutdown():
                self.stopping = True
            case _:
                assert_never(command)

    def submit(self, peer: bytes, command: m.Submit) -> None:
        try:
            request = read_request(command.request)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            name = bare_id(command.request)
            why = f"This request cannot be drawn: {error}. Change the field it names."
            self.send(peer, RefusedUpdate(request=name, code=BadRecipe.code, why=why))
            return
        self.owners[request.id] = peer  # whoever asked last reads on: a client that came back
        try:
            self.tell_all(self.runner.submit(request))
        except Exception as error:  # an answer to the message alone would leave whoever waits for pictures waiting
            self.tell(failed(request.id, error))

    def embed(self, peer: bytes, command: m.Embed) -> None:
        if len(command.texts) > m.MOST_TEXTS or any(len(text) > 10_000 for text in command.texts):
            raise BadRecipe(f"At most {m.MOST_TEXTS} texts of 10000 characters can be embedded at once.")
        encoder = self.runner.registry.text_encoder()
        vectors = encoder.embed(command.texts)
        self.send(peer, m.Embedded(command.ref, encoder.facts.width, vectors.tobytes()))

    def answer(self, command: m.Ask) -> m.Answer:
        if command.what == "models":
            return m.Models(command.ref, self.runner.registry.infos())
        if command.what == "stats":
            return self.stats(command.ref)
        return m.Heartbeat(command.ref, self.instance)

    def stats(self, ref: int) -> m.Stats:
        now = stats_of(self.runner, self.instance, time.monotonic() - self.born)
        return msgspec.structs.replace(now, ref=ref, steps_per_s=self.rate.value())

    def heartbeat(self) -> None:
        """To every peer that has spoken within a minute."""
        now = time.monotonic()
        if now - self.beat >= HEARTBEAT_S:
            self.beat = now
            self.peers = {peer: last for peer, last in self.peers.items() if now - last < 60}
            for peer in self.peers:
                self.send(peer, m.Heartbeat(0, self.instance))

    def tell_all(self, updates: list[Update]) -> None:
        for update in updates:
            self.tell(update)

    def tell(self, update: Update) -> None:
        """To the one who asked; the last word on a request also forgets it. One that cannot be said is a failure."""
        peer = self.owners.get(update.request)
        if isinstance(update, FINAL):
            self.owners.pop(update.request, None)
        if peer is None:
            return
        try:
            self.send(peer, update)
        except Exception as error:  # an update may be lost, the engine may not, nor the end of a request
            log.error("this could not be said of request %s", update.request, exc_info=error)
            if isinstance(update, FINAL):
                self.send(peer, Failed(request=update.request, code="error", why=UNSAID))

    def send(self, peer: bytes, answer: m.Answer) -> None:
        """A peer that is gone misses it: the desk asks again when it comes back."""
        with contextlib.suppress(zmq.ZMQError):
            self.socket.send_multipart([peer, m.encode(answer)], zmq.NOBLOCK)


def stats_of(runner: Runner, instance: str = "local", uptime: float = 0.0) -> m.Stats:
    """The health of this process and its runner."""
    running = sum(job.started > 0 for job in runner.jobs.values())
    return m.Stats(
        instance=instance,
        pid=os.getpid(),
        uptime_s=uptime,
        waiting=len(runner.jobs) - running,
        running=running,
        rss_mb=rss_mb(),
        sample_steps=runner.sample_steps,
        steps_per_s=0.0,
        models=tuple(info.name for info in runner.registry.infos() if info.ready),
    )


def bare_id(data: bytes | msgspec.Raw) -> str:
    """The id of a request that does not fit otherwise, or ''."""
    try:
        found = msgspec.msgpack.decode(data)["id"]
        return str(found)[:64]
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, KeyError):
        return ""


def warm(runner: Runner) -> None:
    """Load what visitors may ask for before the first one comes; what cannot be loaded says so when it is asked for."""
    for info in runner.registry.infos():
        if info.ready and info.purpose == "public":
            try:
                runner.registry.load(info.name)
            except Exception as error:  # one model that cannot be opened stops no other
                log.error("%s could not be opened before it is asked for: %s", info.name, error)
    if runner.scorer and runner.scorer.clip:
        log.info("CLIP looks at what is drawn")


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; prints {"address": ...} as its first line when ready. 0 when told to end, else 1."""
    raise_open_files()
    parser = argparse.ArgumentParser(prog="python -m salon.engine.service", description=__doc__)
    parser.add_argument("--address", default="tcp://127.0.0.1:*", help="zmq address to listen on")
    parser.add_argument("--weights", type=Path, help="a folder of models beside the built-in ones")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of a network call")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this ends")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="engine %(levelname)s %(message)s", stream=sys.stderr)
    parent = os.getppid() if options.with_parent else None
    folders = [options.weights, *weights_folders()] if options.weights else None
    try:
        registry = Registry(folders, threads=options.threads)
        service = Service(options.address, Runner(registry, guard=house_guard(), scorer=Scorer(registry)))
    except SalonError as error:
        print(error, file=sys.stderr)
        return 1

    def stop(*_: Any) -> None:
        service.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    warm(service.runner)
    print(json.dumps({"address": service.address, "instance": service.instance}), flush=True)
    return 0 if service.run(parent) else 1


if __name__ == "__main__":
    sys.exit(main())
