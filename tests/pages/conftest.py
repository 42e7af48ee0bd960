"""The real web server, a scripted desk, a real Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHROMIUM = os.environ.get("SALON_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--headless", "--disable-background-networking"]
HERE = Path(__file__).parent
sync_api = pytest.importorskip("playwright.sync_api")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(900):
        assert process.poll() is None, "the server ended before it answered"
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except OSError:
            import time

            time.sleep(0.1)
    raise AssertionError(f"no answer from {url}")


class House:
    """One web server and its desk; either can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.env = {
            **os.environ,
            "SALON_HOME": str(folder / "home"),
            "SALON_WAITING_PER_VISITOR": "50",
            "DJANGO_SETTINGS_MODULE": "salon.web.settings",
        }
        self.env.pop("DATABASE_URL", None)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.python("-m", "django", "migrate", "--verbosity", "0").wait(300)

    def python(self, *words: str, **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *words], env=self.env, cwd=HERE, **options)

    def open_web(self) -> None:
        self.web = self.python(
            "-m", "uvicorn", "salon.web.asgi:application", "--port", str(self.port), "--log-level", "warning",
            "--timeout-graceful-shutdown", "1",
        )  # fmt: skip
        wait_for(self.url + "/", self.web)

    def open_desk(self) -> None:
        self.desk = self.python(str(HERE / "scripted_desk.py"), stdout=subprocess.PIPE)
        assert self.desk.stdout is not None
        assert self.desk.stdout.readline() == b"ready\n"

    @staticmethod
    def close(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("house"))
    opened.open_desk()
    opened.open_web()
    yield opened
    opened.close(opened.web)
    opened.close(opened.desk)


@pytest.fixture(scope="session")
def browser() -> Iterator[sync_api.Browser]:
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(house: House, browser: sync_api.Browser) -> Iterator[Callable[..., sync_api.Page]]:
    """Opens a page as a new visitor. At the end no page may have complained in its console."""
    contexts, complaints = [], []

    def opened(path: str, width: int = 1280, height: int = 800, quiet: bool = True, **options: object) -> sync_api.Page:
        context = browser.new_context(viewport={"width": width, "height": height}, base_url=house.url, **options)
        contexts.append(context)
        context.set_default_timeout(40_000)
        page = context.new_page()
        if quiet:
            page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def draw(page: sync_api.Page, prompt: str) -> None:
    """Types, presses the button, waits for the end."""
    page.fill("#prompt", prompt)
    page.click("#draw")
    page.wait_for_selector("#grid[aria-busy=true]")
    page.wait_for_selector("#grid[aria-busy=false]")
