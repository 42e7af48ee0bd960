"""Codes and links for other devices say so where they would lead a phone nowhere."""

import pytest
from django.test import Client, RequestFactory
from hands import hand

from salon.web import codes

pytestmark = pytest.mark.django_db
WARNING = "No phone can"


def asked(host):
    return RequestFactory().get("/", headers={"host": host})


@pytest.fixture(autouse=True)
def _any_host(settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PUBLIC_URL = ""


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "127.9.9.9", "[::1]:8000", "0.0.0.0", "a.localhost"])
def test_an_address_of_this_machine_is_for_nobody_else(host):
    assert codes.here_only(asked(host))


@pytest.mark.parametrize("host", ["192.168.1.20:8000", "salon.local", "salon.example", "[fe80::1]"])
def test_one_of_the_network_is(host):
    assert not codes.here_only(asked(host))


def test_a_public_address_counts_whatever_the_request_says(settings):
    settings.PUBLIC_URL = "https://salon.example"
    assert not codes.here_only(asked("127.0.0.1"))
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert codes.here_only(asked("salon.example"))


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1:8000", True), ("192.168.1.20", False)])
def test_a_new_device_is_told_before_anybody_points_a_phone_at_it(host, warned):
    curator = Client(headers={"host": host, "Sec-Fetch-Site": "same-origin"})
    curator.force_login(hand("carla"))
    made = {"name": "left", "kind": "wall", "layout": "single"}
    page = curator.post("/backstage/devices", made).content.decode()
    assert 'class="qr"' in page
    assert (WARNING in page) == warned
    assert ("salon run --lan" in page) == warned


@pytest.mark.parametrize(("host", "warned"), [("localhost", True), ("salon.local", False)])
def test_a_wall_says_that_its_codes_lead_nowhere(host, warned):
    assert ("reach no phone" in Client(headers={"host": host}).get("/wall").content.decode()) == warned
