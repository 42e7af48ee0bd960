"""Letters to addresses that somebody has typed: a sum first, a pace and an end for all, no links in what was typed."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone
from hands import solved

from salon.core.errors import BadRecipe
from salon.web import codes
from salon.web.events import sums, tries
from salon.web.events.domain import current_event
from salon.web.mail import letters, lost, sending
from salon.web.mail.models import Letter
from salon.web.people import guests
from salon.web.seats import views
from salon.web.seats.domain import proof
from salon.web.seats.models import Place, Pool

pytestmark = pytest.mark.django_db
LINK = "https://win.example.com/now"


@pytest.fixture(autouse=True)
def event(settings):
    settings.EMAIL_CONFIGURED = True
    found = current_event()
    found.opened_at = timezone.now()
    found.save()
    return found


@pytest.fixture
def ink(event):
    return Pool.objects.create(event=event, kind="workshop", name="Ink", capacity=500)


def browser(**more):
    return Client(headers={"Sec-Fetch-Site": "same-origin"}, **more)


def press(pool, number, client=None, **more):
    form = {"key": f"{number:032x}", "name": "Ada", "agreed": "1", "email": f"a{number}@example.org", **more}
    return (client or browser()).post(f"/places/{pool.id}", form)


# a sum first


def test_a_stranger_is_written_to_only_for_a_sum(ink):
    """Control: without an address there is nothing to do for."""
    said = press(ink, 1)
    assert said.status_code == 409
    assert Letter.objects.count() == Place.objects.count() == 0
    done = solved()
    assert press(ink, 1, sum=done).status_code == 302
    assert press(ink, 2, sum=done).status_code == 409  # once
    assert press(ink, 3, email="").status_code == 302
    assert Letter.objects.count() == 1


def test_a_press_that_comes_twice_spends_its_sum_once(ink):
    done = solved()
    first, again = press(ink, 1, sum=done), press(ink, 1, sum=done)
    assert first["Location"] == again["Location"]


def test_without_scripts_the_form_waits_and_keeps_what_was_typed(ink, monkeypatch):
    page = browser().get(f"/places/{ink.id}").content.decode()
    stamp = page.split('name="stamp" value="')[1].split('"')[0]
    said = press(ink, 1, stamp=stamp)
    assert said.status_code == 429
    assert "a1@example.org" in said.content.decode()
    assert stamp in said.content.decode()
    monkeypatch.setattr(sums, "WAIT", sums.WAIT * 0)
    assert press(ink, 1, stamp=stamp).status_code == 302


def test_whose_mailbox_has_answered_needs_no_sum_again(ink, event):
    """Control: with another address a sum is asked for."""
    client = browser()
    assert press(ink, 1, client, sum=solved()).status_code == 302
    place = Place.objects.get()
    client.post(f"/places/mine/{proof.token_of(place, letter=True)}", {"deed": "confirm"})
    other = Pool.objects.create(event=event, kind="workshop", name="Clay", capacity=5)
    assert press(other, 1, client).status_code == 302
    assert press(other, 2, client, email="b@example.org").status_code == 409


def test_one_network_makes_the_house_write_so_often(ink, monkeypatch):
    monkeypatch.setattr(views, "MOST_LETTERS", 2)
    assert [press(ink, n, sum=solved()).status_code for n in range(3)] == [302, 302, 429]
    assert press(ink, 3, sum=solved(), email="").status_code == 302  # without an address it goes on
    assert press(ink, 4, browser(REMOTE_ADDR="10.1.2.3"), sum=solved()).status_code == 302
    said = press(ink, 5, sum=solved()).content.decode()
    assert "Take the place without an address" in said


def test_addresses_are_changed_so_often(event, monkeypatch):
    from salon.web.people import private

    monkeypatch.setattr(private, "MOST_ADDRESSES", 2)
    _guest, token = guests.make(event.id, "Ada", "a@example.org")
    client = browser()
    client.cookies[guests.COOKIE] = token
    change = [client.post("/you/details", {"name": "Ada", "email": f"{n}@example.org"}).status_code for n in range(3)]
    assert change == [302, 302, 429]
    assert client.post("/you/details", {"name": "Eva", "email": "1@example.org"}).status_code == 302  # as it is
    assert tries.Try.objects.filter(kind="address").count() == 2


# a pace and an end


def held(event, number):
    guest, _token = guests.make(event.id, "Ada", f"a{number}@example.org")
    about = dict.fromkeys(("what", "when", "where", "link", "until"), "x")
    return letters.write(event, guest, "place_held", f"k{number}", **about)


def test_letters_to_strangers_leave_one_after_the_other(event, settings):
    """Thirty in a second leave in half a minute. Control: those to people who have answered leave at once."""
    settings.SALON_LETTERS_PER_MINUTE = 60
    now = timezone.now()
    leave = [held(event, number).next_at for number in range(30)]
    assert leave == sorted(leave)
    assert datetime.timedelta(seconds=28) <= leave[-1] - now <= datetime.timedelta(seconds=31)
    guest, _token = guests.make(event.id, "Bo", "bo@example.org")
    about = dict.fromkeys(("what", "when", "where", "link"), "x")
    assert letters.write(event, guest, "place_booked", "b", **about).next_at <= timezone.now()


def test_what_the_server_put_off_holds_up_nobody(event):
    held(event, 1)
    Letter.objects.update(tries=1, next_at=timezone.now() + datetime.timedelta(hours=4))
    assert held(event, 2).next_at <= timezone.now()
    Letter.objects.update(tries=0)  # the control: an untried one is waited for
    assert held(event, 3).next_at > timezone.now() + datetime.timedelta(hours=3)


def test_after_so_many_in_a_day_a_person_decides(event, settings):
    settings.SALON_LETTERS_PER_DAY = 3
    assert [held(event, number).state for number in range(5)] == ["released"] * 3 + ["draft"] * 2
    guest, _token = guests.make(event.id, "Bo", "bo@example.org")
    about = dict.fromkeys(("what", "when", "where", "link"), "x")
    assert letters.write(event, guest, "place_booked", "b", **about).state == "released"
    Letter.objects.update(created_at=timezone.now() - datetime.timedelta(days=1))
    assert held(event, 9).state == "released"


@pytest.mark.parametrize("way", ["a@example.org", "A@Example.org", "a+{}@example.org", "a{}@example.org"])
def test_one_mailbox_has_one_share_and_does_not_fill_the_outbox(event, way):
    """However its address is written; the rest of what somebody does and undoes is not even kept. Control: the last
    are mailboxes of their own."""
    about = dict.fromkeys(("what", "when", "where", "link"), "x")
    made = []
    for number in range(40):
        guest, _token = guests.make(event.id, "Ada", way.format(number))
        made.append(letters.write(event, guest, "place_booked", f"k{number}", **about))
    states = [letter.state for letter in Letter.objects.order_by("created_at")]
    most = letters.MOST_BY_THEMSELVES
    assert states == (["released"] * 40 if way == "a{}@example.org" else ["released"] * most + ["draft"] * most)
    assert made[-1] == Letter.objects.order_by("created_at").last()  # who asks for a letter has one
    other, _token = guests.make(event.id, "Ann", "ann@example.org")  # begins alike
    assert letters.write(event, other, "place_booked", "other", **about).state == "released"


# what was typed


@pytest.mark.parametrize(
    ("words", "told"),
    [(LINK, "win. example. com/now"), ("see www.win.example now", "see www. win. example now"),
     ("Dr.Smith", "Dr. Smith"), ("J.R.R. Tolkien", "J.R.R. Tolkien"), ("mailto:eve@win.example", "eve@win. example"),
     ("javascript://x", "x"), ("ＷＩＮ．ＥＸＡＭＰＬＥ", "ＷＩＮ． ＥＸＡＭＰＬＥ"), ("яндекс.рф", "яндекс. рф"),
     ("हिन्दी.com", "हिन्दी. com"), ("win.भारत", "win. भारत"), ("\U0001f4a9.la", "\U0001f4a9. la"),
     ("win。com", "win。 com"),
     ("Hello...", "Hello..."), ("e.g. “so.”", "e.g. “so.”"), ("おはよう。", "おはよう。"),
     ("Ada Lovelace", "Ada Lovelace"), ("Zoë (née Q.)", "Zoë (née Q.)")],
)  # fmt: skip
def test_no_mail_program_makes_a_link_of_it(words, told):
    assert letters.unlinked(words) == told


def test_a_strangers_words_travel_as_words(event):
    """No link, no second way to the private page, no line breaks, not too many. The house's own links stay."""
    guest, _token = guests.make(event.id, "Ada")
    guest.name, guest.email = f"{LINK}\n\nCall {{private_link}} {'now ' * 40}", "ada@example.org"
    guest.save()
    about = dict.fromkeys(("what", "when", "where", "until"), "x") | {"link": "http://house.example/places/1"}
    letter = letters.write(event, guest, "place_held", "k", **about)
    text = sending.envelope_of(letter).mail.decode()
    assert "win.example" not in text
    assert guests.link_token(guest) not in text
    assert "http://house.example/places/1" in text
    assert text.split("\r\n\r\n", 1)[1].splitlines()[0].startswith("Hello win. example. com/now Call {private link}")
    assert text.count("now") < 20


