"""People's data: a private page by a link, everything taken along, erased in every room, kept no longer than said."""

import datetime
import json
import sqlite3

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from register import ADA, draw, house  # noqa: F401 (fixtures)

from salon.core.errors import BadRecipe, Forbidden
from salon.core.hashing import bytes_hash
from salon.web.events import devices
from salon.web.events.models import Entry, Event
from salon.web.events.trail import note
from salon.web.gallery.models import Work
from salon.web.mail import letters, lost, outbox, sending
from salon.web.mail.models import Letter
from salon.web.people import consents, guests, links, personal, private, retention
from salon.web.people.models import Consent, Guest, Role, User

# ruff: noqa: F811 (fixtures of register.py)
pytestmark = pytest.mark.django_db(transaction=True)
NAME, ADDRESS = "Zoë Quillfeather", "zoe.quillfeather@example.org"
HERE = {"sec-fetch-site": "same-origin"}


@pytest.fixture(autouse=True)
def event(first_event, settings, tmp_path):
    settings.HOME = tmp_path
    return first_event


@pytest.fixture
def zoe(event):
    """A guest, and the token of her link."""
    return guests.make(event.id, NAME, ADDRESS, "en")


@pytest.fixture
def own(zoe):
    """Her browser."""
    client = Client(headers=HERE)
    client.post(f"/you/{zoe[1]}")
    return client


def keeper():
    client = Client(headers=HERE)
    client.force_login(links.keeper())
    return client


