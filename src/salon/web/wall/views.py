"""The wall's page, its works, and the stream that tells of new ones."""

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from salon.core.errors import Forbidden
from salon.web import codes
from salon.web.events import devices, entering
from salon.web.events.domain import current_event
from salon.web.events.models import Device, Event
from salon.web.gallery import topics
from salon.web.gallery.domain.showing import hung, listing
from salon.web.line import line
from salon.web.pages import page
from salon.web.streams import frame, retry, service_worker, streaming

#: works that a wall goes round; the newest
MOST = 120


def _context(request: HttpRequest) -> dict[str, Any]:
    """Any screen may show the public wall; one of the house's has a layout of its own."""
    device = devices.present(request, Device.Kind.WALL)
    layout = device.layout if device else request.GET.get("layout", Device.Layout.SINGLE)
    event = current_event()
    return {
        "layout": layout if layout in Device.Layout.values else Device.Layout.SINGLE,
        "works": listing(event, MOST),
        "event_name": event.name,
        "device": device,
    }


@require_safe
async def wall(request: HttpRequest) -> HttpResponse:
    """`/wall`: a screen that shows what hangs. `?layout=` single, triptych, mosaic or ticker."""
    context = await sync_to_async(_context)(request)
    context["station_url"] = codes.public_address(request, reverse("station:station"))
    return await page(request, "wall/wall.html", context)


def _named(event: Event) -> dict[str, str]:
    """What a wall says and wears of its event."""
    return {"name": event.name, "colour": event.colour}


def _works() -> dict[str, Any]:
    try:
        event = current_event()
        return {"event": _named(event), "works": listing(event, MOST)}
    finally:
        connection.close()


@require_safe
async def works(request: HttpRequest) -> HttpResponse:
    """`/wall/works.json`: what hangs, newest first; and the event's name and colour."""
    return JsonResponse(await sync_to_async(_works, thread_sensitive=False)())


#: (when, the event's topic, JSON of the ids that hang, JSON of its name and colour): one look at the rows serves all
#: screens for a moment
_present: tuple[float, str, bytes, bytes] = (-1e9, "", b"[]", b"")


def _look() -> tuple[str, bytes, bytes]:
    try:
        event = current_event()
        ids = [] if event.dark else hung(event).values_list("id", flat=True)[:MOST]
        return topics.topic(event.id), msgspec.json.encode(list(ids)), msgspec.json.encode(_named(event))
    finally:
        connection.close()


async def _who_hangs() -> tuple[str, bytes, bytes]:
    """The current event's topic; what hangs, newest first, and its name and colour as JSON; a few seconds old at
    most."""
    global _present
    if time.monotonic() - _present[0] > settings.SALON_HEARTBEAT / 2:
        _present = (time.monotonic(), *_present[1:])  # those who come meanwhile take the old list
        _present = (time.monotonic(), *await sync_to_async(_look, thread_sensitive=False)())
    return _present[1:]


def _topic() -> str:
    try:
        return topics.topic(current_event().id)
    finally:
        connection.close()


async def _stream() -> AsyncIterator[bytes]:
    """`hung` and `gone` as they happen; at every heartbeat how many hang, so that a screen which missed something
    fetches the list."""
    topic = await sync_to_async(_topic, thread_sensitive=False)()
    async with line().watch(topic) as mailbox:
        yield retry() + frame("hello", b"{}")
        while True:
            event = await mailbox.get(settings.SALON_HEARTBEAT)
            if event is not None:
                yield frame(event.tag, event.data)
                continue
            now, ids, named = await _who_hangs()
            yield frame("present", ids)
            if named:
                yield frame("event", named)
            if now and now != topic:
                return  # another event is current: the screen asks again, and hears of that one


def _own_screen(request: HttpRequest) -> str:
    """The token of the house's wall or booth that asks, "" for everybody else."""
    try:
        for kind in (Device.Kind.WALL, Device.Kind.STATION):
            token = request.COOKIES.get(devices.cookie(kind), "")
            if token:
                devices.device_of(token, kind)
                return token
    except Forbidden:
        pass  # revoked: anybody may look at what hangs
    finally:
        connection.close()
    return ""


@require_GET
async def updates(request: HttpRequest) -> HttpResponse:
    """`/wall/updates`: server-sent events. What hangs is public, so is this."""
    token = await sync_to_async(_own_screen, thread_sensitive=False)(request)
    return streaming(request, _stream(), token, ours=bool(token))


@require_http_methods(["GET", "HEAD", "POST"])
async def enter(request: HttpRequest, token: str) -> HttpResponse:
    """`/wall/enter/<token>`: makes this browser one of the house's walls."""
    return await sync_to_async(entering.device)(request, Device.Kind.WALL, token, reverse("wall:wall"))


@require_safe
async def worker(request: HttpRequest) -> HttpResponse:
    """`/wall/worker.js`: what keeps the wall while the house is away."""
    return service_worker("wall-worker.js")
