"""The door's page, the stream that keeps its numbers true, and its service worker."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from salon.core.errors import Forbidden, SalonError
from salon.web.doors import sayings, tickets
from salon.web.doors.api import news, standing, told_state
from salon.web.doors.domain import answering, counting, redeeming
from salon.web.doors.domain.hands import Hand
from salon.web.doors.domain.redeeming import Scan
from salon.web.doors.models import Way
from salon.web.events import entering
from salon.web.events.models import Device
from salon.web.line import line
from salon.web.pages import page
from salon.web.streams import STILL_HERE, frame, retry, service_worker, streaming

CAMERA = "camera=(self), microphone=(), geolocation=()"


def _context(request: HttpRequest) -> dict[str, Any]:
    """A browser that is no door's device is told how to become one."""
    try:
        hand = standing(request)
    except Forbidden as error:
        return {"refused": error}
    # `here`: what pages call `door` is the station's
    told: dict[str, Any] = {"here": hand.door, "nonce": secrets.token_hex(16)}
    if request.method == "POST":
        told |= _typed(request, hand)
    state = told_state(hand)
    facts = {"prefix": tickets.PREFIX, "alphabet": tickets.ALPHABET, "length": tickets.CODE_LENGTH}
    return told | {"state": state, "facts": facts, "words": sayings.words()}


def _typed(request: HttpRequest, hand: Hand) -> dict[str, Any]:
    """The page without scripts: a code is typed and sent as a form."""
    scan = Scan(request.POST.get("nonce", ""), request.POST.get("code", "")[:200], way=Way.TYPED)
    try:
        said = answering.answer(hand, redeeming.redeem(hand, scan))
        return {"said": said, "inside": counting.inside(hand.door.event_id)}
    except SalonError as error:
        return {"failed": error}


@require_http_methods(["GET", "HEAD", "POST"])
async def door(request: HttpRequest) -> HttpResponse:
    """`/door`: scan, type, look for a name. The only page of the house that may use the camera."""
    context = await sync_to_async(_context)(request)
    if "refused" in context:
        return await page(request, "doors/closed.html", context, status=403)
    if "said" in context:
        line().tell(news(context["here"].event_id, context["inside"]))
    response = await page(request, "doors/door.html", context)
    response["Permissions-Policy"] = CAMERA
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
async def enter(request: HttpRequest, token: str) -> HttpResponse:
    """`/door/enter/<token>`: makes this browser the door's device."""
    return await sync_to_async(entering.device)(request, Device.Kind.DOOR, token, reverse("doors:door"))


def _topic(request: HttpRequest) -> str | None:
    """None once the device was revoked. Run in the shared pool, so that an open stream holds no connection."""
    try:
        return counting.topic(standing(request).door.event_id)
    except Forbidden:
        return None
    finally:
        connection.close()


async def _stream(request: HttpRequest, topic: str) -> AsyncIterator[bytes]:
    """`inside` as it happens, a comment at each heartbeat; `revoked` ends it."""
    async with line().watch(topic) as mailbox:
        yield retry() + frame("hello", b"{}")
        while True:
            event = await mailbox.get(settings.SALON_HEARTBEAT)
            if event is not None:
                yield frame(event.tag, event.data)
            elif await sync_to_async(_topic, thread_sensitive=False)(request):
                yield STILL_HERE
            else:
                yield frame("revoked", b"{}")
                return


@require_GET
async def updates(request: HttpRequest) -> HttpResponse:
    """`/door/updates`: server-sent events, for the doors' devices only."""
    topic = await sync_to_async(_topic, thread_sensitive=False)(request)
    if topic is None:
        return HttpResponse(status=403)
    return streaming(_stream(request, topic))


@require_safe
async def worker(request: HttpRequest) -> HttpResponse:
    """`/door/worker.js`: what keeps the door's page without a line."""
    return service_worker("door-service.js")
