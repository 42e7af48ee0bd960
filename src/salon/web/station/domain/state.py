"""A request's present state, as the API says it and as the first event of its stream."""

import logging
from typing import Any

import msgspec
from django.urls import reverse
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe
from salon.web.line import Event
from salon.web.sentences import spoken
from salon.web.station.models import Drawing, Image, Request

log = logging.getLogger("salon.web")


def images_of(drawings: list[Drawing]) -> list[dict[str, Any]]:
    """The images in order; `src` is the file's address, there once the request is finished; `withheld`: it is
    kept back, and there is none. `difference` is how far (0 to 255) a redrawn image is from the one that hung;
    `score` how near CLIP finds the image to its prompt, None where it has not looked."""
    return [
        {
            "index": drawing.index,
            "id": drawing.image_id,
            "seed": drawing.image.recipe.seed,
            "url": reverse("station:image", args=[drawing.image_id]),
            "src": reverse("station:image_file", args=[drawing.image_id]),
            "difference": drawing.difference,
            "withheld": bool(drawing.image.withheld),
            "score": _score(drawing),
        }
        for drawing in drawings
    ]


def _score(drawing: Drawing) -> float | None:
    """To four digits; what is kept back has none."""
    return None if drawing.score is None or drawing.image.withheld else round(drawing.score, 4)


def position(request: Request) -> int:
    """How many requests stand before this one. Visitors do not wait for background work."""
    waiting = Request.objects.filter(event_id=request.event_id, state=Request.State.WAITING)
    return waiting.filter(audience=request.audience, created_at__lt=request.created_at).count()


def _readable(drawings: list[Drawing]) -> list[Drawing]:
    """Those whose recipe can be read: a damaged row must not hide how its request has ended."""
    return [drawing for drawing in drawings if _can_be_read(drawing.image)]


def _can_be_read(image: Image) -> bool:
    try:
        return bool(image.recipe)
    except BadRecipe as error:
        log.error("the recipe of image %s cannot be read: %s", image.id, error)
        return False


def state_of(request: Request) -> dict[str, Any]:
    """The answer of `GET /api/requests/<id>`."""
    drawings = _readable(list(request.drawings.select_related("image")))
    state: dict[str, Any] = {
        "id": request.id,
        "state": request.state,
        "prompt": drawings[0].image.recipe.prompt if drawings else "",
        "model": drawings[0].image.recipe.model if drawings else "",
        "images": images_of(drawings),
        "updates": reverse("station:api_updates", args=[request.id]),
        "seconds": request.seconds,
    }
    if request.why:
        why = spoken(request.why)
        state |= {"code": request.code, "message": why, "why": why}
    if request.state == Request.State.WAITING:
        state["position"] = position(request)
    return state


_TAG = {"waiting": "queued", "running": "started"}


def event_of(request: Request) -> Event:
    """The present state as the event that would have told it."""
    return Event(_TAG.get(request.state, request.state), msgspec.json.encode(state_of(request)))


def gone(request_id: str) -> Event:
    """What is told of a request whose row is no longer there, to whoever still watches it."""
    why = _("This was taken away: it was forgotten, or its event was removed.")
    told = {"request": request_id, "id": request_id, "state": "cancelled", "images": [], "code": "gone", "why": why}
    return Event("cancelled", msgspec.json.encode(told))


def owned(request_id: str, visitor: str | None) -> Request | None:
    """The request if it is this visitor's; others are not told whether it exists."""
    if visitor is None or not request_id.isalnum():
        return None
    return Request.objects.filter(id=request_id, visitor=visitor).first()
