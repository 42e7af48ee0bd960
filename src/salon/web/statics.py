"""Styles, scripts, fonts and drawings of the pages: served under an address that changes when any of them does."""

import hashlib
from pathlib import Path


def version(folder: Path) -> str:
    """Twelve hexadecimal digits for the names and contents of all files below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]
