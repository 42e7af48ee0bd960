"""What every page of the house is given, whichever room it belongs to."""

import time
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from salon.web.events import devices
from salon.web.events.domain import current_event
from salon.web.line import line
from salon.web.station.domain import catalogue

#: seconds for which the banner is remembered, so that a page costs no query for it
BANNER_KEPT = 2.0
_banner: tuple[float, str] = (-BANNER_KEPT, "")


def banner() -> str:
    """The line that organisers want on every page; a few seconds old at most."""
    global _banner
    if time.monotonic() - _banner[0] > BANNER_KEPT:
        _banner = (time.monotonic(), current_event().banner)
    return _banner[1]


def rendered(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page as any room shows it, at a booth with its idle reset."""
    booth = devices.booth(request) is not None
    more = {"banner": banner(), "kiosk": booth, "kiosk_seconds": settings.SALON_KIOSK_SECONDS}
    response = render(request, template, {**more, **context}, status=status)
    if booth:
        response["Cache-Control"] = "no-store"  # going back must not show the visitor before
    return response


async def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page. All know `door` (what to say while nothing can be drawn, or None) and `banner`."""
    whole = {**context, "door": catalogue.door(line().engine)}
    return await sync_to_async(rendered)(request, template, whole, status)
