"""Tickets and doors: who is let in, once, and what is said to whoever is not."""

import datetime
import io
import json
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from doorway import door, hand, nonce, organiser, place, pool, scan, show
from icalendar import Calendar
from PIL import Image as Picture

from salon import printing
from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.web.doors import paper, tickets
from salon.web.doors.domain import answering, counting, hands, looking, redeeming, searching
from salon.web.doors.models import CheckIn, Door, Reason, Refusal
from salon.web.events import devices
from salon.web.events.domain import current_event
from salon.web.events.models import Entry, Event, Room
from salon.web.people import guests
from salon.web.people.models import Guest, Role, User
from salon.web.people.personal import holdings
from salon.web.seats.domain import places, proof
from salon.web.seats.models import Place, Pool

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def workshop():
    return pool()


@pytest.fixture
def main(workshop):
    """A hand at a door that lets everybody in."""
    return hand(door())


@pytest.fixture
def client():
    """A browser on the house's own pages."""
    return Client(headers={"Sec-Fetch-Site": "same-origin"})


def at_door(client, at):
    client.cookies[devices.cookie("door")] = at.device.token
    return client


def post(client, path, **body):
    return client.post(f"/api/door/{path}", json.dumps(body), content_type="application/json")


# codes


def named(text):
    """(place, edition) that a code names, or None."""
    found = tickets.named_by(text)
    return found and found[:2]


def test_a_ticket_is_short_and_read_in_any_case(workshop):
    ada = place(workshop)
    text = tickets.ticket_of(ada)
    assert len(text) == 51
    assert not set(text) - set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")  # QR's alphanumeric mode
    for typed in (text, text.lower(), f" {text[:20]}\n{text[20:]} "):
        assert named(typed) == (ada.id, 1)


def test_no_letter_of_a_ticket_can_be_changed(workshop):
    text = tickets.ticket_of(place(workshop))
    for at in range(6, len(text)):
        for other in "0Z8":
            if text[at] != other:
                assert tickets.named_by(text[:at] + other + text[at + 1 :]) is None


def test_a_ticket_is_bound_to_its_event_and_its_edition(workshop, monkeypatch):
    ada = place(workshop)
    signed = tickets._signed(ada)
    other = tickets.PREFIX + tickets._base32(signed + tickets._mac(workshop.event_id + 1, signed), 45)
    ada.serial = 2
    torn = tickets.PREFIX + tickets._base32(tickets._signed(ada) + tickets._mac(workshop.event_id, signed), 45)
    for text in (other, torn, "SALON:" + "Z" * 45, "https://example.org", ""):
        assert tickets.named_by(text) is None
    # negative control: if nobody looked at signatures, all would be good
    monkeypatch.setattr(tickets.secrets, "compare_digest", lambda one, two: True)
    assert named(other) == (ada.id, 1)
    assert named(torn) == (ada.id, 2)


def test_a_typed_code_finds_slips_and_forgives_looks(workshop):
    ada = place(workshop)
    code = tickets.edition(ada).code
    assert tickets.edition(ada).code == code
    assert named(tickets.spelled(code).lower()) == (ada.id, 1)
    assert named(code.replace("0", "o").replace("1", "l")) == (ada.id, 1)
    for at, right in enumerate(code):
        assert all(tickets._check(code[:at] + wrong + code[at + 1 :]) for wrong in tickets.ALPHABET if wrong != right)
    for at in range(9):
        swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        assert swapped == code or tickets._check(swapped)


# in, or why not


def test_in_once_and_the_same_press_is_answered_the_same(main, workshop):
    ada = place(workshop)
    press = scan(tickets.ticket_of(ada))
    first = redeeming.redeem(main, press)
    told = answering.answer(main, first)
    assert (told["answer"], told["tone"], told["name"], told["pool"]) == ("in", "green", "Ada Löwe", "Workshop")
    assert answering.answer(main, redeeming.redeem(main, press)) == told
    assert CheckIn.objects.count() == 1
    assert not Refusal.objects.exists()
    assert Place.objects.get(id=ada.id).came_at
    assert counting.inside(workshop.event_id) == {workshop.id: 1}


