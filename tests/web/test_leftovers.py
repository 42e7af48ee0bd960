"""Files of all rooms: none stays that no row names, whatever was killed between them; none goes whose row may follow. A
kill is a transaction whose last act does not come; the files are real ones."""

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from calling import begin, named, open_call, png, upload
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from hands import hand

from salon.web import leftovers
from salon.web.call.domain import files, private
from salon.web.events import demo, logos, setup, several
from salon.web.events.domain import current_event
from salon.web.gallery.domain import giving
from salon.web.mail import sending, worker
from salon.web.mail.models import Letter
from salon.web.mail.personal import erase as erase_letters
from salon.web.people import guests
from salon.web.station.domain.files import DRAWN

pytestmark = pytest.mark.django_db(transaction=True)
on_commit = transaction.on_commit
AN_HOUR = timedelta(hours=1, minutes=1)


@pytest.fixture(autouse=True)
def _files(tmp_path, settings):
    settings.MEDIA_ROOT, settings.HOME = tmp_path / "images", tmp_path
    _made(days=9)
    yield
    _made(days=0)


def _made(days):
    """The database was made so long ago."""
    MigrationRecorder.Migration.objects.update(applied=timezone.now() - timedelta(days=days))


@pytest.fixture
def organiser():
    return hand("olga", "organiser")


@pytest.fixture
def killed(monkeypatch):
    """From now on nothing happens after a commit: there the process ends."""
    return lambda: monkeypatch.setattr(transaction, "on_commit", lambda *_, **__: None)


def lying():
    root = Path(default_storage.location)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def older(*names, by=AN_HOUR):
    for name in names:
        path = default_storage.path(name)
        then = os.path.getmtime(path) - by.total_seconds()
        os.utime(path, (then, then))


def give(submission, data, name="score.pdf"):
    return files.keep(submission.guest, submission.id, named("Other files"), upload(data, name), "")


def hang():
    with transaction.atomic():
        return giving.propose(current_event(), "x", png(kind="WEBP"), "").given


def of_the_rooms(organiser):
    """One file of each room, as it comes to be, that its row names; and how each goes."""
    open_call(organiser)
    begun = begin()
    give(begun, png(), "fox.png")
    hung = hang()
    logo = setup.set_logo(organiser, current_event().id, png()).logo.name
    deeds = (
        lambda: private.erase(begun.guest),
        lambda: giving.erase(hung),
        lambda: setup.set_logo(organiser, current_event().id, b""),
    )
    return lying(), deeds, logo


def test_what_a_person_takes_back_is_gone_at_once(organiser):
    names, deeds, _logo = of_the_rooms(organiser)
    assert sorted(name.partition("/")[0] for name in names) == ["applications", "applications", "given", "logos"]
    for deed in deeds:
        with transaction.atomic():
            deed()
    assert lying() == set()


def test_a_kill_between_row_and_file_leaves_nothing_for_long(organiser, killed):
    names, deeds, _logo = of_the_rooms(organiser)
    older(*names)
    assert leftovers.sweep() == 0, "rows name them"
    killed()
    for deed in deeds:
        with transaction.atomic():
            deed()
    assert lying() == names
    others = {label: leftovers._shelves.pop(label) for label in list(leftovers._shelves) if label != DRAWN}
    try:  # control: the sweep of drawn pictures alone leaves them
        assert leftovers.sweep() == 0
        assert lying() == names
    finally:
        leftovers._shelves.update(others)
    assert leftovers.sweep() == len(names)
    assert lying() == set()


@pytest.mark.parametrize("write", [hang, lambda: give(begin(), b"%PDF-1.7")])
def test_a_kill_before_the_row_leaves_nothing_for_long(organiser, write):
    open_call(organiser)
    names = set()
    with transaction.atomic():
        write()
        names |= lying()
        transaction.set_rollback(True)
    assert names
    assert lying() == names
    assert leftovers.sweep() == 0, "its row may follow"
    assert lying() == names
    older(*names)
    assert leftovers.sweep() == len(names)
    assert lying() == set()


