"""Files of applications: kept byte for byte, shown only as pictures made anew, never run; and what of them hangs."""

import errno
import hashlib
import io
import json
import struct
import zipfile
import zlib

import numpy as np
import pytest
from calling import begin, browser, close, named, open_call, png, send, typed, upload, whole
from django.core.files.storage import default_storage
from django.utils import timezone
from hands import hand
from PIL import Image as Picture
from PIL import features

from salon.core.errors import BadRecipe, Conflict, Forbidden, SalonError
from salon.engine import pictures
from salon.web import sentences
from salon.web.call.domain import answers, applying, deciding, files, private, windows
from salon.web.call.models import Submission, Upload
from salon.web.events.domain import current_event
from salon.web.gallery.domain import curating, showing, uploads
from salon.web.gallery.models import GivenPicture, Work
from salon.web.people import guests, personal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def organiser():
    return hand("olga", "organiser")


@pytest.fixture
def call(organiser):
    return open_call(organiser)


def give(submission, data, name="fox.png", label="Other files"):
    return files.keep(submission.guest, submission.id, named(label), upload(data, name), "")


def client_of(submission):
    client = browser()
    client.cookies["salon_guest"] = guests.link_token(submission.guest)
    return client


def test_a_file_is_kept_byte_for_byte_and_only_ever_a_download(call):
    submission, data = begin(), b"%PDF-1.7 <script>alert(1)</script>"
    kept = give(submission, data, "../../<b>\u202escore\u0000.pdf")
    assert (kept.kind, kept.size, kept.sha256) == ("application/pdf", len(data), hashlib.sha256(data).hexdigest())
    assert "/" not in kept.name
    assert "\u202e" not in kept.name
    assert ".." not in kept.file.name
    answer = client_of(submission).get(f"/call/{submission.id}/files/{kept.id}")
    assert b"".join(answer.streaming_content) == data
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert client_of(submission).get(f"/call/{submission.id}/files/{kept.id}/shown").status_code == 404
    assert give(submission, data, "again.pdf").id == kept.id  # the same bytes are one file


def bomb():
    """A PNG that says it is 60000 x 60000; its data would unpack to gigabytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.svg", SVG), ("a.html", HTML), ("a.js", b"alert(1)"), ("a.png", SVG), ("a.jpg", HTML), ("a.pdf", HTML),
        ("a.png", b"\x89PNG\r\n\x1a\n" + HTML), ("a.png", png()[:-30]), ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
        ("a.png", bomb()), ("a.exe", b"MZ"), ("a", b"x"), ("a.zip", b"x" * 40), ("a.mp4", HTML), ("a.png.html", png()),
        ("a.pdf", b""), (".png", b""),
    ],
)  # fmt: skip
def test_hostile_files_are_not_taken(call, name, data):
    submission = begin()
    with pytest.raises(BadRecipe):
        give(submission, data, name)
    assert not Upload.objects.exists()
    assert not default_storage.exists(f"applications/{submission.id}")


def test_what_hides_in_a_picture_is_not_in_what_is_shown(call):
    """A picture with a page, an archive and words in it: kept whole, shown without. Control: the original."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("x.html", HTML)
    exif = Picture.Exif()
    exif[0x010E] = "secret place"
    data = png(kind="JPEG", exif=exif) + HTML + archive.getvalue()
    kept = give(begin(), data, "fox.jpg", "Pictures of the work")
    for name, there in ((kept.file.name, True), (kept.shown, False)):
        with default_storage.open(name) as file:
            stored = file.read()
        assert [part in stored for part in (HTML, b"secret place", b"PK\x03\x04")] == [there] * 3
    answer = client_of(kept.submission).get(f"/call/{kept.submission_id}/files/{kept.id}/shown")
    assert answer["Content-Type"] == "image/webp"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_shown_upright_and_small(call, kind):
    exif = Picture.Exif()
    exif[0x0112] = 6  # held on its side
    data = png(2400, 1200, kind=kind, exif=exif) if kind != "WEBP" else png(1200, 2400, kind=kind)
    kept = give(begin(), data, f"fox.{kind.lower()}", "Pictures of the work")
    with default_storage.open(kept.shown) as file, Picture.open(file) as shown:
        assert shown.size == (800, 1600)
        assert shown.format == "WEBP"


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1.jpg", "IMG_1.mov", "IMG_1"])
@pytest.mark.parametrize("label", ["Pictures of the work", "Other files"])
def test_a_photo_that_an_iphone_kept_to_itself_is_answered_with_the_way_out(call, name, label):
    with pytest.raises(BadRecipe, match="HEIC") as caught:
        give(begin(), HEIC, name, label)
    assert "from Photos, not from Files" in caught.value.hint
    with pytest.raises(BadRecipe) as caught:  # control: what begins otherwise is told otherwise
        give(begin(), HEIC.replace(b"heic", b"none"), "IMG_1.jpg", label)
    assert "HEIC" not in caught.value.message


