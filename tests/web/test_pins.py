"""A booth's PIN: what it opens, where, for how long, and how often it may be guessed."""

import pytest
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from hands import at_once, hand

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.web.backstage import pins
from salon.web.events import devices, roles, several, tries
from salon.web.events.domain import current_event
from salon.web.events.models import BoothPin, Entry
from salon.web.people import sessions
from salon.web.people.models import Role, User

pytestmark = pytest.mark.django_db(transaction=True)
PIN, UNLOCK = "483920", "/backstage/unlock"


@pytest.fixture(autouse=True)
def _quick(first_event, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def curator():
    return hand("cora", "curator")


def browser(user=None):
    client = Client(headers={"Sec-Fetch-Site": "same-origin"})
    if user:
        client.force_login(user)
    return client


@pytest.fixture
def booth(curator):
    return lambda name="left": at(devices.make(curator, "station", name)[1])


def at(token):
    """A browser that is the booth with this token."""
    client = browser()
    client.cookies[devices.cookie("station")] = token
    return client


@pytest.fixture
def pin(curator):
    pins.set_pin(curator, PIN)


def test_a_curator_sets_it_and_only_its_hash_is_kept(curator, booth):
    desk = browser(curator)
    assert "None: a booth asks" in desk.get("/backstage/devices").content.decode()
    assert booth().get(UNLOCK).headers["Location"] == "/backstage/login?next=%2Fbackstage%2Fscreens"
    assert desk.post("/backstage/pin", {"pin": PIN}).status_code == 302
    page = desk.get("/backstage/devices").content.decode()
    assert "It is not shown again" in page
    assert PIN not in page + str(list(BoothPin.objects.values())) + str(list(Entry.objects.values()))
    assert booth("right").get(UNLOCK).status_code == 200
    assert desk.post("/backstage/pin", {"away": "1", "pin": ""}).status_code == 302
    assert booth("above").get(UNLOCK).status_code == 302
    deeds = Entry.objects.filter(person=curator).order_by("id").values_list("deed", flat=True)
    assert [deed for deed in deeds if "PIN" in deed] == ["booth PIN set", "booth PIN taken away"]
    assert browser(hand("vera", "volunteer")).post("/backstage/pin", {"pin": PIN}).status_code == 403


@pytest.mark.parametrize(
    "typed", ["", "123", "483920119", "48a920", "-4839", "4839.", "٤٨٣٩٢٠", "0000", "1234", "98765", "90123"]
)
def test_what_is_no_pin_is_refused(curator, typed):
    with pytest.raises(BadRecipe):
        pins.set_pin(curator, typed)
    assert not BoothPin.objects.exists()


def test_it_unlocks_the_screens_and_nothing_else(booth, pin):
    client = booth()
    assert client.get("/backstage/screens").status_code == 302, "locked"
    assert UNLOCK in client.get("/backstage/login").content.decode(), "and the way is shown"
    assert UNLOCK not in browser().get("/backstage/login").content.decode()
    assert client.post(UNLOCK, {"pin": " \uff14\uff18 3920"}).headers["Location"] == "/backstage/screens"
    assert client.get("/backstage/screens").status_code == 200
    assert client.post("/backstage/lights", {"dark": "1"}).status_code == 302
    assert current_event().dark
    assert client.post(f"/backstage/works/{'0' * 32}/pulled").status_code == 409, "allowed; there is no such work"
    assert client.post(f"/backstage/works/{'0' * 32}/approved").status_code == 403
    rooms = "people places doors devices trail findings data exports mail password events/salon/basics call jury"
    for room in rooms.split():
        assert client.get(f"/backstage/{room}").status_code == 403, room
    said = client.get("/backstage").content.decode()
    assert "/backstage/screens" in said
    assert "/backstage/places" not in said
    lines = [(e.deed, str(e.person)) for e in Entry.objects.order_by("id") if e.person]
    assert lines[-2:] == [("booth unlocked", "a booth"), ("darkened", "a booth")]


def test_with_a_volunteer_s_role_it_would_open_guests_names(booth, pin, monkeypatch):
    """Negative control: why an unlocked booth is not simply a volunteer."""
    client = booth()
    client.post(UNLOCK, {"pin": PIN})
    assert client.get("/backstage/places").status_code == 403
    monkeypatch.setattr(sessions, "AT_BOOTH", "volunteer")
    assert client.get("/backstage/places").status_code == 200


def test_it_is_worth_nothing_elsewhere_and_soon_nothing_at_the_booth(booth, pin, curator, monkeypatch):
    assert browser().post(UNLOCK, {"pin": PIN}).headers["Location"].startswith("/backstage/login")
    with pytest.raises(Forbidden):
        pins.unlock(None, PIN)
    client = booth()
    client.post(UNLOCK, {"pin": PIN})
    thief = browser()
    thief.cookies["salon_backstage"] = client.cookies["salon_backstage"].value
    assert thief.get("/backstage/screens").status_code == 403, "a session without its booth"
    now = timezone.now()
    for late, status in ((pins.OPEN_FOR * 0.9, 200), (pins.OPEN_FOR, 302)):
        with monkeypatch.context() as patched:
            patched.setattr("django.utils.timezone.now", lambda late=late: now + late)
            assert client.get("/backstage/screens").status_code == status
    client.post(UNLOCK, {"pin": PIN})
    assert client.get("/backstage/screens").status_code == 200
    for device in current_event().devices.all():
        devices.revoke(curator, device.id, Q())
    assert client.get("/backstage/screens").status_code == 403, "a booth that was revoked"


def test_leaving_the_booth_locks_it(booth, pin):
    client = booth()
    client.post(UNLOCK, {"pin": PIN})
    client.post("/station/leave")
    assert client.get("/backstage/screens").status_code == 302


def test_five_wrong_ones_shut_one_booth_only(booth, pin, monkeypatch):
    left, right = booth("left"), booth("right")
    wrong = [left.post(UNLOCK, {"pin": str(n)}).status_code for n in range(5000, 5000 + pins.MOST_A_BOOTH)]
    assert wrong == [400] * pins.MOST_A_BOOTH
    answer = left.post(UNLOCK, {"pin": PIN})
    assert answer.status_code == 429
    assert "By name and password" in answer.content.decode()
    assert right.post(UNLOCK, {"pin": PIN}).status_code == 302
    later = timezone.now() + pins.PAUSE
    monkeypatch.setattr(tries.timezone, "now", lambda: later)
    assert left.post(UNLOCK, {"pin": PIN}).status_code == 302


def test_with_the_limits_off_it_is_guessed(booth, pin, monkeypatch):
    """Negative control."""
    monkeypatch.setattr(pins, "LIMITS", ())
    client = booth()
    assert {client.post(UNLOCK, {"pin": str(n)}).status_code for n in range(483900, 483920)} == {400}
    assert client.post(UNLOCK, {"pin": PIN}).status_code == 302


def test_all_booths_together_have_a_day_s_tries_until_another_is_set(booth, pin, curator, monkeypatch):
    monkeypatch.setattr(pins, "LIMITS", (pins.LIMITS[0], tries.Limit(12, pins.DAY)))
    shut = [booth(f"b{n}") for n in range(3)]
    answers = [client.post(UNLOCK, {"pin": "5555"}).status_code for client in shut for _ in range(5)]
    assert answers == [400] * 12 + [429] * 3
    assert booth("new").post(UNLOCK, {"pin": PIN}).status_code == 429
    pins.set_pin(curator, "90210")
    assert booth("other").post(UNLOCK, {"pin": PIN}).status_code == 400, "the old one"
    assert shut[0].post(UNLOCK, {"pin": "90210"}).status_code == 302


def test_tries_at_the_same_moment_count_all(booth, pin):
    client = booth()
    mine = client.cookies[devices.cookie("station")].value
    answers = at_once(*[lambda: at(mine).post(UNLOCK, {"pin": "5555"}).status_code] * 9)
    assert sorted(answers) == [400] * pins.MOST_A_BOOTH + [429] * (9 - pins.MOST_A_BOOTH)


def test_nobody_becomes_a_booth_and_a_booth_becomes_nobody(booth, pin, curator):
    booth().post(UNLOCK, {"pin": PIN})
    account, olga = pins.account(), hand("olga", "organiser")
    assert account not in [one.user for one in roles.people(current_event(), olga)]
    for deed in (lambda: roles.link(olga, account.pk), lambda: roles.set_roles(olga, account.pk, ["organiser"])):
        with pytest.raises(Conflict, match="Nobody here"):
            deed()
    Role.objects.create(user=account, event=current_event(), kind="organiser")  # however it came about
    assert sessions.roles_of(account) == {"booth"}
    assert not account.has_usable_password()
    assert roles.add(olga, ":booth", "", ["volunteer"]).username == "booth"
    assert User.objects.filter(username=":booth").count() == 1


def test_another_event_has_another_pin(booth, pin, curator):
    client, olga = booth(), hand("olga", "organiser")
    several.choose(olga, several.make(olga, "Second Salon"))  # booths go along
    assert client.post(UNLOCK, {"pin": PIN}).headers["Location"].startswith("/backstage/login")
    pins.set_pin(olga, "90210")
    assert [client.post(UNLOCK, {"pin": one}).status_code for one in (PIN, "90210")] == [400, 302]
