"""Where the house that runs from a state folder is to be found: said by its desk, heard by commands beside it."""

import socket
from pathlib import Path
from typing import NamedTuple

from salon.core.home import socket_folder


class Where(NamedTuple):
    """`own`: address on this machine, "http://127.0.0.1:8000"; `public`: the one for others, or empty."""

    own: str
    public: str


def say(folder: Path, where: Where) -> bool:
    """The desk says it before it opens its sockets, so that nobody hears what an earlier one said. Whether it could: a
    full disk must not keep a house from opening; then nobody hears anything until it is said again."""
    part, told = folder / ".address.part", folder / "address"
    try:
        part.write_text("\n".join(where), "utf-8")
        part.replace(told)
        return True
    except OSError:
        part.unlink(missing_ok=True)
        told.unlink(missing_ok=True)
        return False


def heard(folder: Path) -> Where | None:
    """Where the house that runs from `folder` is; None if none does. What was said counts only while its desk lives:
    a socket of somebody who was killed takes no calls."""
    try:
        own, public = (folder / "address").read_text("utf-8").split("\n")
        with socket.socket(socket.AF_UNIX) as call:
            call.connect(str(socket_folder(folder) / "desk"))
    except (OSError, ValueError):
        return None
    return Where(own, public)
