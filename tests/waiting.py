"""Waiting for what a page shows. Playwright's own `wait_for_function` evaluates text inside the page from its second
look on, and our pages allow that to nobody (Content-Security-Policy without unsafe-eval)."""

import time
from typing import Any

PICTURES = "[...document.querySelectorAll('.pair img')].every((i) => i.complete && i.naturalWidth)"


def until(page: Any, expression: str, seconds: float = 120) -> None:
    """Waits until the expression holds in the page."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not in {seconds} s: {expression}"
        page.wait_for_timeout(50)
