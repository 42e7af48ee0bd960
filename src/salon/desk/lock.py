"""One desk a state folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from salon.core.errors import SalonError


class AlreadyRunning(SalonError):
    """Another desk works in this state folder, or on this port."""

    code = "already_running"


@contextmanager
def only_desk(home: Path) -> Iterator[None]:
    """Holds the folder's lock; the system lets go of it when this process dies. Raises AlreadyRunning."""
    with (home / "desk.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise AlreadyRunning(
                f"A salon is running already in {home} (process {file.read().strip() or 'unknown'}).",
                "Use that one, stop it, or set SALON_HOME to another folder.",
            ) from error
        with suppress(OSError):  # no room for the number: the lock is held all the same
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())
        yield