def test_a_press_belongs_to_one_ticket(main, workshop):
    press = scan(tickets.ticket_of(place(workshop)))
    redeeming.redeem(main, press)
    for other in (tickets.ticket_of(place(workshop, "Bob")), "nonsense"):
        with pytest.raises(Conflict):
            redeeming.redeem(main, press._replace(code=other))
    for bad in ("", "short", "x" * 65, "ä" * 20):
        with pytest.raises(BadRecipe):
            redeeming.redeem(main, press._replace(nonce=bad))


def test_shown_again_it_says_where_and_when_they_came_in(main, workshop):
    ada, side = place(workshop), hand(door("Side door"))
    show(main, ada)
    again = show(side, ada)
    told = answering.answer(side, again)
    assert (told["answer"], told["tone"]) == ("already_in", "amber")
    assert "Main door" in told["message"]
    assert told["at"] in told["message"]
    press = scan(tickets.ticket_of(ada))
    assert answering.answer(side, redeeming.redeem(side, press)) == answering.answer(
        side, redeeming.redeem(side, press)
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [("held", "held for you"), ("waiting", "waiting list"), ("offered", "offered"), ("cancelled", "given back"),
     ("declined", "declined"), ("expired", "expired")],
)  # fmt: skip
def test_what_is_not_booked_lets_nobody_in(main, workshop, state, words):
    said = show(main, place(workshop, state=state, expires_at=timezone.now() + HOUR))
    assert (said.reason, said.state) == (Reason.NOT_BOOKED, state)
    assert words in answering.answer(main, said)["message"]


def test_unknown_forged_and_other_houses_are_told_nothing_of_anybody(main, workshop):
    good = tickets.ticket_of(place(workshop))
    forged = good[:-1] + ("0" if good[-1] != "0" else "2")
    for text in (forged, "SALON:" + "0" * 45, "K7QF2-M9X4T", "", "x" * 200, "SALON:" + "é" * 45):
        said = show(main, text)
        told = answering.answer(main, said)
        assert (said.reason, told["tone"], told["name"], told["pool"]) == (Reason.UNKNOWN, "red", "", "")


def test_another_events_ticket(main):
    other = Event.objects.create(slug="last-year", name="Last year")
    said = show(main, place(pool("Old workshop", event=other), "Eve"))
    assert said.reason == Reason.OTHER_EVENT
    assert answering.answer(main, said)["pool"] == ""


def test_a_ticket_made_anew_revokes_the_older_one_and_its_code(main, workshop):
    ada = place(workshop)
    old, code = tickets.ticket_of(ada), tickets.edition(ada).code
    fresh = tickets.renew(ada.id)
    assert {show(main, text).reason for text in (old, code)} == {Reason.REVOKED}
    assert isinstance(show(main, tickets.edition(fresh).code), CheckIn)
    with pytest.raises(Conflict):
        tickets.renew(ada.id)
    assert Entry.objects.filter(deed="ticket made anew", subject=ada.id).count() == 1


def test_the_wrong_door_names_the_right_one(workshop):
    here, there = hand(door("Hall", pool("Meeting"))), door("Atelier", workshop)
    told = answering.answer(here, show(here, place(workshop)))
    assert told["answer"] == "wrong_door"
    assert there.name in told["message"]


@pytest.mark.parametrize(
    ("times", "values", "reason"),
    [((120, 180), {"minutes_before": "60"}, "too_early"), ((120, 180), {"minutes_before": "121"}, None),
     ((120, 180), {}, None), ((-90, -5), {}, "too_late"), ((None, None), {"opens_at": "2999-01-01 10:00"}, "too_early"),
     ((None, None), {"closes_at": "2020-01-01 10:00"}, "too_late")],
)  # fmt: skip
def test_too_early_and_too_late(times, values, reason):
    there = pool("Talk", *times)
    at = hand(door("Hall", **values))
    said = show(at, place(there))
    assert getattr(said, "reason", None) == reason
    if reason:
        assert answering.answer(at, said)["message"].endswith(".")


