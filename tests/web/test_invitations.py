"""Invited guests: a place is kept for them, counted as taken for everybody else, and theirs by one press."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from salon.core.errors import Conflict
from salon.web.call.domain import applying, deciding
from salon.web.call.models import Submission
from salon.web.events.domain import current_event
from salon.web.mail.models import Letter
from salon.web.people import guests, personal
from salon.web.people.models import User
from salon.web.seats.domain import circles, counts, invitations, places, proof
from salon.web.seats.models import Invitation, Place, Pool

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
keys = (f"{number:032x}" for number in range(10**6))


@pytest.fixture(autouse=True)
def _open():
    event = current_event()
    event.opened_at = timezone.now()
    event.save()


def meeting(capacity=2, **more):
    start = timezone.now() + 240 * HOUR
    fields = {"kind": "meeting", "name": "Tea", "capacity": capacity, "starts_at": start, **more}
    return Pool.objects.create(event=current_event(), **fields)


def guest(name="Ada", email=""):
    return guests.make(current_event().id, name, email)[0]


def take(pool, who=None, **more):
    return places.take(pool.id, who or guest("A stranger"), next(keys), **more)


def later(monkeypatch, hours):
    now = timezone.now() + hours * HOUR
    monkeypatch.setattr(timezone, "now", lambda: now)


def code_of(invitation):
    """A code for it whose words we know: only the hash of the first one is kept."""
    code = invitations.new_code()
    Invitation.objects.filter(id=invitation.id).update(code_hash=invitations.hash_of(code))
    return code


def browser(who=None):
    client = Client(SERVER_NAME="127.0.0.1", headers={"Sec-Fetch-Site": "same-origin"})
    if who:
        client.cookies[guests.COOKIE] = guests.link_token(who)
    return client


def press(client, pool, code="", **more):
    return client.post(f"/places/{pool.id}", {"key": next(keys), "invited": "1", "code": code, **more})


@pytest.mark.parametrize("kept", [True, False])
def test_strangers_cannot_take_what_is_kept_for_an_artist(kept):
    """The control: an invitation that keeps nothing, as they all were, and the stranger has the artist's place."""
    tea, ada = meeting(capacity=1), guest()
    invitations.invite(tea, ada, "artist")
    if not kept:
        Invitation.objects.update(keeps_until=None)
    assert (counts.of(tea).left, counts.of(tea).kept) == ((0, 1) if kept else (1, 0))
    stranger = take(tea)
    assert stranger.state == ("waiting" if kept else "held")
    assert take(tea, ada).state == ("held" if kept else "waiting")


def test_the_door_does_not_give_it_away_either():
    tea = meeting(capacity=1)
    invitations.invite(tea, guest(), "artist")
    with pytest.raises(places.Full):
        places.at_door(tea.id, guest("Bo"), next(keys))


def test_what_is_kept_goes_with_what_it_needs():
    laptops = Pool.objects.create(event=current_event(), kind="laptop", name="Laptops", capacity=1, listed=False)
    tea, oil = meeting(capacity=5, needs=laptops), meeting(capacity=5, name="Oil", needs=laptops)
    invitations.invite(tea, guest(), "artist")
    assert (counts.of(tea).left, counts.of(oil).left) == (0, 0)


def test_it_lapses_by_itself_and_those_who_wait_are_asked(monkeypatch):
    tea = meeting(capacity=1)
    invitations.invite(tea, guest(), "artist")
    waits = take(tea)
    assert places.sweep_all() == 0
    later(monkeypatch, 7 * 24 + 1)
    assert places.sweep_all() == 1  # the worker's
    assert Place.objects.get(id=waits.id).state == "offered"


@pytest.mark.parametrize(
    ("pool", "hours"),
    [({"invited_until": 30}, 30), ({"closes_at": 20}, 20), ({"invited_until": 30, "closes_at": 20}, 20), ({}, 168)],
)
def test_until_when_it_is_kept(pool, hours):
    now = timezone.now()
    tea = meeting(**{name: now + at * HOUR for name, at in pool.items()})
    made = invitations.invite(tea, guest(), "artist")
    assert abs(made.keeps_until - (now + hours * HOUR)) < HOUR


def test_no_more_are_kept_than_there_are():
    tea = meeting(capacity=2)
    take(tea)
    made = [invitations.invite(tea, guest(name), "artist") for name in ("Ada", "Bo")]
    assert [bool(one.keeps_until) for one in made] == [True, False]
    assert counts.of(tea).left == 0
    assert counts.of(tea).taken == 2


def test_whoever_has_a_place_already_is_kept_no_second_one():
    tea, ada = meeting(capacity=2), guest()
    take(tea, ada)
    invitations.invite(tea, ada, "artist")
    assert (counts.of(tea).left, counts.of(tea).kept) == (1, 0)


def test_a_slow_answer_does_not_lose_it(monkeypatch):
    """An ordinary hold ends after minutes; what was kept for days is held as long."""
    tea, ada = meeting(capacity=1), guest()
    invitations.invite(tea, ada, "artist")
    held = take(tea, ada)
    later(monkeypatch, 24)
    assert take(tea).state == "waiting"
    assert places.confirm(held.id, ada).state == "booked"


