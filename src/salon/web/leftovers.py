"""Files that rows name: one writer at a time, and none that no row names.

A file carries somebody's words or work, so what is forgotten must not stay as a file, whatever is killed between the
row and the file. Rooms say in their `ready()` which files are theirs and which of them rows name: the row is the truth.
Whoever gives a row a file that may lie there already does it in a transaction that holds `alone`."""

import datetime
import logging
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

log = logging.getLogger("salon.web")

#: what a kill leaves of a file that was being written (storage.py)
PART = re.compile(r"\..*\.part")
#: after which nobody writes at a partial file any more, and no row follows a whole one
STALE = datetime.timedelta(hours=1)
#: rows asked for at once
AT_ONCE = 500
#: of PostgreSQL's advisory lock
_LOCK = 0x5A10_F11E


class Shelf(NamedTuple):
    """A room's files: in which folders of the storage they lie, and how they are called there; `named` tells those of
    some names that a row names. `age`: younger ones are left, since their row may follow."""

    folder: re.Pattern[str]
    file: re.Pattern[str]
    named: Callable[[Collection[str]], set[str]]
    age: datetime.timedelta = STALE


_shelves: dict[str, Shelf] = {}


def register(label: str, shelf: Shelf) -> None:
    """Called in an app's `ready()`: from now on the shelf is swept, too."""
    _shelves[label] = shelf


def alone() -> None:
    """Inside a transaction: until it ends nobody else erases files, or writes one under `alone`. (SQLite's transactions
    are that already: it has one writer.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def discard(names: Collection[str], due: Callable[[str], bool] = lambda name: True) -> int:
    """Erases those of the files that no row names (any more, or yet: who writes one looks again) and that are `due`;
    how many there were. What cannot be erased now is left to the next `sweep`."""
    with transaction.atomic():
        alone()
        return sum(_erase(name) for name in set(names) - _named(names) if due(name))


def _named(names: Collection[str]) -> set[str]:
    """Those that a row names: of the room whose they are by their name, or of any."""
    whose = {name: _whose(name) for name in names}
    asked = ((shelf, [name for name in names if whose[name] in (label, "")]) for label, shelf in _shelves.items())
    return {name for shelf, mine in asked if mine for name in shelf.named(mine)}


def _whose(name: str) -> str:
    """The label of the shelf on which the file lies, or "" if that is nobody's."""
    path = PurePosixPath(name)
    fits = (label for label, shelf in _shelves.items() if shelf.folder.fullmatch(str(path.parent)))
    return next((label for label in fits if any(p.fullmatch(path.name) for p in (_shelves[label].file, PART))), "")


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


def sweep(idle: str = "") -> int:
    """Erases files on the shelves that no row names: a kill may come between a deed and its files. `idle`: the shelf at
    which nobody can be writing, so that its partial files go at once. How many were erased."""
    found: dict[str, tuple[list[str], list[str]]] = {label: ([], []) for label in _shelves}
    for name in _found():
        if label := _whose(name):
            found[label][bool(PART.fullmatch(PurePosixPath(name).name))].append(name)
    made, swept = house_made(), 0
    for label, (whole, parts) in found.items():
        age = _shelves[label].age
        for first in range(0, len(whole), AT_ONCE):
            swept += discard(whole[first : first + AT_ONCE], lambda name, age=age: made <= _written(name) <= _ago(age))
        swept += sum(_erase(name) for name in parts if label == idle or _written(name) <= _ago(STALE))
    if swept:
        log.warning("%d files that no row names were swept away", swept)
    return swept


def _found(folder: str = "") -> Iterator[str]:
    """Names of all that lies in the storage."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was kept yet
        return
    at = f"{folder}/" if folder else ""
    yield from (at + name for name in files)
    for inner in folders:
        yield from _found(at + inner)


def house_made() -> datetime.datetime:
    """When this database was made. What is older than that was never named here (a house whose database was exchanged
    keeps its files): nobody may take it for a leftover."""
    rows = MigrationRecorder(connection).applied_migrations().values()
    return min((row.applied for row in rows), default=timezone.now())


def _ago(age: datetime.timedelta) -> datetime.datetime:
    return timezone.now() - age


def _written(name: str) -> datetime.datetime:
    """When the file was; now, if it is not there (any more)."""
    try:
        return default_storage.get_modified_time(name)
    except FileNotFoundError:
        return timezone.now() + STALE