def dump():
    """Every value of every row of every table."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += map(repr, cursor.fetchall())
    return "\n".join(rows)


# the link


def test_the_token_leaves_the_address_and_is_kept_as_a_hash(zoe):
    _guest, token = zoe
    client = Client()
    answer = client.post(f"/you/{token}")
    assert (answer.status_code, answer["Location"]) == (302, "/you")
    page = client.get("/you")
    assert page.status_code == 200
    assert token not in page.content.decode()
    for said in (answer, page):
        assert (said["Cache-Control"], said["Referrer-Policy"]) == ("no-store", "same-origin")
    cookie = answer.cookies[guests.COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert token not in dump()
    assert bytes_hash(token.encode()) in dump()  # the control: the hash is


def test_links_in_letters_are_signed_and_cannot_be_made_up(event, zoe):
    guest, _token = zoe
    other, _ = guests.make(event.id, "Other")
    link = guests.link_token(guest)
    assert guests.guest_of_token(link) == guest
    assert link not in dump()
    signature = link.partition(".")[2]
    for forged in (f"{other.id}.{signature}", f"{guest.id}.", f"{guest.id}.{'0' * 64}", ".", "", "x" * 3000, "\x00."):
        with pytest.raises(Forbidden):
            guests.guest_of_token(forged)
    assert Client().get(f"/you/{other.id}.{signature}").status_code == 403


def test_a_new_link_ends_the_old_ones(zoe, own):
    guest, token = zoe
    other = Client()
    other.post(f"/you/{guests.link_token(guest)}")
    assert NAME in other.get("/you").content.decode()
    page = own.post("/you/link").content.decode()
    assert NAME not in other.get("/you").content.decode()
    with pytest.raises(Forbidden):
        guests.guest_of_token(token)
    fresh = page.partition("/you/")[2].partition('"')[0]
    assert guests.guest_of_token(fresh) == guest
    assert NAME in own.get("/you").content.decode()


def test_strangers_see_nothing_and_change_nothing(zoe):
    client = Client(headers=HERE)
    for path in ("/you", "/you/data.json", "/you/erase"):
        assert NAME not in client.get(path).content.decode()
    for path in ("details", "consent", "link", "erase"):
        client.post(f"/you/{path}", {"name": "Mallory", "sure": "yes"})
    assert Guest.objects.get() == Guest.objects.get(name=NAME, erased_at=None)


def test_another_site_cannot_press_for_the_guest(own):
    answer = own.post("/you/erase", {"sure": "yes"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert Guest.objects.get().erased_at is None


# what is theirs


def test_name_and_address_are_changed_and_letters_follow(event, zoe, own):
    letter = letters.write(event, zoe[0], lost.KIND, "k")
    assert own.post("/you/details", {"name": "  Zoë\u202e Q ", "email": "z@example.org"}).status_code == 302
    assert Guest.objects.values_list("name", "email").get() == ("Zoë Q", "z@example.org")
    assert sending.envelope_of(Letter.objects.get(id=letter.id)).receiver == "z@example.org"
    for name, email in (("", "z@example.org"), ("Zoë", "z@example.org\nBcc: x@y.example"), ("Zoë", "nobody")):
        assert own.post("/you/details", {"name": name, "email": email}).status_code == 422
    assert Guest.objects.values_list("name", "email").get() == ("Zoë Q", "z@example.org")


def test_everything_is_taken_along_but_no_decision_before_its_time(event, zoe, own, monkeypatch):
    monkeypatch.setattr(letters, "_kinds", dict(letters._kinds))
    letters.register("tried_decision", "Rejected", "Dear {name}")
    letters.write(event, zoe[0], lost.KIND, "k1")
    letters.write(event, zoe[0], "tried_decision", "k2")
    answer = own.get("/you/data.json")
    assert "attachment" in answer["Content-Disposition"]
    told = json.loads(answer.content)
    assert (told["you"]["name"], told["you"]["email"]) == (NAME, ADDRESS)
    assert [letter["subject"] for letter in told["mail"]] == [f"Your private link: {event.name}"]
    assert set(told) == {"event", "you", *(holding.room for holding in personal.holdings())}


def test_a_room_shows_its_panel_and_rooms_without_one_break_nothing(zoe, own, monkeypatch):
    monkeypatch.setattr(personal, "_holdings", dict(personal._holdings))
    panel = personal.Panel("error.html", {})
    personal.register("tried", lambda g: [], lambda g: None, lambda g: panel if g.name == NAME else None)
    assert personal.panels(zoe[0])[-1] == panel or panel in personal.panels(zoe[0])
    zoe[0].name = "Other"
    assert panel not in personal.panels(zoe[0])


# erasure


def fill(event, guest, monkeypatch):
    """Traces of the guest wherever this test can leave some."""
    letters.write(event, guest, lost.KIND, "k")
    lost.ask(event, ADDRESS)
    sending.send_due()
    note(event, "place taken", guest.id, text=NAME)
    note(event, "phoned", guest.id, text=f"told {NAME.upper()} <{ADDRESS}> to come")
    consents.publish(event.id, "photos", {"en": "Show me."})
    consents.give(guest, "photos")


def test_erasure_leaves_nothing_of_the_person(event, zoe, own, settings, tmp_path, monkeypatch):
    guest, token = zoe
    fill(event, guest, monkeypatch)
    files = [file.read_text() for file in (tmp_path / "mail").iterdir()]
    assert any(ADDRESS in text for text in files)
    assert NAME in dump()  # the control: it is looked for in the right place
    assert ADDRESS in dump()
    assert own.post("/you/erase").status_code == 400  # without the tick
    assert own.post("/you/erase", {"sure": "yes"}).status_code == 302
    left = dump().casefold()
    for trace in (NAME, "Quillfeather", ADDRESS, token, bytes_hash(token.encode())):
        assert trace.casefold() not in left, trace
    assert list((tmp_path / "mail").iterdir()) == []
    assert Guest.objects.get().erased_at
    assert Entry.objects.filter(deed="guest erased", subject=guest.id).count() == 1
    assert Entry.objects.get(deed="phoned").text == "…"
    assert not Consent.objects.filter(withdrawn_at=None).exists()
    with pytest.raises(Forbidden):
        guests.guest_of_token(token)
    with pytest.raises(Forbidden):
        guests.guest_of_token(guests.link_token(guest))


def test_erasure_overwrites_the_file_of_the_database(event, zoe, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    path = connection.settings_dict["NAME"]
    fill(event, zoe[0], monkeypatch)

    def on_disk():
        return b"".join(open(f"{path}{end}", "rb").read() for end in ("", "-wal"))

    assert ADDRESS.encode() in on_disk()
    personal.erase(zoe[0].id)
    assert ADDRESS.encode() not in on_disk()
    assert NAME.encode() not in on_disk()


def test_the_file_of_a_database_that_only_forgets_where_it_was_still_has_it(tmp_path):
    """Negative control: without secure_delete the words stay in the file."""
    path = tmp_path / "x.sqlite3"
    with sqlite3.connect(path) as loose:
        loose.executescript("PRAGMA secure_delete=OFF; CREATE TABLE t (x)")
        loose.executemany("INSERT INTO t VALUES (?)", [(NAME,)] * 50)
        loose.commit()
        loose.execute("DELETE FROM t")
    loose.close()
    assert NAME.encode() in path.read_bytes()


def test_a_room_that_cannot_erase_stops_the_whole_erasure(zoe, monkeypatch):
    def broken(guest):
        raise RuntimeError

    monkeypatch.setattr(personal, "_holdings", {**personal._holdings, "zzz": personal.Holding("zzz", list, broken)})
    letters.write(zoe[0].event, zoe[0], lost.KIND, "k")
    with pytest.raises(RuntimeError):
        personal.erase(zoe[0].id)
    assert Guest.objects.get().name == NAME
    assert Letter.objects.count() == 1


def test_erasing_twice_is_erasing_once_and_others_stay(event, zoe):
    other, _ = guests.make(event.id, f"{NAME}s", "other@example.org")
    note(event, "phoned", "somebody", text=f"{NAME}s called")
    assert [personal.erase(zoe[0].id), personal.erase(zoe[0].id)] == [True, False]
    assert Guest.objects.get(id=other.id).name == f"{NAME}s"
    assert Entry.objects.get(deed="phoned").text == f"{NAME}s called"


# consents


def test_consents_name_the_words_that_were_seen(event, zoe, own):
    assert consents.current(event, "photos", "en") is None
    with pytest.raises(Forbidden):
        consents.give(zoe[0], "photos")
    consents.publish(event.id, "photos", {"en": "One", "es": "Uno"})
    seen = consents.current(event, "photos", "en")
    assert consents.current(event, "photos", "es").text == "Uno"
    assert consents.current(event, "photos", "ja").text == "One"
    assert consents.publish(event.id, "photos", {"en": "Two"}) == 2  # while the page is open
    own.post("/you/consent", {"kind": "photos", "text": seen.id, "agree": "1"})
    own.post("/you/consent", {"kind": "photos", "text": seen.id, "agree": "1"})
    assert Consent.objects.get().text.text == "One"
    assert "version 1; the words have changed" in own.get("/you").content.decode()
    consents.give(zoe[0], "photos")
    assert [c.text.version for c in Consent.objects.filter(withdrawn_at=None)] == [2]
    own.post("/you/consent", {"kind": "photos"})
    assert not consents.holds(zoe[0], "photos")
    assert Consent.objects.count() == 2
    consents.publish(event.id, "photos", {"en": " "})
    assert consents.current(event, "photos", "en") is None


def test_nobody_agrees_to_another_events_text(event, zoe):
    other = Event.objects.create(slug="other", name="Other")
    consents.publish(other.id, "photos", {"en": "Theirs"})
    theirs = consents.current(other, "photos", "en")
    with pytest.raises(Forbidden):
        consents.give(zoe[0], "photos", theirs.id)
    with pytest.raises(BadRecipe):
        consents.publish(event.id, " ", {"en": "x"})


# keeping


@pytest.mark.parametrize(
    ("last", "months", "day"),
    [("2024-01-31", 1, "2024-02-29"), ("2023-12-31", 2, "2024-02-29"), ("2024-10-05", 6, "2025-04-05")],
)
def test_months_are_calendar_months(last, months, day):
    date = datetime.date.fromisoformat
    assert retention.after(date(last), months) == date(day)
    assert retention.after(date(last), 0) is None
    assert retention.after(None, months) is None


def test_guests_are_erased_when_their_time_has_come_and_not_before(event, zoe):
    event.ends_on = datetime.date(2026, 5, 31)
    event.save()
    retention.set_keeping(links.keeper(), event, 6, 24)
    due = retention.due_of(event, datetime.date(2026, 11, 29))
    assert (due.guests_on, due.guests, due.guests_due) == (datetime.date(2026, 11, 30), 1, False)
    assert retention.erase_due(today=datetime.date(2026, 11, 29)) == 0
    assert retention.due_of(event, datetime.date(2026, 11, 30)).guests_due  # looked at, not done
    assert Guest.objects.get().name == NAME
    assert retention.erase_due(today=datetime.date(2026, 11, 30)) == 1
    assert Guest.objects.get().erased_at
    assert Entry.objects.exists()
    retention.erase_due(today=datetime.date(2028, 5, 31))
    assert not Entry.objects.exists()


def test_an_event_without_a_last_day_keeps(event, zoe):
    assert retention.erase_due(today=datetime.date(2100, 1, 1)) == 0


# backstage


def test_organisers_find_export_and_erase_and_it_is_written_down(event, zoe):
    client = keeper()
    for wanted in ("QUILL", "zoë", "ZOE.quillfeather@"):
        assert NAME in client.get("/backstage/data", {"q": wanted}).content.decode()
    assert NAME not in client.get("/backstage/data", {"q": "nobody"}).content.decode()
    here = f"/backstage/data/{zoe[0].id}"
    assert ADDRESS in client.get(here).content.decode()
    assert json.loads(client.get(f"{here}/export.json").content)["you"]["name"] == NAME
    page = client.post(f"{here}/link").content.decode()
    assert guests.guest_of_token(page.partition("/you/")[2].partition('"')[0]) == zoe[0]
    assert client.post(f"{here}/erase").status_code == 400
    assert client.post(f"{here}/erase", {"sure": "yes"}).status_code == 302
    assert client.get(here).status_code == 404
    told = set(Entry.objects.filter(subject=zoe[0].id).values_list("deed", "person__username"))
    assert {("guest exported", "keeper"), ("link shown", "keeper"), ("guest erased", "keeper")} <= told


def test_only_organisers_see_peoples_data_and_letters(event, zoe):
    helper = User.objects.create_user("helper", is_staff=True)
    Role.objects.create(user=helper, event=event, kind=Role.Kind.VOLUNTEER)
    client = Client(headers=HERE)
    client.force_login(helper)
    pages = ["/backstage/data", f"/backstage/data/{zoe[0].id}", "/backstage/mail", "/backstage/mail/wordings"]
    assert [client.get(page).status_code for page in pages] == [403] * 4
    Role.objects.filter(user=helper).update(kind=Role.Kind.ORGANISER)
    assert [client.get(page).status_code for page in pages] == [200] * 4  # the control
    other = Event.objects.create(slug="other", name="Other")
    theirs, _ = guests.make(other.id, "Somebody Else", "else@example.org")
    assert "else@example.org" not in client.get("/backstage/data", {"q": "else"}).content.decode()
    assert client.get(f"/backstage/data/{theirs.id}").status_code == 404


def test_the_outbox_page_by_page(event, zoe, monkeypatch):
    monkeypatch.setattr(letters, "_kinds", dict(letters._kinds))
    letters.register("tried_decision", "About {title}", "Dear {name}, {title}", ("title",))
    letter, client = letters.write(event, zoe[0], "tried_decision", "k", title="<b>Fog</b>"), keeper()
    assert "About &lt;b&gt;Fog&lt;/b&gt;" in client.get("/backstage/mail").content.decode()
    here = f"/backstage/mail/{letter.id}"
    assert client.post(here, {"subject": "", "text": "x"}).status_code == 422
    assert client.post(here, {"subject": "Changed", "text": "x"}).status_code == 302
    assert client.post("/backstage/mail/change", {"deed": "release", "letter": [letter.id]}).status_code == 302
    assert client.post("/backstage/mail/change", {"deed": "release", "letter": [letter.id]}).status_code == 409
    assert "Changed" in client.get("/backstage/mail", {"show": "going"}).content.decode()
    words = "/backstage/mail/wordings/tried_decision/en"
    looked = client.post(words, {"do": "look", "subject": "S {title}", "text": "T {name}"}).content.decode()
    assert "S ⟨title⟩" in looked
    assert client.post(words, {"do": "keep", "subject": "S", "text": "{who}"}).status_code == 422
    assert client.post(words, {"do": "keep", "subject": "S", "text": "{name}"}).status_code == 302
    assert client.post(words, {"do": "reset"}).status_code == 302
    assert client.get("/backstage/mail/wordings").status_code == 200
    with pytest.raises(BadRecipe):
        outbox.check(letters.kind_of("tried_decision"), "", "")


def test_terms_and_texts_are_set_backstage(event):
    client = keeper()
    assert client.post("/backstage/data/keep", {"guests": "3", "trail": "-1"}).status_code == 400
    assert client.post("/backstage/data/keep", {"guests": "3", "trail": "9999"}).status_code == 302
    kept = retention.keeping_of(event)
    assert (kept.guests, kept.trail) == (3, retention.LONGEST)
    client.post("/backstage/data/texts", {"kind": "photos", "text-en": "Mine", "text-es": ""})
    assert consents.current(event, "photos", "en").text == "Mine"
    event.ends_on = timezone.now().date() - datetime.timedelta(days=200)
    event.save()
    guests.make(event.id, NAME)
    assert client.post("/backstage/data/due").status_code == 302
    assert Guest.objects.get().erased_at


# what hangs


@pytest.fixture
def hung(event, zoe, draw, tmp_path, settings):
    """Two works of her browser that hang, one of them under a free licence."""
    settings.MEDIA_ROOT = tmp_path
    Guest.objects.filter(id=zoe[0].id).update(visitor=ADA)
    return {
        licence: Work.objects.create(
            event=event, image=draw(ADA, f"a fox {licence}"), visitor=ADA, title="A fox", maker=NAME,
            statement=f"by {NAME}", licence=licence, state="hung", hung_at=timezone.now(),
        )
        for licence in ("cc-by-4.0", "all-rights")
    }  # fmt: skip


@pytest.mark.parametrize(("wish", "left"), [("stay", ["cc-by-4.0"]), ("down", [])])
def test_works_follow_their_licence_and_their_artists_wish(own, hung, tmp_path, wish, left):
    assert len(own.get("/you/data.json").json()["gallery"]["works"]) == 2
    assert len(list(tmp_path.glob("x/*.png"))) == 2
    own.post("/you/erase", {"sure": "yes", "works": wish})
    hangs = Work.objects.filter(state="hung")
    assert [work.licence for work in hangs] == left
    assert [(work.title, work.maker, work.statement) for work in hangs] == [("A fox", "", "")] * len(left)
    assert len(list(tmp_path.glob("x/*.png"))) == len(left)
    assert NAME not in dump()
    assert ADA not in dump()


def test_one_of_two_who_came_with_one_browser_takes_nothing_from_the_other(event, zoe, own, hung):
    other, _ = guests.make(event.id, "Her brother", visitor=ADA)
    personal.erase(zoe[0].id)
    assert Work.objects.filter(state="hung").count() == 2
    personal.erase(other.id)
    assert not Work.objects.filter(state="hung").exists()


def test_when_their_time_has_come_works_follow_what_was_said_before(event, own, hung):
    own.post("/you/details", {"name": NAME, "email": ADDRESS, "works_stay": "1"})
    event.ends_on = datetime.date(2026, 5, 31)
    event.save()
    assert retention.erase_due(today=datetime.date(2027, 5, 31)) == 1
    assert [work.licence for work in Work.objects.filter(state="hung")] == ["cc-by-4.0"]


def test_a_booth_remembers_nobody_for_long(event, zoe):
    _booth, token = devices.make(links.keeper(), "station", "left")
    client = Client(headers=HERE)
    client.cookies[devices.cookie("station")] = token
    answer = client.post(f"/you/{zoe[1]}")
    assert answer.cookies[guests.COOKIE]["max-age"] == private.AT_A_BOOTH
    assert NAME in client.get("/you").content.decode()
    client.post("/station/leave")
    assert NAME not in client.get("/you").content.decode()
    assert Client().post(f"/you/{zoe[1]}").cookies[guests.COOKIE]["max-age"] == guests.LIFETIME  # the control
