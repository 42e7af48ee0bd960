"""Letters: written once, in the guest's language, filled in without a way to say more; released by a person; sent at
most once whoever sends at the same moment."""

import datetime
import os
import subprocess
import sys
import threading
from email import message_from_bytes, policy

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone, translation
from post_office import open_post_office

from salon.core.errors import BadRecipe, Busy, Conflict
from salon.web.events.models import Entry
from salon.web.mail import letters, lost, outbox, sending
from salon.web.mail.models import Letter, LostLink, Template
from salon.web.people import guests, links
from salon.web.people.models import Guest

pytestmark = pytest.mark.django_db(transaction=True)
State = Letter.State
KIND = "tried_decision"


@pytest.fixture(autouse=True)
def event(first_event, settings, tmp_path, monkeypatch):
    """An event, and two kinds that only tests know."""
    settings.HOME, settings.PUBLIC_URL = tmp_path, "https://salon.example"
    monkeypatch.setattr(letters, "_kinds", dict(letters._kinds))
    letters.register(KIND, "About {title}", "Dear {name},\n\n{title}: {words}\n\n{private_link}", ("title", "words"))
    letters.register("tried_ticket", "Your place", "Dear {name}", by_itself=True)
    return first_event


@pytest.fixture
def ada(event):
    return guests.make(event.id, "Ada Łovelace 🎨", "ada@example.org", "es")[0]


@pytest.fixture
def office(settings):
    with open_post_office() as opened:
        settings.EMAIL_CONFIGURED, settings.EMAIL_HOST, settings.EMAIL_PORT = True, *opened.server_address
        settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = False, ""
        settings.DEFAULT_FROM_EMAIL = "post@salon.example"
        yield opened


def write(event, guest, key="k", **more):
    return letters.write(event, guest, KIND, key, **{"title": "Fog", "words": "yes", **more})


def released(event, guest, number=1):
    made = [write(event, guest, f"k{n}") for n in range(number)]
    outbox.do(links.keeper(), event, "release", [letter.id for letter in made])
    return made


def now_due():
    Letter.objects.filter(state=State.RELEASED).update(next_at=timezone.now())


# writing


def test_a_letter_is_written_once_whatever_is_repeated(event, ada):
    with transaction.atomic():
        first = write(event, ada)
        assert write(event, ada, title="Other") == first
    assert (Letter.objects.count(), first.state, first.subject) == (1, State.DRAFT, "About Fog")
    assert "Dear Ada Łovelace 🎨" in first.text
    assert write(event, ada, "another").id != first.id


def test_a_deed_that_fails_writes_no_letter(event, ada):
    with transaction.atomic():
        write(event, ada)
        transaction.set_rollback(True)
    assert not Letter.objects.exists()


def test_guests_without_an_address_get_none(event):
    for address in ("", "nobody", "a@b.example\nBcc: c@d.example", "a@b.example, c@d.example"):
        assert write(event, Guest(event=event, name="B", email=address)) is None


def test_variables_are_exactly_those_of_the_kind(event, ada):
    with pytest.raises(TypeError, match="missing"):
        letters.write(event, ada, KIND, "k", title="Fog")
    with pytest.raises(TypeError, match="unknown"):
        write(event, ada, secret="x")


def test_what_people_type_is_never_read_as_a_wording(event, ada):
    letter = write(event, ada, title="{words} {event.__class__} {name}", words="{title}\r\nBcc: x@y.example\x00\u202e")
    assert letter.subject == "About {words} {event.__class__} {name}"
    assert "\x00" not in letter.text
    assert "\u202e" not in letter.text


def test_the_events_own_wording_in_the_guests_language(event, ada):
    keeper, kind = links.keeper(), letters.kind_of(KIND)
    outbox.word(keeper, event, kind, "es", "Sobre {title}", "Hola {name}: {words}")
    assert write(event, ada).subject == "Sobre Fog"
    ada.language = "fr"  # the event does not speak it: its first language, which has no wording of its own
    assert write(event, ada, "k2").subject == "About Fog"
    outbox.unword(keeper, event, kind, "es")
    ada.language = "es"
    assert write(event, ada, "k3").subject == "About Fog"
    assert [e.deed for e in Entry.objects.order_by("id")] == ["letter worded", "letter reworded"]


@pytest.mark.parametrize("text", ["Dear {nmae}", "{0}", "{title.x}", "{title!r}", "{}", ""])
def test_a_wording_that_names_what_is_not_known_is_refused(event, text):
    with pytest.raises(BadRecipe):
        outbox.word(links.keeper(), event, letters.kind_of(KIND), "en", "About {title}", text)
    assert not Template.objects.exists()


