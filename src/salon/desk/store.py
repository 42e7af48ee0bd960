"""The dispatcher's side of the database. Plain functions, run in the desk's one database thread."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from salon.core.errors import SalonError
from salon.core.hashing import bytes_hash
from salon.core.recipe import Recipe
from salon.core.recipe import Request as Order
from salon.desk.pictures import largest_difference
from salon.web.line import EngineState, Event
from salon.web.station.domain import hang
from salon.web.station.domain.state import event_of
from salon.web.station.models import Drawing, Image, Request, Withheld

State = Request.State


def warm() -> None:
    """Opens the connection and loads what the first event needs, so that the first visitor does not wait for it."""
    waiting_orders([], 1)
    reverse("station:image", args=["0"])


def hang_first(engine: EngineState) -> None:
    """The house's own first draws; a house without a model has none."""
    with suppress(SalonError):
        hang.hang_first(engine)


def requeue_all() -> int:
    """At the desk's start: what was running when the last one ended goes again, in its old order."""
    return Request.objects.filter(state=State.RUNNING).update(state=State.WAITING, started_at=None)


def waiting_orders(known: Collection[str], limit: int) -> list[Order]:
    """The oldest open requests that the desk does not have yet, as the engine takes them."""
    rows = Request.objects.filter(state__in=Request.OPEN).exclude(id__in=known).order_by("created_at", "id")[:limit]
    drawings = Drawing.objects.filter(request__in=list(rows)).select_related("image").order_by("request_id", "index")
    recipes: dict[str, list[Recipe]] = {}
    for drawing in drawings:
        recipes.setdefault(drawing.request_id, []).append(drawing.image.recipe)
    return [
        Order(id=row.id, visitor=row.visitor, recipes=tuple(recipes[row.id]), audience=row.audience) for row in rows
    ]


def cancelled_among(ids: Collection[str]) -> list[str]:
    return list(Request.objects.filter(id__in=ids, state=State.CANCELLED).values_list("id", flat=True))


def mark_started(request: str) -> None:
    Request.objects.filter(id=request, state=State.WAITING).update(state=State.RUNNING, started_at=timezone.now())


def mark_again(requests: Collection[str]) -> None:
    """The engine died: what it had waits again."""
    Request.objects.filter(id__in=requests, state=State.RUNNING).update(state=State.WAITING, started_at=None)


def count_attempt(request: str) -> int:
    """One more engine died while it drew this; how many by now."""
    row = Request.objects.get(id=request)
    row.attempts += 1
    row.save(update_fields=["attempts"])
    return row.attempts


def mark_ended(request: str, state: str, code: str, why: str) -> None:
    """Refused or failed; a request that has ended already stays as it is."""
    Request.objects.filter(id=request, state__in=Request.OPEN).update(
        state=state, code=code, why=why, ended_at=timezone.now()
    )


def note(request: str, code: str, why: str) -> None:
    """Why an open request has to wait longer."""
    Request.objects.filter(id=request, state__in=Request.OPEN).update(code=code, why=why)


def file_name(image_id: str) -> str:
    """Name in the storage: folders of two digits keep directories small."""
    return f"{image_id[:2]}/{image_id}.png"


def keep(
    request: str,
    files: Sequence[tuple[str, bytes]],
    withheld: Sequence[str],
    seconds: float,
    scores: Mapping[str, float] | None = None,
) -> None:
    """Files first, then one transaction that says they are there. Doing it twice changes nothing.

    `files` are (image id, PNG bytes), `withheld` the ids of images that the filter keeps back. An image that hangs
    already keeps its file, and how far the new drawing is from it is noted; one that the house took down gets none.
    `scores` are CLIP's, by image id, of those that it has looked at.
    Raises OSError or OperationalError when there is no room; then nothing is marked and the call may be made again.
    """
    rows = Image.objects.exclude(withheld=Withheld.HOUSE).in_bulk([image_id for image_id, _ in files])
    files = [(image_id, data) for image_id, data in files if image_id in rows]
    differences = {image_id: _difference(rows[image_id], data) for image_id, data in files}
    names = {
        image_id: default_storage.save(file_name(image_id), ContentFile(data))
        for image_id, data in files
        if differences[image_id] is None
    }
    with transaction.atomic():
        kept_back = Image.objects.filter(id__in=withheld, file="").exclude(withheld=Withheld.HOUSE)
        kept_back.update(withheld=Withheld.FILTER)
        for image_id, data in files:
            if image_id in names:
                # taken down while it was drawn: it stays down
                present = Image.objects.filter(id=image_id).exclude(withheld=Withheld.HOUSE)
                present.update(file=names[image_id], sha256=bytes_hash(data), withheld="")
            drawing = Drawing.objects.filter(request_id=request, image_id=image_id)
            drawing.update(difference=differences[image_id], score=(scores or {}).get(image_id))
        Request.objects.filter(id=request, state__in=Request.OPEN).update(
            state=State.FINISHED, seconds=seconds, code="", why="", ended_at=timezone.now()
        )


def _difference(image: Image, data: bytes) -> int | None:
    """Largest difference of a channel (0 to 255) to the file that is there, or None without a whole file."""
    try:
        with default_storage.open(image.file) as file:
            there = file.read()
    except (OSError, ValueError, SuspiciousOperation):
        return None
    if bytes_hash(there) != image.sha256:
        return None
    return 0 if there == data else largest_difference(there, data)


def present(request: str) -> Event | None:
    """The request's state as the event that tells it."""
    row = Request.objects.filter(id=request).first()
    return event_of(row) if row else None
