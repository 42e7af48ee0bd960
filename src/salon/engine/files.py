"""Files of the engine: weights that are packed, and graphs that were made for this machine."""

import lzma
import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Where graphs made for this machine are kept: SALON_GRAPHS (several houses may share it: names are hashes), else
    inside SALON_HOME, else beside the checkout, else the user's."""
    if shared := os.environ.get("SALON_GRAPHS"):
        return Path(shared)
    if home := os.environ.get("SALON_HOME"):
        return Path(home) / "cache" / "graphs"
    checkout = Path(__file__).parents[3]
    beside = (checkout / "pyproject.toml").is_file()
    base = checkout / "var" if beside else Path.home() / ".local" / "share" / "latent-salon"
    return base / "cache" / "graphs"


def unpacked(path: Path) -> bytes:
    """The file's bytes; of a packed one (`.xz`: weights of few levels have little in them) what was packed. Raises
    OSError, lzma.LZMAError."""
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def keep(data: bytes, path: Path) -> None:
    """Write atomically, or not at all: a cache that cannot be written costs time, never a drawing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        os.replace(file.name, path)
    except OSError:
        if "file" in locals():
            Path(file.name).unlink(missing_ok=True)
