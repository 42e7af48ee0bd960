"""Files of pictures: one writer at a time, and none that no row names.

A picture's file carries its prompt, so what is forgotten must not come back as a file. Whoever writes or erases one
does it in a transaction that holds `alone`, and looks at the rows there: the row is the truth."""

import datetime
import logging
import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from salon.core.hashing import NAME_DIGITS
from salon.web.station.models import Image

log = logging.getLogger("salon.web")

#: folders of pictures, and what lies in them: whole files, and what a kill left of one that was being written
FOLDER = re.compile(r"[0-9a-f]{2}")
WHOLE = re.compile(rf"[0-9a-f]{{{NAME_DIGITS}}}\.png")
PART = re.compile(r"\..*\.part")
#: after which nobody writes at a partial file any more
STALE = datetime.timedelta(hours=1)
#: rows asked for at once
AT_ONCE = 500
#: of PostgreSQL's advisory lock
_LOCK = 0x5A10_F11E


def file_name(image_id: str) -> str:
    """Name in the storage: folders of two digits keep directories small."""
    return f"{image_id[:2]}/{image_id}.png"


def alone() -> None:
    """Inside a transaction: until it ends nobody else writes or erases files of pictures. (SQLite's transactions are
    that already: it has one writer.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def discard(names: Collection[str]) -> int:
    """Erases those of the files that no row names (any more, or yet: who writes one looks again); how many there were.
    What cannot be erased now is left to the next `sweep`."""
    with transaction.atomic():
        alone()
        return sum(_erase(name) for name in set(names) - _named(names))


def _named(names: Collection[str]) -> set[str]:
    """Those that a row names; by the image's id where that says it, which costs no look at all rows."""
    usual = {PurePosixPath(name).stem: name for name in names if file_name(PurePosixPath(name).stem) == name}
    other = set(names) - set(usual.values())
    found = set(Image.objects.filter(id__in=usual).values_list("file", flat=True))
    return found | (set(Image.objects.filter(file__in=other).values_list("file", flat=True)) if other else set())


def _erase(name: str) -> bool:
    try:
        there = default_storage.exists(name)
        default_storage.delete(name)
        return there
    except OSError as error:
        log.error("the file %s could not be erased yet: %s", name, error)
        return False


def discard_later(names: Collection[str]) -> None:
    """Inside a transaction: `discard` when it is committed."""
    if names:
        transaction.on_commit(lambda: discard(names), robust=True)


def sweep(writing: bool = True) -> int:
    """Erases files of pictures that no row names: a kill may come between the deed and its files. `writing`: somebody
    may be at it now, so that partial files are left for a while. How many were erased."""
    before = timezone.now() - STALE if writing else timezone.now() + STALE
    whole, parts = [], []
    for name, part in _found():
        (parts if part else whole).append(name)
    swept = sum(discard(whole[first : first + AT_ONCE]) for first in range(0, len(whole), AT_ONCE))
    swept += sum(_erase(name) for name in parts if _age(name) < before)
    if swept:
        log.warning("%d files that no picture has were swept away", swept)
    return swept


def _found() -> Iterator[tuple[str, bool]]:
    """(name, whether it is partial) of all that lies in the folders of pictures."""
    try:
        folders = [folder for folder in default_storage.listdir("")[0] if FOLDER.fullmatch(folder)]
    except FileNotFoundError:  # nothing was drawn yet
        return
    for folder in folders:
        for name in default_storage.listdir(folder)[1]:
            if WHOLE.fullmatch(name) or PART.fullmatch(name):
                yield f"{folder}/{name}", bool(PART.fullmatch(name))


def _age(name: str) -> datetime.datetime:
    try:
        return default_storage.get_modified_time(name)
    except FileNotFoundError:  # whole by now
        return timezone.now() + 2 * STALE
