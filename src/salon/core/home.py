"""SALON_HOME: the one folder that holds all state (database, images, sockets, caches, secret key)."""

import hashlib
import os
import tempfile
from pathlib import Path

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


def private_folder(path: Path) -> Path:
    """`path` as a folder that only its owner may enter, created if need be. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
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
    outside.chmod(0o700)
    return outside


def socket_address(folder: Path, name: str) -> str:
    """zmq address of the socket `name` (at most 10 letters) of the state folder `folder`."""
    return f"ipc://{socket_folder(folder)}/{name}"
