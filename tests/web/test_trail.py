"""The trail: page by page, narrowed, not to be pushed full; what of a person leaves it, and the database's journal."""

import datetime
import errno
import itertools
import re

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from hands import hand
from register import ADA, BOB, draw, house  # noqa: F401 (fixtures)

from salon.web.events.models import Entry
from salon.web.events.trail import again, note
from salon.web.gallery.domain import proposing
from salon.web.leftovers import discard_later
from salon.web.people import guests, personal
from salon.web.refuses.domain import findings, reporting
from salon.web.refuses.models import Report

# ruff: noqa: F811 (fixtures of register.py)
pytestmark = pytest.mark.django_db(transaction=True)
NAME, WORDS = "Zoë Quillfeather", "a hat nobody wears in Thessaly"
VALUES = {"failure": "bias", "target": "gender", "text": WORDS, "credit": NAME}


@pytest.fixture(autouse=True)
def event(first_event, settings, tmp_path):
    settings.HOME = tmp_path
    return first_event


@pytest.fixture
def cora():
    return hand("cora", first_name="Cora")


@pytest.fixture
def look(cora):
    """The page, as (status, its text lines)."""
    client = Client(headers={"sec-fetch-site": "same-origin"})
    client.force_login(cora)

    def looked(query=""):
        answer = client.get(f"/backstage/trail{query}")
        page = answer.content.decode()
        rows = re.findall(r"<tr><td>.*?</tr>", page, re.S)
        told = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in rows]
        links = dict(re.findall(r'href="(\?[^"]*)" rel="(prev|next)"', page.replace("&amp;", "&")))
        return answer.status_code, told, {rel: query for query, rel in links.items()}

    return looked


# pages


def test_every_line_is_on_exactly_one_page(event, look):
    """Forth by "Older", back by "Newer", though new lines come meanwhile and many are of one moment."""
    for number in range(250):
        note(event, "tried", f"{number:03}")
    Entry.objects.update(at=timezone.now())
    forth, query, pages_of = [], "", []
    while query is not None:
        _status, told, links = look(query)
        pages_of.append(told)
        forth += told
        note(event, "meanwhile", "x")
        query = links.get("next")
    seen = [found[0] for line in forth if (found := re.findall(r"\b\d{3}$", line))]
    assert seen == [f"{number:03}" for number in reversed(range(250))]
    assert [len(page) for page in pages_of] == [100, 100, 50]
    older = look(f"?older={Entry.objects.get(subject='049').pk}")
    assert look(older[2]["prev"])[1] == pages_of[1]
    assert look("?older=123456789")[1][0].startswith(look()[1][0][:8])  # a line that is gone: the newest


def test_the_trail_is_narrowed(event, look, cora):
    note(event, "opened the door", "d1", person=cora, text="main")
    note(event, "proposed", "w1", visitor=ADA)
    note(event, "judged", "f1", text="50% sure")
    old = note(event, "judged", "f2")
    Entry.objects.filter(id=old.id).update(at=timezone.now() - datetime.timedelta(days=40))

    def found(query):
        return {word for line in look(query)[1] for word in ("d1", "w1", "f1", "f2") if word in line.split()}

    assert found("") == {"d1", "w1", "f1", "f2"}
    assert found("?who=staff") == found(f"?who={cora.pk}") == found("?q=MAIN") == {"d1"}
    assert found("?who=visitors") == found("?deed=proposed") == found("?which=w") == {"w1"}
    assert found("?who=house") == {"f1", "f2"}
    assert found("?q=50%25") == {"f1"}
    day = timezone.now().date() - datetime.timedelta(days=40)
    assert found(f"?until={day}") == found(f"?since={day}&until={day}&who=house") == {"f2"}
    assert found("?since=2999-01-01") == found("?deed=nothing") == found("?who=999999") == set()
    assert found("?who=%00&which=%00") == found("")
    status, told, _links = look("?since=9999-99-99")
    assert (status, told) == (400, [])
    assert look("?until=9999-12-31")[0] == 400
    assert look("?since=0001-01-01")[0] == 400


