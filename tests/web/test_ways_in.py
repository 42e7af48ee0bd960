"""Addresses that make a browser somebody, or something of the house: looking changes nothing, pressing goes in."""

import pytest
from django.core import signing
from django.db.models import Q
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from doorway import door, pool
from doorway import hand as at_door
from doorway import place as seat
from hands import at_once, hand
from register import ADA, draw, house  # noqa: F401 (fixtures)

from salon.core.errors import Forbidden
from salon.web.arena.domain import pairing
from salon.web.events import devices
from salon.web.events.domain import current_event
from salon.web.events.models import Device
from salon.web.gallery.domain import proposing, taking
from salon.web.gallery.models import TakenAlong
from salon.web.people import guests, links
from salon.web.people.models import EntryLink, User
from salon.web.seats.domain import proof
from salon.web.station.domain import visitors
from salon.web.station.models import Request

# ruff: noqa: F811 (fixtures of register.py)
pytestmark = pytest.mark.django_db(transaction=True)
BOB = "b" * 32


@pytest.fixture(autouse=True)
def event(first_event, settings, tmp_path):
    settings.HOME = settings.MEDIA_ROOT = tmp_path
    return first_event


def browser(visitor="", **cookies):
    """One on the house's own pages."""
    opened = Client(headers={"Sec-Fetch-Site": "same-origin"})
    if visitor:
        opened.cookies[visitors.COOKIE] = signing.dumps(visitor, salt="salon.visitor")
    for name, value in cookies.items():
        opened.cookies[name] = value
    return opened


def ticket_of(client):
    """Which visitor this browser is."""
    held = client.cookies.get(visitors.COOKIE)
    return signing.loads(held.value, salt="salon.visitor") if held and held.value else None


def device(kind, name="by the stairs"):
    return devices.make(hand(f"maker of {name}"), kind, name)[1]


# --- every way in

#: route -> (what to press it with; the cookie that pressing sets; words of whose it is)
WAYS = {
    "backstage:enter": (lambda: links.new_link(hand("vera")), "salon_backstage", "vera"),
    "station:enter": (lambda: device("station"), "salon_device_station", "by the stairs"),
    "wall:enter": (lambda: device("wall"), "salon_device_wall", "by the stairs"),
    "doors:enter": (lambda: at_door(door(), "Noor’s phone").device.token, "salon_device_door", "Noor’s phone"),
    "people:private_link": (lambda: guests.make(current_event().id, "Zoë")[1], guests.COOKIE, "Zoë"),
    "arena:reviewers": (
        lambda: pairing.token(pairing.prepare(hand("cora"), "one", "other")), pairing.COOKIE, "reviewers"
    ),
    "gallery:take": (lambda: taking.code(ADA), visitors.COOKIE, "another device"),
}  # fmt: skip
#: they say who somebody is in the address alone, and make no browser anybody
PAGES = {"seats:mine", "seats:state"}


def _routes(patterns, room=""):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield f"{room}:{pattern.name}", str(pattern.pattern)
        else:
            yield from _routes(pattern.url_patterns, pattern.namespace or room)


def test_every_route_with_a_token_is_looked_at_here():
    found = {name for name, path in _routes(get_resolver().url_patterns) if "<str:token>" in path}
    assert found == set(WAYS) | PAGES


@pytest.mark.parametrize("route", WAYS)
def test_looking_changes_nothing_and_pressing_goes_in(route):
    make, cookie, whose = WAYS[route]
    address, client = reverse(route, args=[make()]), browser()
    for look in (client.get, client.head, client.get):
        seen = look(address)
        assert (seen.status_code, dict(seen.cookies)) == (200, {})
        assert (seen["Cache-Control"], seen["Referrer-Policy"]) == ("no-store", "same-origin")
    page = seen.content.decode()
    assert whose in page
    assert 'method="post"' in page
    assert "<button" in page
    gone_in = client.post(address)
    assert gone_in.status_code == 302
    assert gone_in.cookies[cookie].value  # the control: pressing does


