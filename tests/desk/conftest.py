"""A whole house in its own processes: `python -m salon run`, a real engine with tiny networks, a real database."""

import http.client
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

#: seconds after which a wait is a failure, on a machine that is busy with something else
LONG = 180


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer of `condition`; fails after LONG seconds."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited {LONG} s for {what}")


def own_database(home: Path) -> dict[str, str]:
    """On PostgreSQL every house gets a database of its own, as on SQLite its file."""
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        return {}
    import psycopg  # inline: only where such a server is

    name = f"house_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return {"DATABASE_URL": address.replace("/postgres?", f"/{name}?")}


class Visitor:
    """One visitor with a ticket, as a program is: the ticket goes in a header."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ticket = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        if self.ticket:
            headers.setdefault("Authorization", f"Bearer {self.ticket}")
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        answer = response.status, response.read(), response.headers
        for cookie in response.headers.get_all("Set-Cookie") or []:
            self.ticket = self.ticket or cookie.split("=", 1)[1].split(";")[0]
        connection.close()
        return answer

    def post(self, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        status, data, _ = self.call("POST", path, body if body is not None else {})
        return status, json.loads(data)

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        status, data, _ = self.call("GET", path)
        return status, json.loads(data)

    def ask(self, prompt: str = "a red fox in the snow", **more: Any) -> dict[str, Any]:
        status, answer = self.post("/api/requests", {"prompt": prompt, "model": "tiny", **more})
        assert status == 202, answer
        return answer

    def stream(self, request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Events until the stream ends. Raises OSError when the line breaks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        connection.request("GET", request["updates"], headers={"Authorization": f"Bearer {self.ticket}"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        tag = ""
        try:
            while line := response.readline():
                if line.startswith(b"event: "):
                    tag = line[7:].decode().strip()
                elif line.startswith(b"data: "):
                    yield tag, json.loads(line[6:])
        finally:
            connection.close()

    def finish(self, request: dict[str, Any]) -> dict[str, Any]:
        """The last event's data, as `finished`, over as many streams as it takes."""
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            try:
                for tag, data in self.stream(request):
                    if tag in ("finished", "failed", "refused", "cancelled"):
                        assert tag == "finished", data
                        return data
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        raise AssertionError("no end")


class Browser:
    """Keeps cookies and posts forms from the house's own pages, and asks again when nobody answers."""

    def __init__(self, house):
        self.house, self.cookies = house, {}

    def once(self, method, path, form=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=60)
        headers = {"Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urllib.parse.urlencode(form) if form is not None else None
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        connection.close()
        return response.status, text

    def insist(self, method, path, form=None):
        end = time.monotonic() + 120
        while True:
            try:
                return self.once(method, path, form)
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < end, path
                time.sleep(0.1)


class House:
    """A running desk with its state folder."""

    def __init__(self, home: Path, weights: Path, **environment: str) -> None:
        self.home = home
        self.port = free_port()
        self.environment = {
            **os.environ,
            "SALON_HOME": str(home),
            "SALON_WEIGHTS": str(weights),
            "SALON_WAITING_PER_VISITOR": "30",
            "SALON_HEARTBEAT": "1",
            **own_database(home),
            **environment,
        }
        self.process: subprocess.Popen[str] | None = None

    def open(self) -> "House":
        words = [sys.executable, "-m", "salon", "run", "--port", str(self.port)]
        self.process = subprocess.Popen(words, env=self.environment, stdout=subprocess.PIPE, text=True)
        until(lambda: self.health().get("engine") in ("ready", "missing"), "the engine")
        return self

    def health(self) -> dict[str, Any]:
        try:
            return Visitor(self.port).get("/healthz")[1]
        except (OSError, http.client.HTTPException):
            return {}

    def visitor(self) -> Visitor:
        return Visitor(self.port)

    def browser(self) -> "Browser":
        return Browser(self)

    def curator(self) -> "Browser":
        """One who has come in by the link that `salon backstage` prints."""
        words = [sys.executable, "-m", "salon", "backstage", "--url", f"http://127.0.0.1:{self.port}"]
        said = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=True).stdout
        browser = self.browser()
        link = re.search(r"http://\S+/enter/\S+", said)
        assert link, said
        assert browser.insist("POST", urllib.parse.urlsplit(link[0]).path)[0] == 302
        return browser

    def child(self, module: str) -> int:
        """Process id of the desk's child that runs `module`."""
        assert self.process
        return until(lambda: _child_of(self.process.pid, module), module)

    def kill(self, module: str) -> int:
        pid = self.child(module)
        os.kill(pid, signal.SIGKILL)
        return pid

    def close(self, how: int = signal.SIGTERM) -> int:
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(LONG)


def _child_of(parent: int, module: str) -> int | None:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                words = (entry / "cmdline").read_bytes().decode()
            except OSError:
                continue
            if int(status[1]) == parent and status[0] != "Z" and module in words:
                return int(entry.name)
    return None


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the engine's tiny model, real stages and random networks, and one like it that takes seconds."""
    path = Path(__file__).parents[1] / "engine" / "tiny.py"
    spec = importlib.util.spec_from_file_location("tiny_networks", path)
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    folder = tmp_path_factory.mktemp("weights")
    tiny.model(folder)
    tiny.model(folder, "heavy", layers=2)
    return folder


@pytest.fixture
def new_house(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def make(home: Path | None = None, **environment: str) -> House:
        house = House(home or tmp_path_factory.mktemp("home"), weights, **environment)
        made.append(house)
        return house.open()

    yield make
    for house in made:
        house.close(signal.SIGKILL)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[House]:
    """One house for tests that leave it whole."""
    opened = House(tmp_path_factory.mktemp("home"), weights).open()
    yield opened
    opened.close()
