"""Forgetting, cancelling, erasing, a demo event's removal and an event's archiving against drawing, with real kills of
the engine and the desk: nothing is lost of what was not forgotten, nothing is left of what was, the house stays open.
Real house, database and dispatcher; only the engine is a script, so that a thousand rounds take minutes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RACER = Path(__file__).parent / "race" / "racer.py"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """A house whose tables are made; each race has a copy."""
    home = tmp_path_factory.mktemp("migrated") / "home"
    words = [sys.executable, "-c", "from salon.cli.demo import open_house; open_house()"]
    subprocess.run(words, env={**os.environ, "SALON_HOME": str(home), "DATABASE_URL": ""}, check=True, timeout=600)
    return home


@pytest.fixture
def race(migrated, tmp_path, database_of):
    home = shutil.copytree(migrated, tmp_path / "home")
    return lambda *words: _race({"SALON_HOME": str(home), **database_of(home)}, *words)


def _race(house, rounds, kills_of_the_desk=0, *words):
    environment = {
        **os.environ,
        "SALON_WAITING_PER_VISITOR": "10000",
        "SALON_WAITING_TOTAL": "10000",
        "SALON_HEARTBEAT": "1",
        **house,
    }
    command = [sys.executable, str(RACER), str(rounds), "7", str(kills_of_the_desk), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(found, done.stderr[-2000:] if found["wrong"] else "")
    return found


@pytest.mark.slow
def test_deeds_against_drawing(race):
    found = race(30)
    assert found["wrong"] == []
    assert min(found["deeds"][deed] for deed in ("forget", "cancel", "erase", "demo", "archive", "meet")) >= 1
    assert found["kills"]["engine"] >= 1


@pytest.mark.slow
def test_a_desk_that_does_not_look_again_leaves_what_was_forgotten(race):
    """Negative control: the same race finds the files that such a desk leaves behind."""
    found = race(30, 0, "careless")
    assert any(line.startswith("no row names the file") for line in found["wrong"])


@pytest.mark.slow
def test_a_thousand_rounds_with_kills(race):
    found = race(1000, 6)
    assert found["wrong"] == []
    assert found["kills"]["engine"] >= 30
    assert found["kills"]["desk"] == 6
