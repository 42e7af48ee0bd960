"""Who comes in backstage, and how: links, codes, passwords, devices; and what is no way in."""

import pytest
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from salon.core.errors import Forbidden, SalonError
from salon.web.events import devices
from salon.web.events.models import Device
from salon.web.people import links
from salon.web.people.models import EntryLink, User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _event(first_event, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return first_event


@pytest.fixture
def client():
    """A browser on the house's own pages."""
    return Client(headers={"Sec-Fetch-Site": "same-origin"})


@pytest.fixture
def curator():
    return User.objects.create_user("cora", is_staff=True)


def test_a_link_lets_in_once():
    user = links.keeper()
    token = links.new_link(user)
    assert token not in str(list(EntryLink.objects.values()))  # only its hash is kept
    assert links.use_link(token) == user
    for wrong in (token, "guessed", ""):
        with pytest.raises(Forbidden):
            links.use_link(wrong)
    late = links.new_link(user)
    EntryLink.objects.filter(used_at=None).update(expires_at="2020-01-01T00:00:00Z")
    with pytest.raises(Forbidden):
        links.use_link(late)


def test_a_device_is_known_until_it_is_revoked(curator):
    device, token = devices.make(curator, "wall", "left of the door")
    assert devices.device_of(token, "wall") == device
    for stolen, kind in ((token, "station"), ("x" * 32, "wall")):
        with pytest.raises(Forbidden):
            devices.device_of(stolen, kind)
    devices.revoke(curator, device.id, Q(kind="door"))
    assert devices.device_of(token, "wall") == device, "the control: who may revoke doors' devices only"
    devices.revoke(curator, device.id, Q(kind="wall"))
    with pytest.raises(Forbidden):
        devices.device_of(token, "wall")
    assert token not in str(list(Device.objects.values()))
    with pytest.raises(SalonError, match="kind and a name"):
        devices.make(curator, "toaster", "kitchen")


def test_login_never_leads_elsewhere(curator, client):
    curator.set_password("a long one 42")
    curator.save()
    form = {"username": "cora", "password": "a long one 42"}
    for wanted, leads_to in (("https://evil.example/", "/backstage"), ("//evil.example/backstage", "/backstage"),
                             ("/backstage/trail", "/backstage/trail")):  # fmt: skip
        answer = client.post(f"/backstage/login?next={wanted}", form)
        assert answer.headers["Location"] == leads_to
    assert client.post("/backstage/login", form | {"password": "wrong"}).status_code == 422


def test_a_browser_may_be_a_booth_and_a_wall(curator, client):
    for kind in ("station", "wall"):
        _, token = devices.make(curator, kind, kind)
        assert client.post(f"/{kind}/enter/{token}").status_code == 302
    assert client.get("/wall").status_code == 200
    answer = client.get("/station")
    assert b" kiosk" in answer.content
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_clock_that_jumps_back_opens_no_old_door(curator, monkeypatch):
    """Links and tickets are bound to times; a clock that is set back may shorten nothing that was used."""
    token = links.new_link(curator)
    links.use_link(token)
    earlier = timezone.now() - links.LIFETIME * 3
    monkeypatch.setattr(links.timezone, "now", lambda: earlier)
    with pytest.raises(Forbidden):
        links.use_link(token)


def test_leaving_a_booth_shuts_backstage(client, curator):
    client.force_login(curator)
    assert client.get("/backstage").status_code == 200
    answer = client.post("/station/leave")
    gone = answer.cookies["salon_backstage"]
    assert (gone["max-age"], gone["path"], gone.value) == (0, "/backstage", "")


TRICKS = [
    "/works/..%2f..%2fsecret.key.png",
    "/works/%00.png",
    "/works/" + "0" * 32 + "/card.jpg",
    "/images/../../etc/passwd",
    "/images/%2e%2e/report",
    "/images/" + "0" * 5000 + "/report",
    "/backstage/works/x/approved/../../house",
    "/wall/../secret.key",
    "/static/../settings.py",
    "/mine/take/" + "." * 300,
    "/station/enter/..%2f..",
    "/wall/enter/%00",
]


@pytest.mark.parametrize("path", TRICKS)
def test_path_tricks_lead_nowhere(client, path):
    answer = client.get(path)
    assert answer.status_code in (403, 404), answer.status_code
    assert b"Traceback" not in answer.content


def test_the_address_of_a_booth_is_for_booths(client, curator):
    assert client.get("/station?kiosk=1").status_code == 403
    _device, token = devices.make(curator, "station", "left")
    answer = client.post(f"/station/enter/{token}")
    assert answer.headers["Location"] == "/station?kiosk=1"
    page = client.get("/station?kiosk=1")
    assert (page.status_code, "kiosk" in page.content.decode()) == (200, True)
    assert client.post("/station/leave").headers["Location"] == "/station?kiosk=1"