def test_a_guest_who_is_hours_early_is_told_when_and_may_be_let_in_anyway():
    """A door admitted a guest eight hours early, since nobody had said from when. A new one says: an hour."""
    there = pool("Talk", 8 * 60, 9 * 60)
    new = Door.objects.create(event=current_event(), name="New")
    at, early = hands.Hand(new), place(there)
    said = show(at, early)
    assert said.reason == "too_early"
    assert "Entry begins:" in answering.answer(at, said)["message"]
    assert Place.objects.get(id=early.id).came_at is None
    entry = show(at, early, anyway=True)
    assert isinstance(entry, CheckIn)
    assert Entry.objects.get(deed="let in early").subject == early.id
    later = place(there, "Bo")
    new.minutes_before = None  # the control: any time
    new.save()
    assert isinstance(show(at, later), CheckIn)


@pytest.mark.parametrize("state", ["cancelled", "wrong door"])
def test_anyway_opens_no_door_that_is_shut_for_another_reason(state):
    there = pool("Talk", 8 * 60, 9 * 60)
    guest = place(there)
    at = hand(door("Hall", pool("Meeting"))) if state == "wrong door" else hand(door("Hall", minutes_before="60"))
    if state == "cancelled":
        Place.objects.filter(id=guest.id).update(state="cancelled")
    assert show(at, guest, anyway=True).reason in ("wrong_door", "not_booked")


def test_an_erased_guest_is_not_let_in(main, workshop):
    ada = place(workshop)
    code = tickets.edition(ada).code
    text = tickets.ticket_of(ada)
    for holding in holdings():
        if holding.room == "doors":
            assert holding.collect(ada.guest)["tickets"][0]["code"] == code
            holding.erase(ada.guest)
    guest = ada.guest
    guest.name, guest.erased_at = "", timezone.now()
    guest.save()
    assert show(main, text).reason == Reason.ERASED
    assert show(main, code).reason == Reason.UNKNOWN
    assert searching.find(main.door, "Ada")["found"] == []


def test_undo_and_in_again(main, workshop):
    ada = place(workshop)
    entry, other = show(main, ada), hand(door("Side door"))
    with pytest.raises(Conflict):  # a device undoes what was done at its own door
        redeeming.undo(other, entry.nonce)
    undone = redeeming.undo(main, entry.nonce)
    assert redeeming.undo(main, entry.nonce).undone_at == undone.undone_at
    assert Place.objects.get(id=ada.id).came_at is None
    assert counting.inside(workshop.event_id) == {}
    told = answering.answer(main, undone)
    assert (told["answer"], told["undone"]) == ("in", True)
    assert isinstance(show(other, ada), CheckIn)
    assert Entry.objects.filter(deed="entry undone").count() == 1


# late, and without a place


def test_a_late_guest_comes_in_while_the_door_has_places(main):
    full = pool("Talk", -60, 60, capacity=2, release_after=15)
    ada, bob = place(full), place(full, "Bob")
    assert isinstance(show(main, ada), CheckIn)
    assert Place.objects.get(id=bob.id).state == "no_show"  # released when looked at
    walker = redeeming.walk_in(main, full.id, "Wanda", nonce())
    said = show(main, bob)
    assert (said.reason, said.state) == (Reason.NOT_BOOKED, "no_show")
    redeeming.undo(main, walker.nonce)
    places.give_back(walker.place_id, walker.place.guest)
    assert isinstance(show(main, bob), CheckIn)
    assert Place.objects.get(id=ada.id).state == "booked"  # who came is never released


