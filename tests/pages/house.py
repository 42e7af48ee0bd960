"""A house to visit: the real web server with a real database, and the scripted desk."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

expect.set_options(timeout=40_000)

HERE = Path(__file__).parent
_migrated: Path | None = None


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
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url}")


class House:
    """One web server and its desk; either can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.env = {
            **os.environ,
            "SALON_HOME": str(folder / "home"),
            "SALON_WAITING_PER_VISITOR": "50",
            "SALON_API_PER_MINUTE": "9000",
            "SALON_KIOSK_SECONDS": "2",
            "SALON_HOSTS": "salon.test",
            "DJANGO_SETTINGS_MODULE": "salon.web.settings",
        }
        self.env.pop("DATABASE_URL", None)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._migrate(folder / "home")

    def _migrate(self, home: Path) -> None:
        """What the migrations make is made once, and copied into every further house of this process."""
        global _migrated
        if _migrated:
            shutil.copytree(_migrated, home)
            return
        assert self.python("-m", "django", "migrate", "--verbosity", "0").wait(300) == 0
        _migrated = Path(tempfile.mkdtemp(prefix="salon-migrated-")) / "home"
        atexit.register(shutil.rmtree, _migrated.parent, ignore_errors=True)
        shutil.copytree(home, _migrated)

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


def draw(page: Any, prompt: str) -> None:
    """Types, presses the button, waits for the end."""
    page.fill("#prompt", prompt)
    page.click("#draw")
    page.wait_for_selector("#grid[aria-busy=true]")
    page.wait_for_selector("#grid[aria-busy=false]")


def hung(page: Any) -> str:
    """Address of the first finished picture. Previews are data: addresses; the file fades in over the last of them."""
    return page.get_attribute('#grid img[src*="/images/"]', "src")