def test_the_letters_link_says_who_is_invited_and_one_press_books(settings):
    settings.EMAIL_CONFIGURED = True
    tea, ada = meeting(capacity=1), guest("Ada", "ada@example.org")
    made = invitations.invite(tea, ada, "artist")
    letter = Letter.objects.get(kind="place_invited")
    assert "A place is kept for you until" in letter.text
    assert "whole day" not in letter.text
    code = code_of(made)
    client = browser()
    for _ in range(2):  # looking, by a messenger's preview for instance, takes nothing
        page = client.get(f"/places/{tea.id}?code={code}").content.decode()
    assert "You are invited" in page
    assert "Ada" in page
    assert "A place is kept for you until" in page
    assert page.count("<button class=\"draw\"") == 1
    assert not Place.objects.exists()
    assert Invitation.objects.get().used_at is None
    answer = press(client, tea, code)
    place = Place.objects.get()
    assert (answer.status_code, place.state, place.guest_id) == (302, "booked", ada.id)
    assert place.mailbox == proof.mailbox("ada@example.org")
    assert guests.COOKIE not in answer.cookies  # a place, not her page
    assert sorted(Letter.objects.values_list("kind", flat=True)) == ["place_booked", "place_invited"]
    assert press(client, tea, code).status_code == 409  # used
    assert Place.objects.count() == 1


def test_a_browser_that_is_the_guest_needs_no_code_but_its_address_still_answers(settings):
    settings.EMAIL_CONFIGURED = True
    tea = meeting()
    for name, email, state in (("Ada", "ada@example.org", "held"), ("Bo", "", "booked")):
        who = guest(name, email)
        invitations.invite(tea, who, "artist")
        client = browser(who)
        assert "You are invited" in client.get(f"/places/{tea.id}").content.decode()
        assert "You are invited" in client.get("/you").content.decode()
        assert press(client, tea, "not a code" if email else "").status_code == 302
        assert Place.objects.get(guest=who).state == state
        assert "Take my place" not in client.get("/you").content.decode()


def test_a_strangers_page_says_nothing_of_invitations():
    tea = meeting()
    invitations.invite(tea, guest(), "artist")
    for path in (f"/places/{tea.id}", f"/places/{tea.id}?code=AAAA-BBBB-CCCC"):
        page = browser().get(path).content.decode()
        assert "You are invited" not in page
        assert "Ada" not in page
    assert press(browser(), tea, "AAAA-BBBB-CCCC").status_code == 409
    assert not Place.objects.exists()


def test_a_code_that_is_nobodys_yet_keeps_the_form_and_a_place():
    tea = meeting(capacity=1)
    code = invitations.make_code(tea)
    page = browser().get(f"/places/{tea.id}?code={code}").content.decode()
    assert "Your code is good" in page
    assert take(tea).state == "waiting"
    form = {"key": next(keys), "name": "Cy", "agreed": "1", "code": code}
    assert browser().post(f"/places/{tea.id}", form).status_code == 302
    assert Place.objects.get(guest__name="Cy").state == "held"


def test_the_same_press_twice_is_one_and_leads_to_the_same_place():
    """A slow answer makes people press again. Control: another press finds the invitation used."""
    tea, ada = meeting(), guest("Ada", "ada@example.org")
    code, key = code_of(invitations.invite(tea, ada, "artist")), next(keys)
    once, again = (press(browser(), tea, code, key=key) for _ in range(2))
    assert (once.status_code, again.status_code) == (302, 302)
    assert once.url == again.url
    assert press(browser(), tea, code).status_code == 409
    assert press(browser(), meeting(), code, key=key).status_code == 409  # a key says nothing of another pool
    assert Place.objects.get().state == "booked"


@pytest.mark.parametrize("used", [True, False])
def test_a_letters_code_that_was_used_leads_nobody_to_its_guests_place(used):
    """Whoever finds the letter later, after a new private link, too. Control: an unused one takes the place."""
    tea, ada = meeting(), guest()
    code = code_of(invitations.invite(tea, ada, "artist"))
    if used:
        press(browser(), tea, code)
        guests.renew(ada)
    form = {"key": next(keys), "name": "Mallory", "agreed": "1", "code": code}
    answer = browser().post(f"/places/{tea.id}", form)
    assert answer.status_code == (409 if used else 302)
    assert ("This code has been used." in answer.content.decode()) is used
    assert Place.objects.get().guest == ada


def artist(state="accepted"):
    who = guest("Ada")
    return Submission.objects.create(event=current_event(), guest=who, state=state, key=next(keys))


@pytest.mark.parametrize("way", ["withdrawn", "cancelled", "erased"])
def test_who_takes_no_part_is_kept_no_place(way):
    tea, organiser = meeting(capacity=1), User.objects.create_superuser("olga")
    submission = artist("submitted")
    deciding.set_pending(organiser, submission.id, "accepted")
    deciding.apply_pending(current_event(), organiser)
    assert counts.of(tea).kept == 1
    waits = take(tea)
    if way == "withdrawn":
        applying.withdraw(submission.guest, submission.id)
    elif way == "erased":
        personal.erase(submission.guest_id)
    else:
        deciding.set_pending(organiser, submission.id, "cancelled")
        deciding.apply_pending(current_event(), organiser)
    assert counts.of(tea).kept == 0
    assert Place.objects.get(id=waits.id).state == "offered"


def test_of_two_works_one_withdrawn_leaves_the_place_kept():
    tea, organiser = meeting(capacity=1), User.objects.create_superuser("olga")
    first = artist()
    Submission.objects.create(event=current_event(), guest=first.guest, state="confirmed", key=next(keys))
    assert circles.invite(organiser, tea.id, "artist") == 1
    applying.withdraw(first.guest, first.id)
    assert counts.of(tea).kept == 1


def test_an_archived_event_takes_no_invited_guest():
    tea = meeting()
    code = code_of(invitations.invite(tea, guest(), "artist"))
    event = current_event()
    event.archived_at = timezone.now()
    event.save()
    assert press(browser(), tea, code).status_code in (404, 409)
    with pytest.raises(Conflict):
        places.take_invited(tea.id, None, next(keys), code)
