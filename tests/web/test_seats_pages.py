"""Places over the visitors' and the organisers' pages, and by an organiser's hand."""

import datetime
import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hands import solved

from salon.web.events.domain import current_event
from salon.web.events.models import Entry
from salon.web.people import guests, personal
from salon.web.people.models import Role, User
from salon.web.programme.domain import places as of_programme
from salon.web.seats.domain import circles, counts, managing, places, proof
from salon.web.seats.models import Invitation, Place, Pool

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
KEY = "0" * 32


@pytest.fixture
def event():
    found = current_event()
    found.opened_at = timezone.now()
    found.save()
    return found


@pytest.fixture
def ink(event):
    return Pool.objects.create(event=event, kind="workshop", name="Ink", capacity=2)


@pytest.fixture
def organiser():
    return User.objects.create_superuser("olga")


def browser(user=None):
    client = Client(SERVER_NAME="127.0.0.1", headers={"Sec-Fetch-Site": "same-origin"})
    if user:
        client.force_login(user)
    return client


def press(client, pool, key=KEY, **more):
    form = {"key": key, "name": "Ada", "agreed": "1", **more}
    return client.post(f"/places/{pool.id}", {"sum": solved()} | form if "email" in more else form)


def test_a_press_that_comes_twice_is_one_with_or_without_the_cookie(ink):
    client = browser()
    first = press(client, ink)
    assert first.status_code == 302
    assert guests.COOKIE in first.cookies
    again = press(browser(), ink)  # the first answer was lost on its way, its cookie too
    assert again["Location"] == first["Location"]
    assert guests.COOKIE in again.cookies
    assert press(client, ink, key="1" * 32)["Location"] == first["Location"]  # another tab
    assert Place.objects.count() == 1
    assert press(client, ink, key="2" * 32, name="Bo")["Location"] != first["Location"]  # a family's phone


def test_held_confirmed_given_back_by_the_private_page(ink):
    client = browser()
    own = press(client, ink)["Location"]
    assert b"Held for you" in browser().get(own).content
    assert client.post(own, {"deed": "confirm"}).status_code == 302
    assert b"It is yours" in client.get(own).content
    assert json.loads(client.get(f"{own}/state").content) == {"state": "booked", "rank": 0, "seconds": 0}
    assert client.post(own, {"deed": "give_back"}).status_code == 302
    assert client.post(own, {"deed": "confirm"}).status_code == 409  # the page from before, by the back button
    assert client.post(own, {"deed": "steal"}).status_code == 404
    assert client.get(own[:-1]).status_code == 403


@pytest.mark.parametrize(
    "wrong", [{"name": " \u202e "}, {"name": "x" * 201}, {"agreed": ""}, {"key": "x"}, {"key": "' OR 1=1 --"}]
)
def test_what_is_not_whole_is_said_on_the_form(ink, wrong):
    answer = press(browser(), ink, **wrong)
    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    assert not Place.objects.exists()


def test_a_form_of_a_closed_event_takes_nothing(event, ink):
    event.opened_at = None
    event.save()
    assert browser().get(f"/places/{ink.id}").status_code in (200, 404)  # as it was a second ago at most
    assert press(browser(), ink).status_code in (404, 409)
    assert not Place.objects.exists()


def test_known_and_unknown_addresses_get_the_same_page(ink, settings):
    settings.EMAIL_CONFIGURED = True
    owner, _token = guests.make(ink.event_id, "Ada", "ada@example.org")
    mine = places.take(ink.id, owner, "k")
    places.confirm(mine.id, owner, proven=True)
    told = []
    for number, address in enumerate(("ada@example.org", "bo@example.org")):
        ink.refresh_from_db()
        own = press(browser(), ink, key=f"{number:032x}", email=address)["Location"]
        page = browser().get(own)
        told.append(page.content.decode().replace(own.split("/")[-1], "TOKEN").replace(own.split("/")[-1][:32], "ID"))
        browser().post(own, {"deed": "give_back"})
    assert [line for line in told[0].splitlines() if "data-seconds" not in line] == [
        line for line in told[1].splitlines() if "data-seconds" not in line
    ]
    assert "written to your address" in told[0]


def test_without_waiting_for_the_mail(ink, settings):
    settings.EMAIL_CONFIGURED = True
    own = press(browser(), ink, email="ada@example.org")["Location"]
    assert browser().post(own, {"deed": "confirm"}).status_code == 409
    assert browser().post(own, {"deed": "without"}).status_code == 302
    place = Place.objects.get()
    assert (place.state, place.guest.email, place.guest.name) == ("booked", "", "Ada")


