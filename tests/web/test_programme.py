"""The programme: writing it, what does not fit, time's traps, places, letters, stars, and who may see what."""

import datetime as dt
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from salon.core.errors import Conflict
from salon.web.call.models import Submission
from salon.web.events import demo
from salon.web.events.domain import current_event
from salon.web.events.models import Entry, Event, Room
from salon.web.events.times import BadTime, local
from salon.web.mail.models import Letter
from salon.web.people import guests, personal
from salon.web.people.models import User
from salon.web.programme.domain import clashes, clock, editing, showing, stars, zones
from salon.web.programme.domain.editing import Stale
from salon.web.programme.models import Presenter, Session, Star
from salon.web.seats.models import Place, Pool
from salon.web.station.domain.erasing import erase_visitor
from salon.web.station.domain.visitors import COOKIE

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 6, 6)


@pytest.fixture(autouse=True)
def event(db):
    Event.objects.update(
        time_zone="Europe/Madrid", starts_on=DAY, ends_on=DAY + dt.timedelta(days=1), opened_at=timezone.now()
    )
    return current_event()


@pytest.fixture
def ada(event):
    return User.objects.create_superuser("ada")


@pytest.fixture
def hall(event):
    return Room.objects.create(event=event, name="Great hall")


def form(**values):
    """What the form sends: a talk from ten to eleven, but for what is said otherwise."""
    query = QueryDict(mutable=True)
    said = {"title": "A talk", "kind": "talk", "day": "2026-06-06", "starts": "10:00", "ends": "11:00", **values}
    for name, value in said.items():
        query.setlist(name, value if isinstance(value, list) else [str(value)])
    return query


def write(person, public=True, **values):
    draft, wrong = editing.read_form(current_event(), form(**values))
    assert wrong == {}
    session = editing.create(person, draft).session
    return editing.step(person, session.id, "publish") if public else session


def save(person, session, known=None, **values):
    draft, wrong = editing.read_form(current_event(), form(**values))
    assert wrong == {}
    return editing.change(person, session.id, draft, session.sequence if known is None else known)


def guest(name, pool, state="booked"):
    made, _token = guests.make(pool.event_id, name, f"{name.lower()}@example.org")
    Place.objects.create(pool=pool, guest=made, state=state, key=name)
    return made


def sentences(event):
    return [clash.text for clash in clashes.of(event, editing.everything(event))]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("10:30", (10, 30, "")), ("9", (9, 0, "")), ("09.15", (9, 15, "")), ("2 pm", (14, 0, "")),
        ("12 a.m.", (0, 0, "")), ("18h30", (18, 30, "")), ("１０：３０", (10, 30, "")), ("24:00", (24, 0, "")),
        ("02:30+02:00", (2, 30, "+02:00")),
    ],
)  # fmt: skip
def test_times_as_people_type_them(typed, read):
    assert clock.parse_clock(typed) == read


@pytest.mark.parametrize("typed", ["", "25:00", "10:75", "24:30", "noon", "10:30:61", "1e1", "-1:00"])
def test_what_is_no_time(typed):
    with pytest.raises(BadTime):
        clock.parse_clock(typed)


def test_days_as_people_type_them_and_never_the_wrong_one():
    for typed in ("2026-06-13", "13.6.2026", "2026/6/13", "13/06/2026", "06/13/2026", "2026年6月13日"):
        assert clock.parse_day(typed) == dt.date(2026, 6, 13)
    with pytest.raises(BadTime, match="two different days"):
        clock.parse_day("05/06/2026")
    for typed in ("2026-02-30", "tomorrow", "6 6 26", "99/99/2026"):
        with pytest.raises(BadTime):
            clock.parse_day(typed)


def span(event, day, starts, ends, ends_day=None):
    return tuple(f"{at:%d %H:%M}" for at in clock.span(event, dt.date.fromisoformat(day), starts, ends, ends_day))


