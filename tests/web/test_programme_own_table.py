"""The programme that the house writes is read by the house: every word, instant, room, presenter and number of places,
whatever stands in them, across changes of clocks, and out of a spreadsheet as well as out of the file."""

import csv
import datetime as dt
import io

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salon.core import cells
from salon.core.errors import BadRecipe
from salon.core.text import tidy
from salon.web.events.domain import current_event
from salon.web.events.models import Event, Room
from salon.web.exports.domain.tables import TABLES, plain
from salon.web.mail.letters import many_lines
from salon.web.people.models import User
from salon.web.programme.domain import editing, pasting
from salon.web.programme.domain.editing import Draft
from salon.web.programme.models import Presenter, Session
from salon.web.seats.models import Pool

pytestmark = pytest.mark.django_db
#: the night in Madrid in which an hour comes twice
NIGHT = dt.datetime(2026, 10, 24, 22, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def event(db):
    Event.objects.update(time_zone="Europe/Madrid", starts_on=dt.date(2026, 10, 24), ends_on=dt.date(2026, 10, 25))
    return current_event()


@pytest.fixture
def ada(event):
    return User.objects.create_superuser("ada")


def exported(event):
    table = TABLES["sessions"]
    columns = table.columns(event)
    rows = plain([table.row(event, one) for one in table.rows(event).order_by("pk")], columns)
    return "".join(cells.lines(rows, columns))


def copied(text):
    """As it arrives when it was opened in a spreadsheet, marked and copied."""
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(csv.reader(io.StringIO(text, newline="")))
    return out.getvalue()


def told():
    found = Session.objects.select_related("room", "pool").prefetch_related("presenters")
    return sorted(
        (
            s.title, s.kind, s.about, s.room.name if s.room else "", s.starts_at, s.ends_at,
            [p.name for p in s.presenters.all()], s.pool.capacity if s.pool else None,
        )
        for s in found
    )  # fmt: skip


def empty():
    for model in (Presenter, Session, Pool, Room):
        model.objects.all().delete()


NASTY = st.text("=+-@＝;,\t\n\"' x1aé狐", min_size=1, max_size=14) | st.text(max_size=30)
SESSION = st.fixed_dictionaries({
    "title": NASTY, "about": NASTY, "room": NASTY, "kind": st.sampled_from(Session.Kind.values),
    "presenters": st.lists(NASTY, max_size=3), "places": st.none() | st.integers(1, 99),
    "begins": st.integers(0, 20), "minutes": st.integers(1, 30),
})  # fmt: skip


def put(event, ada, one):
    """As the programme's own form would keep it."""
    room = Room.objects.get_or_create(event=event, name=tidy(one["room"])[:100])[0] if tidy(one["room"]) else None
    starts = NIGHT + dt.timedelta(minutes=15 * one["begins"])
    names = [tidy(part) for name in one["presenters"] for part in name.replace("\n", ";").split(";") if tidy(part)]
    unique = {pasting.clashes.name_key(name): name for name in reversed(names)}
    draft = Draft(
        title=tidy(one["title"]) or "x", kind=one["kind"], about=many_lines(one["about"]), places=one["places"],
        starts_at=starts, ends_at=starts + dt.timedelta(minutes=15 * one["minutes"]),
        presenters=tuple((name, "") for name in reversed(unique.values())),
    )  # fmt: skip
    editing.put(event, ada, draft, room)


@given(st.lists(SESSION, min_size=1, max_size=4, unique_by=lambda s: tidy(s["title"]) or "x"), st.booleans())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_house_writes_it_reads(event, ada, sessions, by_spreadsheet):
    empty()
    names = {}
    for one in sessions:  # two rooms whose names differ in nothing but letters' case are one room to the table
        one["room"] = names.setdefault(pasting.clashes.name_key(one["room"]), one["room"])
        put(event, ada, one)
    before, text = told(), exported(event)
    text = copied(text) if by_spreadsheet else text
    assert pasting.write(ada, text) == 0  # it is all there
    empty()
    assert pasting.write(ada, text) == len(before)
    assert told() == before
    assert not Session.objects.filter(published=True).exists()


def test_the_control_cells_as_they_stand_are_not_the_words(event, ada, monkeypatch):
    put(event, ada, {"title": "=1+1", "about": "x;-1", "room": "'", "kind": "talk", "presenters": ["@Ada", "Doe, Jane"],
                     "places": 7, "begins": 10, "minutes": 4})  # fmt: skip
    before, text = told(), exported(event)
    empty()
    monkeypatch.setattr(cells, "plain", lambda cell: cell)
    pasting.write(ada, text)
    assert told() != before
    monkeypatch.undo()
    empty()
    pasting.write(ada, text)
    assert told() == before


def test_one_presenter_with_a_comma_is_one_and_a_pasted_list_still_is_several(event, ada):
    put(event, ada, {"title": "A", "about": "", "room": "", "kind": "talk", "presenters": ["Doe, Jane"], "places": None,
                     "begins": 0, "minutes": 4})  # fmt: skip
    text = exported(event)
    empty()
    pasting.write(ada, text)
    assert [p.name for p in Presenter.objects.all()] == ["Doe, Jane"]
    reading = pasting.read(event, "title\tday\tbegins\tends\tpresenters\nB\t2026-10-24\t10:00\t11:00\tDoe, Jane\n")
    assert [name for name, _ in reading.lines[0].draft.presenters] == ["Doe", "Jane"]


def test_sessions_that_shared_places_share_them_again_and_cancelled_ones_are_left_out(event, ada):
    for title, begins in (("A", 0), ("B", 8), ("C", 16)):
        put(event, ada, {"title": title, "about": "", "room": "", "kind": "workshop", "presenters": [], "places": None,
                         "begins": begins, "minutes": 2})  # fmt: skip
    pool = Pool.objects.create(event=event, kind="workshop", name="Both", capacity=5)
    Session.objects.exclude(title="C").update(pool=pool)
    Session.objects.filter(title="C").update(cancelled_at=timezone.now())
    text = exported(event)
    empty()
    reading = pasting.read(event, text)
    assert {line.draft.title: line.cancelled for line in reading.lines} == {"A": False, "B": False, "C": True}
    assert pasting.write(ada, text) == 2
    (pool,) = Pool.objects.all()
    assert (pool.capacity, sorted(s.title for s in pool.sessions.all())) == (5, ["A", "B"])


def test_instants_stay_though_the_event_has_another_zone_since(event, ada):
    put(event, ada, {"title": "A", "about": "", "room": "", "kind": "talk", "presenters": [], "places": None,
                     "begins": 12, "minutes": 4})  # fmt: skip
    before, text = told(), exported(event)
    empty()
    Event.objects.update(time_zone="Asia/Tokyo")
    pasting.write(ada, text)
    assert told() == before


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("2026-10-25T02:30:00", "2026-10-25T04:00:00"), ("2026-10-25T10:00:00+02:00", "2026-10-25T09:00:00+02:00"),
        ("2026-13-25T10:00:00Z", "2026-10-25T11:00:00Z"), ("2026-10-25T10:00:00Z", "2027-10-25T11:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "2026-10-25T11:00:00Z"), ("2026-10-25T10:00:00Z", "soon"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_told(event, ada, begins, ends):
    """The first is an hour that comes twice in Madrid and says not which."""
    text = f"title,begins,ends\nA,{begins},{ends}\n"
    assert pasting.read(event, text).lines[0].wrong
    with pytest.raises(BadRecipe):
        pasting.write(ada, text)
