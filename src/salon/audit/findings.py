"""The register's findings as flat rows, outside the house: JSON lines, CSV, Parquet (docs/register.md).

Needs no Django: mending and audits read what the house exports."""

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from salon.core import cells
from salon.core.errors import SalonError


class BadFindings(SalonError):
    """A file of findings cannot be read or written as asked."""

    code = "bad_findings"


class FindingRow(Struct, frozen=True, kw_only=True):
    """One finding. `failure` and `target` are the reviewers' where they agree, else the first report's; `harm` is empty
    where they disagree; `severity` (1 to 4) is the higher one. `seen` of `of` fresh pictures showed it, the other
    outcomes beside it; `low` and `high` are the ends of a 95% interval in which every picture of unknown outcome
    counts against whoever claims to know."""

    id: str
    created: str
    state: str
    model: str
    weights: str
    prompt: str
    negative_prompt: str = ""
    #: recipe id of the reported picture, and its seed
    image: str
    seed: int
    failure: str
    target: str
    harm: str = ""
    severity: int | None = None
    reports: int = 1
    #: every reporter's "failure/target"
    reported: list[str] = []
    #: what the judge looked for, "presentation=woman" for instance; empty where people counted
    outcome: str = ""
    #: "judge", "people", or "" before anything was counted
    counted_by: str = ""
    of: int = 0
    seen: int = 0
    unseen: int = 0
    unreadable: int = 0
    withheld: int = 0
    failed: int = 0
    disputed: int = 0
    low: float | None = None
    high: float | None = None
    #: recipe ids of the fresh pictures
    fresh: list[str] = []
    reviewers: int = 0
    failure_1: str | None = None
    target_1: str | None = None
    harmful_1: bool | None = None
    harm_1: str | None = None
    severity_1: int | None = None
    failure_2: str | None = None
    target_2: str | None = None
    harmful_2: bool | None = None
    harm_2: str | None = None
    severity_2: int | None = None
    #: names of finders who want to be named
    credit: str = ""


COLUMNS = FindingRow.__struct_fields__


def _table(rows: Iterable[FindingRow]) -> list[dict[str, Any]]:
    return [{name: getattr(row, name) for name in COLUMNS} for row in rows]


def as_jsonl(rows: Sequence[FindingRow]) -> bytes:
    """One JSON object a line, every field in every line."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def as_csv(rows: Sequence[FindingRow]) -> bytes:
    """UTF-8 with a header, safe for spreadsheets (`core.cells`); for exact words take JSON lines."""
    return cells.table([{name: _cell(value) for name, value in row.items()} for row in _table(rows)], COLUMNS)


def _cell(value: Any) -> Any:
    """Lists are joined by blanks; yes and no are Python's, as pandas reads them."""
    return " ".join(value) if isinstance(value, list) else str(value) if isinstance(value, bool) else value


def as_parquet(rows: Sequence[FindingRow]) -> bytes:
    """Parquet with the same columns. Raises BadFindings without pyarrow."""
    try:
        import pyarrow as pa  # lazy: the extra `data`
        from pyarrow import parquet
    except ImportError as error:
        hint = "Install it (pip install 'latent-salon[data]'), or write .jsonl or .csv."
        raise BadFindings("Parquet needs pyarrow, which is not installed.", hint) from error
    kinds = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), float: pa.float64(), list: pa.list_(pa.string())}
    schema = pa.schema([(name, kinds[_kind(name)]) for name in COLUMNS])
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(_table(rows), schema=schema), out)
    return out.getvalue()


def _kind(name: str) -> type:
    """The plain type of a column."""
    hint = FindingRow.__annotations__[name]
    return next(kind for kind in (list, bool, int, float, str) if kind.__name__ in str(hint))


WRITERS = {".jsonl": as_jsonl, ".csv": as_csv, ".parquet": as_parquet}


def encode(rows: Sequence[FindingRow], ending: str) -> bytes:
    """The rows in the format that the file name's ending says. Raises BadFindings."""
    if ending not in WRITERS:
        said = f"{ending or 'A name without an ending'} says no format."
        raise BadFindings(said, "End it in .jsonl, .parquet or .csv.")
    return WRITERS[ending](rows)


def write_findings(path: Path, rows: Sequence[FindingRow]) -> None:
    """Writes the file. Raises BadFindings, OSError."""
    path.write_bytes(encode(rows, path.suffix))


def read_findings(path: Path) -> list[FindingRow]:
    """The rows of a JSON lines file; fields of later versions are passed over. Raises BadFindings, OSError."""
    return list(_read(path))


def _read(path: Path) -> Iterator[FindingRow]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            if line.strip():
                yield msgspec.json.decode(line, type=FindingRow)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            hint = "Export it again: salon findings export --out FILE.jsonl"
            raise BadFindings(f"Line {number} of {path} is no finding: {error}.", hint) from error
