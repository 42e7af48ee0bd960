"""An event: its clock, its colour, its logo, its set-up, its archive, its demo; and that events keep apart."""

import datetime
import io
import re
import struct
import threading
import zlib
from collections import Counter

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone
from hands import hand
from PIL import Image as Picture

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.engine.recipes import make_recipe
from salon.web.call.models import Call, Question, Submission, Upload
from salon.web.doors.models import Door
from salon.web.events import colours, demo, devices, domain, logos, setup, several, times, zones
from salon.web.events.domain import current_event, lock_current_event
from salon.web.events.models import Device, Entry, Event, Room
from salon.web.gallery.domain import curating, proposing
from salon.web.gallery.models import Licence, Work
from salon.web.line import close_line
from salon.web.people.models import Guest, Role, User
from salon.web.programme.models import Session
from salon.web.refuses.models import Report
from salon.web.seats.models import Place, Pool
from salon.web.station.domain.intake import store
from salon.web.station.models import Drawing, Image, Request
from salon.web.wall import views as wall

pytestmark = pytest.mark.django_db
ADA = "a" * 32
WINTER, SUMMER = datetime.timedelta(hours=1), datetime.timedelta(hours=2)


@pytest.fixture(autouse=True)
def _folder(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def organiser():
    return hand("olga", "organiser")


@pytest.fixture
def browser(organiser):
    opened = Client(headers={"Sec-Fetch-Site": "same-origin"})
    opened.force_login(organiser)
    return opened


@pytest.fixture
def visitor():
    return Client(headers={"Sec-Fetch-Site": "same-origin"})


def utc(*parts):
    return datetime.datetime(*parts, tzinfo=datetime.UTC)


def session(event, title="Opening", at=None, **more):
    at = at or utc(2026, 6, 6, 8)
    return Session.objects.create(
        event=event, title=title, starts_at=at, ends_at=at + datetime.timedelta(hours=1), **more
    )


def kept(event, name, form):
    """A step kept by somebody, without a page around it."""
    return setup.keep(User.objects.first(), event.id, setup.step_named(name), form)


def complete(browser, slug="salon"):
    """The set-up by its pages, what is needed only; the event's address at the end."""
    at = f"/backstage/events/{slug}"
    browser.post(f"{at}/basics", {"name": "Nacht der Bilder", "place": "Kiel", "then": "next"})
    at = f"/backstage/events/{Event.objects.get(name='Nacht der Bilder').slug}"
    browser.post(f"{at}/days", {"starts_on": "2026-06-06", "ends_on": "2026-06-07", "time_zone": "berlin"})
    browser.post(f"{at}/words", {"welcome": "Come in.", "privacy": "We keep little."})
    return at


# --- the clock


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("2026-06-06T10:30", utc(2026, 6, 6, 8, 30)),
        (" 2026-01-06 10:30 ", utc(2026, 1, 6, 9, 30)),
        ("2026-10-25T02:30+02:00", utc(2026, 10, 25, 0, 30)),
        ("2026-10-25T02:30+01:00", utc(2026, 10, 25, 1, 30)),
        ("2026-03-29T03:00", utc(2026, 3, 29, 1)),
    ],
)
def test_what_is_typed_is_the_clock_on_the_wall(typed, instant):
    event = Event(time_zone="Europe/Berlin")
    assert times.parse_local(event, typed) == instant
    assert times.parse_local(event, times.field(event, instant)) == instant


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2026-03-29T02:30", "does not exist"),
        ("2026-10-25T02:30", "comes twice"),
        ("2026-06-06T10:30+05:00", "not at that offset"),
        ("2026-06-06", "a time"),
        ("tomorrow at ten", "not a day"),
        ("0001-01-01T00:00", "needed"),
        ("9999-12-31T23:59", "needed"),
        ("\x00", "not a day"),
        ("9" * 5000, "not a day"),
    ],
)
def test_an_hour_that_is_none_or_two_is_refused_with_a_reason(typed, said):
    with pytest.raises(times.BadTime, match=said):
        times.parse_local(Event(time_zone="Europe/Berlin"), typed)