@pytest.mark.parametrize("route", WAYS)
def test_another_site_cannot_press(route):
    make, cookie, _whose = WAYS[route]
    address = reverse(route, args=[make()])
    for told in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        refused = Client(headers=told).post(address)
        assert refused.status_code == 403
        assert cookie not in refused.cookies
    assert Client(headers={"Origin": "http://testserver"}).post(address).status_code == 302, "the control"


@pytest.mark.parametrize("route", WAYS)
def test_a_guessed_token_leads_nowhere(route):
    for token in ("guessed", "..", "a.b", "a:b:c", "0" * 300, "\u202e", signing.dumps(BOB, salt="other")):
        address = reverse(route, args=[token])
        for answer in (browser().get(address), browser().post(address)):
            assert answer.status_code == 403
            assert not answer.cookies


def test_a_place_s_page_makes_no_browser_anybody():
    workshop = pool()
    client = browser()
    address = reverse("seats:mine", args=[proof.token_of(seat(workshop))])
    for answer in (client.get(address), client.head(address), client.post(address, {"deed": "confirm"})):
        assert not answer.cookies


# --- devices


@pytest.mark.parametrize("kind", Device.Kind.values)
def test_a_device_goes_on_at_once_and_another_is_asked_first(kind):
    """A booth may begin with its link every morning; a link to another one says what this browser is now."""
    first, second = (device(kind, name) for name in ("left", "right"))
    route = {"station": "station:enter", "wall": "wall:enter", "door": "doors:enter"}[kind]
    client = browser()
    address = reverse(route, args=[first])
    client.post(address)
    again = client.get(address)
    assert (again.status_code, dict(again.cookies)) == (302, {})
    asked = client.get(reverse(route, args=[second]))
    assert asked.status_code == 200
    assert "Until now this browser is “left”" in asked.content.decode()
    devices.revoke(hand("olga"), devices.device_of(first, kind).id, Q())
    asked = client.get(reverse(route, args=[second]))
    assert (asked.status_code, "Until now" in asked.content.decode()) == (200, False), "it was revoked"


# --- one-time links


def test_looking_does_not_spend_a_one_time_link():
    token = links.new_link(hand("vera"))
    for _ in range(3):
        browser().get(f"/backstage/enter/{token}")
        browser().head(f"/backstage/enter/{token}")
    assert EntryLink.objects.get().used_at is None
    assert browser().post(f"/backstage/enter/{token}").status_code == 302
    for answer in (browser().get(f"/backstage/enter/{token}"), browser().post(f"/backstage/enter/{token}")):
        assert answer.status_code == 403, "the control: pressing does"


def test_who_is_in_as_somebody_else_is_told():
    wim, token = hand("wim"), links.new_link(hand("vera"))
    client = browser()
    client.force_login(wim)
    assert "Until now this browser is wim backstage" in client.get(f"/backstage/enter/{token}").content.decode()
    assert "Until now" not in browser().get(f"/backstage/enter/{token}").content.decode(), "the control: nobody's"
    client.post(f"/backstage/enter/{token}")
    again = client.get(f"/backstage/enter/{links.new_link(User.objects.get(username='vera'))}")
    assert (again.status_code, "Until now" in again.content.decode()) == (200, False), "they are that already"


# --- private links


def test_another_guest_s_browser_is_asked_before_it_forgets_whose_it_was():
    event = current_event()
    (_zoe, of_zoe), (ada, of_ada) = guests.make(event.id, "Zoë"), guests.make(event.id, "Ada")
    client = browser()
    client.post(f"/you/{of_zoe}")
    asked = client.get(f"/you/{of_ada}").content.decode()
    assert "Ada" in asked
    assert "Until now this device is Zoë’s" in asked
    assert "Zoë" in client.get("/you").content.decode(), "nothing happened yet"
    client.post(f"/you/{of_ada}")
    assert "Ada" in client.get("/you").content.decode()
    own = client.get(f"/you/{guests.link_token(ada)}")  # her own, from a letter
    assert (own.status_code, own["Location"], dict(own.cookies)) == (302, "/you", {})
    assert "Until now" not in browser().get(f"/you/{of_ada}").content.decode(), "the control: nobody's browser"


