"""The call of the demo event: open, with applications in every state. Artists and works are invented."""

import datetime
import io

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image as Picture
from PIL import ImageDraw

from salon.core.hashing import bytes_hash
from salon.web.call.domain import answers, forms, hanging
from salon.web.call.models import Call, Question, Submission, Upload
from salon.web.events import texts
from salon.web.events.models import Event
from salon.web.gallery.models import GivenPicture, Licence
from salon.web.ids import new_id
from salon.web.people import guests
from salon.web.people.models import User
from salon.web.storage import erase_later

State = Submission.State
#: artist, title, year and technique, words, state, the decision that is noted
ARTISTS = (
    ("Odile Marsh", "Low Tide, Recounted", "2026, 36 prints", "The same beach, asked for on 36 days.",
     State.CONFIRMED, ""),
    ("Tarek Aziz Noor", "خريطة بلا أسماء", "2025, ink on paper", "Cities drawn by a model that was never told one.",
     State.CONFIRMED, ""),
    ("Kiyomi Hara", "Forty Seeds", "2026, video, 4 minutes", "Forty seeds of one sentence, in the order of their age.",
     State.ACCEPTED, ""),
    ("Bram Oosterhuis", "The Second Hand", "2026, plotter drawing", "A plotter corrects what a model drew of its arm.",
     State.SUBMITTED, State.ACCEPTED),
    ("Lindiwe Dube", "Nobody's Portrait", "2025, textile", "Sixteen faces that belong to nobody, woven.",
     State.SUBMITTED, State.REJECTED),
    ("collective Null Island", "0° N 0° E", "2026, installation", "", State.SUBMITTED, ""),
    ("Sofía Prado", "Ejercicios de olvido", "2026, 12 prints", "A model unlearns one word a day.", State.SUBMITTED, ""),
)  # fmt: skip


def make(event: Event, person: User) -> None:
    """Inside the demo's transaction: the call, open for three weeks, and who answered it."""
    call = forms.make(person)
    now = timezone.now()
    words, call.texts = texts.in_all(event.languages, _words)
    call.title, call.about = words["title"], words["about"]
    call.opens_at, call.closes_at = now - datetime.timedelta(days=20), now + datetime.timedelta(days=21)
    call.save()
    for place, row in enumerate(ARTISTS):
        _apply(event, call, place, *row)


def _words() -> dict[str, str]:
    about = _(
        "We are looking for works made with, about or against machines that draw: prints, videos, plotter drawings, "
        "textiles, texts, performances.\n\nThere is no fee. We print up to A2, hang everything ourselves and send "
        "it back."
    )
    return {"title": _("Pictures nobody has seen"), "about": about}


def _apply(
    event: Event, call: Call, place: int, artist: str, title: str, medium: str, about: str, state: str, pending: str
) -> None:
    guest, _token = guests.make(event.id, artist)
    sent = timezone.now() - datetime.timedelta(days=12 - place)
    submission = Submission.objects.create(
        event=event, guest=guest, key=new_id(), state=state, pending=pending, submitted_at=sent
    )
    questions = answers.asked(call)
    values = {"artist": artist, "title": title, "about": about, "licence": Licence.CC_BY}
    for one in questions:
        said = {Question.Use.LABEL: medium, Question.Use.WORKSHOP: place % 3 == 0, Question.Use.MEETING: place % 2 == 0}
        agreed = one.kind == Question.Kind.AGREEMENT
        values[answers.name_of(one)] = True if agreed else said.get(one.use)
    answers.keep(submission, questions, values)
    submission.save()
    pictures = next((one for one in questions if Question.PICTURES in one.options), None)
    if pictures:
        _picture(submission, pictures, place)
    if state == State.CONFIRMED:
        hanging.propose(submission)


def _picture(submission: Submission, question: Question, place: int) -> None:
    """A sheet of strokes, drawn here, so that no artist's work is used."""
    sheet = Picture.new("RGB", (900, 700 + 60 * (place % 4)), (244, 240, 228))
    pen = ImageDraw.Draw(sheet)
    for line in range(0, sheet.height, 14):
        bend = ((line * (7 + place)) % 97) - 48
        colour = (30 + 22 * place, 60 + (line // 9) % 120, 120 - 12 * place)
        pen.line([(60, line), (300 + bend, line + 20), (600 - bend, line - 20), (840, line + bend // 2)], colour, 5)
    png, webp = io.BytesIO(), io.BytesIO()
    sheet.save(png, "PNG")
    sheet.save(webp, "WEBP", quality=90)
    stem = f"applications/{submission.id}/{new_id()}"
    for name, data in ((stem, png), (f"{stem}.webp", webp)):
        default_storage.save(name, ContentFile(data.getvalue()))
    Upload.objects.create(
        submission=submission, question=question, file=stem, shown=f"{stem}.webp", name=f"sheet-{place + 1}.png",
        kind="image/png", size=len(png.getvalue()), sha256=bytes_hash(png.getvalue()),
    )  # fmt: skip


def clear(event: Event, successor: Event) -> None:
    """The files of the demo's applications and of what hung of them."""
    uploads = Upload.objects.filter(submission__event=event)
    names = [name for upload in uploads for name in (upload.file.name, upload.shown) if name]
    names += [given.file for given in GivenPicture.objects.filter(event=event) if given.file]
    erase_later(names)
