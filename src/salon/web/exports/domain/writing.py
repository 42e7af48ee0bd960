"""Tables as files, written while they are read."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.db import connection

from salon.core import cells
from salon.web.events.models import Event
from salon.web.exports.domain.tables import Row, Table, plain, portions


async def _portions(table: Table, event: Event) -> AsyncIterator[list[Row]]:
    """One portion a hop into a thread; its connection goes back in between."""
    found = portions(table, event)

    def following() -> list[Row] | None:
        try:
            return next(found, None)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    while (rows := await sync_to_async(following)()) is not None:
        yield rows


async def as_csv(table: Table, event: Event, columns: list[str], bom: bool) -> AsyncIterator[bytes]:
    """CSV, safe for spreadsheets (`core.cells`); `bom` says UTF-8 to those that guess."""
    yield ((cells.BOM if bom else "") + cells.line(columns)).encode()
    async for rows in _portions(table, event):
        yield "".join(cells.line(row.values()) for row in plain(rows, columns)).encode()


async def as_json(table: Table, event: Event, columns: list[str], bom: bool = False) -> AsyncIterator[bytes]:
    """A JSON array, one row a line; every row has every column."""
    yield b"["
    before = b"\n"
    async for rows in _portions(table, event):
        for row in plain(rows, columns):
            yield before + msgspec.json.encode(row)
            before = b",\n"
    yield b"\n]\n"


WRITERS: dict[str, Callable[..., AsyncIterator[Any]]] = {"csv": as_csv, "json": as_json}
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
