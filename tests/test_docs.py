"""The docs name files that exist, and the map names every room."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("src/salon/weights/*/README.md")])
NAMED = re.compile(r"`((?:src|tests|scripts|bench|docs)/[\w./-]*\w)`|\]\(((?!https?:)[\w./-]+)\)")


def named(text: str) -> list[str]:
    """Paths that a page names in backticks or links to."""
    return [code or link for code, link in NAMED.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_named_file_exists(page):
    paths = named(page.read_text("utf-8"))
    assert not [path for path in paths if not any((folder / path).exists() for folder in (ROOT, page.parent))]


def test_a_wrong_name_would_be_found():
    assert named("see `src/salon/nowhere.py` and [that](docs/gone.md)") == ["src/salon/nowhere.py", "docs/gone.md"]


def test_the_map_names_every_room():
    rooms = {path.parent.name for path in (ROOT / "src/salon").glob("*/__init__.py")}
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert not [room for room in rooms if f"| `{room}` |" not in text]
