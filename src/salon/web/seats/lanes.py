"""Lanes: few threads that keep their database connections, for pages that a crowd opens within one minute.

Django gives every request a thread and a connection of its own. In a rush that is hundreds of threads which all want
SQLite's one write lock and sleep past each other while they wait. Here deeds form one line (first come, first served,
no lock to fight for) and pages pass them on a lane of their own. That is for speed alone: what may be taken is decided
under the lock of domain/locking.py, whatever the lanes do.

Open only while a server runs (asgi.py); anything else, tests for instance, works in Django's own threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, connection, connections
from django.utils.translation import get_language, override

Result = TypeVar("Result")
PAGES = 2
_lanes: dict[str, ThreadPoolExecutor] = {}


def open_lanes() -> None:
    """Called when the server starts."""
    deeds = 1 if connection.vendor == "sqlite" else 4
    _lanes["deeds"] = ThreadPoolExecutor(deeds, "deeds")
    _lanes["pages"] = ThreadPoolExecutor(PAGES, "pages")


def close_lanes() -> None:
    """Called when it stops: what was begun is finished."""
    for lane in _lanes.values():
        lane.shutdown(wait=True)
    _lanes.clear()


async def page(function: Callable[..., Result], *arguments: object) -> Result:
    """What only reads."""
    return await _on("pages", function, *arguments)


async def deed(function: Callable[..., Result], *arguments: object) -> Result:
    """What changes something."""
    return await _on("deeds", function, *arguments)


async def _on(name: str, function: Callable[..., Result], *arguments: object) -> Result:
    lane = _lanes.get(name)
    if lane is None:
        return await sync_to_async(function)(*arguments)
    context, language = copy_context(), get_language()  # what asgiref keeps in a context stays in its thread
    return await asyncio.get_running_loop().run_in_executor(lane, context.run, _work, language, function, *arguments)


def _work(language: str | None, function: Callable[..., Result], *arguments: object) -> Result:
    try:
        with override(language):
            return function(*arguments)
    except (OperationalError, InterfaceError):
        connections.close_all()  # a server that was restarted is called anew the next time
        raise