def test_days_are_the_events_own(event, look):
    event.time_zone = "Pacific/Auckland"
    event.save()
    late = note(event, "tried", "late")
    Entry.objects.filter(id=late.id).update(at=datetime.datetime(2026, 6, 6, 13, tzinfo=datetime.UTC))
    assert "7 Jun 01:00:00" in look("?since=2026-06-07&until=2026-06-07")[1][0]
    assert "late" not in " ".join(look("?until=2026-06-06")[1])  # the control: by Greenwich's clock it would be there


def test_only_curators_see_it(look, cora):
    assert look()[0] == 200
    client = Client(headers={"sec-fetch-site": "same-origin"})
    assert client.get("/backstage/trail").status_code == 302
    client.force_login(hand("vera", "volunteer"))
    assert client.get("/backstage/trail").status_code == 403


# not to be pushed full


def test_the_same_from_outside_is_one_line_with_how_often(event, look):
    for _ in range(30):
        again(event, "guest changed", "g1")
    again(event, "guest changed", "g2")
    again(event, "guest changed", "g1", visitor=ADA)
    assert sorted(Entry.objects.values_list("subject", "times")) == [("g1", 1), ("g1", 30), ("g2", 1)]
    assert any(line.endswith("guest changed × 30 g1") for line in look()[1])
    Entry.objects.update(at=timezone.now() - datetime.timedelta(hours=2))
    assert again(event, "guest changed", "g1").times == 1  # another hour, another line
    for _ in range(30):
        note(event, "noted", "g1")
    assert Entry.objects.filter(deed="noted").count() == 30  # the control, and the way of people of the house


def test_a_visitor_cannot_push_the_trail_full(draw, event):
    """Reporting the same again, another name again and again, forgetting nothing: few lines."""
    image, names = draw(BOB), itertools.cycle("ab")
    for _ in range(20):
        mine = reporting.report(ADA, image, VALUES)
        reporting.set_credit(ADA, mine.id, next(names))
        proposing.forget("e" * 32)
    assert Entry.objects.count() == 2
    assert set(Entry.objects.values_list("deed", "times")) == {("reported", 20), ("credit", 20)}
    proposing.forget(ADA)
    assert Entry.objects.filter(deed="forgotten").count() == 1


def test_proposing_and_withdrawing_in_turn_has_an_end(draw, monkeypatch):
    from salon.core.errors import Busy

    monkeypatch.setattr(proposing, "MOST_A_VISITOR", 3)
    image, (proposal, _wrong) = draw(), proposing.read_proposal({"title": "Fox", "may_show": "1"})

    def turn():
        proposing.withdraw(ADA, proposing.propose(ADA, image, proposal)[0].id)

    for _ in range(3):
        turn()
    with pytest.raises(Busy, match="3 works within the hour"):
        turn()
    monkeypatch.setattr(proposing, "MOST_A_VISITOR", 4)  # the control
    turn()


# what of a person leaves it


def test_an_erased_name_leaves_only_lines_about_that_guest(event):
    """Another Zoë, and a door that is called so, keep theirs."""
    zoe, other = (guests.make(event.id, NAME)[0] for _ in range(2))
    note(event, "named", zoe.id, text=f"called {NAME}")
    note(event, "named", other.id, text=f"called {NAME}")
    note(event, "door made", "d1", text=NAME)
    personal.erase(zoe.id)
    assert [e.text for e in Entry.objects.exclude(text="").order_by("id")] == ["…", f"called {NAME}", NAME]
    personal.erase(other.id)
    assert [e.text for e in Entry.objects.exclude(text="").order_by("id")] == ["…", "…", NAME]


def test_what_is_a_guests_own_is_known_by_reference(event, draw):
    """Their application, their report: the note goes, whatever words it has. Control: another's stays."""
    from calling import begin, open_call

    open_call(hand("olga", "organiser"))
    zoe = guests.make(event.id, NAME, visitor=ADA)[0]
    mine, report = begin(guest=zoe), reporting.report(ADA, draw(), VALUES)
    for subject in (mine.id, report.id, "nobody's"):
        note(event, "phoned", subject, text="she said yes")
    personal.erase(zoe.id)
    assert dict(Entry.objects.filter(deed="phoned").values_list("subject", "text")) == {
        mine.id: "…", report.id: "…", "nobody's": "she said yes",
    }  # fmt: skip