def test_a_place_at_the_door_is_one_place_a_press(main):
    talk = pool("Talk", -10, 60, capacity=1, reserve=1)
    press = nonce()
    entry = redeeming.walk_in(main, talk.id, "", press)
    assert redeeming.walk_in(main, talk.id, "", press) == entry
    made = Place.objects.get(pool=talk)
    assert (made.state, made.at_door, made.guest.name) == ("booked", True, "A guest at the door")
    with pytest.raises(Conflict):
        redeeming.walk_in(main, talk.id, "Bob", nonce())
    with pytest.raises(BadRecipe):
        redeeming.walk_in(hand(door("Atelier", pool("Other"))), talk.id, "Bob", nonce())
    assert Place.objects.filter(pool=talk).count() == 1


# without a line


def test_scans_without_a_line_count_when_they_were_made(main):
    talk = pool("Talk", -120, -30)
    ada, bob = place(talk), place(talk, "Bob")
    then = timezone.now() - HOUR
    entry = show(main, ada, offline=True, at=then)
    assert (entry.at, entry.offline) == (then, True)
    assert show(main, bob, at=then).reason == Reason.TOO_LATE  # only a scan without a line may say when it was
    ancient = show(main, place(talk, "Cleo"), offline=True, at=then - 72 * HOUR)
    assert timezone.now() - ancient.at <= redeeming.LATEST + HOUR
    late = show(main, bob, offline=True, at=timezone.now() + HOUR)
    assert late.reason == Reason.TOO_LATE
    assert late.at <= timezone.now()


def test_conflicts_wait_for_a_person(main, workshop):
    ada = place(workshop)
    show(main, ada)
    press = scan(tickets.ticket_of(ada), offline=True, at=timezone.now())
    refused = redeeming.redeem(main, press)
    assert redeeming.redeem(main, press) == refused  # sent twice it is one conflict
    show(main, ada)  # with a line it is a refusal like any other
    assert [row.id for row in looking.conflicts(workshop.event)] == [refused.id]
    looking.settle(organiser(), refused.id)
    looking.settle(organiser(), refused.id)
    assert not looking.conflicts(workshop.event).exists()
    assert Entry.objects.filter(deed="entry looked at").count() == 1


# limits


def guess(at, times):
    for _ in range(times):
        show(at, "K7QF2-M9X4T")


def test_only_unknown_codes_rest_after_many_of_them(main, workshop):
    """What is a ticket, typed, scanned or found by name, is answered whatever was held up before."""
    guess(main, redeeming.MOST_WRONG)
    with pytest.raises(redeeming.TooManyTries):
        show(main, "K7QF2-M9X4T")
    assert Refusal.objects.count() == redeeming.MOST_WRONG  # nothing more is kept of it
    ada, bob, cleo = place(workshop), place(workshop, "Bob"), place(workshop, "Cleo")
    assert isinstance(show(main, ada), CheckIn)
    assert show(main, ada).reason == Reason.ALREADY_IN
    assert isinstance(show(main, tickets.edition(bob).code), CheckIn)
    by_name = redeeming.Scan(nonce(), place_id=cleo.id, way="name")
    assert isinstance(redeeming.redeem(main, by_name), CheckIn)
    assert redeeming.redeem(main, by_name).place == cleo  # the same press again
    other = hand(main.door, "another")
    assert show(other, "K7QF2-M9X4T").reason == Reason.UNKNOWN
    Refusal.objects.update(created_at=timezone.now() - redeeming.PAUSE)
    assert show(main, "K7QF2-M9X4T").reason == Reason.UNKNOWN


def test_tries_before_tickets_shut_the_door_for_all(main, workshop, monkeypatch):
    """Negative control: counting before looking, as it was, turns a good ticket away."""
    guess(main, redeeming.MOST_WRONG)
    look = redeeming._locked_place
    monkeypatch.setattr(redeeming, "_locked_place", lambda named: redeeming._check_tries(main) or look(named))
    with pytest.raises(redeeming.TooManyTries):
        show(main, place(workshop))


def test_without_the_limit_they_could(main, monkeypatch):
    """Negative control."""
    monkeypatch.setattr(redeeming, "_check_tries", lambda hand: None)
    guess(main, redeeming.MOST_WRONG + 5)
    assert Refusal.objects.count() == redeeming.MOST_WRONG + 5


