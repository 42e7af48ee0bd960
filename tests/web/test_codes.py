"""Codes by e-mail: nobody learns whose an address is, nobody guesses a code, nobody uses up somebody else's."""

import re
import smtplib

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from salon.core.errors import Forbidden
from salon.web.mail import worker
from salon.web.people import codes
from salon.web.people.models import AskedCode, User

pytestmark = pytest.mark.django_db(transaction=True)
CORA, HERE, THERE = "cora@example.org", "192.0.2.7", "198.51.100.9"
#: a person of the house, one who was shut out, somebody without a role in it, a stranger, nobody, no address, too much
ADDRESSES = [CORA, "Shut@example.org", "visitor@example.org", "nobody@example.org", "", "x\0y", "\u202e" * 9000]


@pytest.fixture(autouse=True)
def _house(first_event, settings):
    settings.EMAIL_CONFIGURED = True
    User.objects.create_user("cora", email=CORA, is_staff=True)
    User.objects.create_user("shut", email="shut@example.org", is_staff=True, is_active=False)
    User.objects.create_user("visitor", email="visitor@example.org")


def browser(address=HERE):
    return Client(headers={"Sec-Fetch-Site": "same-origin"}, REMOTE_ADDR=address)


def ask(address, client):
    return client.post("/backstage/code", {"email": address})


def enter(code, client):
    return client.post("/backstage/code", {"code": code}).status_code


def sent_code():
    return re.search(r"\d{6}", mail.outbox[-1].body)[0]


def other_than(code):
    return "000000" if code != "000000" else "111111"


def work(address):
    """(status, page, cookie's shape, what the database was asked, letters) of asking for this address."""
    client = browser()
    client.get("/backstage/login")  # what pages remember for a moment
    before = len(mail.outbox)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = ask(address, client)
    cookie = {name: (morsel["path"], len(morsel.value)) for name, morsel in answer.cookies.items()}
    said = [re.sub(r"'[^']*'|\b\d+\b|NULL", "?", query["sql"]) for query in asked.captured_queries]
    return answer.status_code, answer.content, cookie, tuple(said), len(mail.outbox) - before


def test_status_page_and_work_are_the_same_for_every_address():
    found = {address: work(address) for address in ADDRESSES}
    assert len(set(map(str, found.values()))) == 1
    status, page, cookie, said, letters = found[CORA]
    assert (status, letters) == (200, 0)
    assert b"example.org" not in page
    assert cookie == {"salon_code": ("/backstage/code", 32)}
    assert sum(one.startswith("INSERT") for one in said) == 1, "one row"
    assert AskedCode.objects.count() == len(ADDRESSES)
    assert codes.answer_all() == 1
    assert [letter.to for letter in mail.outbox] == [[CORA]]
    assert set(AskedCode.objects.values_list("address", flat=True)) == {""}, "addresses are forgotten"


def test_whoever_looks_at_once_gives_it_away(monkeypatch):
    """Negative control: the letter sent while the page waits, as it was."""
    keep = codes.ask

    def at_once(*words):
        token = keep(*words)
        codes.answer_all()
        return token

    monkeypatch.setattr(codes, "ask", at_once)
    known, unknown = work(CORA), work("nobody@example.org")
    assert known[3] != unknown[3]
    assert (known[4], unknown[4]) == (1, 0)


def test_a_mail_server_that_says_no_gives_nothing_away_and_is_asked_again(monkeypatch):
    """It was a page that says 500 for people of the house, and 200 for others."""

    def refuse(*_words, **_more):
        raise smtplib.SMTPServerDisconnected("gone")

    client = browser()
    with monkeypatch.context() as patched:
        patched.setattr(codes, "send_mail", refuse)
        assert {ask(address, client).status_code for address in ADDRESSES} == {200}
        assert codes.answer_all() == 0
    assert codes.answer_all() == 1
    assert enter(sent_code(), client) == 302