def test_what_is_said_of_phones_formats_is_said_in_the_visitors_language(monkeypatch):
    monkeypatch.setattr(pictures, "GIVEN", ())
    for brand in (b"heic", b"avif"):
        error = pictures.unread(HEIC.replace(b"heic", brand))
        assert {error.message, error.hint} <= set(sentences.SENTENCES)


def test_avif_is_shown_where_it_can_be_read(call):
    if not features.check("avif"):
        with pytest.raises(BadRecipe, match="AVIF"):
            give(begin(), HEIC.replace(b"heic", b"avif"), "fox.avif")
        return
    kept = give(begin(), png(kind="AVIF"), "fox.avif", "Pictures of the work")
    assert kept.kind == "image/avif"
    with default_storage.open(kept.shown) as file, Picture.open(file) as shown:
        assert shown.format == "WEBP"
    with default_storage.open(kept.file.name) as file:
        assert file.read() == png(kind="AVIF")


def test_greys_of_16_bits_are_shown_grey_and_kept_as_they_came(call):
    data = io.BytesIO()
    Picture.fromarray(np.full((30, 40), 25_700, np.uint16)).save(data, "PNG")
    kept = give(begin(), data.getvalue(), "fox.png", "Pictures of the work")
    with default_storage.open(kept.shown) as file, Picture.open(file) as shown:
        assert max(abs(number - 100) for number in shown.getpixel((5, 5))) <= 2
    with default_storage.open(kept.file.name) as file:
        assert file.read() == data.getvalue()
    with Picture.open(data) as picture:  # control: the old way
        assert picture.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_the_pixel_cap_is_what_stops_a_bomb(call, monkeypatch):
    """Control: with the cap lower a harmless picture is stopped, with the cap as it is, taken."""
    with pytest.raises(BadRecipe, match="more pixels"):
        give(begin(), bomb(), "a.png")
    monkeypatch.setattr(uploads, "MOST_PIXELS_GIVEN", 40 * 30 - 1)
    with pytest.raises(BadRecipe, match="more than this house unpacks"):
        give(begin(), png(), "a.png")
    monkeypatch.setattr(uploads, "MOST_PIXELS_GIVEN", 40 * 30)
    assert give(begin(), png(), "a.png").shown


@pytest.mark.parametrize("limit", ["MOST_A_FILE", "MOST_BYTES", "MOST_A_QUESTION", "SALON_CALL_MOST_BYTES"])
def test_sizes_are_limited(call, limit, monkeypatch, settings):
    """Control: at the limit it is taken, one less and it is not."""
    submission, data = begin(), b"%PDF-" + b"x" * 995
    give(submission, data + b"1", "one.pdf")
    values = {"MOST_A_FILE": 1001, "MOST_BYTES": 2002, "MOST_A_QUESTION": 2, "SALON_CALL_MOST_BYTES": 2002}

    def set_to(value):
        if limit.startswith("SALON"):
            settings.SALON_CALL_MOST_BYTES = value
        else:
            monkeypatch.setattr(files, limit, value)

    set_to(values[limit] - 1)
    with pytest.raises(SalonError):
        give(submission, data + b"2", "two.pdf")
    assert Upload.objects.count() == 1
    set_to(values[limit])
    give(submission, data + b"2", "two.pdf")


def test_a_full_disk_leaves_nothing_half_and_is_told(call, monkeypatch):
    submission = begin()
    whole_save, saved = default_storage.save, []

    def full(name, content, **more):
        saved.append(name)
        if len(saved) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole_save(name, content, **more)

    monkeypatch.setattr(default_storage._wrapped, "save", full, raising=False)
    client = client_of(submission)
    words = {answers.name_of(named("Pictures")): upload(png()), "title": "Fox", "revision": "0"}
    answer = client.post(f"/call/{submission.id}/edit", words)
    assert answer.status_code == 503
    assert "no room left" in answer.content.decode()
    assert not Upload.objects.exists()
    assert not default_storage.exists(saved[0])
    assert typed(submission)["title"] == "Fox"  # the words were kept first
    monkeypatch.undo()
    assert client.post(f"/call/{submission.id}/edit", words | {"revision": "1"}).status_code in (302, 422)


def test_pictures_only_means_pictures_only(call):
    with pytest.raises(BadRecipe, match="Only pictures"):
        give(begin(), b"%PDF-1.7", "a.pdf", "Pictures of the work")


