"""What tests of the jury share: an organiser, jurors, applications with everything that could give an artist away."""

import hashlib
import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Picture

from salon.web.call.models import Answer, Call, Question, Submission, Upload
from salon.web.events.domain import current_event
from salon.web.jury.domain import jurors, phases, reviewing
from salon.web.jury.models import Assignment, Phase
from salon.web.people import guests
from salon.web.people.models import Role, User


def person(name, *kinds):
    made = User.objects.create_user(name, is_staff=True)
    for kind in kinds:
        Role.objects.create(user=made, event=current_event(), kind=kind)
    return made


@pytest.fixture
def olga():
    return person("olga", "organiser")


@pytest.fixture
def jury():
    """Three jurors, as users."""
    return [person(name, "reviewer") for name in ("ana", "ben", "cleo")]


def application(title="Work", name="Ada", email="", state="submitted", about="", **more):
    event = current_event()
    guest, _token = guests.make(event.pk, name, email)
    return Submission.objects.create(
        event=event, guest=guest, title=title, about=about, state=state, key=f"{title}{name}{guest.pk}", **more
    )


@pytest.fixture
def applications():
    return [application(f"Work {n}", f"Artist {n}") for n in range(1, 7)]


def question(kind="line", label="Materials", personal=False, **more):
    call, _new = Call.objects.get_or_create(event=current_event(), defaults={"title": "Call"})
    return Question.objects.create(call=call, kind=kind, label=label, personal=personal, **more)


def answer(submission, asked, value):
    return Answer.objects.create(submission=submission, question=asked, value=value)


def upload(submission, name, asked=None, shown=True):
    """As the call keeps a picture: the file as it came, with what its camera knew, and a copy made of its pixels."""
    file, picture, exif = io.BytesIO(), Picture.new("RGB", (64, 48), (90, 30, 30)), Picture.Exif()
    exif[0x013B], exif[0x8298] = "Ada Lovelace", "(c) Ada Lovelace"
    picture.save(file, "JPEG", exif=exif)
    copy = io.BytesIO()
    picture.save(copy, "WEBP")
    digest = hashlib.sha256(file.getvalue()).hexdigest()
    kept = default_storage.save(f"applications/{digest}-{name}", ContentFile(file.getvalue()))
    seen = default_storage.save(f"applications/{digest}.webp", ContentFile(copy.getvalue())) if shown else ""
    return Upload.objects.create(
        submission=submission, question=asked, file=kept, shown=seen, name=name, kind="image/jpeg",
        size=len(file.getvalue()), sha256=digest,
    )  # fmt: skip


def phase(person, categories=({},), **more):
    values = {"name": "First round", "others": Phase.Others.AFTER_ALL, "each": 2} | more
    made = phases.make(person, values)
    for n, category in enumerate(categories):
        whole = {"name": f"Category {n}", "low": 0, "high": 10, "weight": 1.0} | category
        phases.set_category(person, made.pk, None, whole)
    return made


def seat(user):
    return jurors.seat_of(current_event(), user)


def asked(user, submission, of):
    return Assignment.objects.get(phase=of, submission=submission, juror=seat(user))


def judge(user, submission, of, *points, revision=0, **more):
    """The juror's form as it is sent, read and kept."""
    found = asked(user, submission, of)
    categories = list(of.categories.all())
    form = {f"score-{one.pk}": str(point) for one, point in zip(categories, points, strict=False)} | more
    values, wrong = reviewing.read_review(categories, form)
    assert wrong == {}
    return reviewing.save(user, found.pk, values, revision)