@pytest.mark.parametrize(("says", "waits"), [(550, False), (450, True)])
def test_a_mailbox_that_takes_nothing_holds_nobody_up(monkeypatch, says, waits):
    """Whoever asked after it waited until its quarter of an hour was over. Control: a server that is away is not asked
    for the others at once. One that is full for the moment is tried again, one that is not there is not."""
    User.objects.create_user("dan", email="dan@example.org", is_staff=True)
    send = codes.send_mail

    def refuse(subject, text, sender, to):
        if to != [CORA]:
            raise smtplib.SMTPRecipientsRefused({to[0]: (says, b"no")})
        return send(subject, text, sender, to)

    monkeypatch.setattr(codes, "send_mail", refuse)
    ask("dan@example.org", browser())
    ask(CORA, browser())
    assert codes.answer_all() == 1
    assert AskedCode.objects.filter(address="dan@example.org").exists() is waits


def test_the_worker_sends_codes_and_a_house_without_mail_sends_none(settings):
    assert codes.answer_all in [duty.function for duty in worker.duties()]
    settings.EMAIL_CONFIGURED = False
    ask(CORA, browser())
    assert codes.answer_all() == 0
    assert (mail.outbox, AskedCode.objects.get().address) == ([], "")


def test_a_code_lets_in_once_in_the_browser_that_asked():
    mine, other = browser(), browser()
    ask("Cora@Example.org ", mine)
    ask(CORA, mine)  # pressed twice: two letters, and either code will do
    codes.answer_all()
    first, second = (re.search(r"\d{6}", letter.body)[0] for letter in mail.outbox)
    assert sum(second in str(row) for row in AskedCode.objects.values_list("code_hash", "token_hash")) == 0
    assert enter(first, other) == 403
    ask(CORA, other)
    assert enter(first, other) == 403, "somebody else's code"
    page = mine.post("/backstage/code", {"code": other_than(first)})
    assert page.status_code == 403
    assert 'name="code"' in page.content.decode(), "another try without going back"
    assert enter(f" {first} ", mine) == 302
    assert mine.get("/backstage").status_code == 200
    mine.post("/backstage/logout")
    assert [enter(code, mine) for code in (first, second)] == [403, 403]


def test_a_code_cannot_be_guessed():
    """Five wrong tries end it, the right one after them included. Control: four do not."""

    def tried(times):
        token = codes.ask(CORA, f"place {times}")
        codes.answer_all()
        for _ in range(times):
            with pytest.raises(Forbidden):
                codes.use(token, "x")
        return token, sent_code()

    assert codes.use(*tried(4)).username == "cora"
    with pytest.raises(Forbidden):
        codes.use(*tried(5))
    late = tried(0)
    AskedCode.objects.update(created_at=timezone.now() - codes.LIFETIME)
    with pytest.raises(Forbidden):
        codes.use(*late)
    fresh = tried(0)
    User.objects.update(is_active=False)
    with pytest.raises(Forbidden):
        codes.use(*fresh)


def test_a_stranger_spends_neither_somebody_s_tries_nor_their_letters(monkeypatch):
    mine, stranger = browser(THERE), browser(HERE)
    for _ in range(9):
        ask(CORA, stranger)
    codes.answer_all()
    assert len(mail.outbox) == codes.MOST_A_PLACE_AND_ADDRESS
    ask(CORA, mine)
    codes.answer_all()
    code = sent_code()
    assert [enter(other_than(code), stranger) for _ in range(9)] == [403] * 9
    assert enter(code, mine) == 302
    monkeypatch.setattr(codes, "MOST_AN_ADDRESS", codes.MOST_A_PLACE_AND_ADDRESS + 1)  # control: one count for all
    ask(CORA, browser("203.0.113.1"))
    assert codes.answer_all() == 0


def test_very_many_questions_shut_out_whoever_asks_them_only():
    asked = [ask(f"n{i}@example.org", browser()).status_code for i in range(codes.MOST_A_PLACE + 1)]
    assert asked == [200] * codes.MOST_A_PLACE + [429]
    assert ask(CORA, browser()).status_code == 429, "whatever the address"
    assert ask(CORA, browser(THERE)).status_code == 200
