"""Folder storage whose files are either whole or absent, whatever happens while they are written, and erasing them."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction


class AtomicFileStorage(FileSystemStorage):
    """Writes beside the target, flushes to disk, then renames: a crash or a full disk leaves no half image."""

    def _save(self, name: str, content: File) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
        try:
            with open(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: images are named by their content, so the same name holds the same image."""
        return name


def erase_later(names: Iterable[str]) -> None:
    """Inside a transaction: these files go when it is committed. One that cannot be erased is written down and keeps
    neither the others nor what follows."""
    for name in names:
        transaction.on_commit(lambda name=name: default_storage.delete(name), robust=True)