def test_who_may_do_what_backstage(event, ink):
    volunteer, stranger = (User.objects.create_user(name, is_staff=True) for name in ("vera", "sam"))
    Role.objects.create(user=volunteer, event=event, kind="volunteer")
    deeds = [("give", {"name": "Bo", "key": KEY}), ("close", {}), ("remove", {}), ("invite", {"reason": "code"})]
    for deed, form in deeds:
        assert browser(volunteer).post(f"/backstage/places/{ink.id}/{deed}", form).status_code == 403
    assert browser(volunteer).post(f"/backstage/places/{ink.id}", {"name": "Mine"}).status_code == 403
    assert browser(volunteer).get(f"/backstage/places/{ink.id}").status_code == 200
    door = browser(volunteer).post(f"/backstage/places/{ink.id}/door", {"name": "Cy", "key": KEY})
    assert door.status_code == 302
    assert Place.objects.get().at_door
    assert browser(stranger).get("/backstage/places").status_code == 403
    assert browser().get("/backstage/places").status_code == 302


def values(pool, **more):
    plain = ("kind", "name", "about", "room", "starts_at", "ends_at", "capacity", "reserve", "opens_at", "closes_at")
    rest = ("invited_until", "hold_minutes", "offer_hours", "release_after", "waiting_list", "listed", "needs")
    return {name: getattr(pool, name) for name in plain + rest} | more


def test_fewer_than_are_taken_only_if_it_is_said(organiser, ink):
    given = [managing.give(organiser, ink.id, name, "", name) for name in ("Ada", "Bo")]
    with pytest.raises(managing.Fewer):
        managing.change(organiser, ink.id, values(ink, capacity=1))
    ink.refresh_from_db()
    assert ink.capacity == 2
    managing.change(organiser, ink.id, values(ink, capacity=1), anyway=True)
    assert (counts.of(ink).booked, counts.of(ink).left) == (2, 0)
    waits = places.take(ink.id, guests.make(ink.event_id, "Cy")[0], "c")
    managing.cancel(organiser, given[0].id)
    waits.refresh_from_db()
    assert waits.state == "waiting"  # one was cancelled, and there were two for one place
    managing.change(organiser, ink.id, values(ink, capacity=2))
    waits.refresh_from_db()
    assert waits.state == "offered"


def test_moved_with_a_new_ticket_and_the_same_link(organiser, ink):
    oil = Pool.objects.create(event=ink.event, kind="workshop", name="Oil", capacity=1, reserve=1)
    place = managing.give(organiser, ink.id, "Ada", "", "a")
    waits = [places.take(ink.id, guests.make(ink.event_id, name)[0], name) for name in ("Bo", "Cy")]
    moved = managing.move(organiser, place.id, oil.id)
    assert (moved.id, moved.pool_id, moved.serial, moved.at_door) == (place.id, oil.id, 2, True)
    assert [Place.objects.get(id=one.id).state for one in waits] == ["held", "offered"]
    with pytest.raises(places.Full):
        managing.move(organiser, managing.give(organiser, Pool.objects.create(
            event=ink.event, kind="other", name="Gum", capacity=1).id, "Di", "", "d").id, oil.id)  # fmt: skip
    deeds = Entry.objects.filter(subject=place.id).values_list("deed", flat=True)
    assert set(deeds) == {"place given", "place moved"}


def test_a_series_of_slots_and_a_workshop_with_laptops(event, organiser):
    client = browser(organiser)
    assert client.get("/backstage/places").status_code == browser().get("/places").status_code == 200  # nothing yet
    form = {"name": "Hour", "kind": "slot", "capacity": "2", "reserve": "0", "hold_minutes": "15", "offer_hours": "1",
            "starts_at": "2027-06-06T10:00", "listed": "1", "waiting_list": "1"}  # fmt: skip
    assert client.post("/backstage/places/new/slots", form | {"minutes": "20", "count": "3"}).status_code == 302
    slots = Pool.objects.filter(kind="slot").order_by("starts_at")
    assert [slot.starts_at.minute for slot in slots] == [0, 20, 40]
    assert client.post("/backstage/places/new/slots", form | {"minutes": "0", "count": "3"}).status_code == 400
    form |= {"name": "Oil", "kind": "workshop", "ends_at": "2027-06-06T12:00", "laptops": "1"}
    assert client.post("/backstage/places/new/workshop", form).status_code == 302
    oil = Pool.objects.get(name="Oil")
    assert (oil.needs.capacity, oil.needs.listed, counts.of(oil).left) == (1, False, 1)
    wrong = client.post("/backstage/places/new/workshop", form | {"ends_at": "2027-06-06T09:00", "capacity": "-1"})
    assert wrong.status_code == 422
    for path in ("", f"/{oil.id}", f"/{oil.id}/list", "/numbers", "/new/meeting"):
        assert client.get(f"/backstage/places{path}").status_code == 200


