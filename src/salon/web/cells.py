"""Tables that leave the house as CSV: whole for programs, harmless in spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

#: a spreadsheet takes a cell that begins so for a formula (OWASP, CSV Injection; the wide signs in Japanese ones)
FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
APOSTROPHE = "'"
#: says UTF-8 to spreadsheets that would guess otherwise
BOM = "\ufeff"


def safe(value: Any) -> Any:
    """What stands in the cell. Text that a spreadsheet would run is put behind an apostrophe, and so is text that
    begins with one, so that `plain` gives every text back. Numbers stay numbers, lists are joined, yes and no are
    words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = text.replace("\x00", "")
    first = text.lstrip(" ")[:1]
    return APOSTROPHE + text if text[:1] == APOSTROPHE or (first and first in FORMULA) else text


def plain(cell: str) -> str:
    """The text that `safe` was given."""
    if cell[:1] != APOSTROPHE:
        return cell
    first = cell[1:].lstrip(" ")[:1]
    return cell[1:] if cell[1:2] == APOSTROPHE or (first and first in FORMULA) else cell


def line(values: Iterable[Any]) -> str:
    """One line, its end included."""
    out = io.StringIO()
    csv.writer(out).writerow([safe(value) for value in values])
    return out.getvalue()


def lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """The header and a line a row, as they come. What a row has not is empty."""
    yield line(columns)
    for row in rows:
        yield line(row.get(name) for name in columns)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> bytes:
    """All of it; the columns are those of the rows in the order in which they first come up."""
    names = columns or list(dict.fromkeys(name for row in rows for name in row))
    return "".join(lines(rows, names)).encode()
