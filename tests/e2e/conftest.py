# ruff: noqa: E402 (without playwright there is nothing to collect)
"""The house as it is opened on the day: `salon run`, the real model, a real Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
from salon.engine.registry import weights_folders

CHROMIUM = os.environ.get("SALON_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--headless", "--disable-background-networking"]
#: seconds after which a wait is a failure, on a machine that is busy with something else
LONG = 120


class House:
    """`salon run` with a state folder of its own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        words = [sys.executable, "-m", "salon", "run", "--port", str(port)]
        self.env = {**os.environ, "SALON_HOME": str(home)}
        self.process = subprocess.Popen(words, env=self.env)
        end = time.monotonic() + LONG
        while b'"engine": "ready"' not in self._health():
            assert self.process.poll() is None, "the house closed"
            assert time.monotonic() < end, "the engine did not get ready"
            time.sleep(0.1)

    def _health(self) -> bytes:
        try:
            return urllib.request.urlopen(self.url + "/healthz", timeout=LONG).read()
        except OSError:
            return b""

    def engine(self) -> int:
        """Process id of the engine; 0 while there is none."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(stat[1]) == self.process.pid and stat[0] != "Z" and b"salon.engine.service" in words:
                return int(entry.name)
        return 0

    def kill_engine(self) -> int:
        killed = self.engine()
        os.kill(killed, signal.SIGKILL)
        return killed

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(LONG)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if not any((folder / "latent" / "model.json").is_file() for folder in weights_folders()):
        pytest.skip("there is no model folder `latent`, neither built in nor in SALON_WEIGHTS")
    opened = House(tmp_path_factory.mktemp("home"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    """One a file: Playwright's loop runs in this thread while it is open, and other tests want loops of their own."""
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visitor(house: House, browser: sync_api.Browser) -> Iterator[sync_api.BrowserContext]:
    """One person's browser: pages of it share the ticket."""
    context = browser.new_context(base_url=house.url, accept_downloads=True)
    context.set_default_timeout(LONG * 1000)
    yield context
    context.close()
