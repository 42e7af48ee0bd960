"""How cookies are kept: in one place, Secure wherever the house is reached by TLS, gone when a booth is left."""

import re
from pathlib import Path

import pytest
from django.test import Client
from hands import hand

from salon import web
from salon.web import cookies
from salon.web.arena.domain import pairing
from salon.web.events import devices
from salon.web.events.domain import current_event
from salon.web.gallery.domain import taking
from salon.web.people import guests, links

pytestmark = pytest.mark.django_db
HERE = {"Sec-Fetch-Site": "same-origin"}


def given(client=None, **environment):
    """The cookies of a ticket, a guest, a device, a language, a reviewer, a session: each by its own way."""
    client = client or Client(headers=HERE)
    cora = hand(f"cora{devices.Device.objects.count()}")
    _guest, of_guest = guests.make(current_event().id, "Zoë")
    ways = [
        ("post", f"/you/{of_guest}"),
        ("post", f"/station/enter/{devices.make(cora, 'station', 'left')[1]}"),
        ("post", f"/arena/reviewers/{pairing.token(pairing.prepare(cora, 'one', 'other'))}"),
        ("post", f"/backstage/enter/{links.new_link(cora)}"),
        ("post", f"/mine/take/{taking.code('a' * 32)}"),
        ("get", "/?lang=es"), ("get", "/backstage?lang=es"),
    ]  # fmt: skip
    answers = [getattr(client, method)(path, **environment) for method, path in ways]
    return {name: cookie for answer in answers for name, cookie in answer.cookies.items()}


ALL = {
    "salon_guest", "salon_device_station", "salon_reviewer", "salon_backstage", "salon_ticket", "salon_language",
    "salon_backstage_language",
}  # fmt: skip


@pytest.mark.parametrize(
    ("public", "environment", "secure"),
    [
        ("", {}, False),
        ("", {"secure": True}, True),
        ("", {"headers": {**HERE, "X-Forwarded-Proto": "https"}}, True),
        ("", {"headers": {**HERE, "X-Forwarded-Proto": "https, http"}}, True),
        ("", {"headers": {**HERE, "X-Forwarded-Proto": "http"}}, False),
        ("https://salon.example", {"headers": {**HERE, "Host": "salon.example"}}, True),
        ("https://salon.example:8443", {"headers": {**HERE, "Host": "salon.example:8443"}}, True),
        ("https://salon.example", {"headers": {**HERE, "Host": "127.0.0.1:8000"}}, True),
        ("http://192.168.1.5:8000", {"headers": {**HERE, "Host": "192.168.1.5:8000"}}, False),
        # past the proxy, by the venue's network: a browser would not keep a Secure cookie there
        ("https://salon.example", {"headers": {**HERE, "Host": "192.168.1.5:8000"}}, False),
    ],
)
def test_cookies_are_secure_wherever_the_browser_came_by_tls(settings, public, environment, secure):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = public, ["*"]
    found = given(**environment)
    assert set(found) == ALL
    assert {name: bool(cookie["secure"]) for name, cookie in found.items()} == dict.fromkeys(ALL, secure)
    assert all(cookie["httponly"] and cookie["samesite"] in ("Lax", "Strict") for cookie in found.values())


def test_leaving_a_booth_forgets_every_cookie_of_a_person(monkeypatch):
    client = Client(headers=HERE)
    given(client)
    left = client.post("/station/leave")
    assert {name for name, cookie in left.cookies.items() if cookie["max-age"] == 0} == ALL - {"salon_device_station"}
    assert {name for name, cookie in client.cookies.items() if cookie.value} == {"salon_device_station"}
    given(client)
    monkeypatch.delitem(cookies._personal, "salon_reviewer")  # the control: one that nobody declared stays
    client.post("/station/leave")
    assert {name for name, cookie in client.cookies.items() if cookie.value} == {
        "salon_device_station", "salon_reviewer",
    }  # fmt: skip


def test_no_other_place_sets_a_cookie():
    """So that none is forgotten by `cookies.forget`, and all are sealed alike."""
    here = Path(web.__file__).parent
    setting = re.compile(r"\.(set_cookie|set_signed_cookie|delete_cookie)\(")
    found = {path.name for path in here.rglob("*.py") if setting.search(path.read_text())}
    assert found == {"cookies.py"}