def test_pages_show_the_event_s_clock_whatever_the_machine_s():
    event = Event(time_zone="Asia/Tokyo", starts_on=datetime.date(2026, 6, 6), ends_on=datetime.date(2026, 7, 1))
    page = Template('{% load event_times %}{{ at|local:event|date:"H:i" }} {% when at event "H:i" %} {{ event|days }}')
    said = page.render(Context({"at": utc(2026, 6, 6, 8, 30), "event": event}))
    assert said == '17:30 <time datetime="2026-06-06T17:30+09:00">17:30</time> 6 June – 1 July 2026'


def test_a_zone_is_found_by_its_city():
    assert [zones.find(text) for text in ("berlin", "New York", "america/st johns", "utc")] == [
        "Europe/Berlin", "America/New_York", "America/St_Johns", "UTC",
    ]  # fmt: skip
    for wrong, said in (("tokio", "Asia/Tokyo"), ("../../etc/passwd", "nearest large city"), ("", "nearest")):
        with pytest.raises(BadRecipe, match=said):
            zones.find(wrong)


# --- colour and logo


def test_a_wall_is_refused_unless_words_can_be_read_on_it(monkeypatch):
    for dark in ("#23504a", "441217", "#000"):
        assert colours.readable(colours.checked(dark)) >= 4.5
    for light in ("#ffcc00", "#ffffff", "#cc0033"):
        with pytest.raises(colours.Unreadable) as refused:
            colours.checked(light)
        assert colours.checked(refused.value.instead), "what is offered instead is taken"
    for nonsense in ("red", "#12345", "#12345g", "url(x)", "#23504a;}"):
        with pytest.raises(BadRecipe, match="six digits"):
            colours.checked(nonsense)
    monkeypatch.setattr(colours, "LEAST", 1)  # negative control
    assert colours.checked("#ffffff") == "#ffffff"


def png(size=(40, 20), mode="RGBA", kind="PNG", **more):
    out = io.BytesIO()
    Picture.new(mode, size, (200, 30, 30, 128)[: len(mode)]).save(out, kind, **more)
    return out.getvalue()


