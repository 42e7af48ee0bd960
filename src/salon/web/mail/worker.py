"""Periodic work, done by the desk's child `worker`. Nothing may depend on it: what time brings about (a hold that ends,
an offer that lapses) is computed when looked at; the worker only does it sooner.

A house without a worker stays whole: letters wait as rows, and `salon mail send` sends them.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.db import close_old_connections, connections

from salon.web.answers import is_full_disk

log = logging.getLogger("salon.worker")
#: after an error a duty is left alone for at least this long, in seconds
PAUSE = 60.0


class Duty(NamedTuple):
    """A function that is called again `seconds` after it has ended."""

    seconds: float
    name: str
    function: Callable[[], object]


_duties: dict[str, Duty] = {}
_stop = threading.Event()


def every(seconds: float, name: str, function: Callable[[], object]) -> None:
    """Called in an app's `ready()`: `function` is called about every so many seconds, one duty after the other, so none
    may take long. It has no event and no person; an error in it goes to the log and stops nothing else."""
    _duties[name] = Duty(seconds, name, function)


def duties() -> Iterator[Duty]:
    """What was registered."""
    return iter(_duties.values())


def stopping() -> bool:
    """Whether the worker was asked to end: long duties look between two steps."""
    return _stop.is_set()


def stop() -> None:
    """Ends `work` after the step it is at."""
    _stop.set()


def work() -> None:
    """Does the duties as they fall due, until `stop`. Between them it sleeps; nothing is polled."""
    due = {duty.name: 0.0 for duty in duties()}
    while due and not stopping():
        name = min(due, key=due.__getitem__)
        if _stop.wait(max(0.0, due[name] - time.monotonic())):
            break
        due[name] = time.monotonic() + do(_duties[name])
    connections.close_all()


def do(duty: Duty) -> float:
    """One turn of a duty; after how many seconds the next one is due."""
    close_old_connections()
    try:
        duty.function()
    except Exception as error:
        full = is_full_disk(error)  # a full disk needs no more than a line of every duty, every minute
        log.error("the duty %s went wrong; the others go on: %s", duty.name, error, exc_info=not full)
        connections.close_all()
        return max(duty.seconds, PAUSE)
    return duty.seconds