def test_past_midnight_and_the_years_end(event):
    assert span(event, "2026-06-06", "22:00", "01:00") == ("06 20:00", "06 23:00")
    assert span(event, "2026-12-31", "23:30", "00:30") == ("31 22:30", "31 23:30")
    assert span(event, "2026-06-06", "20:00", "24:00") == ("06 18:00", "06 22:00")
    with pytest.raises(BadTime, match="ends before it begins"):  # 23 hours: a slip, not a night
        span(event, "2026-06-06", "14:00", "13:00")
    with pytest.raises(BadTime, match="ends before it begins"):
        span(event, "2026-06-06", "14:00", "14:00")
    assert span(event, "2026-06-06", "14:00", "13:00", DAY + dt.timedelta(days=1)) == ("06 12:00", "07 11:00")


def test_when_clocks_change(event):
    """Madrid 2026: an hour is left out on 29 March, one comes twice on 25 October."""
    assert span(event, "2026-03-29", "01:30", "03:30") == ("29 00:30", "29 01:30")  # one hour, not two
    with pytest.raises(BadTime, match="does not exist"):
        span(event, "2026-03-29", "02:30", "03:30")
    with pytest.raises(BadTime, match="comes twice"):
        span(event, "2026-10-25", "02:30", "04:00")
    assert span(event, "2026-10-25", "02:30+02:00", "02:30+01:00") == ("25 00:30", "25 01:30")
    spring = clock.span(event, dt.date(2026, 3, 29), "01:30", "03:30")
    assert clock.hours(event, *spring) == "01:30 CET–03:30 CEST"
    autumn = clock.span(event, dt.date(2026, 10, 25), "02:30+02:00", "02:30+01:00")
    assert clock.hours(event, *autumn) == "02:30 CEST–02:30 CET"


def test_the_form_reads_back_what_it_shows(event, ada):
    for values in (
        {"day": "2026-10-25", "starts": "02:30+02:00", "ends": "02:30+01:00"},
        {"day": "2026-06-06", "starts": "22:00", "ends": "01:00"},
        {"day": "2026-06-06", "starts": "22:00", "ends": "21:00", "ends_day": "2026-06-08"},
    ):
        session = write(ada, **values)
        shown = editing.values_of(event, session)
        again = save(ada, session, **{name: shown[name] for name in ("day", "starts", "ends", "ends_day")}).session
        assert (again.starts_at, again.ends_at) == (session.starts_at, session.ends_at)


def test_what_a_form_is_told(event, ada):
    other = Event.objects.create(slug="other", name="Other")
    strange = Room.objects.create(event=other, name="Elsewhere")
    pool = Pool.objects.create(event=other, kind="other", name="Theirs", capacity=5)
    wrong = editing.read_form(
        event, form(title=" \u202e ", kind="rave", starts="25:00", room=strange.id, pool=pool.id)
    )[1]
    assert set(wrong) == {"title", "kind", "starts", "room", "pool"}
    assert set(editing.read_form(event, form(day="", room="9" * 30, pool="new", places="0"))[1]) == {
        "day", "room", "places"
    }  # fmt: skip
    assert editing.read_form(event, form(ends="09:00"))[1].keys() == {"ends"}


def test_what_does_not_fit_is_told_and_kept(event, ada, hall):
    write(ada, title="One", room=hall.id, presenter=["Zoë Ñ"])
    write(ada, title="Two", room=hall.id, starts="10:30", ends="12:00", presenter=["ZOE\u0308  ñ"])
    write(ada, title="Three", room=hall.id, starts="12:00", ends="13:00")  # right after is no overlap
    write(ada, title="Late", day="2026-06-08")
    write(ada, title="All day", room=hall.id, starts="08:00", ends="23:00")  # lasts, and leaves room for others
    assert sentences(event) == [
        "Great hall is taken twice: “One” and “Two”.",
        "ZOË ñ is in two places: “One” and “Two”.",
        "“Late” is outside the event's days.",
    ]
    two = Session.objects.get(title="Two")
    editing.step(ada, two.id, "cancel")
    assert sentences(event) == ["“Late” is outside the event's days."]


def test_of_two_who_save_the_second_is_told(ada):
    session = write(ada, public=False)
    bob = User.objects.create_superuser("bob")
    save(bob, session, title="Bob's")
    with pytest.raises(Stale):
        save(ada, session, title="Ada's")
    assert Session.objects.get().title == "Bob's"
    assert save(ada, session, known=Session.objects.get().sequence, title="Ada's").session.title == "Ada's"


def at_once(*deeds):
    answers, start = [], threading.Barrier(len(deeds))

    def press(deed):
        start.wait()
        try:
            deed()
            answers.append("kept")
        except Stale:
            answers.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(deed,)) for deed in deeds]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return sorted(answers)