def bomb():
    """A PNG of 65,000 by 65,000 pixels in a few bytes, whole by its checksums."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 65_000, 65_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def given(data, name="logo.png"):
    return SimpleUploadedFile(name, data, "image/png")


def test_a_logo_is_made_anew():
    hidden = b"<?php evil ?><script>alert(1)</script>"
    exif = Picture.Exif()
    exif[0x010E] = "taken at 12 Secret Street"
    for file in (png() + hidden, png(mode="RGB", kind="JPEG", exif=exif), png(kind="WEBP")):
        made = logos.read(given(file))
        with Picture.open(io.BytesIO(made)) as picture:
            assert (picture.format, picture.size) == ("PNG", (40, 20))
        assert hidden not in made
        assert b"Secret" not in made
    with Picture.open(io.BytesIO(logos.read(given(png((3000, 3000)))))) as picture:
        assert picture.size == (480, 480)


def test_a_logo_stands_upright_in_the_colours_that_its_maker_saw():
    exif = Picture.Exif()
    exif[0x0112] = 6  # held on its side
    data = io.BytesIO()
    Picture.new("CMYK", (40, 20), (0, 255, 0, 0)).save(data, "JPEG", exif=exif, quality=100)
    with Picture.open(io.BytesIO(logos.read(given(data.getvalue())))) as picture:
        assert picture.size == (20, 40)
        assert max(abs(a - b) for a, b in zip(picture.getpixel((5, 5)), (230, 0, 126))) <= 4
        assert not picture.info
    with Picture.open(data) as picture:  # control: the old way
        assert picture.convert("RGB").getpixel((5, 5))[2] > 245


@pytest.mark.parametrize(
    "hostile",
    [
        b"", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"GIF89a" + bytes(40),
        png()[:60], bomb(), b"%PDF-1.4", b"\x00" * 2_000_001,
    ],
    ids=["empty", "svg", "gif", "half", "bomb", "pdf", "large"],
)  # fmt: skip
def test_what_is_no_picture_is_no_logo(browser, hostile):
    kept(current_event(), "basics", {"name": "Salon", "place": "Kiel", "address": "", "contact": "x"})
    answer = browser.post("/backstage/events/salon/logo", {"logo": given(hostile)})
    assert answer.status_code == 422
    assert b"logo-wrong" in answer.content
    assert not current_event().logo


def test_the_pixel_cap_holds_only_while_it_is_there(monkeypatch):
    with pytest.raises(BadRecipe, match="pixels"):
        logos.read(given(bomb()))
    monkeypatch.setattr(logos, "MOST_PIXELS", 100)
    with pytest.raises(BadRecipe, match="pixels"):
        logos.read(given(png()))
    monkeypatch.setattr(logos, "MOST_PIXELS", 1000)  # negative control: the same file, the cap raised
    assert logos.read(given(png()))


# --- the set-up


def test_from_empty_pages_to_an_open_event(browser, visitor):
    assert browser.get("/backstage/event", follow=True).status_code == 200
    assert browser.post("/backstage/events/salon/do/open").status_code == 409
    assert visitor.get("/event").status_code == 404
    at = complete(browser)
    assert at == "/backstage/events/nacht-der-bilder"
    rooms = {"room_id": ["", "", ""], "room_name": ["Halle", "Atelier", ""], "room_access": ["stufenlos", "", ""]}
    assert browser.post(f"{at}/rooms", rooms).status_code == 302
    assert browser.post(f"{at}/look", {"own": "1", "colour": "#3b2a5c"}).status_code == 302
    assert browser.post(f"{at}/languages", {"first": "es", "languages": ["en", "ja", "xx"]}).status_code == 302
    assert browser.post(f"{at}/logo", {"logo": given(png())}).status_code == 302
    assert visitor.get("/event").status_code == 404, "not before it is opened"
    assert browser.get(f"{at}/preview").status_code == 200
    assert browser.post(f"{at}/do/open").status_code == 302

    event = current_event()
    assert (event.time_zone, event.languages, event.colour) == ("Europe/Berlin", ["es", "en", "ja"], "#3b2a5c")
    assert list(event.rooms.values_list("name", "access")) == [("Halle", "stufenlos"), ("Atelier", "")]
    for path in ("/event", "/events/nacht-der-bilder"):
        page = visitor.get(path).content.decode()
        for word in ("Nacht der Bilder", "6 – 7", "Kiel", "Come in.", "Halle", "/walls/3b2a5c.css", "logo.png"):
            assert word in page, word
    assert "We keep little." in visitor.get("/privacy").content.decode()
    assert "--wall: light-dark(#3b2a5c" in visitor.get("/walls/3b2a5c.css").content.decode()
    assert visitor.get("/walls/ffffff.css").status_code == 404
    assert visitor.get("/events/nacht-der-bilder/logo.png").headers["Content-Type"] == "image/png"
    assert [e.text for e in Entry.objects.filter(deed="set up", subject="rooms")] == ["Halle, Atelier"]
    assert Entry.objects.filter(deed="event opened").count() == 1
    browser.post(f"{at}/basics", {"name": "Another Name", "place": "Kiel"})
    assert current_event().slug == "nacht-der-bilder", "an address that was told stays"
    browser.post(f"{at}/do/close")
    assert visitor.get("/event").status_code == 404


@pytest.mark.parametrize(
    ("step", "form", "kept_words"),
    [
        ("basics", {"name": "", "place": "Das große Haus", "address": "x" * 600}, ["Das große Haus", "x" * 600]),
        ("days", {"starts_on": "2026-06-07", "ends_on": "2026-06-06", "time_zone": "tokio"}, ["2026-06-07", "tokio"]),
        ("days", {"starts_on": "", "ends_on": "2026-06-06", "time_zone": "UTC"}, ["2026-06-06"]),
        ("days", {"starts_on": "0026-06-06", "time_zone": "UTC"}, ["0026-06-06"]),
        ("rooms", {"room_id": ["", ""], "room_name": ["Saal", "saal"], "room_access": ["lift", ""]}, ["saal", "lift"]),
        ("words", {"welcome": "w" * 4001, "privacy": "<b>p</b>"}, ["w" * 4001, "&lt;b&gt;p"]),
        ("look", {"own": "1", "colour": "#ffcc00"}, ["#ffcc00", "instead"]),
        ("languages", {"first": "xx", "languages": ["ja"]}, ['value="ja" checked']),
    ],
)
def test_nothing_typed_is_lost_on_an_error(browser, step, form, kept_words):
    answer = browser.post(f"/backstage/events/salon/{step}", form)
    assert answer.status_code == 422
    for words in kept_words:
        assert words in answer.content.decode()
    assert current_event().steps == []


def test_two_organisers_at_the_same_page_are_told(browser):
    page = browser.get("/backstage/events/salon/words").content.decode()
    was = page.split('name="was" value="')[1].split('"')[0]
    browser.post("/backstage/events/salon/words", {"welcome": "Theirs", "privacy": "", "was": was})
    mine = {"welcome": "Mine", "privacy": "", "was": was}
    answer = browser.post("/backstage/events/salon/words", mine)
    assert answer.status_code == 409
    assert all(words in answer.content.decode() for words in ("Mine", "Theirs", "Somebody else", "<dt>welcome</dt>"))
    assert current_event().welcome == "Theirs"
    again = answer.content.decode().split('name="was" value="')[1].split('"')[0]
    assert browser.post("/backstage/events/salon/words", mine | {"was": again}).status_code == 302
    assert current_event().welcome == "Mine"
    assert browser.post("/backstage/events/salon/words", mine | {"was": again}).status_code == 302, "pressed twice"
    assert Entry.objects.filter(deed="set up", subject="words").count() == 2


def test_rooms_keep_who_they_are(browser):
    form = {"room_id": ["", ""], "room_name": ["Saal", "Keller"], "room_access": ["", ""]}
    browser.post("/backstage/events/salon/rooms", form)
    hall, cellar = current_event().rooms.all()
    used = session(current_event(), room=hall)
    swapped = {"room_id": [cellar.id, hall.id], "room_name": ["Saal", "Keller"], "room_access": ["", "steps"]}
    assert browser.post("/backstage/events/salon/rooms", swapped).status_code == 302
    used.refresh_from_db()
    assert (used.room.name, used.room.access) == ("Keller", "steps")
    gone = {"room_id": [cellar.id, hall.id], "room_name": ["Saal", ""], "room_access": ["", ""]}
    answer = browser.post("/backstage/events/salon/rooms", gone)
    assert answer.status_code == 409
    assert "is used" in answer.content.decode()
    foreign = Room.objects.create(event=Event.objects.create(slug="other", name="Other"), name="Theirs")
    stolen = {"room_id": [foreign.id, hall.id], "room_name": ["Mine now", "Keller"], "room_access": ["", ""]}
    browser.post("/backstage/events/salon/rooms", stolen)
    assert list(foreign.event.rooms.values_list("name", flat=True)) == ["Theirs"]


def test_another_clock_moves_shown_times_only_when_that_is_wanted(browser):
    days = {"starts_on": "2026-06-06", "ends_on": "", "time_zone": "Europe/Berlin"}
    assert browser.post("/backstage/events/salon/days", days).status_code == 302, "nothing is dated yet"
    opening = session(current_event(), at=utc(2026, 6, 6, 8))
    answer = browser.post("/backstage/events/salon/days", days | {"time_zone": "Asia/Tokyo"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert all(words in page for words in ("Opening", "6 Jun 10:00", "6 Jun 17:00", 'name="sure"', "Asia/Tokyo"))
    assert current_event().time_zone == "Europe/Berlin"
    same_offset = browser.post("/backstage/events/salon/days", days | {"time_zone": "Europe/Paris"})
    assert same_offset.status_code == 302, "no hand moves"
    browser.post("/backstage/events/salon/days", days | {"time_zone": "Asia/Tokyo", "sure": "1"})
    opening.refresh_from_db()
    assert (current_event().time_zone, opening.starts_at) == ("Asia/Tokyo", utc(2026, 6, 6, 8))
    assert times.words(current_event(), opening.starts_at, "H:i") == "17:00"


def test_what_organisers_write_is_text(browser, visitor):
    at = complete(browser)
    evil = "<script>alert(1)</script>"
    words = {"name": evil, "place": evil, "address": evil, "contact": 'x"onclick="a@b'}
    browser.post(f"{at}/basics", words)
    at = f"/backstage/events/{current_event().slug}"
    browser.post(f"{at}/words", {"welcome": evil + "\n\n\u202e" + evil, "privacy": evil})
    browser.post(f"{at}/do/open")
    for path in ("/", "/event", "/privacy", "/station"):
        page = visitor.get(path)
        assert page.status_code == 200
        assert evil not in page.content.decode()
        assert '"onclick="' not in page.content.decode()
    assert "\u202e" not in current_event().welcome


# --- archive


def test_an_archived_event_is_seen_and_not_changed(browser, visitor, organiser, monkeypatch):
    at = complete(browser)
    browser.post(f"{at}/do/open")
    made = devices.make(organiser, "wall", "left")[0]
    browser.post(f"{at}/do/archive")
    for path in ("/event", "/privacy", "/", "/gallery", "/arena", "/refuses", "/wall"):
        assert visitor.get(path).status_code == 200, path
    for path in ("/backstage", "/backstage/screens", "/backstage/findings", at, f"{at}/basics", "/backstage/people"):
        assert browser.get(path).status_code == 200, path
    changed = browser.post(f"{at}/basics", {"name": "New", "place": "Typed and kept"})
    assert changed.status_code == 409
    assert "Typed and kept" in changed.content.decode()
    assert "archived" in changed.content.decode()
    for path, form in (
        ("/backstage/people", {"name": "Vera", "kinds": ["volunteer"]}),
        ("/backstage/devices", {"kind": "wall", "name": "right"}),
        (f"{at}/do/open", {}),
    ):
        assert browser.post(path, form).status_code == 409, path
    with pytest.raises(Conflict, match="archived"):
        lock_current_event()
    browser.post("/backstage/lights", {"dark": "1"})
    browser.post(f"/backstage/devices/{made.id}/revoke")
    assert current_event().dark, "the walls obey still"
    assert Device.objects.get().revoked_at, "and devices can be shut out"
    monkeypatch.setattr(domain, "not_archived", lambda event: event)  # negative control
    assert browser.post("/backstage/devices", {"kind": "wall", "name": "right"}).status_code == 200
    monkeypatch.undo()
    assert browser.post(f"{at}/do/unarchive").status_code == 302
    assert browser.post(f"{at}/basics", {"name": "New", "place": "Kiel"}).status_code == 302


def image(engine, event, seed=0):
    recipe = make_recipe(engine.models[0], "a red fox", seed)
    request = store(event, ADA, None, (recipe,))
    Request.objects.filter(id=request.id).update(state=Request.State.FINISHED)
    found = Image.objects.get(id=recipe.id)
    found.file = default_storage.save(f"x/{found.id}.png", ContentFile(png((64, 64), "RGB")))
    found.save()
    return found


def proposal(title="Fox"):
    form = {"title": title, "may_show": "1", "licence": Licence.CC_BY}
    made, wrong = proposing.read_proposal(form)
    assert wrong == {}
    return made


def test_a_visitor_is_forgotten_in_an_archived_event_too(engine, organiser):
    work, _ = proposing.propose(ADA, image(engine, current_event()), proposal())
    several.archive(organiser, current_event())
    with pytest.raises(Conflict, match="archived"):
        proposing.propose(ADA, Image.objects.get(), proposal())
    proposing.forget(ADA)
    assert not Work.objects.filter(id=work.id).exists()


# --- several events


def test_a_new_event_takes_over_what_is_wanted_and_is_made_once(browser, organiser):
    at = complete(browser)
    browser.post(f"{at}/rooms", {"room_id": [""], "room_name": ["Halle"], "room_access": [""]})
    form = {"name": "Next Year", "source": current_event().slug, "what": ["rooms", "texts"], "key": "k" * 32}
    for _ in range(2):
        answer = browser.post("/backstage/new-event", form)
        assert answer.headers["Location"] == "/backstage/events/next-year/basics"
    made = Event.objects.get(slug="next-year")
    assert (made.place, made.time_zone, made.welcome) == ("Kiel", "Europe/Berlin", "Come in.")
    assert (made.starts_on, made.opened_at, made.current, made.steps) == (None, None, False, [])
    assert [room.name for room in made.rooms.all()] == ["Halle"]
    assert list(Role.objects.filter(event=made).values_list("user", "kind")) == [(organiser.pk, "organiser")]
    assert browser.post("/backstage/new-event", {"name": " "}).status_code == 400
    assert Event.objects.count() == 2


def test_events_do_not_show_each_other_s_rows(first_event, browser, visitor, organiser, engine):
    first = first_event
    _booth, token = devices.make(organiser, "station", "left")
    work, _ = proposing.propose(ADA, image(engine, first), proposal("The old fox"))
    curating.decide(organiser, work.id, "approved")
    session(first, "The old opening", published=True)
    other = several.make(organiser, "Second Salon")
    answer = browser.post("/backstage/events/second-salon/do/choose")
    assert answer.status_code == 302
    assert current_event() == other
    for path in ("/gallery", "/programme", "/wall", "/wall/works.json", "/event", "/"):
        page = visitor.get(path).content.decode()
        assert "The old fox" not in page, path
        assert "The old opening" not in page, path
    for path in ("/backstage", "/backstage/screens", "/backstage/trail", "/backstage/people", "/backstage/programme"):
        page = browser.get(path).content.decode()
        assert "The old fox" not in page, path
        assert "proposed" not in page, path
    assert browser.post(f"/backstage/works/{work.id}/pulled").status_code == 409, "not of this event"
    assert devices.device_of(token, "station").event == other, "the house's booths go along"
    several.choose(organiser, first)
    assert "The old fox" in visitor.get("/gallery").content.decode()
    assert [e.text for e in Entry.objects.filter(deed="current event", event=first)][-1].startswith("salon ->")


@pytest.mark.django_db(transaction=True)
def test_a_screen_that_listens_hears_of_the_other_event(first_event, organiser, engine, settings):
    """Its stream says what hangs now and ends; a browser opens it again, on the other event's topic."""
    settings.SALON_HEARTBEAT = 0.02
    work, _ = proposing.propose(ADA, image(engine, first_event), proposal("The old fox"))
    curating.decide(organiser, work.id, "approved")
    other = several.make(organiser, "Second Salon")

    async def listen():
        said, stream = [], wall._stream()
        try:
            async for part in stream:
                said.append(part.decode())
                if len(said) == 4:  # with the event's own name before
                    await sync_to_async(several.choose, thread_sensitive=False)(organiser, other)
                assert len(said) < 200
        finally:
            await close_line()
        return said

    said = async_to_sync(listen)()
    assert said[2].startswith('event: event\ndata: {"name":"Latent Salon"')
    assert work.id in said[3]
    assert [part for part in said[4:] if part.startswith('event: event\ndata: {"name":"Second Salon"')]
    assert [part for part in said[4:] if part.startswith("event: present\ndata: []")]