def test_a_revoked_device_opens_nothing(main, workshop, client):
    devices.revoke(organiser(), main.device.id, Q(kind="door"))
    with pytest.raises(Forbidden):
        show(main, place(workshop))  # its hand was taken before: the row decides
    assert post(at_door(client, main), "redeem", nonce=nonce(), code="x").status_code == 403
    assert client.get("/door").status_code == 403


def test_a_door_s_device_is_revoked_at_its_door_and_by_organisers_only(main, workshop, client):
    """The page of booths and walls is for curators; an id typed there reaches no door's device, nor that of a door
    which another page is about."""
    other, id_ = door("Side door"), main.device.id
    curator = User.objects.create_user("cora", is_staff=True)
    Role.objects.create(user=curator, event=main.door.event, kind="curator")
    for person, path in (
        (curator, f"/backstage/devices/{id_}/revoke"),
        (curator, f"/backstage/doors/{main.door.id}/devices/{id_}"),
        (organiser(), f"/backstage/devices/{id_}/revoke"),
        (organiser(), f"/backstage/doors/{other.id}/devices/{id_}"),
    ):
        client.force_login(person)
        client.post(path)
        assert devices.device_of(main.device.token, "door").id == id_, path
    client.post(f"/backstage/doors/{main.door.id}/devices/{id_}")  # the control
    with pytest.raises(Forbidden):
        devices.device_of(main.device.token, "door")


def test_a_device_of_a_removed_door_stands_nowhere(main, client):
    hands.remove(organiser(), main.door.id)
    assert at_door(client, main).get("/api/door/state").status_code == 403


# names


def test_names_are_found_without_accents_and_without_a_list(main, workshop):
    for name in ("Öykü Şen", "Oyku Demir", "草間 彌生", "Zoë"):
        place(workshop, name)
    ada = place(workshop, "Ada Oyku", state="cancelled")
    found = lambda typed: [row["name"] for row in searching.find(main.door, typed)["found"]]  # noqa: E731
    assert found("OYKU") == ["Oyku Demir", "Öykü Şen"]
    assert found("şen öy") == ["Öykü Şen"]
    assert found("草") == ["草間 彌生"]
    assert [found(typed) for typed in ("o", "", " ", "%")] == [[]] * 4
    assert set(searching.find(main.door, "zoe")["found"][0]) == {"place", "name", "pool", "state", "inside"}
    assert ada.guest.name not in found("ada")
    for number in range(searching.MOST + 1):
        place(workshop, f"Kim {number}")
    told = searching.find(main.door, "kim")
    assert (len(told["found"]), told["more"]) == (searching.MOST, True)


def test_a_name_lets_in_as_a_ticket_does(main, workshop):
    ada = place(workshop)
    entry = redeeming.redeem(main, scan(place_id=ada.id, way="name"))
    assert entry.way == "name"
    assert redeeming.redeem(main, scan(place_id=ada.id, way="name")).reason == Reason.ALREADY_IN
    assert redeeming.redeem(main, scan(place_id="f" * 32, way="name")).reason == Reason.UNKNOWN


# the API


def test_the_api_answers_doors_only(main, workshop, client):
    ada = place(workshop)
    body = {"code": tickets.ticket_of(ada), "nonce": nonce()}
    assert post(client, "redeem", **body).status_code == 403
    at_door(client, main)
    told = post(client, "redeem", **body).json()
    assert (told["answer"], told["inside"]) == ("in", {workshop.id: 1})
    assert post(client, "redeem", **body).json() == told
    assert client.get("/api/door/state").json()["pools"][0]["inside"] == 1
    assert client.get("/api/door/search?q=ada").json()["found"][0]["inside"] is True
    assert post(client, "undo", nonce=body["nonce"]).json()["undone"] is True
    for wrong in ({}, {"nonce": 3}, {**body, "door": "mine"}, {**body, "at": "yesterday"}):
        assert post(client, "redeem", **wrong).status_code == 400
    assert client.post("/api/door/redeem", b"\xff", content_type="application/json").status_code == 400
    foreign = Client(headers={"Sec-Fetch-Site": "cross-site"})
    assert post(at_door(foreign, main), "redeem", **body).status_code == 403


