"""The call for artists: the form, drafts, the deadline, two windows, decisions applied together, what artists see."""

import datetime
import json
import threading

import pytest
from calling import applications, begin, browser, close, form, named, open_call, send, typed, whole
from django.db import connection
from django.utils import timezone
from hands import body, hand

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.web.call import domain
from salon.web.call.domain import answers, applying, codes, deciding, forms, states, windows
from salon.web.call.models import AccessCode, Answer, Question, Submission, Wording
from salon.web.events.domain import current_event
from salon.web.events.models import Entry, Event
from salon.web.ids import new_id
from salon.web.mail.models import Letter
from salon.web.people import guests
from salon.web.people.models import Guest
from salon.web.seats.models import Invitation, Pool

pytestmark = pytest.mark.django_db
State = Submission.State


@pytest.fixture(autouse=True)
def _files(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def organiser():
    return hand("olga", "organiser")


@pytest.fixture
def call(organiser):
    return open_call(organiser)


# the form


def test_the_usual_form_is_there_and_every_agreement_keeps_its_words(call):
    asked = answers.asked(call)
    assert [one.rank for one in asked] == list(range(len(asked)))
    assert {one.kind for one in asked} >= {"line", "file", "link", "text", "yes", "agreement"}
    agreements = [one for one in asked if one.kind == "agreement"]
    assert Wording.objects.count() == len(agreements) == 2


@pytest.mark.parametrize(
    ("kind", "options", "raw", "value"),
    [
        ("line", [], "  a\u202e b ", "a b"),
        ("text", [], "one\ntwo\u0007", "one\ntwo"),
        ("number", [], "12,5", 12.5),
        ("number", [], "3", 3),
        ("date", [], "2026-02-28", "2026-02-28"),
        ("choice", ["red", "blue"], "blue", "blue"),
        ("choices", ["red", "blue"], ["blue", "green"], ["blue"]),
        ("yes", [], "no", False),
        ("link", [], "example.org/a", "https://example.org/a"),
        ("agreement", [], "1", True),
    ],
)
def test_each_kind_is_understood(call, kind, options, raw, value):
    question = Question(call=call, kind=kind, options=options, label="?", required=True)
    assert answers.value_of(question, raw) == (value, "")


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("line", ""), ("line", "x" * 301), ("text", "x" * 4001), ("number", "many"), ("number", "NaN"),
        ("number", "9" * 30), ("date", "2026-02-30"), ("choice", "green"), ("choices", ["green"]), ("choices", "red"),
        ("yes", "perhaps"), ("link", "javascript:alert(1)"), ("link", "ftp://example.org"), ("link", "not a link"),
        ("agreement", ""), ("agreement", "2"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(call, kind, raw):
    options = ["red", "blue"] if kind.startswith("choice") else []
    value, said = answers.value_of(Question(call=call, kind=kind, options=options, label="?", required=True), raw)
    assert said
    assert value in (None, False, [])


def test_other_words_are_a_new_version_and_a_form_from_before_does_not_agree_to_them(call, organiser):
    terms = named("I agree to the terms")
    submission = begin()
    applying.save(submission.guest, submission.id, 0, whole())
    fields = {"kind": "agreement", "label": terms.label, "help": "Other words.", "options": [], "use": "",
              "required": True, "personal": False}  # fmt: skip
    assert forms.change(organiser, terms.id, fields | {"help": terms.help}).version == 1  # the same words
    assert forms.change(organiser, terms.id, fields).version == 2
    _one, wrong = applying.send(submission.guest, submission.id, windows.opened(submission))
    assert list(wrong) == [answers.name_of(terms)]
    submission.refresh_from_db()
    sent = send(submission, whole())
    assert Answer.objects.get(submission=sent, question=terms).version == 2
    assert Wording.objects.get(question=terms, version=1).help != "Other words."
    forms.change(organiser, terms.id, fields | {"help": "Again."})
    assert Answer.objects.get(submission=sent, question=terms).version == 2  # who agreed, agreed to those


def test_questions_move_by_one_and_a_retired_one_keeps_its_answers(call, organiser):
    labels = [one.label for one in answers.asked(call)]
    second = answers.asked(call)[1]
    forms.move(organiser, second.id, -1)
    assert [one.label for one in answers.asked(call)] == [labels[1], labels[0], *labels[2:]]
    forms.move(organiser, second.id, -1)  # at the end of the line nothing happens
    assert answers.asked(call)[0] == second
    line = named("Year")
    sent = send(begin(), whole(**{answers.name_of(line): "2026, ink"}))
    forms.retire(organiser, line.id)
    forms.retire(organiser, named("A link").id)  # nobody answered it: it goes wholly... unless answered with nothing
    assert line not in answers.asked(call)
    client = browser()
    client.force_login(organiser)
    assert client.get("/backstage/call?use=workshop").status_code == 200
    assert [row["text"] for row in answers.told(sent) if row["question"] == line] == ["2026, ink"]
    forms.retire(organiser, line.id, back=True)
    assert line in answers.asked(call)
    with pytest.raises(Conflict, match="kind stays"):
        forms.change(organiser, line.id, {"kind": "text", "label": "x", "help": ""})
    untouched = forms.add(organiser, forms.read_question(form(kind="yes", label="Really?")))
    forms.retire(organiser, untouched.id)
    assert not Question.objects.filter(id=untouched.id).exists()


@pytest.mark.parametrize(
    "fields",
    [{}, {"kind": "yes"}, {"kind": "choice", "label": "Which?", "options": "one"}, {"kind": "x", "label": "?"}],
)
def test_a_question_that_cannot_be_asked_is_told(fields):
    with pytest.raises(BadRecipe):
        forms.read_question(form(**fields))


@pytest.mark.parametrize(("field", "most"), [("label", 300), ("options", 300), ("help", 4000)])
def test_a_question_is_never_cut(field, most):
    """Too long is told; the control, as long as it may be, is kept whole."""
    fields = {"kind": "choice", "label": "Which?", "options": "one\ntwo"}
    typed = {"options": "one\n%s"}.get(field, "%s")
    with pytest.raises(BadRecipe, match="At most"):
        forms.read_question(form(**fields | {field: typed % ("x" * (most + 1))}))
    kept = forms.read_question(form(**fields | {field: typed % ("x" * most)}))[field]
    assert "x" * most in kept


def test_a_call_cannot_close_before_it_opens(call, organiser):
    with pytest.raises(BadRecipe):
        forms.set_call(organiser, "x", "", timezone.now(), timezone.now() - datetime.timedelta(days=1))
    with pytest.raises(BadRecipe):
        forms.set_call(organiser, "x", "", None, timezone.now())


# applying


def test_an_artist_begins_writes_sends_and_is_written_to(call):
    submission = begin("Ada", email="ada@example.org", language="en")
    assert (submission.state, submission.guest.email) == (State.DRAFT, "ada@example.org")
    sent = send(submission)
    assert (sent.state, sent.title, sent.typed) == (State.SUBMITTED, "Nine Foxes", {})
    letter = Letter.objects.get(kind="call-received")
    assert letter.state == Letter.State.RELEASED  # by itself
    assert "{private_link}" in letter.text
    assert str(timezone.localtime(call.closes_at).year) in letter.text
    assert applying.send(sent.guest, sent.id, "")[0].revision == sent.revision  # twice is once
    assert Letter.objects.count() == 1
    deeds = list(Entry.objects.filter(subject=sent.id).order_by("id").values_list("deed", flat=True))
    assert deeds == ["application begun", "application sent"]


def test_without_mail_it_works_too(call):
    send(begin("Bo"))
    assert not Letter.objects.exists()


def test_one_press_is_one_application(call):
    client, key = browser(), new_id()
    words = {"key": key, "name": "Ada", "stamp": "x"}
    made = begin("Ada", key=key)
    answer = client.post("/call/begin", words)  # the second press: its sum is spent, it has no cookie yet
    assert (answer.status_code, answer["Location"]) == (302, f"/call/{made.id}/edit?new=1")
    assert guests.guest_of_token(client.cookies["salon_guest"].value) == made.guest
    assert client.get(f"/call/{made.id}/edit").status_code == 200
    assert applications().count() == Guest.objects.count() == 1
    Submission.objects.update(created_at=timezone.now() - datetime.timedelta(hours=2))
    assert browser().post("/call/begin", words).status_code == 409  # an old form in somebody's history is no key
    assert client.post("/call/begin", words).status_code == 302  # but its owner is led to it


@pytest.mark.django_db(transaction=True)
def test_presses_at_the_same_moment_are_one_application(first_event, organiser):
    open_call(organiser)
    key, made, ready = new_id(), [], threading.Barrier(8)

    def press():
        ready.wait()
        try:
            made.append(begin("Ada", key=key).id)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == applications().count() == Guest.objects.count() == 1


def test_a_guest_cannot_begin_without_end(call):
    first = begin()
    for _ in range(applying.MOST_A_GUEST - 1):
        begin(guest=first.guest)
    with pytest.raises(Conflict, match="5 applications"):
        begin(guest=first.guest)
    applying.withdraw(first.guest, first.id)
    begin(guest=first.guest)  # the control


@pytest.mark.parametrize("name", ["Ада Лавлейс", "عايدة", "  愛子 ", "Zoë <b>", "Ada\u202e\u0000"])
def test_names_in_any_script(call, name):
    client = browser()
    submission = begin(name)
    client.cookies["salon_guest"] = guests.link_token(submission.guest)
    page = client.get(f"/call/{submission.id}/edit").content.decode()
    assert "\u202e" not in page
    assert "<b>" not in page.replace("<b>", "", 0) or "Zoë &lt;b&gt;" in page


def test_a_second_window_cannot_write_over_the_first_unseen(call):
    """409 with both texts; then the artist decides. Control: who knows the newest revision saves."""
    submission = begin()
    client = browser()
    client.cookies["salon_guest"] = guests.link_token(submission.guest)
    address = f"/call/{submission.id}/edit"
    first = {"artist": "Ada", "title": "From the first", "revision": "0"}
    assert client.post(address, first | {"save": "1"}).status_code == 302
    second = {"artist": "Ada", "title": "From the second", "about": "long words", "revision": "0"}
    answer = client.post(address, second | {"save": "1"})
    page = answer.content.decode()
    assert answer.status_code == 409
    for words in ("From the first", "From the second", "long words", 'name="revision" value="1"'):
        assert words in page
    assert typed(submission)["title"] == "From the first"
    assert client.post(address, second | {"revision": "1", "save": "1"}).status_code == 302
    assert typed(submission)["title"] == "From the second"
    as_script = {"Accept": "application/json"}
    answer = client.post(address, first, headers=as_script)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert client.post(address, second, headers=as_script).json()["revision"] == 2  # the same words are no conflict


def test_what_is_wrong_is_kept_as_it_was_typed(call):
    submission = begin()
    number = forms.add(hand("o2", "organiser"), forms.read_question(form(kind="number", label="How many?")))
    name = answers.name_of(number)
    applying.save(submission.guest, submission.id, 0, whole(**{name: "a dozen", "title": "t" * 500}))
    _one, wrong = applying.send(submission.guest, submission.id, windows.opened(submission))
    assert set(wrong) == {name, "title"}
    assert typed(submission)[name] == "a dozen"
    assert len(typed(submission)["title"]) == 500
    submission.refresh_from_db()
    assert (submission.state, submission.title) == (State.DRAFT, "")


def test_changes_after_sending_count_when_they_are_sent(call):
    sent = send(begin())
    kept = applying.save(sent.guest, sent.id, sent.revision, whole(title="Ten Foxes"))
    assert (kept.title, typed(kept)["title"]) == ("Nine Foxes", "Ten Foxes")
    back = applying.save(sent.guest, sent.id, kept.revision, whole())
    assert back.typed == {}  # as it was: nothing is open
    again = send(back, whole(title="Ten Foxes"))
    assert (again.title, again.typed, again.state) == ("Ten Foxes", {}, State.SUBMITTED)


def test_an_empty_change_is_not_lost_either(call):
    sent = send(begin())
    kept = applying.save(sent.guest, sent.id, sent.revision, {})
    assert typed(kept) == {}


# the deadline


def test_the_deadline_passes_while_somebody_types(call):
    """Kept as it was typed, told clearly; a form from before has two minutes. Control: without the grace it is late."""
    submission = begin()
    opened = windows.opened(submission)
    close(call, datetime.timedelta(seconds=1))
    applying.save(submission.guest, submission.id, 0, whole())
    with pytest.raises(windows.Late):
        applying.send(submission.guest, submission.id, "")
    with pytest.raises(windows.Late):  # another application's
        applying.send(submission.guest, submission.id, windows.opened(begin_late(call)))
    close(call, windows.GRACE + datetime.timedelta(seconds=1))
    with pytest.raises(windows.Late, match="deadline was"):
        applying.send(submission.guest, submission.id, opened)
    assert typed(submission)["title"] == "Nine Foxes"
    close(call, datetime.timedelta(seconds=1))
    assert _before_the_deadline(submission, call, opened)


def _before_the_deadline(submission, call, opened):
    """The token was made in the second of the deadline: move the deadline behind it."""
    call.closes_at = timezone.now()
    call.save()
    began = windows._opened_at(opened, submission)
    assert began < call.closes_at
    return applying.send(submission.guest, submission.id, opened)[1] == {}


def begin_late(call):
    call.closes_at, kept = timezone.now() + datetime.timedelta(hours=1), call.closes_at
    call.save()
    made = begin("Bo")
    call.closes_at = kept
    call.save()
    return made


def test_the_page_says_that_it_was_too_late_and_shows_what_was_typed(call):
    submission = begin()
    client = browser()
    client.cookies["salon_guest"] = guests.link_token(submission.guest)
    close(call)
    answer = client.post(f"/call/{submission.id}/edit", {"title": "Late Fox", "revision": "0", "send": "1"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "came too late and was not sent" in page
    assert "Late Fox" in page
    assert client.get(f"/call/{submission.id}").status_code == 200
    assert typed(submission)["title"] == "Late Fox"


def test_times_are_the_events_own(call):
    Event.objects.update(time_zone="Pacific/Auckland")
    page = browser().get("/call").content.decode()
    assert "Pacific/Auckland" in page
    assert "data-until" in page


def test_nobody_begins_before_or_after(call, organiser):
    close(call)
    with pytest.raises(Conflict, match="not open"):
        begin()
    forms.set_call(organiser, "x", "", timezone.now() + datetime.timedelta(days=1), None)
    with pytest.raises(Conflict, match="not open"):
        begin()
    Event.objects.update(opened_at=None)
    assert browser().get("/call").status_code == 404


def test_a_code_lets_late_ones_in_as_often_as_it_says(call, organiser):
    code = codes.make(organiser, call, "for Mo", 1, timezone.now() + datetime.timedelta(days=1))
    assert code not in str(list(AccessCode.objects.values()))
    close(call)
    draft = begin_late(call)
    ticket = codes.accept(current_event(), code.lower().replace("-", " "), "10.0.0.1")
    made = begin("Mo", ticket=ticket)
    assert send(made).state == State.SUBMITTED
    with pytest.raises(Forbidden):
        begin("Nu", ticket=ticket)
    with pytest.raises(Forbidden):
        applying.come_late(draft.guest, draft.id, ticket)
    AccessCode.objects.update(uses_left=1)  # the control
    assert send(applying.come_late(draft.guest, draft.id, ticket)).state == State.SUBMITTED
    applying.come_late(draft.guest, draft.id, ticket)  # again: costs nothing
    AccessCode.objects.update(until=timezone.now())
    revision = Submission.objects.get(id=draft.id).revision
    applying.save(draft.guest, draft.id, revision, whole(title="Late"))
    with pytest.raises(windows.Late):
        applying.send(draft.guest, draft.id, "")


@pytest.mark.parametrize("limited", [True, False])
def test_wrong_codes_rest_and_the_right_one_is_good(call, organiser, limited, monkeypatch):
    """Ten wrong ones from a network, two hundred from all; nobody spends the tries of others. Control: limits off."""
    code = codes.make(organiser, call, "for Mo", 5, timezone.now() + datetime.timedelta(days=1))
    monkeypatch.setattr(codes, "MOST", 15 if limited else 10**6)
    monkeypatch.setattr(codes, "MOST_A_SOURCE", 10 if limited else 10**6)
    said = []
    for place, typed_code in enumerate(["AAAA-BBBB-CCCC"] * 10 + [code] + ["AAAA-BBBB-CCCC"] * 6 + [code]):
        try:
            codes.accept(current_event(), typed_code, f"10.0.0.{1 if place < 11 else place}")
            said.append("in")
        except Exception as error:
            said.append(error.code)
    last = "too_many_tries" if limited else "forbidden"
    assert said == ["forbidden"] * 10 + ["in"] + ["forbidden"] * 5 + [last, "in"]


# whose it is


def test_others_are_told_nothing(call):
    sent = send(begin())
    stranger, other = browser(), begin("Eve")
    stranger.cookies["salon_guest"] = guests.link_token(other.guest)
    for client in (browser(), stranger):
        for path in ("", "/edit"):
            for name in (sent.id, "0" * 32):
                assert client.get(f"/call/{name}{path}").status_code == 403
        for deed in ("withdraw", "confirm", "take-up"):
            assert client.post(f"/call/{sent.id}/{deed}").status_code == 403
    stranger.cookies["salon_guest"] = guests.link_token(sent.guest)
    assert stranger.get(f"/call/{sent.id}").status_code == 200  # the control
    answer = stranger.post(f"/call/{sent.id}/withdraw", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


# states and decisions


def test_every_transition_is_in_the_table():
    """Each state and deed: what is not in the table is refused. No state is a dead end by mistake."""
    for state in State.values:
        for deed, (starts, leads_to, _artist) in states.DEEDS.items():
            submission = Submission(state=state)
            if state in starts:
                states.do(submission, deed)
                assert submission.state == leads_to
            else:
                with pytest.raises(Conflict):
                    states.do(submission, deed)
                assert submission.state == state
    assert {deed.leads_to for deed in states.DEEDS.values()} == set(State.values)
    assert set(domain.PENDING) == {"accepted", "rejected", "cancelled"}


def pool(kind=Pool.Kind.MEETING):
    return Pool.objects.create(event=current_event(), kind=kind, name="Meet & greet", capacity=10)


def test_decisions_are_told_to_nobody_until_all_are_applied(call, organiser):
    yes, no = send(begin("Ada", email="ada@example.org")), send(begin("Bo", email="bo@example.org"))
    undecided = send(begin("Cy"))
    meeting, workshop = pool(), pool(Pool.Kind.WORKSHOP)
    deciding.set_pending(organiser, yes.id, "accepted")
    deciding.set_pending(organiser, no.id, "rejected")
    client = browser()
    client.cookies["salon_guest"] = guests.link_token(yes.guest)
    page = client.get(f"/call/{yes.id}").content.decode()
    assert "state-submitted" in page
    assert "accepted" not in page
    data = client.get("/you/data.json").content.decode()
    assert "accepted" not in data
    assert Letter.objects.exclude(kind="call-received").count() == 0

    applied = deciding.apply_pending(current_event(), organiser)
    assert (applied.counts, applied.overtaken) == ({"accepted": 1, "rejected": 1}, [])
    stands = dict(applications().values_list("guest__name", "state"))
    assert stands == {"Ada": "accepted", "Bo": "rejected", "Cy": "submitted"}
    letters = {letter.kind: letter.state for letter in Letter.objects.filter(kind__startswith="call-")}
    assert letters["call-accepted"] == letters["call-rejected"] == Letter.State.DRAFT  # they wait for a person
    assert list(Invitation.objects.values_list("pool", "guest", "reason")) == [(meeting.id, yes.guest_id, "artist")]
    assert not Invitation.objects.filter(pool=workshop).exists()
    assert Entry.objects.filter(deed="decisions applied", person=organiser).count() == 1
    assert "state-accepted" in client.get(f"/call/{yes.id}").content.decode()
    count = Letter.objects.count()
    assert deciding.apply_pending(current_event(), organiser).counts == {}  # twice is once
    assert Letter.objects.count() == count
    undecided.refresh_from_db()
    assert undecided.state == State.SUBMITTED


def test_all_decisions_are_applied_or_none(call, organiser, monkeypatch):
    """A failure in the middle leaves everything as it was. Control: without it both are applied."""
    for name in ("Ada", "Bo"):
        deciding.set_pending(organiser, send(begin(name)).id, "accepted")
    seen = []

    def broken(kind, submission):
        seen.append(kind)
        if len(seen) == 2:
            raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(deciding.letters, "tell", broken)
        with pytest.raises(RuntimeError):
            deciding.apply_pending(current_event(), organiser)
    assert set(applications().values_list("state", "pending")) == {("submitted", "accepted")}
    assert not Entry.objects.filter(deed="accepted").exists()
    assert deciding.apply_pending(current_event(), organiser).counts == {"accepted": 2}


def test_a_withdrawal_overtakes_a_decision(call, organiser):
    sent = send(begin())
    deciding.set_pending(organiser, sent.id, "accepted")
    Submission.objects.filter(id=sent.id).update(state=State.WITHDRAWN)
    applied = deciding.apply_pending(current_event(), organiser)
    assert (applied.counts, [one.id for one in applied.overtaken]) == ({}, [sent.id])
    sent.refresh_from_db()
    assert (sent.state, sent.pending) == (State.WITHDRAWN, "")
    client = browser()
    client.force_login(organiser)
    told = client.get("/backstage/call?applied=0&overtaken=1").content.decode()  # where applying leads to
    assert "0 decisions were applied" in told
    assert "1 no longer fitted" in told
    with pytest.raises(Conflict):
        deciding.set_pending(organiser, sent.id, "accepted")
    with pytest.raises(BadRecipe):
        deciding.set_pending(organiser, sent.id, "confirmed")


def test_withdrawn_and_taken_up_again(call):
    sent = send(begin())
    assert applying.withdraw(sent.guest, sent.id)[0].state == State.WITHDRAWN
    assert applying.withdraw(sent.guest, sent.id)[0].state == State.WITHDRAWN
    draft = applying.take_up(sent.guest, sent.id)
    assert (draft.state, typed(draft)["title"]) == (State.DRAFT, "Nine Foxes")
    assert send(draft).state == State.SUBMITTED
    applying.withdraw(sent.guest, sent.id)
    close(call)
    with pytest.raises(windows.Late):
        applying.take_up(sent.guest, sent.id)


# backstage


def test_backstage_is_for_its_hands(call, organiser):
    sent = send(begin())
    drafted = begin("Bo")
    curator, volunteer = hand("cora", "curator"), hand("vera", "volunteer")
    read = ("/backstage/call", f"/backstage/call/{sent.id}", "/backstage/call/preview")
    change = ("/backstage/call/form", "/backstage/call/codes", "/backstage/exports/applications.csv")
    for person, may_read, may_change in ((organiser, 200, 200), (curator, 200, 403), (volunteer, 403, 403)):
        client = browser()
        client.force_login(person)
        assert {client.get(path).status_code for path in read} == {may_read}
        assert {client.get(path).status_code for path in change} == {may_change}, person
        assert client.get(f"/backstage/call/{drafted.id}").status_code in (404, 403)  # nobody reads drafts
        if person != organiser:
            assert client.post("/backstage/call/apply").status_code == 403
            assert client.post(f"/backstage/call/{sent.id}/decide", {"decision": "accepted"}).status_code == 403
    assert browser().get("/backstage/call").status_code == 302


def test_an_organiser_composes_decides_and_applies_with_the_browser(organiser):
    client = browser()
    client.force_login(organiser)
    assert "There is no call yet" in client.get("/backstage/call").content.decode()
    client.post("/backstage/call/form")
    answer = client.post("/backstage/call/set", {"title": "Foxes", "opens_at": "2026-13-01T10:00", "about": "Any fox."})
    assert answer.status_code == 400
    assert "Any fox." in answer.content.decode()
    client.post("/backstage/call/set", {"title": "Foxes", "opens_at": "2020-01-01T10:00", "closes_at": ""})
    answer = client.post("/backstage/call/questions", {"kind": "choice", "label": "Which?", "options": "red"})
    assert answer.status_code == 400
    client.post("/backstage/call/questions", {"kind": "choice", "label": "Which?", "options": "red\nblue"})
    which = named("Which?")
    client.post(f"/backstage/call/questions/{which.id}/up")
    client.post(f"/backstage/call/questions/{which.id}", {"kind": "choice", "label": "Which fox?", "options": "a\nb"})
    assert "Which fox?" in client.get("/backstage/call/preview").content.decode()
    assert "not open yet" in client.get("/backstage/call").content.decode()
    Event.objects.update(opened_at=timezone.now())
    sent = send(begin())
    client.post(f"/backstage/call/{sent.id}/decide", {"decision": "accepted"})
    answer = client.post("/backstage/call/apply", follow=True)
    assert "1 decision was applied" in answer.content.decode()
    answer = client.post("/backstage/call/codes", {"name": "Mo", "uses": "2", "until": "2099-01-01T10:00"})
    assert b'id="made"' in answer.content
    client.post(f"/backstage/call/codes/{AccessCode.objects.get().id}/revoke")
    assert AccessCode.objects.get().uses_left == 0
    assert client.post("/backstage/call/codes", {"name": "", "uses": "x", "until": "no"}).status_code == 400


def test_the_spreadsheet_runs_nothing(call, organiser):
    """The way that the call's page shows; control: without the apostrophe the cells would begin as formulas do."""
    send(begin("=cmd|'/c calc'!A0"), whole(title="@SUM(1)", about="-1+2"))
    client = browser()
    client.force_login(organiser)
    shown = client.get("/backstage/call").content.decode()
    csv, plain = (f"/backstage/exports/applications.{ending}" for ending in ("csv", "json"))
    assert f'href="{csv}?excel=1"' in shown
    assert f'href="{plain}"' in shown
    rows = body(client.get(csv)).decode()
    for cell in ("'@SUM(1)", "'-1+2", "'=cmd"):
        assert cell in rows
    found = json.loads(body(client.get(plain)))
    assert [one["title"] for one in found] == ["@SUM(1)"]


def test_the_demo_has_a_call_with_everything(organiser, django_capture_on_commit_callbacks):
    from django.core.files.storage import default_storage

    from salon.web.call.models import Upload
    from salon.web.events import demo

    made = demo.make(organiser)
    assert windows.phase(windows.call_of(made)) == "open"
    assert set(Submission.objects.filter(event=made).values_list("state", flat=True)) >= {"submitted", "confirmed"}
    works = list(made.works.exclude(given=None))
    assert len(works) == 2
    names = [upload.shown for upload in Upload.objects.all()] + [work.given.file for work in works]
    assert all(default_storage.exists(name) for name in names)
    with django_capture_on_commit_callbacks(execute=True):
        demo.remove(organiser)
    assert not Submission.objects.exists()
    assert not any(default_storage.exists(name) for name in names)