def test_only_who_organises_both_changes_over(organiser):
    other = several.make(organiser, "Second Salon")
    half = hand("half", "organiser")
    with pytest.raises(Forbidden):
        several.choose(half, other)
    Role.objects.create(user=half, event=other, kind="organiser")
    assert several.choose(half, other).current


@pytest.mark.django_db(transaction=True)
def test_however_many_choose_at_once_one_event_is_current(first_event, organiser):
    made = [several.make(organiser, f"Salon {n}") for n in range(4)]
    ready = threading.Barrier(len(made))

    def run(event):
        ready.wait()
        try:
            several.choose(organiser, event)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(event,)) for event in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Event.objects.filter(current=True).count() == 1
    assert Entry.objects.filter(deed="current event").count() == 8


def test_an_image_of_another_event_can_be_taken_away_here(engine, organiser):
    drawn = image(engine, current_event())
    several.choose(organiser, several.make(organiser, "Second Salon"))
    work, _ = proposing.propose(ADA, drawn, proposal())
    curating.decide(organiser, work.id, "approved")
    curating.remove(organiser, drawn.id)
    assert not Image.objects.get().present


# --- demo


def test_the_demo_comes_with_one_press_and_goes_with_another(browser, organiser, engine):
    mine = image(engine, current_event())
    assert browser.post("/backstage/demo-event").status_code == 302
    assert browser.post("/backstage/demo-event").status_code == 302
    made = demo.existing()
    states = Counter(Place.objects.filter(pool__event=made).values_list("state", flat=True))
    assert states == {Place.State.BOOKED: 59, Place.State.WAITING: 3}
    assert Door.objects.filter(event=made).count() == 1
    assert (made.current, made.opened_at is not None, made.rooms.count()) == (True, True, 3)
    assert setup.missing(made) == []
    assert colours.checked(made.colour)
    shared = image(engine, made, seed=7)
    works = [proposing.propose(ADA, one, proposal(f"In the demo {one.id}"))[0] for one in (mine, shared)]
    recipe = shared.recipe
    several.choose(organiser, Event.objects.get(slug="salon"))
    store(current_event(), "b" * 32, None, (recipe,))  # the same recipe at the real event: the same image
    several.choose(organiser, made)
    before = Drawing.objects.filter(request__event__slug="salon").count()
    assert browser.post("/backstage/demo-event", {"remove": "1"}).status_code == 302
    assert current_event().slug == "salon"
    assert not Event.objects.filter(demo=True).exists()
    assert not Work.objects.filter(id__in=[work.id for work in works]).exists()
    assert Drawing.objects.filter(request__event__slug="salon").count() == before == 2
    assert set(Image.objects.values_list("event__slug", flat=True)) == {"salon"}
    assert Entry.objects.filter(deed="demo removed").count() == 1
    with pytest.raises(Conflict):
        demo.remove(organiser)


