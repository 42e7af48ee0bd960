"""Pictures that artists send in: the filter looks where it is installed, and a curator is told whether it did."""

import io

import pytest
from django.test import Client
from hands import hand
from PIL import Image as Picture

from salon.core.errors import GuardUnavailable
from salon.web.events.domain import current_event
from salon.web.gallery.domain import filtering, giving
from salon.web.gallery.models import GivenPicture

pytestmark = pytest.mark.django_db


class Finds:
    """A filter that finds red pictures, and fails at green ones."""

    def withheld(self, pictures):
        (one,) = pictures
        red, green, _blue = one.rgb[:3]
        if green > 200:
            raise GuardUnavailable("It failed.")
        return {0} if red > 200 else set()


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.delenv("SALON_IMAGE_GUARD", raising=False)
    monkeypatch.setattr(filtering, "_filter", Finds)
    assert filtering.standing() == "on"


@pytest.fixture
def sent():
    def make(colour):
        out = io.BytesIO()
        Picture.new("RGB", (32, 24), colour).save(out, "WEBP", quality=95)
        return giving.propose(current_event(), f"guest-{colour}", out.getvalue(), "", title=colour)

    return make


def beside(work):
    work.given.refresh_from_db()
    return filtering.told(work)


def test_a_curator_is_told_what_the_filter_said(installed, sent):
    red, blue, green = sent("red"), sent("blue"), sent("lime")
    assert "not looked at it yet" in beside(red)
    filtering.look_at_new()
    assert "found nakedness" in beside(red)
    assert "found nothing" in beside(blue)
    assert "could not look" in beside(green)
    assert [given.filtered for given in GivenPicture.objects.order_by("created_at")] == ["found", "clear", "failed"]


def test_it_looks_once(installed, sent, monkeypatch):
    work = sent("red")
    filtering.look_at_new()
    monkeypatch.setattr(filtering, "_said", lambda name: pytest.fail("it has looked already"))
    filtering.look_at_new()
    assert work.given


@pytest.mark.parametrize("why", ["off", "missing"])
def test_without_a_filter_a_curator_is_told_that_nobody_looked(installed, sent, monkeypatch, why):
    work = sent("red")
    if why == "off":
        monkeypatch.setenv("SALON_IMAGE_GUARD", "off")
    else:
        monkeypatch.setattr(filtering.importlib.util, "find_spec", lambda name: None)
    assert filtering.standing() == why
    filtering.look_at_new()
    assert "No image filter looked" in beside(work)
    monkeypatch.undo()
    monkeypatch.setattr(filtering, "_filter", Finds)
    filtering.look_at_new()
    assert "found nakedness" in beside(work), "installed later, it looks at what waits"


def test_the_inbox_says_it(installed, sent):
    sent("red")
    filtering.look_at_new()
    curator = Client()
    curator.force_login(hand("carla"))
    page = curator.get("/backstage").content.decode()
    assert "The image filter found nakedness in it" in page
    assert "looks at every picture" in page
