"""The dispatcher's side of the database. Plain functions, run in the desk's one database thread."""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from salon.core.errors import SalonError
from salon.core.hashing import bytes_hash
from salon.core.recipe import Request as Order
from salon.desk.pictures import largest_difference
from salon.web import leftovers
from salon.web.line import EngineState, Event
from salon.web.station.domain import files, hang
from salon.web.station.domain.state import event_of, gone
from salon.web.station.models import Drawing, Image, Request, Withheld

log = logging.getLogger("salon.desk")

State = Request.State
#: what is said of a request that the desk could not handle
ASIDE = "Something went wrong on our side, so this was set aside. Ask again; if it happens again, tell a volunteer."


def warm() -> None:
    """Opens the connection and loads what the first event needs, so that the first visitor does not wait for it."""
    Drawing.objects.filter(request__state__in=Request.OPEN).select_related("image").first()
    reverse("station:image", args=["0"])


def hang_first(engine: EngineState) -> None:
    """The house's own first draws; a house without a model has none."""
    with suppress(SalonError):
        hang.hang_first(engine)


def begin() -> None:
    """At the desk's start: what was running when the last one ended goes again, in its old order, and files that it
    left without a row go away."""
    Request.objects.filter(state=State.RUNNING).update(state=State.WAITING, started_at=None)
    try:
        leftovers.sweep(idle=files.DRAWN)
    except Exception as error:  # a folder that cannot be read keeps nobody from drawing
        log.error("what a kill may have left could not be swept away: %s", error)


class Waiting(NamedTuple):
    """What a look at the rows finds: orders for the engine, and requests that were set aside as failed."""

    orders: list[Order]
    aside: list[str]


def waiting_orders(known: Collection[str], limit: int) -> Waiting:
    """The oldest open requests that the desk does not have yet, as the engine takes them. A row of which no order can
    be made stops no other: it is set aside, unless it was cancelled or forgotten between two looks."""
    rows = Request.objects.filter(state__in=Request.OPEN).exclude(id__in=known).order_by("created_at", "id")[:limit]
    drawings: dict[str, list[Drawing]] = {}
    for drawing in Drawing.objects.filter(request__in=list(rows)).select_related("image").order_by("index"):
        drawings.setdefault(drawing.request_id, []).append(drawing)
    found = Waiting([], [])
    for row in rows:
        try:
            found.orders.append(_order(row, drawings.get(row.id, [])))
        except Exception as error:  # whatever is wrong with it
            if mark_ended(row.id, State.FAILED, "error", ASIDE):
                log.error("request %s was set aside", row.id, exc_info=error)
                found.aside.append(row.id)
    return found


def _order(row: Request, drawings: Sequence[Drawing]) -> Order:
    """The request as the engine takes it. Raises ValueError, BadRecipe."""
    if not drawings:
        raise ValueError("no drawing belongs to it")
    inputs = msgspec.msgpack.decode(row.inputs, type=dict[str, bytes]) if row.inputs else {}
    recipes = tuple(drawing.image.recipe for drawing in drawings)
    return Order(
        id=row.id, visitor=row.visitor, recipes=recipes, audience=row.audience, trace=row.trace, inputs=inputs
    )  # fmt: skip


def unwanted_among(ids: Collection[str]) -> list[str]:
    """Those that were cancelled, or whose rows are gone."""
    wanted = Request.objects.filter(id__in=ids).exclude(state=State.CANCELLED)
    return sorted(set(ids) - set(wanted.values_list("id", flat=True)))


def mark_started(request: str) -> None:
    Request.objects.filter(id=request, state=State.WAITING).update(state=State.RUNNING, started_at=timezone.now())


def mark_again(request: str) -> None:
    """The engine died: what it had waits again."""
    Request.objects.filter(id=request, state=State.RUNNING).update(state=State.WAITING, started_at=None)


def count_attempt(request: str) -> int | None:
    """One more engine died while it drew this; how many by now. None: the row is gone."""
    Request.objects.filter(id=request).update(attempts=F("attempts") + 1)
    return Request.objects.filter(id=request).values_list("attempts", flat=True).first()


def mark_ended(request: str, state: str, code: str, why: str) -> bool:
    """Refused or failed; a request that has ended already, or is gone, stays as it is. Whether it was open."""
    ended = {"state": state, "code": code, "why": why, "inputs": b"", "ended_at": timezone.now()}
    return bool(Request.objects.filter(id=request, state__in=Request.OPEN).update(**ended))


def note(request: str, code: str, why: str) -> None:
    """Why an open request has to wait longer."""
    Request.objects.filter(id=request, state__in=Request.OPEN).update(code=code, why=why)


def keep(
    request: str,
    drawn: Sequence[tuple[str, bytes]],
    withheld: Sequence[str],
    seconds: float,
    scores: Mapping[str, float] | None = None,
) -> None:
    """Files first, then one transaction that says they are there. Doing it twice changes nothing.

    `drawn` are (image id, PNG bytes), `withheld` the ids of images that the filter keeps back. An image that hangs
    already keeps its file, and how far the new drawing is from it is noted; one that the house took down gets none, nor
    does one that was forgotten meanwhile, whenever that was. `scores` are CLIP's, by image id, of those that it has
    looked at.
    Raises OSError or OperationalError when there is no room; then nothing is marked and the call may be made again.
    """
    rows = Image.objects.exclude(withheld=Withheld.HOUSE).in_bulk([image_id for image_id, _ in drawn])
    pictures = {image_id: data for image_id, data in drawn if image_id in rows}
    differences = {image_id: _difference(rows[image_id], data) for image_id, data in pictures.items()}
    fresh = {image_id: data for image_id, data in pictures.items() if differences[image_id] is None}
    names = {image_id: _write(image_id, data) for image_id, data in fresh.items()}
    with transaction.atomic():
        leftovers.alone()
        kept_back = Image.objects.filter(id__in=withheld, file="").exclude(withheld=Withheld.HOUSE)
        kept_back.update(withheld=Withheld.FILTER)
        unwanted = [image_id for image_id, _ in drawn if image_id not in rows]
        unwanted += [image_id for image_id, name in names.items() if not _hang(image_id, name, fresh[image_id])]
        for image_id, difference in differences.items():
            drawing = Drawing.objects.filter(request_id=request, image_id=image_id)
            drawing.update(difference=difference, score=(scores or {}).get(image_id))
        Request.objects.filter(id=request, state__in=Request.OPEN).update(
            state=State.FINISHED, seconds=seconds, code="", why="", inputs=b"", ended_at=timezone.now()
        )
    if unwanted:  # forgotten or taken down while it was drawn: nothing of it stays, not even of an earlier try
        leftovers.discard([files.file_name(image_id) for image_id in unwanted])


def _write(image_id: str, data: bytes) -> str:
    return default_storage.save(files.file_name(image_id), ContentFile(data))


def _hang(image_id: str, name: str, data: bytes) -> bool:
    """The row says that the file is there, and it is: somebody may have erased another's of the same name since. False:
    there is no row for it any more, or it was taken down."""
    present = Image.objects.filter(id=image_id).exclude(withheld=Withheld.HOUSE)
    if not present.update(file=name, sha256=bytes_hash(data), withheld=""):
        return False
    if not default_storage.exists(name):
        _write(image_id, data)
    return True


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


def present(request: str) -> Event:
    """The request's state as the event that tells it; of one that is no longer there, that it is gone."""
    row = Request.objects.filter(id=request).first()
    return event_of(row) if row else gone(request)