def test_the_demo_s_end_stops_before_another_event_s_rows(organiser, engine, monkeypatch):
    """The control: without handing images on, erasing would reach drawings of the real event; then nothing goes."""
    made = demo.make(organiser)
    recipe = image(engine, made).recipe
    real = several.choose(organiser, Event.objects.get(slug="salon"))
    store(real, "b" * 32, None, (recipe,))
    Work.objects.create(event=real, image_id=recipe.id, visitor=ADA, title="Real")
    monkeypatch.setattr(demo, "_rooms", [])
    with pytest.raises(Conflict, match="another event"):
        demo.remove(organiser)
    assert demo.existing() is not None
    assert Work.objects.filter(title="Real").exists()


def test_the_demo_is_taken_away_by_whoever_organises_it(organiser, browser, monkeypatch):
    """Not by an organiser of the event beside it; their page says so instead of showing a button."""
    demo.make(organiser)
    several.choose(organiser, Event.objects.get(slug="salon"))
    zed = Client(headers={"Sec-Fetch-Site": "same-origin"})
    zed.force_login(hand("zed", "organiser"))
    for form in ({"remove": "1"}, {}):
        assert zed.post("/backstage/demo-event", form).status_code == 403
    assert demo.existing() is not None
    page = zed.get("/backstage/events").content.decode()
    assert ("somebody else organises it" in page, "Take the demo away" in page) == (True, False)
    assert "Take the demo away" in browser.get("/backstage/events").content.decode(), "the control"
    monkeypatch.setattr(demo, "_theirs", lambda person, event: event)  # the control: the guard off
    assert zed.post("/backstage/demo-event", {"remove": "1"}).status_code == 302
    assert demo.existing() is None