def test_only_the_doors_page_may_use_the_camera(main, client):
    assert client.get("/door/enter/wrong").status_code == 403
    assert client.post(f"/door/enter/{main.device.token}").headers["Location"] == "/door"
    assert "camera=(self)" in client.get("/door").headers["Permissions-Policy"]
    assert "camera=()" in client.get("/").headers["Permissions-Policy"]


def test_without_scripts_a_code_is_a_form(main, workshop, client):
    form = {"code": tickets.edition(place(workshop)).code, "nonce": nonce()}
    page = at_door(client, main).post("/door", form).content.decode()
    assert "Come in" in page
    assert "Ada Löwe" in page
    assert "Load the page anew" in client.post("/door", {"code": "x", "nonce": "?"}).content.decode()


# the ticket's page


def test_a_ticket_opens_for_its_guest_and_for_its_link(workshop, client):
    ada = place(workshop)
    path = f"/tickets/{ada.id}"
    nobody = client.get(path)
    assert nobody.status_code == client.get(f"/tickets/{'f' * 32}").status_code == 403
    assert nobody.content == client.get(f"/tickets/{'f' * 32}").content.replace(b"f" * 32, ada.id.encode())
    old = tickets.link(Place.objects.get(id=ada.id))
    code = tickets.spelled(tickets.edition(ada).code)
    for way in (old, f"{path}?key={proof.token_of(ada)}"):
        assert code in client.get(way).content.decode()
    assert client.get(f"{path}?key={proof.token_of(place(workshop, 'Bob'))}").status_code == 403
    new = client.post(f"{path}/renew?{old.partition('?')[2]}").headers["Location"]
    assert client.get(old).status_code == 403
    assert client.get(new).status_code == 200
    client.cookies[guests.COOKIE] = ada.token
    assert client.get(path).status_code == 200
    assert client.post(f"{path}/give-back").headers["Location"] == path
    assert "opens nothing any more" in client.get(path).content.decode()
    assert client.get(f"{path}.pdf").status_code == 409


def test_a_new_private_link_shuts_out_the_old_ways_to_the_place_and_its_ticket(workshop, client, monkeypatch):
    ada, bob = place(workshop), place(workshop, "Bob")
    tokens = proof.token_of(ada), proof.token_of(ada, letter=True)
    old = [f"/places/mine/{token}" for token in tokens]
    old += [f"/places/mine/{tokens[0]}/state", f"/tickets/{ada.id}?key={tokens[0]}", tickets.link(ada)]
    assert [client.get(path).status_code for path in old] == [200] * len(old)
    owner = Client(headers={"Sec-Fetch-Site": "same-origin"})
    owner.cookies[guests.COOKIE] = ada.token
    owner.post("/you/link")
    assert [client.get(path).status_code for path in old] == [403] * len(old)
    assert client.post(old[0], {"deed": "give_back"}).status_code == 403
    ada = Place.objects.select_related("pool", "guest").get(id=ada.id)
    assert ada.state == "booked"
    new = [f"/places/mine/{proof.token_of(ada)}", tickets.link(ada)]
    assert [owner.get(path).status_code for path in new] == [200, 200]
    assert new[0] in owner.get("/you").content.decode()
    assert client.get(f"/places/mine/{proof.token_of(bob)}").status_code == 200, "the control: nobody else's"
    monkeypatch.setattr(proof.Claim, "holds", lambda claim, one: claim.place_id == one.id)  # the control: the guard off
    assert client.get(old[0]).status_code == 200


