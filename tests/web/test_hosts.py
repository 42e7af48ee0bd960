"""What a request says of this house and of where it comes from may be nonsense: that is answered, and breaks nothing.

The controls hold the libraries to raising where we say that they do."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import DisallowedHost
from django.test import Client, RequestFactory

from salon.web import codes, hosts, languages

pytestmark = pytest.mark.django_db
NO_ADDRESS = "http://["
FOREIGN = ["evil.example", "127.1:8000", "0.0.0.0", "[", "a b"]


@pytest.fixture(autouse=True)
def _own_names(settings):
    settings.ALLOWED_HOSTS, settings.PUBLIC_URL = ["salon.example"], ""


def asked(host, **headers):
    return RequestFactory().post("/", headers={"host": host, **headers})


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/station", "/nowhere", "/api/models", "/booked", "/feed.xml"])
def test_a_name_that_is_not_ours_gets_an_answer(host, path):
    answer = Client(raise_request_exception=False).get(path, headers={"host": host})
    assert answer.status_code in (200, 302, 400, 404)
    assert answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", FOREIGN)
def test_and_so_does_a_form(host):
    client = Client(raise_request_exception=False)
    for told in ({"referer": f"http://{host}/x"}, {"origin": f"http://{host}"}, {"origin": NO_ADDRESS}):
        answer = client.post("/language", {"language": "es"}, headers={"host": host, **told})
        assert answer.status_code in (302, 303, 400, 403)


def test_the_control_asking_for_it_raises():
    with pytest.raises(DisallowedHost):
        asked("evil.example").build_absolute_uri("/")
    with pytest.raises(ValueError, match="IPv6"):
        urlsplit(NO_ADDRESS)


def test_what_is_no_address_is_nowhere():
    ours = asked("salon.example")
    assert hosts.is_here(ours, "http://salon.example/x")
    assert not any(hosts.is_here(ours, other) for other in (NO_ADDRESS, "", "/x", "null", "http://evil.example"))
    assert not hosts.is_here(asked("evil.example"), "http://evil.example/x")
    assert not hosts.is_here(asked("evil.example"), "")
    assert not codes.here_only(asked("evil.example"))
    assert languages.back_from(asked("salon.example", referer=NO_ADDRESS)) == "/"


@pytest.mark.parametrize("back", ["//[", NO_ADDRESS, "//evil.example/", ""])
def test_a_language_is_chosen_wherever_one_is_to_be_led_back_to(back):
    client = Client(raise_request_exception=False)
    headers = {"host": "salon.example", "sec-fetch-site": "same-origin", "referer": NO_ADDRESS}
    answer = client.post("/language", {"language": "es", "back": back}, headers=headers)
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize("public", ["https://public.example", ""])
def test_every_address_that_leaves_the_house_is_its_public_one(settings, public):
    """Control: without one they are what the request says."""
    settings.PUBLIC_URL = public
    home = public or "http://salon.example"
    feed = Client().get("/gallery/feed.xml", headers={"host": "salon.example"}).content.decode()
    assert f'<link href="{home}/gallery/feed.xml" rel="self"' in feed
    assert f'<link href="{home}/gallery" rel="alternate"' in feed
    assert f"{home}/gallery/feed.xml" in Client().get("/gallery", headers={"host": "salon.example"}).content.decode()


def test_they_are_made_in_one_place():
    """Control: the one place is found."""
    room = Path(codes.__file__).parent
    found = {str(file.relative_to(room)) for file in room.rglob("*.py") if "build_absolute_uri" in file.read_text()}
    assert found == {"codes.py"}