#: what a part of a route names
ROWS = {
    "work_id": Work, "pool_id": Pool, "place_id": Place, "door_id": Door, "session_id": Session,
    "submission_id": Submission, "upload_id": Upload, "question_id": Question, "guest_id": Guest, "report_id": Report,
}  # fmt: skip


def _of_one_row(patterns):
    """(name of the part, address to be filled in) of every route backstage that names one row of an event's."""
    for pattern in patterns:
        if not isinstance(pattern, URLPattern):
            yield from _of_one_row(pattern.url_patterns)
        elif found := re.fullmatch(r"(backstage/[^<]*)<(?:slug|int):(\w+)>([^<]*)", str(pattern.pattern)):
            before, name, after = found.groups()
            if name in ROWS:
                yield name, f"/{before}{{id}}{after}"


def test_nothing_of_another_event_is_read_backstage_by_its_id(organiser, browser):
    """With every row that the demo has: its own organiser reads them, an organiser of the next event does not."""
    demo.make(organiser)
    row = {name: model.objects.first() for name, model in ROWS.items()}
    row["work_id"] = Work.objects.exclude(given=None).first()
    routes = [(path, row[name]) for name, path in _of_one_row(get_resolver().url_patterns) if row[name]]
    routes = [(path.format(id=one.pk), path) for path, one in routes]
    seen = {path for address, path in routes if browser.get(address).status_code in (200, 302)}
    assert len(seen) >= 8, seen
    assert "/backstage/works/{id}/picture" in seen
    several.choose(organiser, Event.objects.get(slug="salon"))
    zed = Client(headers={"Sec-Fetch-Site": "same-origin"})
    zed.force_login(hand("zed", "organiser"))
    read = {path: status for address, path in routes if (status := zed.get(address).status_code) not in (403, 404, 405)}
    assert read == {}


