"""Pictures that were not drawn here: taken in from an artist, hung like the others, withdrawn, erased."""

import io

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Picture

from salon.web.events.models import Event
from salon.web.gallery.models import GivenPicture, Licence, Work
from salon.web.ids import new_id
from salon.web.storage import erase_later

LENGTHS = {"title": 120, "maker": 80, "medium": 200, "statement": 1000}


def propose(event: Event, owner: str, shown: bytes, licence: str, **label: str) -> Work:
    """Inside a transaction: a work of a picture, which waits for a curator. `owner` is no visitor's key, `shown` the
    file as everyone shall see it, WebP made here; `label`: title, maker, medium, statement, cut to a label's size."""
    with Picture.open(io.BytesIO(shown), formats=["WEBP"]) as picture:
        width, height = picture.size
    name = default_storage.save(f"given/{new_id()}.webp", ContentFile(shown))
    given = GivenPicture.objects.create(event=event, file=name, width=width, height=height)
    words = {field: label.get(field, "")[:most] for field, most in LENGTHS.items()}
    return Work.objects.create(
        event=event, given=given, visitor=owner, licence=licence or Licence.ALL_RIGHTS, **words
    )  # fmt: skip


def take_back(work: Work) -> bool:
    """Inside a transaction: the work comes down, if it waits or hangs; whether it hung."""
    hung = work.hangs
    if work.state in Work.ALIVE:
        work.state, work.reason = Work.State.WITHDRAWN, ""
        work.save(update_fields=["state", "reason"])
    return hung


def erase(given: GivenPicture) -> None:
    """Inside a transaction: its file, and what was seen in it."""
    name = given.file
    given.file, given.weights, given.vector = "", "", b""
    given.save(update_fields=["file", "weights", "vector"])
    if name:
        erase_later([name])


def forget(work: Work, free: bool) -> None:
    """Inside a transaction: nothing on the label leads to its maker any more. A work under a free licence stays,
    without a name; every other comes down and its file goes."""
    work.maker, work.statement, work.reason = "", "", ""
    work.save(update_fields=["maker", "statement", "reason"])
    if free:
        return
    take_back(work)
    Work.objects.filter(id=work.id).update(title="", medium="")
    if work.given:
        erase(work.given)