def test_files_of_others_and_after_the_deadline(call):
    submission, other = begin(), begin("Eve")
    kept = give(submission, png())
    assert client_of(other).get(f"/call/{submission.id}/files/{kept.id}").status_code == 403
    assert client_of(other).get(f"/call/{other.id}/files/{kept.id}").status_code == 404
    with pytest.raises(Forbidden):
        files.keep(other.guest, submission.id, named("Other"), upload(png()), "")
    close(call)
    with pytest.raises(windows.Late):
        give(submission, png(colour=(1, 2, 3)))
    with pytest.raises(windows.Late):
        files.remove(submission.guest, submission.id, kept.id, "")


def test_a_sent_application_stays_whole(call):
    question = named("Pictures of the work")
    question.required = True
    question.save()
    submission = begin()
    _kept, wrong = applying.send(submission.guest, submission.id, "")
    assert "A file is needed here." in wrong.values()
    first = give(submission, png(), label="Pictures of the work")
    sent = send(submission)
    with pytest.raises(Conflict, match="needs a file"):
        files.remove(sent.guest, sent.id, first.id, "")
    give(sent, png(colour=(0, 0, 0)), "other.png", "Pictures of the work")
    files.remove(sent.guest, sent.id, first.id, "")
    files.remove(sent.guest, sent.id, first.id, "")  # twice is once
    assert [one.name for one in sent.uploads.all()] == ["other.png"]