@pytest.mark.parametrize(
    "text", ["Dear {name", "Dear name}", "{{name}}", "{na\nme}", "} {name} {", "｛name｝", "{name} and {title", "{"]
)
def test_a_brace_without_its_partner_is_refused_and_shown(event, text):
    kind, keeper = letters.kind_of(KIND), links.keeper()
    for wording in (("About {title}", text), (text.replace("a\nme}", ""), "Dear {name}")):
        with pytest.raises(BadRecipe, match=r"partner.*“.*[{}｛｝]"):
            outbox.word(keeper, event, kind, "en", *wording)
    assert not Template.objects.exists()
    outbox.word(keeper, event, kind, "en", "About {title}", "Dear {name}: {words}")  # the control


def test_a_letter_that_waits_takes_no_new_braces_but_keeps_what_people_typed(event, ada):
    letter = write(event, ada, title="Fog {1}", words="{curly}")
    keeper = links.keeper()
    for subject, text in (
        ("Dear {name}", letter.text),
        (letter.subject, letter.text + "\n{private_link"),
        ("{private_link}", "x {y}"),
    ):
        with pytest.raises(BadRecipe, match="sent as it is"):
            outbox.edit(keeper, event, letter.id, subject, text)
    edited = outbox.edit(keeper, event, letter.id, letter.subject + "!", letter.text + "\nAgain: {private_link}")
    assert edited.text.count(letters.LINK) == 2
    assert "{curly}" in edited.text


def test_the_private_link_never_stands_in_a_subject_or_in_the_database(event, ada):
    with pytest.raises(BadRecipe, match="private link"):
        outbox.word(links.keeper(), event, letters.kind_of(KIND), "en", "{private_link}", "x")
    assert write(event, ada).text.endswith(letters.LINK)


def test_every_kind_of_every_room_knows_its_variables():
    for kind in letters.kinds():
        for language in ("en", "es", "ja"):
            subject, text = letters.house_wording(kind, language)
            assert letters.strangers(kind, subject, text) == letters.stray(subject + text) == [], (kind.name, language)
            assert letters.LINK not in subject


def test_a_strangers_box_is_not_flooded(event):
    """Kinds that go by themselves stop at so many an hour; then a person has a look."""
    made = []
    for number in range(letters.MOST_BY_THEMSELVES + 2):
        guest = guests.make(event.id, "Buy now", "Victim@example.org" if number % 2 else "victim@example.org")[0]
        made.append(letters.write(event, guest, "tried_ticket", f"t{number}").state)
    assert made == [State.RELEASED] * letters.MOST_BY_THEMSELVES + [State.DRAFT] * 2
    other = guests.make(event.id, "Cay", "cay@example.org")[0]
    assert letters.write(event, other, "tried_ticket", "t").state == State.RELEASED  # the control


# the outbox


def test_deeds_check_what_they_find_and_are_written_down(event, ada):
    keeper, letter = links.keeper(), write(event, ada)
    outbox.edit(keeper, event, letter.id, "New\r\nBcc: x@y.example", "Other words\n\n\n\nend")
    letter.refresh_from_db()
    assert (letter.subject, letter.text) == ("New Bcc: x@y.example", "Other words\n\nend")
    assert outbox.do(keeper, event, "release", [letter.id]) == 1
    for deed in ("release", "retry"):
        with pytest.raises(Conflict):
            outbox.do(keeper, event, deed, [letter.id])
    with pytest.raises(Conflict):
        outbox.edit(keeper, event, letter.id, "x", "y")
    sending.claim()
    with pytest.raises(Conflict):  # it is in somebody's hand
        outbox.do(keeper, event, "hold", [letter.id])
    assert [e.deed for e in Entry.objects.order_by("id")] == ["letter edited", "letter released"]


def test_letters_of_another_event_are_not_touched(event, ada):
    from salon.web.events.models import Event

    other, letter = Event.objects.create(slug="other", name="Other"), write(event, ada)
    with pytest.raises(Conflict):
        outbox.do(links.keeper(), other, "release", [letter.id])
    with pytest.raises(Conflict):
        outbox.edit(links.keeper(), other, letter.id, "x", "y")


# sending


def test_a_letter_goes_out_whole(event, ada, office):
    letter = write(event, ada, title="霧 «Ñ» 🦊", words="x" * 3000 + "\n.\n..\nFrom here\n عربى")
    outbox.do(links.keeper(), event, "release", [letter.id])
    assert sending.send_due() == 1
    mail = office.mails[0]
    assert office.receivers == ["ada@example.org"]
    assert (mail["Subject"], mail["To"]) == ("About 霧 «Ñ» 🦊", "ada@example.org")
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content().replace("\r\n", "\n")
    assert "x" * 3000 + "\n.\n..\nFrom here\nعربى" in text
    token = text.partition("https://salon.example/you/")[2].split()[0]
    assert guests.guest_of_token(token) == ada
    letter.refresh_from_db()
    assert (letter.state, letter.tries) == (State.SENT, 1)
    assert sending.send_due() == 0