def test_partial_files_stay_while_somebody_may_write_them():
    for folder in ("applications/" + "0" * 32, "given", "logos"):
        default_storage.save(f"{folder}/.abc.part", ContentFile(b"half"))
    parts = lying()
    assert leftovers.sweep(idle=DRAWN) == 0, "the desk that starts says nothing of what the web writes"
    older(*parts)
    assert leftovers.sweep() == len(parts) == 3


def test_what_is_of_no_room_or_older_than_the_database_is_left():
    ours = f"given/{'0' * 32}.webp"
    for name in (ours, "given/notes.txt", "elsewhere/photo.webp"):
        default_storage.save(name, ContentFile(b"whose?"))
    older(*lying(), by=timedelta(days=10))
    assert leftovers.sweep() == 0
    _made(days=11)  # control
    assert leftovers.sweep() == 1
    assert lying() == {"given/notes.txt", "elsewhere/photo.webp"}


def test_a_logo_stays_as_long_as_an_event_shows_it(organiser):
    event = current_event()
    setup.set_logo(organiser, event.id, png())
    names = lying()
    made = several.make(organiser, "Another", event, ["texts"])
    setup.set_logo(organiser, event.id, b"")
    older(*names)
    assert leftovers.sweep() == 0
    assert lying() == names
    setup.set_logo(organiser, made.id, b"")
    assert lying() == set()


@pytest.mark.parametrize("careful", [True, False])
def test_a_logo_that_lay_there_is_not_swept_before_an_event_has_it(organiser, monkeypatch, careful):
    """Control: as it was, the file looked for first and the row changed in a transaction of its own."""
    with transaction.atomic():
        older(logos.stored(png()))
    stored, sweeping = logos.stored, threading.Thread(target=swept_elsewhere)

    def met(data):
        name = stored(data)
        sweeping.start()
        if not careful:
            sweeping.join()
        return name

    monkeypatch.setattr(logos, "stored", met)
    if careful:
        event = setup.set_logo(organiser, current_event().id, png())
    else:
        event = current_event()
        event.logo.name = logos.stored(png())
        event.save()
    sweeping.join()
    assert default_storage.exists(event.logo.name) is careful


def swept_elsewhere():
    try:
        leftovers.sweep()
    finally:
        connection.close()


def test_a_demo_takes_its_files_along(organiser, killed):
    demo.make(organiser)
    names = lying()
    assert {name.partition("/")[0] for name in names} == {"applications", "given"}
    older(*names)
    killed()
    demo.remove(organiser)
    assert lying() == names
    assert leftovers.sweep() == len(names)
    assert lying() == set()
    with pytest.MonkeyPatch.context() as patch:  # nothing is killed
        patch.setattr(transaction, "on_commit", on_commit)
        demo.make(organiser)
        demo.remove(organiser)
    assert lying() == set()


def test_letters_of_nobody_are_swept(killed):
    guest, _token = guests.make(current_event().id, "Ada")
    kept = Letter.objects.create(event=current_event(), key="b", to="bob", subject="b", text="b")
    gone = Letter.objects.create(event=current_event(), guest=guest, to="ada", subject="a", text="a")
    sending.folder().mkdir()
    for letter in (kept, gone):
        sending.file_of(letter.id).write_text("Dear")
    (sending.folder() / f".{gone.id}.part").write_text("De")
    (sending.folder() / "notes.eml").write_text("of somebody else")
    killed()
    with transaction.atomic():
        erase_letters(guest)
    leftovers.sweep()
    assert sending.file_of(gone.id).exists()  # control: nobody looked there
    assert sending.sweep() == 2
    assert {path.name for path in sending.folder().iterdir()} == {f"{kept.id}.eml", "notes.eml"}


def test_the_worker_looks():
    done = {duty.function for duty in worker.duties()}
    assert {leftovers.sweep, sending.sweep} <= done