def test_what_is_taken_along(client):
    event = Event.objects.get(current=True)
    event.time_zone, event.place = "Asia/Tokyo", "Print, Works"
    event.save()
    when = datetime.datetime(2026, 6, 6, 1, 30, tzinfo=datetime.UTC)
    ada = place(
        pool("Drawing; with, machines", None, None, starts_at=when, ends_at=when + HOUR), "草間 彌生 \U0001f3a8"
    )
    link, query = tickets.link(ada).split("?")
    assert "Saturday 6 June 2026, 10:30–11:30" in client.get(f"{link}?{query}").content.decode()
    calendar = Calendar.from_ical(client.get(f"{link}.ics?{query}").content)
    (entry,) = calendar.walk("VEVENT")
    assert (entry["summary"], entry["location"]) == ("Drawing; with, machines (Latent Salon)", "Print, Works")
    assert entry.decoded("dtstart") == when
    assert client.get(f"{link}.pdf?{query}").content.startswith(b"%PDF-")
    assert client.get(f"{link}.png?{query}").content.startswith(b"\x89PNG")
    assert client.get(f"{link}.exe?{query}").status_code == 404
    assert client.get(f"{link}.pdf").status_code == 403


def longest(model, field, text):
    """As much of a text as a form takes in that field."""
    return (text * 700)[: model._meta.get_field(field).max_length].strip()


@pytest.mark.parametrize(
    "text", ["Lorem ipsum dolor ", "W", "Ž", "สมชายใจดี", "क्षत्रिय ", "محمد ", "🎨👩🏽\u200d🎨", "\U00010c80 a"]
)
def test_a_ticket_of_the_longest_texts_has_its_code(text, client):
    """Every field as long as its form takes it, read back as a scanner at the door would."""
    event = Event.objects.get(current=True)
    for field in ("name", "place", "address"):
        setattr(event, field, longest(Event, field, text))
    event.save()
    room = Room.objects.create(event=event, **{name: longest(Room, name, text) for name in ("name", "access")})
    of = pool(longest(Pool, "name", text), room=room, needs=pool(longest(Pool, "name", f"+{text}")))
    ada = place(of, longest(Guest, "name", text))
    link, query = tickets.link(ada).split("?")
    drawn = Picture.open(io.BytesIO(client.get(f"{link}.png?{query}").content))
    [page] = pypdfium2.PdfDocument(client.get(f"{link}.pdf?{query}").content)
    for picture in (drawn, page.render(scale=3).to_pil()):
        [found] = zxingcpp.read_barcodes(picture.convert("RGB"))
        assert tickets.named_by(found.text).place_id == ada.id


def test_every_row_of_a_doors_list_has_a_code(main, workshop):
    """A guest whose letters no font has was "? (no code)". Now who never looked at the ticket has a code, too."""
    strange = "\U00010c80\U00010c81"
    made = [place(workshop, name) for name in ("สมชาย ใจดี", "Ada 🎨", strange, f"{strange} Bob")]
    rows = {row[2]: row[0] for row in paper.door_list(main.door, timezone.now())["rows"]}
    assert rows == {
        tickets.edition(one).code[:5]: name
        for one, name in zip(made, ["สมชาย ใจดี", "Ada 🎨", "(letters that no font here has)", f"{printing.GAP} Bob"])
    }
    assert "go by the code" in paper.door_list(main.door, timezone.now())["note"]
    [page] = pypdfium2.PdfDocument(printing.pdf("door", paper.door_list(main.door, timezone.now())))
    said = page.get_textpage().get_text_range()
    assert all(code in said for code in rows)


def test_codes_are_made_at_once_and_anew_where_one_is_taken(workshop, monkeypatch):
    made = [place(workshop, f"Guest {n}") for n in range(20)]
    first = tickets.edition(made[0]).code
    with CaptureQueriesContext(connection) as queries:
        codes = tickets.editions(made)
    assert len(queries) <= 8
    assert codes == {one.id: tickets.edition(one).code for one in made}
    assert codes[made[0].id] == first
    fresh, new_code = place(workshop, "Eve"), tickets._new_code
    taken = iter([first])
    monkeypatch.setattr(tickets, "_new_code", lambda: next(taken, None) or new_code())
    assert tickets.editions([fresh])[fresh.id] != first
    monkeypatch.setattr(tickets, "_new_code", lambda: first)  # control: were every code taken, there would be none
    assert tickets.editions([place(workshop, "Max")]) == {}