def test_forgetting_takes_name_and_words_of_reports_along(draw, cora, event):
    image, shared = draw(), draw(BOB, "a dog")
    mine, other = reporting.report(ADA, image, VALUES), reporting.report(BOB, shared, VALUES | {"text": "a cat"})
    reporting.report(ADA, image, VALUES | {"text": f"{WORDS}, twice", "failure": "other"})
    for one in (mine, other):
        findings.see_credit(cora, one.id)
    assert Entry.objects.filter(text=NAME).count() == 2
    proposing.forget(ADA)
    kept = Report.objects.get(id=mine.id)
    assert (kept.failure, kept.text, kept.credit) == ("other", "", "")
    assert [said["text"] for said in kept.earlier] == [""]
    assert kept.earlier[0]["failure"] == "bias"
    assert [e.subject for e in Entry.objects.filter(text=NAME)] == [other.id]  # the control: somebody else's stays
    reporting.set_credit(BOB, other.id, "")  # whoever wants to be anonymous after all is so in the trail, too
    assert not Entry.objects.filter(text=NAME).exists()


def on_disk():
    path = connection.settings_dict["NAME"]
    return b"".join(open(f"{path}{end}", "rb").read() for end in ("", "-wal"))


@pytest.mark.parametrize("pressed", [True, False])
def test_forgotten_words_leave_the_journal_too(draw, cora, pressed, monkeypatch):
    """Negative control: without pressing out they are still in the file of the journal."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    if not pressed:
        for module in (proposing, reporting):
            monkeypatch.setattr(module, "press_out", lambda: True)
    reporting.report(ADA, draw(), VALUES)
    findings.see_credit(cora, Report.objects.get().id)
    assert WORDS.encode() in on_disk()
    proposing.forget(ADA)
    left = on_disk()
    assert (WORDS.encode() not in left) is pressed
    assert (NAME.encode() not in left) is pressed


def test_what_could_not_be_pressed_out_is_tried_again(draw, monkeypatch, tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    truncated = personal._truncated
    monkeypatch.setattr(personal, "_truncated", lambda: False)  # somebody reads just now
    reporting.report(ADA, draw(), VALUES)
    proposing.forget(ADA)
    assert WORDS.encode() in on_disk()
    assert (tmp_path / "press-out").exists()
    personal.press_out_later()
    assert (tmp_path / "press-out").exists()
    monkeypatch.setattr(personal, "_truncated", truncated)
    personal.press_out_later()
    assert WORDS.encode() not in on_disk()
    assert not (tmp_path / "press-out").exists()


@pytest.mark.parametrize("full", [True, False])
def test_a_full_disk_makes_no_error_of_what_is_erased(event, monkeypatch, full, caplog):
    """The control: with room, it is noted that the journal is to be emptied."""
    monkeypatch.setattr(personal, "_truncated", lambda: False)

    def touch(*_arguments, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    if full:
        monkeypatch.setattr(personal.Path, "touch", touch)
    assert personal.press_out() is (connection.vendor != "sqlite")
    assert ("at the next start" in caplog.text) is (full and connection.vendor == "sqlite")


@pytest.mark.django_db(transaction=True)
def test_a_file_that_cannot_be_erased_keeps_nothing_else(monkeypatch, tmp_path):
    """Neither the other files nor what follows the deed; control: a hook that is not robust stops the ones after it."""
    gone, after = [], []

    def delete(name):
        gone.append(name)
        raise PermissionError(name)

    monkeypatch.setattr(default_storage, "delete", delete)
    with transaction.atomic():
        discard_later(["a", "b"])
        transaction.on_commit(lambda: after.append(1))
    assert (sorted(gone), after) == (["a", "b"], [1])

    @transaction.atomic
    def usual():
        transaction.on_commit(lambda: delete("c"))
        transaction.on_commit(lambda: after.append(2))

    with pytest.raises(PermissionError):
        usual()
    assert after == [1]
