# ruff: noqa: E402 (without playwright there is nothing to collect)
"""The real web server, a scripted desk, a real Chromium."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sync_api = pytest.importorskip("playwright.sync_api")
from house import House

CHROMIUM = os.environ.get("SALON_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--headless", "--disable-background-networking"]
#: another name of this machine: to browsers no secure context, as the venue's network without TLS
FLAGS.append("--host-resolver-rules=MAP salon.test 127.0.0.1")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One a file: an event that one file opened, closed or filled is not the next one's."""
    opened = House(tmp_path_factory.mktemp("house"))
    opened.open_desk()
    opened.open_web()
    yield opened
    opened.close(opened.web)
    opened.close(opened.desk)


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