def test_who_came_in_cannot_give_back(main, workshop, client):
    ada = place(workshop)
    show(main, ada)
    client.cookies[guests.COOKIE] = ada.token
    assert client.post(f"/tickets/{ada.id}/give-back").status_code == 409
    assert "You are in" in client.get(f"/tickets/{ada.id}").content.decode()


# backstage


def staff(client, *kinds):
    user = User.objects.create_user("-".join(kinds) or "nobody", is_staff=True)
    for kind in kinds:
        Role.objects.create(user=user, event=Event.objects.get(current=True), kind=kind)
    client.force_login(user)
    return user


def test_volunteers_look_and_let_in_organisers_make_doors(workshop, client):
    ada, main = place(workshop), door()
    staff(client, "volunteer")
    assert "Main door" in client.get("/backstage/doors").content.decode()
    press = nonce()
    page = client.post(f"/backstage/doors/{main.id}/let-in", {"place": ada.id, "nonce": press}).content.decode()
    assert "Come in" in page
    assert CheckIn.objects.get().person.username == "volunteer"
    assert "Undone" in client.post(f"/backstage/doors/{main.id}/undo", {"nonce": press}).content.decode()
    assert client.get(f"/backstage/doors/{main.id}/list.pdf").content.startswith(b"%PDF-")
    assert Entry.objects.filter(deed="list of a door").count() == 1
    for path in ("new", f"{main.id}/change", f"{main.id}/remove", f"{main.id}/devices"):
        assert client.post(f"/backstage/doors/{path}", {"name": "Mine"}).status_code == 403
    staff(client, "reviewer")
    assert client.get("/backstage/doors").status_code == 403
    staff(client, "organiser")
    assert client.post("/backstage/doors/new", {"name": "Side", "pools": [workshop.id]}).status_code == 302
    assert client.post("/backstage/doors/new", {"name": "Side"}).status_code == 409
    assert client.post("/backstage/doors/new", {"name": "Odd", "minutes_before": "soon"}).status_code == 400
    made = client.post(f"/backstage/doors/{main.id}/devices", {"name": "Ana's phone"}).content.decode()
    assert "/door/enter/" in made
    assert "no HTTPS" in made
    deeds = set(Entry.objects.values_list("deed", flat=True))
    assert {"door made", "device made", "entry undone", "list of a door"} <= deeds


QUEUE = Path(__file__).parents[2] / "src/salon/web/static/salon/js/door-queue.js"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
@pytest.mark.parametrize(("status", "left"), [(429, ["bad"]), (503, ["bad", "good"])])
def test_an_unknown_code_that_has_to_wait_holds_up_no_other(status, left):
    """Scans kept without a line. Control: where the house is away nothing is sent past the first."""
    script = f"""
      const kept = {{}};
      const setItem = (name, to) => {{ kept[name] = to; }};
      globalThis.localStorage = {{ getItem: (name) => kept[name] ?? null, setItem }};
      Object.defineProperty(globalThis, "navigator", {{ value: {{}} }});
      const queue = await import({json.dumps(QUEUE.as_uri())});
      for (const nonce of ["bad", "good"]) queue.keep({{ nonce, code: nonce }});
      const sent = [], send = async ({{ nonce }}) => {{
        if (nonce === "bad") throw Object.assign(new Error("wait"), {{ status: {status} }});
        return {{ answer: "in" }};
      }};
      const on = (_said, {{ nonce }}) => sent.push(nonce);
      const mishap = await queue.sendAll(send, on).catch(({{ status }}) => status);
      console.log(JSON.stringify([mishap, sent, queue.kept().map(({{ nonce }}) => nonce)]));
    """
    done = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [status, ["good"] if status == 429 else [], left]
