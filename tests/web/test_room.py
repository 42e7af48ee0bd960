"""A disk without room, as SQLite, pages and /healthz see it."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys

import pytest
from django.db import OperationalError

from salon.web import line as lines
from salon.web import room
from salon.web.answers import is_full_disk
from salon.web.line import EngineState, Event, Line
from salon.web.sqlite.base import DatabaseWrapper

pytestmark = pytest.mark.django_db
BANNER = "disk is full"


def wrapper(path):
    options = {"init_command": "PRAGMA journal_mode=WAL;", "transaction_mode": "IMMEDIATE"}
    facts = {"NAME": str(path), "OPTIONS": options, "TIME_ZONE": None, "CONN_MAX_AGE": 0, "AUTOCOMMIT": True}
    return DatabaseWrapper({**facts, "CONN_HEALTH_CHECKS": False, "ENGINE": "salon.web.sqlite"}, "other")


@pytest.fixture
def full(tmp_path, monkeypatch):
    """A database with one row, and a switch: while it is on, opening it the usual way finds no room."""
    path = tmp_path / "house.sqlite3"
    made = wrapper(path)
    with made.cursor() as cursor:
        cursor.execute("CREATE TABLE works (title text)")
        cursor.execute("INSERT INTO works VALUES ('Fox')")
    made.close()
    switch, connect = {"on": True}, sqlite3.connect

    def scarce(**words):
        if switch["on"] and "immutable" not in str(words["database"]):
            raise sqlite3.OperationalError("disk I/O error")
        return connect(**words)

    monkeypatch.setattr("django.db.backends.sqlite3.base.Database.connect", scarce)
    return path, switch


def titles(connection):
    with connection.cursor() as cursor:
        return cursor.execute("SELECT title FROM works").fetchall()


def write(connection):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO works VALUES ('Owl')")


def test_what_is_there_can_be_read_and_writing_says_that_there_is_no_room(full):
    path, switch = full
    connection = wrapper(path)
    assert titles(connection) == [("Fox",)]
    with pytest.raises(OperationalError) as refused:
        write(connection)
    assert is_full_disk(refused.value)
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    assert titles(connection) == [("Fox",)], "a page that reads within a transaction"
    connection.rollback()
    connection.set_autocommit(True)
    switch["on"] = False
    connection.only_read_since -= 60
    write(connection)  # the same connection, a while later
    assert titles(connection) == [("Fox",), ("Owl",)]
    connection.close()


def test_with_room_nothing_is_different(full):
    path, switch = full
    switch["on"] = False
    connection = wrapper(path)
    write(connection)
    assert connection.only_read_since is None
    assert len(titles(connection)) == 2
    connection.close()


def test_another_trouble_is_not_taken_for_a_full_disk(full, monkeypatch):
    path, _ = full

    def broken(**_words):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr("django.db.backends.sqlite3.base.Database.connect", broken)
    with pytest.raises(OperationalError, match="locked") as error:
        titles(wrapper(path))
    assert not is_full_disk(error.value)


def test_room_is_asked_by_writing(settings):
    """A limit of the kernel is seen in no number of free blocks."""
    code = "import os, resource; from salon.web import room; import django; django.setup(); "
    code += "limited = os.environ.get('LIMITED') and resource.setrlimit(resource.RLIMIT_FSIZE, (512, -1)); "
    code += "print(room.can_write())"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "salon.web.settings", "SALON_HOME": str(settings.HOME)}
    for limited, said in (("", "True"), ("1", "False")):
        words, more = [sys.executable, "-c", code], {"capture_output": True, "text": True, "check": True}
        done = subprocess.run(words, env={**environment, "LIMITED": limited}, **more)
        assert done.stdout.strip() == said
    assert not [name for name in os.listdir(settings.HOME) if name.startswith("tmp")]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 512


@pytest.mark.parametrize(("holds", "written"), [(60.0, 1), (0.0, 5)])
def test_whoever_asks_all_day_makes_the_house_write_no_more(client, monkeypatch, holds, written):
    """256 kB a time, for anybody. Control: if no answer held, each would be a file."""
    files = []
    monkeypatch.setattr(room, "HOLDS", holds)
    monkeypatch.setattr(room, "_last", (float("-inf"), True))
    monkeypatch.setattr(room, "_written", lambda: files.append(1) or True)
    assert [client.get("/healthz").json()["writes"] for _ in range(5)] == [True] * 5
    assert len(files) == written


@pytest.mark.parametrize("writes", [True, False])
def test_pages_and_healthz_say_so(client, monkeypatch, writes):
    monkeypatch.setattr(lines, "_room", writes)
    monkeypatch.setattr("salon.web.station.views.can_write", lambda: writes)
    assert (BANNER in client.get("/gallery").content.decode()) is not writes
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["writes"]) == (200, writes)


def test_a_message_that_cannot_be_read_does_not_end_the_line(monkeypatch):
    """Without the guard the line is dead, and every stream waits for ever (the control: what `_hear` does with it)."""
    frames = [[b"house", b"house", b"rubbish"], [b"one frame"], [b"abc", b"finished", b"{}"]]

    async def heard():
        line = Line()
        line._task.cancel()
        with pytest.raises(Exception, match="JSON"):
            line._hear(*frames[0])
        with pytest.raises(TypeError):
            line._hear(*frames[1])
        waiting = asyncio.Queue()

        class Sub:
            recv_multipart = staticmethod(waiting.get)

            def close(self):
                pass

        line._sub.close()
        line._sub = Sub()
        line._task = asyncio.create_task(line._listen())
        async with line.watch("abc") as mailbox:
            for frame in frames:
                waiting.put_nowait(frame)
            event = await mailbox.get(60)
        await line.close()
        return event

    assert asyncio.run(heard()) == Event("finished", b"{}")


def test_the_desks_word_on_room_is_known_to_every_thread(monkeypatch):
    import msgspec

    monkeypatch.setattr(lines, "_room", True)

    async def told():
        line = Line()
        line._hear(b"house", b"house", msgspec.json.encode(EngineState("ready", writes=False)))
        await line.close()

    asyncio.run(told())
    assert not lines.has_room()
    assert room.PROBE > 64 * 1024
