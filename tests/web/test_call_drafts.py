"""Applications that nobody sends: their part of the room, their end, and what organisers see of them."""

import datetime

import pytest
from calling import begin, browser, close, named, open_call, png, send, upload
from django.core.files.storage import default_storage
from django.utils import timezone
from hands import hand, solved

from salon.web.call.domain import applying, codes, drafts, files, windows
from salon.web.call.models import Submission, Upload
from salon.web.events.domain import current_event
from salon.web.events.models import Entry
from salon.web.ids import new_id
from salon.web.people import guests

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.timedelta(days=1)
HERE, THERE = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def call(first_event, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return open_call(hand("olga", "organiser"))


def keep(draft, colour=(1, 2, 3), size=40):
    data = png(size, size, colour)
    files.keep(draft.guest, draft.id, named("Pictures"), upload(data), windows.opened(draft))
    return len(data)


def age(draft, days):
    Submission.objects.filter(id=draft.id).update(changed_at=timezone.now() - days * DAY)


# room


def test_drafts_cannot_take_all_of_the_room(settings):
    """Control: what is sent has the rest of the room, and so has a draft where there is no such part."""
    one, other, sent = begin("Eve", source=HERE), begin("Eva", source=THERE), send(begin("Ada", source="c" * 64))
    size = keep(one)
    settings.SALON_CALL_DRAFT_BYTES = size + 10
    with pytest.raises(drafts.NoRoom, match="not sent yet"):
        keep(other)
    keep(sent)
    settings.SALON_CALL_DRAFT_BYTES = 10**9
    keep(other)
    assert Upload.objects.count() == 3


def test_one_network_has_a_share(settings):
    """Whoever begins again and again is one sender. Control: somebody else's files come in, and so do those of people
    whose network is not known; what is decided counts no longer."""
    one, again, other = (begin(name, source=where) for name, where in (("E", HERE), ("F", HERE), ("Ada", THERE)))
    size = keep(one)
    settings.SALON_CALL_SOURCE_BYTES = size + 10
    with pytest.raises(drafts.NoRoom, match="your network"):
        keep(again)
    keep(other)
    nowhere = begin("Zoe")
    keep(nowhere)
    keep(nowhere, (9, 9, 9))
    Submission.objects.filter(id=one.id).update(state="rejected")
    keep(again)


def test_the_form_says_where_an_application_comes_from():
    asked = browser().post("/call/begin", {"key": new_id(), "name": "Ada", "sum": solved()})
    assert asked.status_code == 302
    made = Submission.objects.get()
    assert len(made.source) == 64
    assert drafts.expire() == 0
    Submission.objects.update(state="accepted", submitted_at=timezone.now())
    drafts.expire()
    assert Submission.objects.get().source == ""


# the end


def test_a_draft_that_nobody_touches_goes_with_its_files(settings):
    """Control: what was touched yesterday, and what was ever sent, stays."""
    old, fresh, sent = begin("Eve"), begin("Ada"), send(begin("Bo"))
    for one in (old, fresh, sent):
        keep(one)
    names = list(Upload.objects.filter(submission=old).values_list("file", flat=True))
    for one in (old, sent):
        age(one, settings.SALON_CALL_DRAFT_DAYS + 1)
    age(fresh, 1)
    assert drafts.expire() == 1
    assert set(Submission.objects.values_list("id", flat=True)) == {fresh.id, sent.id}
    assert not default_storage.exists(names[0])
    assert Upload.objects.count() == 2
    assert Entry.objects.filter(deed="draft expired", subject=old.id).count() == 1
    assert drafts.expire() == 0


def test_writing_and_files_keep_it_longer(settings):
    draft = begin()
    for touch in (lambda: applying.save(draft.guest, draft.id, 0, {"title": "Fox"}), lambda: keep(draft)):
        age(draft, settings.SALON_CALL_DRAFT_DAYS - 1)
        touch()
        draft.refresh_from_db()
        assert timezone.now() - draft.changed_at < DAY


def test_a_fortnight_after_the_end_it_goes(call, settings):
    """A code that lets a late one in keeps it as long as the code is good."""
    person = hand("o2", "organiser")
    code = codes.make(person, call, "late", 1, timezone.now() + 30 * DAY)
    late, other = begin("Ada"), begin("Eve")
    applying.come_late(late.guest, late.id, codes.accept(current_event(), code, HERE))
    close(call, ago=13 * DAY)
    for one in (late, other):
        age(one, 20)
    assert drafts.expire() == 0
    close(call, ago=15 * DAY)
    assert drafts.expire() == 1
    assert Submission.objects.get() == late


def test_whoever_sends_at_the_last_moment_loses_nothing():
    """It is looked at again under its lock: a draft that was sent meanwhile is none."""
    draft = begin()
    send(draft)
    age(draft, 400)
    assert drafts._expire(draft.id) is False
    assert Submission.objects.filter(id=draft.id).exists()


# what is seen


def test_artist_and_organisers_are_told(call, settings):
    draft = begin("Ada")
    keep(draft)
    client = browser()
    client.cookies[guests.COOKIE] = guests.link_token(draft.guest)
    page = client.get(f"/call/{draft.id}/edit").content.decode()
    assert "What you do not send is kept until" in page
    sent = send(begin("Bo"))
    client.cookies[guests.COOKIE] = guests.link_token(sent.guest)
    assert "What you do not send" not in client.get(f"/call/{sent.id}/edit").content.decode()
    staff = browser()
    staff.force_login(hand("oda", "organiser"))
    page = staff.get("/backstage/call").content.decode()
    assert "1 draft that nobody has sent." in page
    assert f"What nobody touches for {settings.SALON_CALL_DRAFT_DAYS} days" in page
    told = drafts.told(current_event())
    assert (told["count"], told["bytes"]) == (1, Upload.objects.get().size)
