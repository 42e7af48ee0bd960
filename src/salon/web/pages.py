"""Pages for rooms that ask whether anything can be drawn; what all pages are given is in events/pages.py."""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from salon.web.events.pages import rendered
from salon.web.line import line
from salon.web.station.domain import catalogue

__all__ = ["page", "rendered"]


async def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page. All know `door` (what to say while nothing can be drawn, or None) and `banner`."""
    whole = {**context, "door": catalogue.door(line().engine)}
    return await sync_to_async(rendered)(request, template, whole, status)