def test_without_scripts_one_form_brings_words_and_files(call):
    submission = begin()
    name = answers.name_of(named("Other files"))
    client = client_of(submission)
    address = f"/call/{submission.id}/edit"
    answer = client.post(address, {"title": "Fox", name: [upload(png()), upload(HTML, "x.html")], "revision": "0"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Files like “x.html” are not taken" in page
    assert ">fox.png</a>" in page
    kept = Upload.objects.get()
    answer = client.post(address, {"title": "Fox", "revision": "1", "remove": kept.id}, follow=True)
    assert not Upload.objects.exists()
    answer = client.post(address, {"title": "Fox", "revision": "1", name: upload(png())},
                         headers={"Accept": "application/json"})  # fmt: skip
    assert [one["name"] for one in json.loads(answer.content)["files"][name]] == ["fox.png"]


def test_backstage_sees_what_was_sent(call, organiser):
    draft, sent = begin("Bo"), begin()
    hidden = give(draft, png())
    kept = give(sent, png(), label="Pictures of the work")
    send(sent)
    for person, status in ((organiser, 200), (hand("rita", "reviewer"), 403), (hand("vera", "volunteer"), 403)):
        client = browser()
        client.force_login(person)
        assert client.get(f"/backstage/call/files/{kept.id}").status_code == status
        assert client.get(f"/backstage/call/files/{kept.id}/shown").status_code == status
        assert client.get(f"/backstage/call/files/{hidden.id}").status_code in (404, 403)


# to the exhibition


@pytest.fixture
def confirmed(call, organiser):
    submission = begin("Ada L.")
    give(submission, b"%PDF-1.7", "score.pdf")
    give(submission, png(600, 400), label="Pictures of the work")
    words = whole(title="Nine Foxes <i>", **{answers.name_of(named("Year")): "2026, ink, 30 x 20 cm"})
    sent = send(submission, words)
    deciding.set_pending(organiser, sent.id, "accepted")
    deciding.apply_pending(current_event(), organiser)
    return applying.confirm(sent.guest, sent.id)


def test_what_is_confirmed_waits_for_a_curator_and_hangs_with_its_label(confirmed, organiser):
    work = Work.objects.get()
    assert confirmed.work == work
    assert (work.state, work.maker, work.medium, work.licence) == (
        "waiting", "Ada L.", "2026, ink, 30 x 20 cm", "cc-by-4.0",
    )  # fmt: skip
    assert applying.confirm(confirmed.guest, confirmed.id).work_id == work.id  # twice is once
    visitor, house = browser(), browser()
    house.force_login(organiser)
    seen = f"/backstage/works/{work.id}/picture"
    assert (visitor.get(seen).status_code, house.get(seen)["Content-Type"]) == (302, "image/webp")
    assert seen in house.get("/backstage").content.decode()
    paths = [f"/works/{work.id}", f"/works/{work.id}.webp", f"/works/{work.id}/card.jpg"]
    assert [visitor.get(path).status_code for path in paths] == [404] * 3
    curating.decide(organiser, work.id, "approved")
    assert [visitor.get(path).status_code for path in paths] == [200] * 3
    assert visitor.get(f"/works/{work.id}.png").status_code == 404  # it has no recipe to carry
    page = visitor.get(f"/works/{work.id}").content.decode()
    assert "2026, ink, 30 x 20 cm" in page
    assert "Drawn by the model" not in page
    assert "Nine Foxes &lt;i&gt;" in page
    (told,) = showing.listing(current_event(), 9)  # what /wall/works.json tells
    assert (told["src"], told["model"], told["medium"]) == (f"/works/{work.id}.webp", "", "2026, ink, 30 x 20 cm")
    assert f"/works/{work.id}.webp" in visitor.get("/gallery").content.decode()
    assert Picture.open(io.BytesIO(showing.card(work))).size == (1200, 630)
    assert "See it hang" in client_of(confirmed).get(f"/call/{confirmed.id}").content.decode()
    assert house.get("/backstage/screens").status_code == house.get("/backstage").status_code == 200


def test_a_given_picture_can_be_found_like_the_others(confirmed, organiser):
    from salon.web.gallery.domain import searching

    work = curating.decide(organiser, confirmed.work_id, "approved")
    if searching.trouble():
        pytest.skip(searching.trouble())
    found = searching.by_words(current_event(), "a red field")
    assert [one.id for one, _cosine in found.works] == [work.id]
    assert (found.compared, found.hanging) == (1, 1)
    given = GivenPicture.objects.get()
    assert len(given.vector) == 512
    assert searching.like(current_event(), work).works == []  # itself is left out
    curating.remove_given(organiser, work.id)
    assert GivenPicture.objects.get().vector == b""
    assert searching.by_words(current_event(), "a red field").hanging == 0


def test_withdrawn_or_cancelled_it_comes_down(confirmed, organiser):
    work = curating.decide(organiser, confirmed.work_id, "approved")
    deciding.set_pending(organiser, confirmed.id, "cancelled")
    assert [one.id for one in deciding.apply_pending(current_event(), organiser).down] == [work.id]
    work.refresh_from_db()
    assert work.state == "withdrawn"
    deciding.set_pending(organiser, confirmed.id, "accepted")
    deciding.apply_pending(current_event(), organiser)
    again = applying.confirm(confirmed.guest, confirmed.id)
    assert again.work_id != work.id
    curating.decide(organiser, again.work_id, "approved")
    _withdrawn, down = applying.withdraw(again.guest, again.id)
    assert down.id == again.work_id
    assert not Work.objects.filter(state="hung").exists()


def test_taken_off_every_screen_its_file_is_gone(confirmed, organiser, django_capture_on_commit_callbacks):
    work = curating.decide(organiser, confirmed.work_id, "approved")
    name = work.given.file
    with django_capture_on_commit_callbacks(execute=True):
        curating.remove_given(organiser, work.id, "a face")
    assert not default_storage.exists(name)
    work.refresh_from_db()
    assert (work.state, work.reason) == ("pulled", "a face")
    assert default_storage.exists(confirmed.uploads.exclude(shown="").get().shown)  # what was sent in stays
    with pytest.raises(Conflict):
        curating.remove_given(organiser, work.id)
    curating.undo(organiser, work.id)
    with pytest.raises(Conflict, match="was erased"):
        curating.decide(organiser, work.id, "approved")


def test_without_a_picture_nothing_is_proposed(call, organiser):
    sent = send(begin())
    Submission.objects.update(state="accepted", decided_at=timezone.now())
    assert applying.confirm(sent.guest, sent.id).work is None


# a person's data


@pytest.mark.parametrize(("licence", "stay", "hangs"), [
    ("cc-by-4.0", True, True), ("cc-by-4.0", False, False), ("all-rights", True, False),
])  # fmt: skip
def test_erased_nothing_leads_back_and_works_follow_their_licence(
    confirmed, organiser, licence, stay, hangs, django_capture_on_commit_callbacks
):
    work = curating.decide(organiser, confirmed.work_id, "approved")
    Work.objects.update(licence=licence)
    told = private.collect(confirmed.guest)
    assert told[0]["title"] == "Nine Foxes <i>"
    assert {one["name"] for one in told[0]["files"]} == {"score.pdf", "fox.png"}
    assert {one["question"] for one in told[0]["answers"]} >= {"Year, technique, size", "I agree to the terms"}
    names = [upload.file.name for upload in Upload.objects.all()] + [
        one.shown for one in Upload.objects.all() if one.shown
    ]
    with django_capture_on_commit_callbacks(execute=True):
        personal.erase(confirmed.guest_id, works_stay=stay)
    assert not Upload.objects.exists()
    assert not any(default_storage.exists(name) for name in names)
    work = Work.objects.get()
    assert (work.hangs, work.maker, work.statement) == (hangs, "", "")
    assert confirmed.guest_id not in work.visitor
    assert default_storage.exists(f"{work.given.file}") if hangs else not work.given.file
    row = Submission.objects.get()
    assert (row.title, row.artist, row.typed, row.state) == ("", "", {}, "withdrawn")
    assert not row.answers.exists()