def test_no_letter_before_it_is_released(event, ada, office):
    write(event, ada)
    assert sending.send_due() == 0
    assert office.raw == []


@pytest.mark.parametrize("words", ["Subject\nBcc: evil@example.org", "Subject\r\n\r\nbody", "a\u2028b\x0b\x85c"])
def test_a_subject_is_one_line_whoever_wrote_it_into_the_database(event, ada, office, words):
    [letter] = released(event, ada)
    Letter.objects.filter(id=letter.id).update(subject=words)
    sending.send_due()
    assert office.mails[0]["Bcc"] is None
    assert office.receivers == ["ada@example.org"]
    assert office.raw[0][1].count(b"\nSubject:") == 1


def test_an_address_that_is_two_is_none(event, ada, office):
    [letter] = released(event, ada)
    Guest.objects.filter(id=ada.id).update(email="a@b.example\r\nRCPT TO:<evil@example.org>")
    assert sending.send_due() == 0
    letter.refresh_from_db()
    assert (letter.state, office.raw) == (State.FAILED, [])


def test_what_the_server_puts_off_is_tried_again_with_growing_pauses(event, ada, office):
    [letter] = released(event, ada)
    office.says["RCPT"] = "451 greylisted, come back"
    pauses = []
    for _ in sending.PAUSES:
        assert sending.send_due() == 0
        letter.refresh_from_db()
        assert (letter.state, letter.error) == (State.RELEASED, "451 greylisted, come back")
        pauses.append(letter.next_at - timezone.now())
        assert sending.send_due() == 0  # not before its time
        now_due()
    assert pauses == sorted(pauses)
    assert pauses[-1] > datetime.timedelta(hours=11)
    sending.send_due()
    letter.refresh_from_db()
    assert letter.state == State.FAILED
    office.says.clear()
    outbox.do(links.keeper(), event, "retry", [letter.id])
    assert sending.send_due() == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
def test_what_the_server_refuses_has_failed_and_says_why_and_the_next_one_goes(event, ada, office, verb):
    first, second = released(event, ada, 2)
    office.says[verb] = "550 no such box"
    sending.send_due()
    office.says.clear()
    assert set(Letter.objects.values_list("state", "error")) == {(State.FAILED, "550 no such box")}
    outbox.do(links.keeper(), event, "retry", [second.id])
    assert sending.send_due() == 1
    first.refresh_from_db()
    assert first.state == State.FAILED


def test_a_line_that_is_cut_after_the_text_leaves_a_doubt_and_no_second_letter(event, ada, office):
    [letter] = released(event, ada)
    office.says["."] = ""
    sending.send_due()
    letter.refresh_from_db()
    assert letter.state == State.UNSURE
    office.says.clear()
    now_due()
    assert sending.send_due() == 0
    assert len(office.raw) == 1


def test_a_line_that_is_cut_before_the_text_is_no_doubt(event, ada, office):
    released(event, ada, 2)
    office.says["RCPT"] = ""
    sending.send_due()
    assert set(Letter.objects.values_list("state", "tries")) == {(State.RELEASED, 1), (State.RELEASED, 0)}


def test_without_a_server_on_the_line_nothing_is_claimed(event, ada, office, settings):
    [letter] = released(event, ada)
    office.server_close()
    office.shutdown()
    assert sending.send_due() == 0
    letter.refresh_from_db()
    assert (letter.state, letter.tries) == (State.RELEASED, 1)
    assert "Refused" in letter.error


def test_a_house_without_a_server_writes_files_once(event, ada, settings, tmp_path):
    settings.EMAIL_CONFIGURED = False
    [letter] = released(event, ada)
    assert (sending.send_due(), sending.send_due()) == (1, 0)
    [file] = (tmp_path / "mail").iterdir()
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert mail["To"] == "ada@example.org"
    assert file.stat().st_mode & 0o077 == 0
    letter.refresh_from_db()
    assert letter.state == State.FILED


# at most once

WORKER = """
import django; django.setup()
from salon.web.mail import sending
sending.send_due()
"""


def race(office, deed, number=3):
    """Several workers at once; how often each letter arrived."""
    start = threading.Barrier(number)

    def work():
        start.wait()
        try:
            deed()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(number)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    ids = [mail["Message-ID"] for mail in office.mails]
    return len(ids), len(set(ids))


