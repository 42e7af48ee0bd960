"""An open call, and artists who answer it."""

import datetime
import io

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from PIL import Image as Picture

from salon.web.call.domain import answers, applying, forms, windows
from salon.web.call.models import Question, Submission
from salon.web.events import sums
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.ids import new_id


def browser(**more):
    """A browser on the house's own pages."""
    return Client(headers={"Sec-Fetch-Site": "same-origin"}, **more)


def open_call(person, closes=datetime.timedelta(days=7)):
    """The usual form, open since yesterday."""
    Event.objects.filter(current=True).update(opened_at=timezone.now())
    call = forms.make(person)
    return forms.set_call(person, call.title, "", timezone.now() - datetime.timedelta(days=1), timezone.now() + closes)


def close(call, ago=datetime.timedelta(minutes=5)):
    """The deadline is over."""
    call.closes_at = timezone.now() - ago
    call.save()


def proof():
    """One that is not spent yet."""
    return sums.Proof(new_id(), timezone.now() + datetime.timedelta(minutes=5))


def begin(name="Ada", guest=None, **more):
    """A new, empty application."""
    ask = applying.Begin(key=more.pop("key", new_id()), name=name, **more)
    return applying.begin(ask, guest, None if ask.ticket else proof())


def named(label):
    """The question whose label begins so."""
    return Question.objects.get(label__startswith=label)


def whole(**more):
    """What a complete form types."""
    typed = {"artist": "Ada L.", "title": "Nine Foxes", "about": "Foxes.", "licence": "cc-by-4.0"}
    typed[answers.name_of(named("I agree to the terms"))] = str(named("I agree to the terms").version)
    return typed | more


def typed(submission):
    submission.refresh_from_db()
    return answers.typed_of(submission)


def send(submission, words=None):
    """Typed and sent."""
    guest = submission.guest
    kept = applying.save(guest, submission.id, submission.revision, whole() if words is None else words)
    sent, wrong = applying.send(guest, kept.id, windows.opened(kept))
    assert wrong == {}, wrong
    return sent


def form(**fields):
    """A QueryDict as a browser sends it."""
    made = QueryDict(mutable=True)
    for name, value in fields.items():
        made.setlist(name, value if isinstance(value, list) else [value])
    return made


def png(width=40, height=30, colour=(200, 30, 60), kind="PNG", **more):
    """A picture's file."""
    out = io.BytesIO()
    Picture.new("RGB", (width, height), colour).save(out, kind, **more)
    return out.getvalue()


def upload(data, name="fox.png"):
    return SimpleUploadedFile(name, data)


def applications():
    return Submission.objects.filter(event=current_event())