def test_a_circle_is_invited_once(organiser, ink):
    now = timezone.now()
    done = Pool.objects.create(event=ink.event, kind="workshop", name="Oil", capacity=9,
                               starts_at=now + HOUR, ends_at=now + 2 * HOUR)  # fmt: skip
    came, _missed = (managing.give(organiser, done.id, name, "", name) for name in ("Ada", "Bo"))
    places.arrive(came.id)
    Pool.objects.filter(id=done.id).update(starts_at=now - 2 * HOUR, ends_at=now - HOUR)
    assert circles.invite(organiser, ink.id, "finisher") == 1
    assert circles.invite(organiser, ink.id, "finisher") == 0
    assert Invitation.objects.get().guest_id == came.guest_id


def test_a_guests_data_leaves_and_the_place_goes_on(ink):
    ada = guests.make(ink.event_id, "Ada")[0]
    first, second = places.take(ink.id, ada, "a"), places.take(ink.id, guests.make(ink.event_id, "Bo")[0], "b")
    waits = places.take(ink.id, guests.make(ink.event_id, "Cy")[0], "c")
    assert personal.everything(ada)["seats"]["places"][0]["what"] == "Ink"
    personal.erase(ada.id)
    assert [Place.objects.get(id=one.id).state for one in (first, second, waits)] == ["cancelled", "held", "offered"]
    assert browser().get(reverse("seats:mine", args=[proof.token_of(first)])).status_code == 404


def test_accepted_artists_are_a_circle_and_a_place_leads_to_its_ticket(event, organiser, ink):
    from salon.web.call.models import Submission

    for name, state in (("Ada", "accepted"), ("Bo", "confirmed"), ("Cy", "rejected"), ("Di", "submitted")):
        Submission.objects.create(event=event, guest=guests.make(event.id, name)[0], state=state, key=name)
    Pool.objects.filter(id=ink.id).update(capacity=3)  # one of them kept for each of the two
    assert circles.invite(organiser, ink.id, "artist") == 2
    place = managing.give(organiser, ink.id, "Eli", "", "e")
    page = browser().get(reverse("seats:mine", args=[proof.token_of(place)])).content.decode()
    ticket = page.partition('class="draw" href="/tickets/')[2].partition('"')[0]
    assert browser().get(f"/tickets/{ticket}").status_code == 200  # whoever has the place's link has the ticket's


def test_an_invitations_code_opens_a_place_and_not_the_guests_own_page(event, ink):
    from salon.web.seats.domain import invitations

    Pool.objects.filter(id=ink.id).update(invited_until=timezone.now() + HOUR)
    ada = guests.make(event.id, "Ada", "ada@example.org")[0]
    made = invitations.invite(ink, ada, "artist")
    assert press(browser(), ink).status_code == 403
    code = invitations.new_code()
    Invitation.objects.filter(id=made.id).update(code_hash=invitations.hash_of(code))
    answer = press(browser(), ink, key="1" * 32, code=code)
    assert answer.status_code == 302
    assert Place.objects.get().guest_id == ada.id
    assert guests.COOKIE not in answer.cookies


@pytest.mark.parametrize(
    ("hours", "closes", "said"), [(4, None, True), (4, 2, True), (4, -1, False), (-1, None, False), (None, None, None)]
)
def test_programme_and_places_agree_on_whether_a_place_can_be_had(ink, hours, closes, said):
    """A workshop that had begun, or was closed, had "places left" in the programme and none under Places."""
    client, now = browser(), timezone.now()
    starts_at, closes_at = (None if value is None else now + value * HOUR for value in (hours, closes))
    Pool.objects.filter(id=ink.id).update(ends_at=None, starts_at=starts_at, closes_at=closes_at)
    ink.refresh_from_db()
    takes = said is not False
    assert of_programme.left([ink])[ink.id].open == places.takes_people(ink, now) == takes
    for page in (client.get("/places").content.decode(), client.get(f"/places/{ink.id}").content.decode()):
        assert ("Booking closes:" in page) == bool(said)
    assert ('aria-label="Take a place: Ink"' in client.get("/places").content.decode()) == takes


def test_a_full_pool_offers_the_waiting_list_by_a_button(ink):
    Pool.objects.filter(id=ink.id).update(capacity=0)
    assert 'aria-label="Wait for a place: Ink"' in browser().get("/places").content.decode()
