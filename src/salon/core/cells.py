"""Tables that leave the house as CSV (RFC 4180): whole for programs, harmless in spreadsheets. The one guard of all
exports, those of the web and those of the command line.

A spreadsheet takes a cell that begins with = + - or @ for a formula (OWASP, CSV Injection; the wide signs in Japanese
ones), and which cells there are depends on what it parts them by: where the comma is the decimal sign, Excel opens
these very files at semicolons, quotes or no quotes. So a text is looked at wherever a cell might begin in it: at its
start and after each semicolon, tab and end of line. All text is quoted besides.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

APOSTROPHE = "'"
#: says UTF-8 to spreadsheets that would guess otherwise
BOM = "\ufeff"
#: parts the members of a list
LIST = "; "

#: where a cell may begin, whatever the separator; the comma is not among them: it parts only where quotes count
_BEGIN = r"(?:\A|(?<=[;\t\r\n]))"
#: what must not stand there: what is run, blanks and quotes before it passed over
_RUN = r"(?:[^\S\t\r\n]|[\"\ufeff])*[=+\-@＝＋－＠]"
_GUARD = re.compile(rf"\A(?=[\t\r\n])|{_BEGIN}(?='|{_RUN})")
_GUARDED = re.compile(rf"\A'(?=[\t\r\n])|{_BEGIN}'(?='|{_RUN})")


def safe(value: Any) -> Any:
    """What stands in the cell. Where text would be run there is an apostrophe before it, and so there is before an
    apostrophe at such a place, so that `plain` gives every text back. Numbers stay numbers, lists are joined, yes and
    no are words, NUL (which no spreadsheet reads) goes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    text = LIST.join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return _GUARD.sub(APOSTROPHE, text.replace("\x00", ""))


def plain(cell: str) -> str:
    """The text that `safe` was given."""
    return _GUARDED.sub("", cell)


def line(values: Iterable[Any]) -> str:
    """One line, its end included."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC).writerow([safe(value) for value in values])
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