@pytest.mark.parametrize("name", ["{private_link}", "{private_", "link}", "a {private_link} b", "{{private_link}}"])
def test_no_name_opens_the_private_page(event, name):
    """Control: the wording's own does."""
    guest, _token = guests.make(event.id, "Ada", "ada@example.org")
    guest.name = name
    subject, text = "{name}{private_link}", "{name}link} {name} {private_link}"
    kind = letters.kind_of(lost.KIND)
    head, body = letters.compose(kind, subject, text, {"event": event.name, "name": name})
    assert letters.LINK not in head
    assert body.count(letters.LINK) == 1
    assert body.endswith(letters.LINK)


def test_what_organisers_write_keeps_its_links(event):
    kind = letters.kind_of("place_held")
    _head, body = letters.compose(kind, "x", "{where} {what} {name}", {"where": LINK, "what": "a.b.cde", "name": LINK})
    assert body == f"{LINK} a.b.cde win. example. com/now"


def test_a_name_has_no_link(event, ink):
    for name in (LINK, "www.win.example", "Ada //x"):
        with pytest.raises(BadRecipe, match="no link"):
            guests.make(event.id, name)
        said = press(ink, 1, name=name, email="")
        assert said.status_code == 422
        assert "A name has no link in it." in said.content.decode()
    assert guests.make(event.id, "Dr.Smith\nJr.")[0].name == "Dr.Smith Jr."


# where it leads


@pytest.mark.parametrize(
    ("public", "own", "address"),
    [("https://salon.example", "http://127.0.0.1:9000", "https://salon.example/x"),
     ("", "http://127.0.0.1:9000", "http://127.0.0.1:9000/x"), ("", "", "http://127.0.0.1:8000/x")],
)  # fmt: skip
def test_letters_name_the_house_as_it_is_open(settings, ink, public, own, address):
    settings.PUBLIC_URL, settings.OWN_URL = public, own
    assert codes.house_address("/x") == address
    press(ink, 1, sum=solved())
    assert f"{address.removesuffix('/x')}/places/mine/" in Letter.objects.get().text