def both_save(ada):
    session = write(ada, public=False)
    return at_once(*(lambda name=name: save(ada, session, title=name) for name in ("One", "Two", "Three")))


@pytest.mark.django_db(transaction=True)
def test_of_many_who_save_at_once_one_wins(ada):
    assert both_save(ada) == ["kept", "told", "told"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_all_of_them_think_that_they_won(ada, monkeypatch):
    """Negative control: comparing and saving without one transaction."""
    gate, needed, met = threading.Barrier(3, timeout=60), editing._needed, threading.local()

    def slow(event, session_id):
        found = needed(event, session_id)
        if not getattr(met, "here", False):
            met.here = True
            gate.wait()
        return found

    session = write(ada, public=False)
    monkeypatch.setattr(editing, "transaction", SimpleNamespace(atomic=nullcontext))
    monkeypatch.setattr(editing, "lock_current_event", current_event)
    monkeypatch.setattr(editing, "one", lambda event, session_id, lock=False: Session.objects.get(id=session_id))
    monkeypatch.setattr(editing, "_needed", slow)
    deeds = (lambda name=name: save(ada, session, title=name) for name in ("One", "Two", "Three"))
    assert at_once(*deeds) == ["kept", "kept", "kept"]


def test_a_session_is_hidden_until_it_is_published_and_the_event_is_open(event, ada):
    session = write(ada, public=False, title="Secret")
    path = f"/programme/{session.id}"

    def seen():
        texts = [Client().get(address).content.decode() for address in ("/programme", "/programme.ics")]
        return [("Secret" in text) for text in texts], Client().get(path).status_code, Client().get(
            f"{path}.ics"
        ).status_code  # fmt: skip

    assert seen() == ([False, False], 404, 404)
    editing.step(ada, session.id, "publish")
    assert seen() == ([True, True], 200, 200)
    Event.objects.update(opened_at=None)
    assert seen() == ([False, False], 404, 404)


def test_steps_are_lines_of_the_trail_and_happen_once(event, ada):
    session = write(ada)
    editing.step(ada, session.id, "cancel", " Bo\u0000 is ill ")
    with pytest.raises(Conflict, match="quicker"):
        editing.step(ada, session.id, "cancel")
    assert Session.objects.get().reason == "Bo is ill"
    editing.step(ada, session.id, "restore")
    editing.step(ada, session.id, "unpublish")
    with pytest.raises(Conflict, match="public"):  # calendars may hold it
        editing.delete(ada, session.id)
    draft = write(ada, public=False)
    editing.delete(ada, draft.id)
    deeds = list(Entry.objects.order_by("id").values_list("deed", flat=True))
    assert deeds == [
        "session made", "session published", "session cancelled", "session restored", "session unpublished",
        "session made", "session deleted",
    ]  # fmt: skip
    assert Session.objects.get().sequence == 4


def test_places_are_made_move_along_and_close(event, ada, hall):
    session = write(ada, kind="workshop", pool="new", places="12", room=hall.id)
    pool = Pool.objects.get()
    assert (pool.kind, pool.capacity, pool.starts_at, pool.room) == ("workshop", 12, session.starts_at, hall)
    session = save(ada, session, pool=pool.id, starts="15:00", ends="16:00").session
    pool.refresh_from_db()
    assert (pool.starts_at, pool.ends_at) == (session.starts_at, session.ends_at)
    Pool.objects.update(starts_at=pool.starts_at - dt.timedelta(hours=1))  # a time of its own
    save(ada, session, pool=pool.id, starts="17:00", ends="18:00")
    pool.refresh_from_db()
    assert local(event, pool.starts_at).hour == 14
    editing.step(ada, session.id, "cancel")
    pool.refresh_from_db()
    assert pool.closes_at
    editing.step(ada, session.id, "restore")
    pool.refresh_from_db()
    assert pool.closes_at is None


def test_whoever_has_a_place_is_written_to_once_a_change(event, ada, hall):
    session = write(ada, pool="new", places="2", room=hall.id)
    pool = Pool.objects.get()
    guest("Olu", pool)
    guest("Bo", pool, "waiting")
    guest("Gone", pool, "cancelled")
    session = save(ada, session, pool=pool.id, room=hall.id, title="Only another title").session
    assert not Letter.objects.exists()
    session = save(ada, session, pool=pool.id, room=hall.id, starts="12:00", ends="13:00").session
    editing.step(ada, session.id, "cancel", "The hall is flooded.")
    kinds = sorted(Letter.objects.values_list("kind", "to", "state"))
    assert [kind[:2] for kind in kinds] == [
        ("session_cancelled", "bo@example.org"), ("session_cancelled", "olu@example.org"),
        ("session_moved", "bo@example.org"), ("session_moved", "olu@example.org"),
    ]  # fmt: skip
    assert {kind[2] for kind in kinds} == {Letter.State.DRAFT}  # a person releases them
    texts = list(Letter.objects.filter(to="olu@example.org").order_by("kind").values_list("text", flat=True))
    assert "The hall is flooded." in texts[0]
    assert "12:00, Great hall" in texts[1]


def test_running_late_moves_what_follows_in_that_room(event, ada, hall):
    sessions = [
        write(ada, title=title, room=room, day=day, starts=f"{hour}:00", ends=f"{hour + 1}:00")
        for title, room, day, hour in [
            ("Before", hall.id, "2026-06-06", 9), ("Late", hall.id, "2026-06-06", 10),
            ("Next", hall.id, "2026-06-06", 12), ("Elsewhere", "", "2026-06-06", 12),
            ("Tomorrow", hall.id, "2026-06-07", 10),
        ]
    ]  # fmt: skip
    assert editing.shift(ada, sessions[1].id, 20).moved == 2
    now = {s.title: f"{local(event, s.starts_at):%H:%M}" for s in Session.objects.all()}
    assert now == {"Before": "09:00", "Late": "10:20", "Next": "12:20", "Elsewhere": "12:00", "Tomorrow": "10:00"}


@pytest.mark.parametrize(("how", "hour"), [(zones.CLOCK, 10), (zones.INSTANT, 17)])
def test_after_a_change_of_zone_an_organiser_says_what_was_meant(event, ada, how, hour):
    session = write(ada, pool="new", places="3")
    Event.objects.update(time_zone="Asia/Tokyo")
    moved = current_event()
    assert [s.id for s in zones.strangers(moved)] == [session.id]
    assert local(moved, Session.objects.get().starts_at).hour == 17  # the instant is kept until somebody says otherwise
    zones.settle(ada, how)
    session = Session.objects.select_related("pool").get()
    assert (local(moved, session.starts_at).hour, session.ends_at - session.starts_at) == (hour, dt.timedelta(hours=1))
    assert session.pool.starts_at == session.starts_at
    assert zones.strangers(moved) == []


def test_the_whole_programme_moves_to_other_days_and_keeps_its_clock(event, ada):
    write(ada, title="One")
    write(ada, title="Two", day="2026-06-07", starts="23:00", ends="02:30", pool="new", places="3")
    assert zones.postpone(ada, dt.date(2026, 10, 24)) == 2  # clocks go back in between
    shown = [clock.hours(event, one.starts_at, one.ends_at) for one in Session.objects.all()]
    assert shown == ["10:00–11:00", "23:00–02:30"]
    assert Pool.objects.get().starts_at == Session.objects.get(title="Two").starts_at
    assert zones.postpone(ada, dt.date(2026, 10, 24)) == 0
    with pytest.raises(BadTime, match="two years"):
        zones.postpone(ada, dt.date(2062, 10, 24))


def test_the_grid_sets_rooms_side_by_side_and_the_house_across(event, ada, hall):
    cinema = Room.objects.create(event=event, name="Cinema", order=1)
    for title, room, starts, ends in [
        ("Doors", "", "09:00", "10:00"),
        ("A", hall.id, "10:00", "11:00"),
        ("B", hall.id, "10:30", "12:00"),
        ("C", cinema.id, "11:00", "12:00"),
        ("Lunch", "", "12:00", "13:00"),
        ("Exhibition", hall.id, "08:00", "22:00"),
    ]:
        write(ada, title=title, room=room, starts=starts, ends=ends)
    (day,) = showing.by_day(event, showing.all_shown(event, showing.public(event), timezone.now()))
    assert [one.session.title for one in day.lasting] == ["Exhibition"]
    assert [(column.name, column.lanes) for column in day.columns] == [("Great hall", 2), ("Cinema", 1)]
    drawn = [
        (row.label, [(c.shown.session.title if c.shown else "-", c.rows, c.columns) for c in row.cells])
        for row in day.rows
    ]
    assert drawn == [
        ("09:00", [("Doors", 1, 3)]),
        ("10:00", [("A", 2, 1), ("-", 1, 1), ("-", 2, 1)]),
        ("10:30", [("B", 2, 1)]),
        ("11:00", [("-", 1, 1), ("C", 1, 1)]),
        ("12:00", [("Lunch", 1, 3)]),
    ]


def test_now_and_next(event, ada, hall):
    for title, starts, ends in [("Now", "10:00", "11:00"), ("Soon", "11:00", "12:00"), ("Same", "11:15", "12:00"),
                                ("Later", "15:00", "16:00")]:  # fmt: skip
        write(ada, title=title, room=hall.id, starts=starts, ends=ends)
    editing.step(ada, Session.objects.get(title="Same").id, "cancel")

    def told(hour, minute=0, day=6):
        now = dt.datetime(2026, 6, day, hour, minute, tzinfo=dt.UTC)
        moment = showing.moment(showing.all_shown(event, showing.public(event), now), now)
        return [one.session.title for one in moment.now], [one.session.title for one in moment.next]

    assert told(8) == (["Now"], ["Soon"])  # ten in Madrid
    assert told(8, 59) == (["Now"], ["Soon"])
    assert told(9) == (["Soon"], ["Later"])  # an end is no longer now
    assert told(14) == ([], [])
    assert told(12, day=5) == ([], [])  # the day before is too early for "next"


def test_stars_are_a_visitors_own_and_their_calendars_key_opens_nothing_else(event, ada):
    one, two = write(ada, title="One"), write(ada, title="Two", starts="10:30", ends="11:30")
    browser, other = Client(headers={"Origin": "http://testserver"}), Client()
    for session in (one, two, two):
        answer = browser.post(f"/programme/{session.id}/star", {"on": "1", "back": "//evil.example"})
        assert answer["Location"] == f"/programme#s-{session.id}"
    assert Star.objects.count() == 2
    page = browser.get("/programme/mine").content.decode()
    assert "two rooms" in page
    assert "Nothing chosen yet" in other.get("/programme/mine").content.decode()
    key = stars.key_of(Star.objects.first().visitor)
    feed = other.get("/programme/mine.ics", {"key": key})
    assert feed.content.count(b"BEGIN:VEVENT") == 2
    for forged in ("", key[:-1], key + "x", browser.cookies[COOKIE].value):
        assert other.get("/programme/mine.ics", {"key": forged}).status_code == 403
    browser.post(f"/programme/{one.id}/star", {"on": "0"})
    assert list(Star.objects.values_list("session__title", flat=True)) == ["Two"]
    assert other.post(f"/programme/{write(ada, public=False).id}/star", {"on": "1"}).status_code == 404
    erase_visitor(Star.objects.get().visitor)
    assert not Star.objects.exists()


def test_whoever_has_a_place_finds_it_in_their_day(event, ada):
    session = write(ada, title="Taken", pool="new", places="2")
    olu, token = guests.make(event.id, "Olu", visitor="f" * 32)
    place = Place.objects.create(pool=session.pool, guest=olu, state="booked", key="k")
    browser, other = Client(), Client()
    browser.cookies[guests.COOKIE] = token
    for path in ("/programme", "/programme/mine", f"/programme/{session.id}"):
        assert "You have a place" in browser.get(path).content.decode()
        assert "You have a place" not in other.get(path).content.decode()
    feed = other.get("/programme/mine.ics", {"key": stars.key_of("f" * 32)}).content
    assert b"SUMMARY:Taken" in feed
    Place.objects.filter(id=place.id).update(state="cancelled")
    assert "Taken" not in browser.get("/programme/mine").content.decode()


def test_a_persons_data(event, ada):
    olu, _token = guests.make(event.id, "Olu", visitor="v" * 32)
    Submission.objects.create(event=event, guest=olu, state="accepted", key="k")
    session = write(ada, presenter=["", "Bo"], guest=[olu.id, ""])
    assert [(p.name, p.guest) for p in session.presenters.all()] == [("Olu", olu), ("Bo", None)]
    stranger = write(ada, presenter=["Eve"], guest=["f" * 32])
    assert stranger.presenters.get().guest is None
    Star.objects.create(session=session, visitor=olu.visitor)
    holding = next(holding for holding in personal.holdings() if holding.room == "programme")
    held = holding.collect(olu)
    assert (held["presents"][0]["name"], held["stars"]) == ("Olu", ["A talk"])
    panel = holding.panel(olu)
    assert [row["session"] for row in panel.context["rows"]] == [session]
    before = session.sequence
    holding.erase(olu)
    assert holding.panel(olu) is None
    assert list(Presenter.objects.values_list("name", flat=True).order_by("name")) == ["Bo", "Eve"]
    assert (Session.objects.get(id=session.id).sequence, Star.objects.count()) == (before + 1, 0)


def test_the_call_still_names_its_artists_as_the_programme_expects():
    """`editing.artists` reaches applications from the guest's side."""
    try:
        assert guests.Guest._meta.get_field("submissions").related_model is Submission
    except FieldDoesNotExist:
        pytest.fail("Guest.submissions is gone")
    assert {"accepted", "confirmed"} <= set(Submission.State.values)


def test_the_demo_has_a_programme_in_which_everything_fits(event, ada):
    made = demo.make(ada)
    assert Session.objects.filter(event=made, published=True).count() > 10
    assert sentences(made) == []
    assert "Meet the artists" in Client().get("/programme").content.decode()
    demo.remove(ada)
    assert not Session.objects.exists()


def test_backstage_is_for_organisers(event, ada):
    session = write(ada)
    paths = ["/backstage/programme", "/backstage/programme/new", "/backstage/programme/paste",
             f"/backstage/programme/{session.id}"]  # fmt: skip
    cay = User.objects.create_user("cay", is_staff=True)
    cay.roles.create(event=event, kind="curator")
    for person, status in ((None, 302), (cay, 403), (ada, 200)):
        client = Client(headers={"Origin": "http://testserver"})
        if person:
            client.force_login(person)
        assert [client.get(path).status_code for path in paths] == [status] * 4
        assert client.post(f"{paths[3]}/cancel").status_code == (302 if person is ada else status)
    assert Session.objects.get().cancelled  # by ada


def test_three_hundred_sessions_ask_no_more_than_three(event, ada):
    """The same queries for a hundred times as many sessions, with rooms, presenters, places and stars."""

    def fill(numbers):
        rooms = [Room.objects.get_or_create(event=event, name=f"Room {n}")[0] for n in range(8)]
        pools = [Pool(event=event, kind="other", name=f"Pool {n}", capacity=9) for n in numbers]
        Pool.objects.bulk_create(pools)
        sessions = []
        for n, pool in zip(numbers, pools):
            at = dt.datetime(2026, 6, 6 + n % 3, 6, tzinfo=dt.UTC) + dt.timedelta(minutes=15 * (n // 8))
            times = {"starts_at": at, "ends_at": at + dt.timedelta(minutes=15), "time_zone": event.time_zone}
            more = {"kind": "talk", "room": rooms[n % 8], "pool": pool, "published": True}
            sessions.append(Session(event=event, title=f"Session {n}", **more, **times))
        Session.objects.bulk_create(sessions)
        Presenter.objects.bulk_create(Presenter(session=s, name=f"By {s.title}") for s in sessions)

    client = Client(headers={"Origin": "http://testserver"})
    client.force_login(ada)
    paths = ("/programme", "/programme.ics", "/programme/screen.json", "/programme/mine", "/backstage/programme")

    def queries():
        counted = []
        for path in paths:
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert client.get(path).status_code == 200
            counted.append(len(captured))
        return counted

    fill(range(3))
    client.post(f"/programme/{Session.objects.first().id}/star", {"on": "1"})
    queries()  # what is asked once and remembered
    few = queries()
    fill(range(3, 300))
    visitor = Star.objects.get().visitor
    Star.objects.all().delete()
    Star.objects.bulk_create([Star(session=session, visitor=visitor) for session in Session.objects.all()])
    many = queries()
    assert all(more <= less + 2 for less, more in zip(few, many)), (few, many)  # the banner may be asked for anew
