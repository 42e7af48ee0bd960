"""A programme out of a spreadsheet: what is read, what is told, and nothing is written before somebody says yes."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salon.core.errors import BadRecipe
from salon.web.events.domain import current_event
from salon.web.events.models import Entry, Event, Room
from salon.web.events.times import local
from salon.web.people.models import User
from salon.web.programme.domain import pasting
from salon.web.programme.models import Session
from salon.web.seats.models import Pool

pytestmark = pytest.mark.django_db
TABLE = """title\tday\tbegins\tends\troom\tkind\tpresenters\tplaces
Opening\t2026-06-06\t10:00\t10:30\tHall\topening\tZoë; 山田 花子\t
First steps\t\t10:30\t12:00\tAttic\tWorkshop\tCay, Lin\t12
Night\t7.6.2026\t22:00\t1:00\t\t\t\t
"""


@pytest.fixture(autouse=True)
def event(db):
    days = {"starts_on": dt.date(2026, 6, 6), "ends_on": dt.date(2026, 6, 7)}
    Event.objects.update(time_zone="Europe/Madrid", opened_at=timezone.now(), **days)
    return current_event()


@pytest.fixture
def ada(event):
    return User.objects.create_superuser("ada")


def told(event, text):
    return [sentence for line in pasting.read(event, text).lines for sentence in line.wrong]


def test_a_table_becomes_drafts_with_rooms_people_and_places(event, ada):
    Room.objects.create(event=event, name="hall")  # however it is written, it is this room
    assert pasting.read(event, TABLE).rooms == ["Attic"]
    assert not Session.objects.exists()
    assert pasting.write(ada, TABLE) == 3
    opening, steps, night = Session.objects.order_by("starts_at")
    assert (opening.room.name, [p.name for p in opening.presenters.all()]) == ("hall", ["Zoë", "山田 花子"])
    assert (steps.kind, steps.pool.capacity, [p.name for p in steps.presenters.all()]) == (
        "workshop",
        12,
        ["Cay", "Lin"],
    )
    assert f"{local(event, steps.starts_at):%d %H:%M}" == "06 10:30"  # the day of the row above
    assert (night.room, night.kind, f"{local(event, night.ends_at):%d %H:%M}") == (None, "other", "08 01:00")
    assert not any(session.published for session in (opening, steps, night))
    assert set(Entry.objects.values_list("deed", flat=True)) == {"room made", "places made", "programme pasted"}


def test_the_same_table_twice_is_written_once(event, ada):
    pasting.write(ada, TABLE)
    assert [line.known for line in pasting.read(event, TABLE).lines] == [True] * 3
    assert pasting.write(ada, TABLE) == 0
    assert (Session.objects.count(), Pool.objects.count()) == (3, 1)


def test_one_wrong_row_and_nothing_is_written(event, ada):
    bad = TABLE + "Late\t\t26:00\t27:00\tHall\trave\t\tmany\n"
    (wrong,) = pasting.read(event, bad).wrong
    assert (wrong.number, len(wrong.wrong)) == (5, 3)
    with pytest.raises(BadRecipe, match="1 row"):
        pasting.write(ada, bad)
    assert not Session.objects.exists()
    assert not Room.objects.exists()


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("\t2026-06-06\t10:00\t11:00", "title"), ("A\t\t10:00\t11:00", "day"), ("A\t2026-06-06\t10:00\t", "ends"),
        ("A\t5/6/2026\t10:00\t11:00", "two different"), ("A\t2026-03-29\t2:30\t4:00", "does not exist"),
        ("A\t2026-10-25\t2:30\t4:00", "comes twice"), ("A\t2026-06-06\t14:00\t13:00", "before it begins"),
    ],
)  # fmt: skip
def test_what_a_row_is_told(event, row, sentence):
    (only,) = told(event, f"title\tday\tbegins\tends\n{row}\n")
    assert sentence in only


def test_what_is_no_table(event):
    for text in ("", "hello", "title\tday\n", "a\tb\nc\td\n", '"title\tday\tbegins\nx'):
        with pytest.raises(BadRecipe):
            pasting.read(event, text)
    with pytest.raises(BadRecipe, match="At most"):
        pasting.read(event, "title\tbegins\n" + "a\t10\n" * (pasting.MOST_ROWS + 1))


def test_commas_semicolons_quotes_and_other_languages(event):
    text = 'Título;Día;Hora;Sala\n"Dos; ""tres""";2026-06-06;10:00–11:00;Patio\n'
    (line,) = pasting.read(event, text).lines
    assert (line.draft.title, line.room, line.hours) == ('Dos; "tres"', "Patio", "10:00–11:00")
    (line,) = pasting.read(event, "タイトル,日付,開始,終了\r\n開会,2026/6/6,10時,11時30分\r\n").lines
    assert line.hours == "10:00–11:30"


def test_clashes_are_told_before_it_is_written(event, ada):
    pasting.write(ada, TABLE)
    rows = ("A\t2026-06-06\t10:00\t11:00\tHall", "B\t\t10:30\t11:30\tNew", "C\t\t11:00\t12:00\tnew")
    table = "\n".join(("title\tday\tbegins\tends\troom", *rows))
    assert [clash.text for clash in pasting.read(event, table).clashes] == [
        "Hall is taken twice: “Opening” and “A”.",
        "New is taken twice: “B” and “C”.",
    ]


@given(st.text(max_size=200) | st.text(alphabet='\t\n\r";,Atitlebegins0:1-26\x00', max_size=400))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_pasted_is_read_or_refused(event, text):
    for table in (text, f"title\tday\tbegins\tends\n{text}"):
        try:
            assert all(line.draft or line.wrong for line in pasting.read(event, table).lines)
        except BadRecipe:
            pass


def test_the_page_shows_first_and_writes_when_told(event, ada):
    client = Client(headers={"Origin": "http://testserver"})
    client.force_login(ada)
    page = client.post("/backstage/programme/paste", {"table": TABLE})
    assert "3 sessions would be written" in page.content.decode()
    assert not Session.objects.exists()
    assert client.post("/backstage/programme/paste", {"table": TABLE, "write": "1"}).status_code == 302
    assert client.post("/backstage/programme/paste", {"table": "x", "write": "1"}).status_code == 422
    assert Session.objects.count() == 3


def test_columns_that_are_not_read_are_named(event, ada):
    """Control: of a table that is read whole none is."""
    table = "title\tbegins\tends\tspeaker's hotel\t\nTalk\t2026-06-06 10:00\t11:00\tRitz\tx\n"
    table = table.replace("begins", "day\tbegins").replace("06 10:00", "06\t10:00")
    assert list(pasting.read(event, table).unused) == ["speaker's hotel"]
    assert list(pasting.read(event, TABLE).unused) == []
    client = Client(headers={"Origin": "http://testserver"})
    client.force_login(ada)
    page = client.post("/backstage/programme/paste", {"table": table}).content.decode()
    assert "Columns that are not read:" in page
    assert "speaker&#x27;s hotel" in page