def test_two_workers_send_each_letter_once(event, ada, office):
    released(event, ada, 12)
    assert race(office, sending.send_due) == (12, 12)
    assert set(Letter.objects.values_list("state", flat=True)) == {State.SENT}


def test_without_the_claim_they_send_twice(event, ada, office, monkeypatch):
    """Negative control: a worker that looks first and marks afterwards, as one would without the conditional update."""
    released(event, ada, 3)
    gate = threading.Barrier(3, timeout=60)

    def looked_at():
        found = sending._due().select_related("event", "guest").order_by("next_at").first()
        gate.wait()
        if found:
            Letter.objects.filter(id=found.id).update(state=State.SENDING)
        return found

    monkeypatch.setattr(sending, "claim", looked_at)
    sent, different = race(office, sending.send_due)
    assert sent > different


def test_a_worker_that_is_killed_in_between_sends_nothing_twice(event, ada, office, settings):
    """A real process and a real kill, at the worst moment: the server has the text, the house not yet its word."""
    letter, _second = released(event, ada, 2)
    Letter.objects.filter(id=letter.id).update(next_at=timezone.now() - datetime.timedelta(minutes=1))
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "salon.web.settings", "SALON_HOME": str(settings.HOME),
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}", "SALON_EMAIL_FROM": "post@salon.example",
        "SALON_EMAIL": f"smtp://127.0.0.1:{settings.EMAIL_PORT}",
    }  # fmt: skip
    if connection.vendor != "sqlite":
        pytest.skip("the process is given the file of the database")
    process = subprocess.Popen([sys.executable, "-c", WORKER], env=environment)
    dead = threading.Event()

    def kill(receiver):
        if not dead.is_set():
            process.kill()
            process.wait()
            dead.set()

    office.on_text = kill
    assert dead.wait(120)
    assert sending.send_due() == 1  # the other one
    letter.refresh_from_db()
    assert letter.state == State.SENDING
    Letter.objects.filter(id=letter.id).update(claimed_at=timezone.now() - sending.LONGEST_SENDING * 2)
    assert sending.send_due() == 0
    letter.refresh_from_db()
    assert letter.state == State.UNSURE
    assert len({mail["Message-ID"] for mail in office.mails}) == len(office.mails) == 2


def test_a_slow_worker_that_comes_back_settles_its_own_doubt_only(event, ada, office):
    [letter] = released(event, ada)
    mine = sending.claim()
    Letter.objects.update(claimed_at=timezone.now() - sending.LONGEST_SENDING * 2)
    sending.settle_interrupted()
    sending._end(mine, State.SENT, "")
    letter.refresh_from_db()
    assert letter.state == State.SENT
    Letter.objects.update(state=State.SENDING, claim="another")
    sending._end(mine, State.FAILED, "late")
    letter.refresh_from_db()
    assert letter.state == State.SENDING


# lost links


def test_the_answer_is_the_same_whether_an_address_is_known(event, ada):
    answers, work = [], []
    for address in ("ada@example.org", "nobody@example.org", "not an address", ""):
        before = Letter.objects.count()
        answer = Client().post("/you/lost", {"email": address}, headers={"sec-fetch-site": "same-origin"})
        page = Client().get(answer["Location"])
        answers.append((answer.status_code, answer["Location"], page.content))
        work.append((Letter.objects.count() - before, LostLink.objects.latest("id").address == address.strip()))
    assert len(set(answers)) == 1
    assert work == [(0, True)] * 4  # what differs is done later, by the worker
    assert lost.answer_all() == 1
    letter = Letter.objects.get()
    assert (letter.guest, letter.state) == (ada, State.RELEASED)
    assert not LostLink.objects.exclude(address="").exists()


def test_links_are_sent_a_few_times_an_hour_only(event, ada, monkeypatch):
    for address in ["ada@example.org", " ADA@example.org"] * 4:
        lost.ask(event, address)
    assert lost.answer_all() == lost.MOST_AN_ADDRESS
    monkeypatch.setattr(lost, "MOST_AN_ADDRESS", 100)
    for _ in range(4):
        lost.ask(event, "ada@example.org")
    assert lost.answer_all() == 4  # the control: without the limit all are answered
    monkeypatch.setattr(lost, "MOST", 12)
    with pytest.raises(Busy):
        lost.ask(event, "nobody@example.org")
    lost.ask(event, "nobody@example.org", "elsewhere")  # who floods the house shuts out nobody else


def test_the_language_of_a_page_is_not_the_letters(event, ada):
    with translation.override("ja"):
        assert letters.language_of(event, ada) == "es"