# --- taking pictures along


def test_a_device_without_a_ticket_is_given_one_of_its_own(draw):
    image = draw(ADA, "a booth fox")
    phone = browser()
    assert phone.post(f"/mine/take/{taking.code(ADA)}").status_code == 302
    assert ticket_of(phone) not in (None, ADA)
    assert proposing.drawn_by(ticket_of(phone), image.id) == image
    assert not Request.objects.filter(visitor=ADA).exists()
    later = draw(ADA, "drawn later at the booth")
    assert later.recipe.prompt not in phone.get("/mine").content.decode()
    assert later.recipe.prompt in browser(ADA).get("/mine").content.decode(), "the control"


def test_a_code_works_once_and_every_code_shown_before_ends_with_it(draw):
    draw(ADA, "a booth fox")
    photographed, shown = taking.code(ADA), taking.code(ADA)
    browser(BOB).post(f"/mine/take/{shown}")
    kept = draw(ADA, "drawn since")
    for code in (shown, photographed):
        thief = browser()
        for answer in (thief.get(f"/mine/take/{code}"), thief.post(f"/mine/take/{code}")):
            assert (answer.status_code, "works once" in answer.content.decode()) == (403, True)
        assert ticket_of(thief) is None
    assert proposing.drawn_by(ADA, kept.id) == kept
    assert browser(BOB).post(f"/mine/take/{taking.code(ADA)}").status_code == 302, "the control: a new one does"
    assert proposing.drawn_by(BOB, kept.id) == kept


def test_of_two_who_press_at_once_one_takes_them(draw, monkeypatch):
    draw(ADA, "a booth fox")
    code = taking.code(ADA)
    said = at_once(*(lambda own=own: taking.take(code, own) for own in ("c" * 32, "d" * 32, "e" * 32)))
    assert [type(one) for one in said if one] == [Forbidden, Forbidden]
    assert Request.objects.values("visitor").distinct().count() == 1
    monkeypatch.setattr(taking, "_times", lambda visitor: 0)  # the control: all would be told that they have them
    code = taking.code(BOB)
    assert at_once(*(lambda own=own: taking.take(code, own) for own in ("c" * 32, "d" * 32))) == [None, None]


def test_the_code_s_page_shows_what_would_be_taken(draw, event):
    first = draw(ADA, "a booth fox")
    device, _token = devices.make(hand("cora"), "station", "by the stairs")
    second = draw(ADA, "another fox", seed=2)
    Request.objects.filter(drawings__image=second).update(device=device)
    page = browser().get(f"/mine/take/{taking.code(ADA)}").content.decode()
    for words in ("2 pictures", "by the stairs", f"/images/{first.id}.png", f"/images/{second.id}.png"):
        assert words in page
    assert ADA not in page


def test_the_booth_itself_is_not_asked(draw):
    image = draw(ADA, "a booth fox")
    code = taking.code(ADA)
    for answer in (browser(ADA).get(f"/mine/take/{code}"), browser(ADA).post(f"/mine/take/{code}")):
        assert (answer.status_code, answer["Location"]) == (302, "/mine")
    assert proposing.drawn_by(ADA, image.id) == image
    assert browser().get(f"/mine/take/{code}").status_code == 200, "not spent"


def test_who_wants_to_be_forgotten_leaves_no_count(draw):
    draw(ADA, "a booth fox")
    taking.take(taking.code(ADA), BOB)
    draw(ADA, "another")
    assert TakenAlong.objects.filter(visitor=ADA).exists()
    proposing.forget(ADA)
    assert not TakenAlong.objects.exists()
