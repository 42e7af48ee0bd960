"""A crowd: many people who ask one server at the same time, each over a connection of their own."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

HERE = Path(__file__).parent
#: how long anybody waits for an answer; nothing is judged by it
PATIENCE = 120
MAKE = """import django, sys; django.setup()
from django.utils import timezone
from salon.web.events.models import Event
from salon.web.seats.models import Pool
event = Event.objects.get(current=True)
event.opened_at = timezone.now()
event.save()
print(Pool.objects.create(event=event, kind="workshop", name="Ink", capacity=int(sys.argv[1])).id)"""
COUNT = """import django, json, sys; django.setup()
from django.db.models import Count
from salon.web.seats.models import Place
rows = Place.objects.filter(pool=sys.argv[1])
states = dict(rows.values_list("state").annotate(Count("id")).order_by())
print(json.dumps({"states": states, "guests": rows.values("guest").distinct().count(), "rows": rows.count()}))"""

HELD = """import django, sys; django.setup()
from salon.web.seats.domain import proof
from salon.web.seats.models import Place
for place in Place.objects.filter(pool=sys.argv[1], state="held"):
    print("/places/mine/" + proof.token_of(place))"""


class Answer(NamedTuple):
    """What one person was told, and how many seconds it took."""

    status: int
    location: str
    body: bytes
    seconds: float


async def ask(port: int, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
    """One request over a connection of its own, as a browser sends it."""
    body = urlencode(form).encode() if form is not None else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n"
    if form is not None:
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + b"\r\n" + body)
    await writer.drain()
    raw = await asyncio.wait_for(reader.read(), PATIENCE)
    seconds = time.perf_counter() - start
    writer.close()
    first, _, rest = raw.partition(b"\r\n\r\n")
    lines = first.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return Answer(int(lines[0].split()[1]), headers.get("location", ""), rest, seconds)


def form(number: int) -> dict[str, str]:
    """What person number so-and-so writes, with a key of their own."""
    return {"key": secrets.token_hex(16), "name": f"Person {number}", "agreed": "1"}


async def together(port: int, asked: list[tuple[str, str, dict[str, str] | None]]) -> list[Answer]:
    """(method, path, form) of each, all at once."""
    return list(await asyncio.gather(*(ask(port, *one) for one in asked)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_database(address: str) -> str:
    """The address of a new, empty database on this PostgreSQL server."""
    import psycopg

    name = f"rush_{secrets.token_hex(6)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return urlunsplit(urlsplit(address)._replace(path=f"/{name}"))


class Server:
    """A house of its own, served by uvicorn: `server.py` with these words, or as in life."""

    def __init__(self, folder: Path) -> None:
        self.env = {**os.environ, "SALON_HOME": str(folder / "home"), "DJANGO_SETTINGS_MODULE": "salon.web.settings"}
        if self.env.get("DATABASE_URL", "").startswith("postgres"):
            self.env["DATABASE_URL"] = own_database(self.env["DATABASE_URL"])
        self.python("-m", "django", "migrate", "--verbosity", "0")

    def python(self, *words: str) -> str:
        done = subprocess.run([sys.executable, *words], env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def open(self, capacity: int, *words: str) -> None:
        """Serves a new pool of so many places."""
        self.pool = self.python("-c", MAKE, str(capacity))
        self.port = free_port()
        command = [str(HERE / "server.py"), str(self.port), *words]
        self.process = subprocess.Popen([sys.executable, *command], env=self.env)
        for _ in range(600):
            assert self.process.poll() is None, "the server ended before it answered"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/places", timeout=1)
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server does not answer")

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def together(self, asked: list[tuple[str, str, dict[str, str] | None]]) -> list[Answer]:
        return asyncio.run(together(self.port, asked))

    def held(self) -> list[str]:
        """The private pages of those for whom something is held."""
        return self.python("-c", HELD, self.pool).split()

    def count(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.python("-c", COUNT, self.pool))
        return found
