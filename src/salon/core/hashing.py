"""Content hashes: the same content has the same name on every machine."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

#: hex digits of a recipe's name: 128 bits, so that a name cannot be guessed or collide by chance
NAME_DIGITS = 32


def canonical(value: Any) -> bytes:
    """Bytes of `value` as JSON with sorted keys and no spaces: equal values give equal bytes."""
    return msgspec.json.encode(value, order="deterministic")


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def bytes_hash(data: bytes) -> str:
    """SHA-256 of `data`, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of the file at `path`, as 64 hex digits. Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
