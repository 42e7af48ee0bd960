"""Nobody else on the machine reads what a house keeps: files of every process, and of a house that was open before."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from salon.core.errors import NotPrivate
from salon.core.home import close, keep_private, private_folder

#: a command that makes a house's database; with OPEN first as it was when nobody set the umask
MAKE = "import sys; from salon.cli import main; sys.exit(main(['backstage']))"
OPEN = "import os; os.umask = lambda mask: 0; "


@pytest.fixture(autouse=True)
def _usual_umask():
    """As most people's shells have it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> set[str]:
    """What in this folder, itself included, gives group or others any right."""
    found = [folder, *folder.rglob("*")]
    return {str(one.relative_to(folder)) for one in found if not one.is_symlink() and one.lstat().st_mode & 0o077}


def umask_of(pid: int) -> str:
    return re.search(r"^Umask:\s+(\d+)", (Path("/proc") / str(pid) / "status").read_text(), re.MULTILINE)[1]


@pytest.fixture
def old(tmp_path) -> Path:
    """A state folder as houses left it: made by somebody's mkdir, everything readable."""
    home = tmp_path / "old"
    for name in ("images/ab/old.png", "mail/letter.eml", "tls/cert.pem", "notes/of-somebody-else.txt"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    sqlite3.connect(home / "salon.sqlite3").execute("CREATE TABLE before (x)")
    (home / "outside").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("x")
    return home


@pytest.mark.slow
def test_a_running_house_writes_for_nobody_else_and_closes_what_was_open(old, new_house):
    assert {".", "salon.sqlite3", "images/ab", "images/ab/old.png", "mail/letter.eml"} <= open_to_others(old), "control"
    house = new_house(old)
    visitor = house.visitor()
    visitor.finish(visitor.ask(count=1, seed=3))
    notes = {"notes", "notes/of-somebody-else.txt"}  # behind the folder's own door; whose they are is not ours to say
    assert open_to_others(old) == notes
    made = {str(path.relative_to(old)) for path in old.rglob("*")}
    assert {"salon.sqlite3-wal", "salon.sqlite3-shm", "secret.key", "desk.lock", "models.json"} <= made
    assert len([name for name in made if name.startswith("images/") and name.endswith(".png")]) == 2
    assert any(stat.S_ISSOCK(path.lstat().st_mode) for path in old.rglob("*")), "sockets are among what was looked at"
    children = [house.child(f"salon.{name}") for name in ("web.serve", "engine", "desk.worker")]
    assert {umask_of(pid) for pid in (house.process.pid, *children)} == {"0077"}
    assert (old.parent / "elsewhere").stat().st_mode & 0o077, "what a link leads to is left alone"


@pytest.mark.parametrize(("before", "wide"), [("", set()), (OPEN, {"salon.sqlite3"})])
def test_a_command_writes_for_nobody_else(tmp_path, before, wide):
    """With the umask left as it was (the control) the database is readable."""
    home = tmp_path / "home"
    environment = {**os.environ, "SALON_HOME": str(home), "DATABASE_URL": ""}
    subprocess.run([sys.executable, "-c", before + MAKE], env=environment, check=True, capture_output=True)
    assert (home / "salon.sqlite3").exists()
    assert open_to_others(home) == wide


def test_a_database_elsewhere_is_closed_too(tmp_path):
    (tmp_path / "shared").mkdir()
    database = tmp_path / "shared" / "salon.sqlite3"
    sqlite3.connect(database).execute("CREATE TABLE before (x)")
    assert database.stat().st_mode & 0o077
    environment = {**os.environ, "SALON_HOME": str(tmp_path / "home"), "DATABASE_URL": f"sqlite://{database}"}
    subprocess.run([sys.executable, "-c", MAKE], env=environment, check=True, capture_output=True)
    assert open_to_others(tmp_path / "shared") == {"."}


def test_a_folder_that_everybody_shares_is_refused_in_a_sentence(tmp_path):
    shared = tmp_path / "everybody"
    shared.mkdir()
    shared.chmod(0o1777)
    environment = {**os.environ, "SALON_HOME": str(shared)}
    for words in (["run", "--port", "1"], ["backstage"]):
        done = subprocess.run([sys.executable, "-m", "salon", *words], env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "everybody shares. Set SALON_HOME" in done.stderr
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777, "it was left as it is"
    assert list(shared.iterdir()) == []


def test_what_cannot_be_closed_is_refused(tmp_path, monkeypatch):
    """A disk that keeps no rights: chmod says yes and does nothing."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    with pytest.raises(NotPrivate, match=r"may read .*home.* folder of your own"):
        private_folder(home)
    monkeypatch.undo()
    assert private_folder(home).stat().st_mode & 0o077 == 0


def test_a_walk_that_was_cut_short_is_taken_up_again(old, monkeypatch):
    """Killed before the folders of the top were reached: the next start closes the rest."""
    closed = []

    def killed(path):
        if len(closed) == 3:
            raise KeyboardInterrupt
        closed.append(path)
        close(path)

    monkeypatch.setattr("salon.core.home.close", killed)
    with pytest.raises(KeyboardInterrupt):
        keep_private(old)
    monkeypatch.undo()
    assert open_to_others(old) - {"notes", "notes/of-somebody-else.txt"}
    keep_private(old)
    assert open_to_others(old) == {"notes", "notes/of-somebody-else.txt"}
