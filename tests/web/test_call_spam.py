"""The sum that keeps machines out, and the way round it for people."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from calling import applications, begin, browser, open_call
from django.utils import timezone
from hands import hand, solved

from salon.core.errors import Conflict
from salon.web.call.domain import applying, codes
from salon.web.events import sums, tries
from salon.web.ids import new_id

pytestmark = pytest.mark.django_db
JS = Path(__file__).parents[2] / "src/salon/web/static/salon/js/sum-worker.js"


@pytest.fixture(autouse=True)
def call():
    return open_call(hand("olga", "organiser"))


def ask(client=None, **more):
    words = {"key": new_id(), "name": "Ada", "stamp": sums.stamp(), **more}
    return (client or browser()).post("/call/begin", words)


def changed(payload, path, value):
    """The payload with one thing other."""
    whole = json.loads(base64.b64decode(payload))
    inner = whole
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return base64.b64encode(json.dumps(whole).encode()).decode()


def test_whoever_did_the_sum_begins_at_once():
    assert ask(sum=solved()).status_code == 302
    assert applications().count() == 1


def test_a_sum_is_good_once():
    """Control: another one is good."""
    payload = solved()
    assert ask(sum=payload).status_code == 302
    answer = ask(sum=payload)
    assert answer.status_code == 409
    assert "has been used" in answer.content.decode()
    assert applications().count() == 1
    assert ask(sum=solved()).status_code == 302


def test_replay_is_refused_by_what_was_spent(monkeypatch):
    """Negative control: with the spending off, the same sum lets two in."""
    payload = solved()
    monkeypatch.setattr(sums, "spend", lambda proof: None)
    assert [ask(sum=payload).status_code for _ in range(2)] == [302, 302]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: changed(p, ("solution", "counter"), 1),
        lambda p: changed(p, ("solution", "derivedKey"), "00" * 32),
        lambda p: changed(p, ("challenge", "signature"), "00" * 32),
        lambda p: changed(p, ("challenge", "parameters", "keyPrefix"), ""),
        lambda p: changed(p, ("challenge", "parameters", "nonce"), "ab" * 16),
        lambda p: changed(p, ("challenge", "parameters", "expiresAt"), 4_000_000_000),
        lambda p: "e30=", lambda p: "not base64 \u202e", lambda p: "[" * 3000, lambda p: "A" * 5000,
    ],
)  # fmt: skip
def test_no_other_sum_is_good(spoil):
    answer = ask(sum=spoil(solved()))
    assert answer.status_code == 429  # it has to wait, as if it had done none
    assert applications().count() == 0


def test_an_old_sum_is_good_no_more(monkeypatch):
    monkeypatch.setattr(sums, "CHALLENGE_LIFE", -tries.HOUR)
    assert ask(sum=solved()).status_code == 429


def test_without_a_sum_a_form_waits_and_nothing_typed_is_lost(monkeypatch):
    """The way round: no script, no riddle. Control: what waited long enough goes through, once."""
    answer = ask(name="Ada <i>", email="ada@example.org")
    page = answer.content.decode()
    assert answer.status_code == 429
    assert "Press the button again in" in page
    assert "Ada &lt;i&gt;" in page
    assert "ada@example.org" in page
    stamp = page.split('name="stamp" value="')[1].split('"')[0]
    monkeypatch.setattr(sums, "WAIT", sums.WAIT * 0)
    assert ask(stamp=stamp).status_code == 302
    assert ask(stamp=stamp).status_code == 409  # once


@pytest.mark.parametrize("stamp", ["", "x", "a:b:c"])
def test_a_stamp_that_is_not_ours_opens_nothing(stamp, monkeypatch):
    monkeypatch.setattr(sums, "WAIT", sums.WAIT * 0)
    assert ask(stamp=stamp).status_code == 409


@pytest.mark.parametrize("limited", [True, False])
def test_the_way_round_is_limited(limited, monkeypatch):
    """Eight an hour from an address. Control: with the limit off more come in; with a sum nothing is limited."""
    monkeypatch.setattr(sums, "WAIT", sums.WAIT * 0)
    if not limited:
        monkeypatch.setattr(sums, "MOST_A_SOURCE", 100)
    said = [ask().status_code for _ in range(10)]
    assert said == [302] * 8 + ([429] * 2 if limited else [302] * 2)
    assert ask(sum=solved()).status_code == 302
    monkeypatch.setattr(sums, "MOST_AN_HOUR", applications().count() - 1)
    with pytest.raises(tries.TooManyTries):  # from all addresses together
        sums.check("", sums.stamp(), "10.9.9.9")


def test_a_volunteers_code_goes_round_both(call):
    code = codes.make(hand("o2", "organiser"), call, "no scripts", 1, timezone.now() + tries.HOUR)
    client = browser()
    answer = client.post("/call/code", {"code": code})
    ticket = answer["Location"].split("late=")[1]
    assert "Your code is good" in client.get(answer["Location"]).content.decode()
    from urllib.parse import unquote

    assert ask(client, ticket=unquote(ticket)).status_code == 302
    assert ask(ticket=unquote(ticket)).status_code == 403  # one use
    assert browser().post("/call/code", {"code": "AAAA-AAAA-AAAA"}).status_code == 403
    assert ask(ticket="forged").status_code == 403


def test_without_any_proof_the_rule_itself_refuses():
    with pytest.raises(Exception, match="not whole"):
        applying.begin(applying.Begin(key=new_id(), name="Ada"), None, None)
    assert begin("Ada").state == "draft"  # the control
    with pytest.raises(Conflict):
        sums.check("", "", "10.0.0.1")


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine; the page test does the sum too")
def test_our_script_finds_what_altcha_asks_for():
    challenge = sums.challenge()
    words = "globalThis.postMessage = (s) => console.log(JSON.stringify(s));"
    words += JS.read_text().replace("onmessage =", "const run =")
    words += f"\nrun({{data: {json.dumps(challenge['parameters'])}}});"
    out = subprocess.run(["node", "-e", words], capture_output=True, text=True, check=True).stdout
    payload = base64.b64encode(json.dumps({"challenge": challenge, "solution": json.loads(out)}).encode()).decode()
    assert ask(sum=payload).status_code == 302
