"""A request's present state, as the API says it and as the first event of its stream."""

from typing import Any

import msgspec
from django.urls import reverse

from salon.web.line import Event
from salon.web.sentences import spoken
from salon.web.station.models import Drawing, Request


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


def state_of(request: Request) -> dict[str, Any]:
    """The answer of `GET /api/requests/<id>`."""
    drawings = list(request.drawings.select_related("image"))
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


def owned(request_id: str, visitor: str | None) -> Request | None:
    """The request if it is this visitor's; others are not told whether it exists."""
    if visitor is None or not request_id.isalnum():
        return None
    return Request.objects.filter(id=request_id, visitor=visitor).first()
