"""CSV that no spreadsheet runs, at whichever separator it is opened, and that every reader gets back whole. (What
opens them here: tests/spreadsheet.py.)"""

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import salon
from salon.core import cells
from spreadsheet import opened, would_run

HOSTILE = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＠x", " =1", "'=1", "'", "''quoted",
    "=cmd|' /C calc'!A0", 'a "quote", and; commas', "two\nlines\r\nand three", "أحمد", "田中 🦊", "\ufeffbom", "-", "",
    "1e5", "O'Hara", "x;=1+1;y", "x; =1", "x;＝1", 'x;"=1', 'x; "" =1', "x\n=1", "x\r\n@y", "x\t+1", "x;'=1", ";", ";'",
    "\u3000=1", "\ufeff=1", '"=1', "a;\n=1", "list:\n- one\n- two", "\t", "'\t", "it's; 'so'",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_is_harmless_and_comes_back_whole(text):
    written = cells.line([text, 7, None, True, ["a", "b"]])
    assert would_run(written) == []
    ((first, *rest),) = opened(written, ",")
    assert cells.plain(first) == text
    assert rest == ["7", "", "yes", "a; b"]


def test_the_control_unguarded_they_are_run():
    run = [text for text in HOSTILE if would_run(text)]
    assert {"=1+1", "x;=1+1;y", "x;＝1", 'x;"=1', "x\r\n@y", "x\t+1", "list:\n- one\n- two"} <= set(run)


def test_the_control_quotes_and_a_guard_of_the_start_alone_do_not_help_at_semicolons():
    for text in ("x;=1+1;y", 'x;"=1', "x\t+1"):
        out = io.StringIO()
        csv.writer(out, quoting=csv.QUOTE_ALL).writerow(["name", text])
        assert would_run(out.getvalue()), text
        assert would_run(cells.line(["name", text])) == []


def test_all_text_is_quoted_and_numbers_are_not():
    assert cells.line(["a", "", 'b"c', 1, -2.5, None, False]) == '"a","","b""c",1,-2.5,"","no"\r\n'


ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
NASTY = st.text("=+-@＝;,\t\r\n\"' \u3000\ufeffx1", max_size=12)


@settings(max_examples=1500)
@given(st.lists(ANY | NASTY, min_size=1, max_size=4))
@example(["x;", "=1"])
@example(['x;"', "=1"])
@example(["=1", ";\n"])
def test_any_text_is_harmless_and_comes_back_whole(texts):
    written = cells.line(texts) * 2
    assert [[cells.plain(cell) for cell in row] for row in opened(written, ",")] == [texts] * 2
    assert would_run(written) == []


@given(NASTY)
def test_what_is_safe_stays_as_it_is(text):
    """The guard adds apostrophes and nothing else, and only where there is something to guard."""
    added = cells.safe(text)
    assert re.sub("'", "", added) == re.sub("'", "", text)
    if not re.search("[=+@＝'-]", text) and text[:1] not in tuple("\t\r\n"):
        assert added == text


def test_nul_goes_as_no_spreadsheet_reads_it():
    assert cells.safe("a\x00b") == "ab"
    assert cells.safe("\x00=1") == "'=1"


def test_nobody_writes_csv_past_the_guard():
    """One guard: every export of the house goes through it. The control is the guard's own file."""
    found = [
        path for path in Path(salon.__file__).parent.rglob("*.py") if re.search(r"csv\.\w*[wW]riter", path.read_text())
    ]
    assert [path.name for path in found] == ["cells.py"]
