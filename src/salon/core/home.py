"""SALON_HOME: the one folder that holds all state (database, images, sockets, caches, secret key)."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from salon.core.errors import NotPrivate

_SOURCE = Path(__file__).resolve().parents[3]


def default_home() -> Path:
    """`var/` beside the checkout, or `~/.local/share/latent-salon` when installed elsewhere."""
    if (_SOURCE / "pyproject.toml").is_file() and (_SOURCE / "src" / "salon").is_dir():
        return _SOURCE / "var"
    return Path.home() / ".local" / "share" / "latent-salon"


def home() -> Path:
    """The state folder in use: `SALON_HOME` if set, else the default. Not created here."""
    value = os.environ.get("SALON_HOME")
    return Path(value).expanduser().resolve() if value else default_home()


#: what nobody but the owner may do: group's and others' bits of a mode
OTHERS = 0o077
#: what houses made before all they write was private; only these are looked into, since a state folder may be anywhere
OWN = (
    "salon.sqlite3", "salon.sqlite3-wal", "salon.sqlite3-shm", "salon.sqlite3-journal", "secret.key", "desk.lock",
    "models.json", "images", "mail", "tls", "run", "audit", "judge", "mend", "cache",
)  # fmt: skip


def keep_private(folder: Path) -> Path:
    """From here on this process, and all that it starts, writes files for their owner only; `folder` is made if need
    be, and what an earlier house left open in it is closed. Raises NotPrivate, OSError."""
    os.umask(OTHERS)
    private_folder(folder)
    own = [path for name in OWN if (path := (folder / name).resolve()).exists()]
    if any(map(_wide, own)):
        for path in _beneath(own):
            close(path)
    return folder


def _beneath(own: list[Path]) -> Iterator[Path]:
    """All that is the house's own, the deepest first: a walk that is cut short is taken up again at the next start."""
    for path in own:
        for base, folders, files in os.walk(path, topdown=False):
            yield from (Path(base) / one for one in (*files, *folders))
    yield from own


def _wide(path: Path) -> bool:
    """Whether others have rights on it; not if it is a link, or was another process's for a moment and is gone."""
    try:
        return bool(path.lstat().st_mode & OTHERS) and not path.is_symlink()
    except FileNotFoundError:
        return False


def close(path: Path) -> None:
    """Takes group's and others' rights from a file or folder; links are left alone. Raises NotPrivate where that cannot
    be: it is somebody else's, or on a disk that keeps no rights."""
    if not _wide(path):
        return
    with suppress(PermissionError, FileNotFoundError):
        path.chmod(path.stat().st_mode & ~OTHERS & 0o7777)
    if _wide(path):
        raise NotPrivate(
            f"Others on this machine may read {path}, and that cannot be changed.",
            "It belongs to somebody else, or its disk keeps no rights: set SALON_HOME to a folder of your own.",
        )


def private_folder(path: Path) -> Path:
    """`path` as a folder that only its owner may enter, created if need be. Raises OSError, and NotPrivate for a folder
    that everybody shares (/tmp) or that cannot be closed."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & stat.S_ISVTX:
        raise NotPrivate(f"{path} is a folder that everybody shares.", "Set SALON_HOME to one of your own in it.")
    close(path)
    return path


#: longest path of a Unix socket that every system takes (sun_path is 104 to 108 bytes)
_SOCKET_PATH = 100


def socket_folder(folder: Path) -> Path:
    """Where the sockets of state folder `folder` live: inside it, or, when that path is too long for a Unix
    socket, in a private temporary folder named by its hash."""
    inside = folder / "run"
    if len(os.fsencode(inside)) + 16 <= _SOCKET_PATH:
        return private_folder(inside)
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    outside = private_folder(Path(tempfile.gettempdir()) / f"salon-{os.getuid()}-{name}")
    if outside.stat().st_uid != os.getuid():
        raise PermissionError(f"{outside} belongs to somebody else.")
    return outside


def socket_address(folder: Path, name: str) -> str:
    """zmq address of the socket `name` (at most 10 letters) of the state folder `folder`."""
    return f"ipc://{socket_folder(folder)}/{name}"