def test_rooms_may_add_to_the_demo(organiser, monkeypatch):
    said = []
    monkeypatch.setattr(demo, "_rooms", list(demo._rooms))
    demo.register(
        lambda event, person: said.append((event.current, person.username)),
        lambda event, successor: said.append((event.demo, successor.slug)),
    )
    demo.make(organiser)
    demo.remove(organiser)
    assert said == [(True, "olga"), (True, "salon")]


def test_an_archived_event_keeps_its_page_when_another_is_current(browser, visitor, organiser, engine):
    at = complete(browser)
    browser.post(f"{at}/do/open")
    work, _ = proposing.propose(ADA, image(engine, current_event()), proposal("The old fox"))
    curating.decide(organiser, work.id, "approved")
    session(current_event(), "The old opening", published=True)
    session(current_event(), "Never told")
    browser.post(f"{at}/do/archive")
    several.choose(organiser, several.make(organiser, "Second Salon"))
    page = visitor.get("/events/nacht-der-bilder").content.decode()
    for words in ("Nacht der Bilder", "This event is over", "The old fox", "The old opening", "10:00"):
        assert words in page, words
    assert "Never told" not in page
    assert visitor.get("/events/nacht-der-bilder/privacy").status_code == 200
    assert visitor.get("/events/second-salon").status_code == 404, "not open"
    assert visitor.get("/events/salon").status_code == 404


def test_opening_keeps_its_first_moment(organiser, browser):
    at = complete(browser)
    browser.post(f"{at}/do/open")
    first = current_event().opened_at
    browser.post(f"{at}/do/open")
    assert current_event().opened_at == first <= timezone.now()


def test_the_page_leads_only_where_there_is_something(visitor, organiser):
    event = current_event()
    Event.objects.filter(id=event.id).update(opened_at=timezone.now())
    rooms = ("/programme", "/call", "/places")
    page = visitor.get("/event").content.decode()
    assert not [path for path in rooms if f'<li><a href="{path}"' in page]
    assert '<li><a href="/station"' in page
    session(event, "The opening", published=True)
    Call.objects.create(event=event, title="Foxes", opens_at=timezone.now())
    Pool.objects.create(event=event, name="Meet & greet", kind=Pool.Kind.MEETING, capacity=9)
    page = visitor.get("/event").content.decode()
    assert [path for path in rooms if f'<li><a href="{path}"' in page] == list(rooms)
