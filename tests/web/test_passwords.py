"""Passwords in the browser: set at the first entry, changed later, ending what was begun with the one before."""

import pytest
from django.test import Client
from django.utils import timezone
from hands import hand

from salon.cli.demo import _set_password
from salon.core.errors import Conflict, SalonError
from salon.web.backstage import coming_in, logins
from salon.web.events import lasting, roles
from salon.web.events.domain import current_event
from salon.web.events.models import Entry, Event
from salon.web.people import links, passwords
from salon.web.people.models import AskedCode, EntryLink, User

pytestmark = pytest.mark.django_db(transaction=True)
GOOD, BETTER = "seven quiet lanterns", "eleven loud lanterns"
PAGE = "/backstage/password"


@pytest.fixture(autouse=True)
def _quick(first_event, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def browser():
    return Client(headers={"Sec-Fetch-Site": "same-origin"})


def login(name, password):
    client = browser()
    status = client.post("/backstage/login", {"username": name, "password": password}).status_code
    return client if status == 302 else None


def choose(client, new, again=None, **more):
    return client.post(PAGE, {"new": new, "again": new if again is None else again, **more})


@pytest.fixture
def vera():
    """Invited, with a link in her hand."""
    return roles.add(hand("olga", "organiser"), "Véra Óconnor", "v.lopez@example.org", ["volunteer"])


def enter(user):
    """A browser that came by a one-time link (whether its page is looked at first or not), and where it was led."""
    client, path = browser(), f"/backstage/enter/{links.new_link(user)}"
    answer = client.get(path)
    answer = client.post(path) if answer.status_code == 200 else answer
    return client, answer.headers["Location"]


def test_whoever_comes_for_the_first_time_sets_a_password_and_comes_in_by_it(vera):
    phone, leads_to = enter(vera)
    assert leads_to == f"{PAGE}?first=1"
    page = phone.get(leads_to).content.decode()
    assert "Not now" in page
    assert 'name="current"' not in page
    assert "<b>vera-oconnor</b>" in page, "what to log in by"
    assert choose(phone, GOOD).headers["Location"] == f"{PAGE}?done=1"
    assert "Your password is set" in phone.get(f"{PAGE}?done=1").content.decode()
    assert phone.get("/backstage").status_code == 200, "this session goes on"
    assert login("vera-oconnor", GOOD)
    assert enter(vera)[1] == "/backstage", "only the first time"
    assert enter(links.keeper())[1] == "/backstage", "whoever holds the machine has another link at any time"
    assert Entry.objects.filter(deed="password set", person=vera).count() == 1


def test_later_it_is_changed_by_whoever_knows_the_one_before(vera):
    passwords.keep(vera, GOOD)
    client = login("vera-oconnor", GOOD)
    assert 'name="current"' in client.get(PAGE).content.decode()
    for current in ("", "wrong", BETTER):
        answer = choose(client, BETTER, current=current)
        assert answer.status_code == 422
        assert "not your present password" in answer.content.decode()
    assert choose(client, BETTER, current=GOOD).status_code == 302
    assert (login("vera-oconnor", GOOD), bool(login("vera-oconnor", BETTER))) == (None, True)


def test_the_one_before_is_not_guessed_at_an_open_laptop(vera):
    passwords.keep(vera, GOOD)
    client = login("vera-oconnor", GOOD)
    wrong = [choose(client, BETTER, current="wrong").status_code for _ in range(logins.MOST_A_NAME + 1)]
    assert wrong == [422] * logins.MOST_A_NAME + [429]
    assert choose(client, BETTER, current=GOOD).status_code == 429
    assert login("vera-oconnor", GOOD)


def test_a_link_stands_for_a_password_that_is_forgotten_for_a_while(vera, monkeypatch):
    passwords.keep(vera, GOOD)
    phone, _ = enter(vera)
    assert 'name="current"' not in phone.get(PAGE).content.decode()
    later = timezone.now() + coming_in.FRESH_FOR
    with monkeypatch.context() as patched:
        patched.setattr(coming_in.timezone, "now", lambda: later)
        assert choose(phone, BETTER).status_code == 422
    assert choose(phone, BETTER).status_code == 302
    assert login("vera-oconnor", BETTER)


@pytest.mark.parametrize("ends", [True, False])
def test_a_new_one_ends_other_sessions_links_and_codes(vera, monkeypatch, ends):
    """With the session's tie to the password off (the control) a stolen session would live on."""
    passwords.keep(vera, GOOD)
    if not ends:
        monkeypatch.setattr("django.contrib.auth.get_user_model", lambda: User)
        monkeypatch.setattr(User, "get_session_auth_hash", lambda _self: "always the same")
    stolen, mine = login("vera-oconnor", GOOD), login("vera-oconnor", GOOD)
    links.new_link(vera)
    AskedCode.objects.create(user=vera, token_hash="t", source="s", address_hash="a", language="en", code_hash="c")
    assert stolen.get("/backstage").status_code == 200
    assert choose(mine, BETTER, current=GOOD).status_code == 302
    assert mine.get("/backstage").status_code == 200
    assert stolen.get("/backstage").status_code == (302 if ends else 200)
    assert not EntryLink.objects.filter(user=vera, used_at=None).exists()
    assert not AskedCode.objects.exists()


@pytest.mark.parametrize(
    ("new", "again", "words"),
    [
        ("short1!", None, "too short"),
        ("password1234", None, "too common"),
        ("92837465019", None, "entirely numeric"),
        (GOOD, BETTER, "not the same"),
        ("", "", "too short"),
        ("Oconnor-and-lanterns", None, "part of your name"),
        ("quiet VERA lanterns", None, "part of your name"),
        ("quiet\u3000v\u0301e\u0301ra lanterns", None, "part of your name"),
        ("\uff36\uff25\uff32\uff21 lanterns", None, "part of your name"),
        ("lanterns for lopez 2026", None, "part of your name"),
        ("v.lopez@example.org!!", None, "part of your name"),
        ("o connor and lanterns", None, "part of your name"),
    ],
)
def test_what_will_not_do_is_said_and_changes_nothing(vera, new, again, words):
    phone, _ = enter(vera)
    answer = choose(phone, new, again)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert new not in answer.content.decode() or new == ""
    vera.refresh_from_db()
    assert not vera.has_usable_password()


def test_with_django_s_validators_alone_a_name_would_pass(vera, settings):
    """Negative control of the lines above: what is like a name, and what holds one, are not the same."""
    assert passwords.complaints(vera, "oconnor-and-lanterns", "oconnor-and-lanterns")
    settings.AUTH_PASSWORD_VALIDATORS = settings.AUTH_PASSWORD_VALIDATORS[:-1]
    assert passwords.complaints(vera, "oconnor-and-lanterns", "oconnor-and-lanterns") == []


def test_names_of_two_signs_count_where_names_have_two():
    hanako, al = User(username="person", first_name="花子"), User(username="al", first_name="Al")
    assert passwords.complaints(hanako, "静かな花子の提灯七つ", "静かな花子の提灯七つ")
    assert passwords.complaints(al, "always seven lanterns", "always seven lanterns") == []


def test_the_command_line_has_the_same_rules(monkeypatch):
    typed = iter(["nora nora nora"] * 2 + [GOOD, BETTER] + [GOOD] * 2)
    monkeypatch.setattr("getpass.getpass", lambda _words: next(typed))
    for words in ("part of your name", "not the same"):
        with pytest.raises(SalonError, match=words):
            _set_password("nora")
    assert not User.objects.exists()
    _set_password("nora")
    assert login("nora", GOOD).get("/backstage/people").status_code == 200, "whoever holds the machine is an organiser"


def test_a_link_that_is_handed_out_is_good_on_day_two(vera, monkeypatch):
    """It was void after a day. Nobody waits for a mail that never comes: the page says until when."""
    now = timezone.now()
    first, last = (now + timezone.timedelta(days=n) for n in (3, 5))
    Event.objects.update(starts_on=first.date(), ends_on=last.date())
    olga = browser()
    olga.force_login(User.objects.get(username="olga"))
    page = olga.post(f"/backstage/people/{vera.pk}/link").content.decode()
    until = lasting.until(current_event(), links.LIFETIME, roles.LONGEST_LINK)
    assert f"once, until {until:%A} {until.day} {until:%B %Y, %H:%M}" in page
    assert EntryLink.objects.get(user=vera).expires_at == until
    token = page.split("/backstage/enter/")[1].split('"')[0]
    with monkeypatch.context() as patched:
        patched.setattr(links.timezone, "now", lambda: last)
        assert links.use_link(token) == vera
    with pytest.raises(Conflict):
        roles.link(User.objects.get(username="olga"), 10**9)
