"""The programme as iCalendar: read back with the library that calendars use, and octet by octet where it matters."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from icalendar import Event as Entry

from salon.core.errors import SalonError
from salon.core.text import tidy
from salon.web.events.models import Event, Room
from salon.web.mail.letters import many_lines
from salon.web.programme.domain import calendar
from salon.web.programme.models import Presenter, Session

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def session(title="A talk", about="", presenters=(), **more):
    """A session that lies in no database."""
    values = {
        "id": "ab" * 16, "kind": "talk", "starts_at": dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC),
        "ends_at": dt.datetime(2026, 10, 25, 2, 30, tzinfo=dt.UTC), "changed_at": NOW, "published": True, **more,
    }  # fmt: skip
    made = Session(title=title, about=about, **values)
    made._prefetched_objects_cache = {"presenters": [Presenter(name=name) for name in presenters]}
    return made


def feed(*sessions, **more):
    event = Event(name="Art day", time_zone="Europe/Madrid", place="Casa; Norte, 2", address="a\\b\nMadrid", **more)
    return calendar.feed(event, sessions, lambda s: f"https://salon.example/programme/{s.id}")


def entry(data: bytes) -> Entry:
    (found,) = Calendar.from_ical(data).walk("VEVENT")
    return found


def test_every_part_is_read_back():
    room = Room(name="Great hall")
    read = entry(feed(session("Ñ; a, b\\n", "one\r\ntwo, 山", ["Zoë", "دينا"], sequence=3, room=room)))
    assert str(read["summary"]) == "Ñ; a, b\\n"
    assert str(read["description"]) == "Zoë, دينا\n\none\ntwo, 山"
    assert str(read["location"]) == "Great hall, Casa; Norte, 2, a\\b Madrid"
    assert (read["uid"], read["sequence"], read["status"]) == (f"{'ab' * 16}@latent-salon", 3, "CONFIRMED")
    assert str(read["url"]) == f"https://salon.example/programme/{'ab' * 16}"
    assert read["categories"].to_ical() == b"talk"


def test_times_are_instants_so_that_a_change_of_clocks_moves_nothing():
    """Two hours across the hour that comes twice in Madrid: 02:30 until 03:30 by the clock on the wall."""
    data = feed(session())
    assert b"DTSTART:20261025T003000Z\r\n" in data
    assert b"DTEND:20261025T023000Z\r\n" in data
    assert entry(data).duration == dt.timedelta(hours=2)


def test_what_is_cancelled_stays_as_such_under_its_name():
    before, after = session(sequence=1), session(sequence=2, cancelled_at=NOW, reason="Flooded.")
    one, two = entry(feed(before)), entry(feed(after))
    assert one["uid"] == two["uid"]
    assert (two["status"], two["sequence"], str(two["summary"])) == ("CANCELLED", 2, "Cancelled: A talk")
    assert str(two["description"]) == "Flooded."


def test_an_empty_programme_is_a_calendar():
    read = Calendar.from_ical(feed())
    assert str(read["x-wr-calname"]) == "Art day"
    assert read.walk("VEVENT") == []


hostile = st.text(max_size=300) | st.text(alphabet='\\;,:"\r\n\x00\u2028\u202eé山🧪 ABEGIN:VT', max_size=300)


@example("x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:forged", "", "")
@example("🧪" * 75, "é" * 400, "a" * 75)
@example("\\n\\N\\;", "\\\\n\n\\", "^n")
@given(hostile, hostile, hostile)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_no_words_break_out_of_their_line(title, about, name):
    """One entry, its words as typed (tidied), every line of at most 75 octets, all of it UTF-8."""
    data = feed(session(title, about, [name]))
    assert data.decode()
    lines = data.split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 and not set(line) & {*range(32), 127} - {9} for line in lines)
    assert b"\n" not in data.replace(b"\r\n", b"")
    read = entry(data)
    assert str(read.get("summary", "")) == tidy(title)
    assert str(read.get("description", "")) == "\n\n".join(filter(None, (tidy(name), many_lines(about))))
    assert read["uid"] == f"{'ab' * 16}@latent-salon"


def test_without_tidying_words_do_get_out_of_shape(monkeypatch):
    """Negative control: what the property above would see."""
    monkeypatch.setattr(calendar, "tidy", str)
    with pytest.raises((AssertionError, SalonError, ValueError, KeyError, IndexError)):
        test_no_words_break_out_of_their_line.hypothesis.inner_test("a\x00b\x0bc\rd", "", "")
