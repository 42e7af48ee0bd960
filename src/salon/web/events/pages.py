"""What every page of the house is given, whichever room it belongs to: the event as it was a moment ago."""

import time
from typing import Any

from django.conf import settings
from django.db.models.signals import post_save
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from salon.web.events import devices, times
from salon.web.events.domain import current_event
from salon.web.events.models import Event

#: seconds for which the event is remembered, so that a page costs no query for it
KEPT = 2.0
_shown: tuple[float, Event | None] = (-KEPT, None)


def shown() -> Event:
    """The current event as pages show it (name, banner, colour, clock); a few seconds old at most. Never to decide
    anything by: that is what `lock_current_event` is for."""
    global _shown
    if _shown[1] is None or time.monotonic() - _shown[0] > KEPT:
        _shown = (time.monotonic(), current_event())
    return _shown[1]  # type: ignore[return-value]


def forget(**_signal: Any) -> None:
    """It was changed, in this process: look again."""
    global _shown
    _shown = (-KEPT, None)


post_save.connect(forget, sender=Event, dispatch_uid="events.pages")


def rendered(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page as any room shows it, by the event's clock and in its colour; at a booth with its idle reset."""
    event, booth = shown(), devices.booth(request) is not None
    more = {
        "banner": event.banner,
        "open_event": event if event.opened_at else None,
        "wall_colour": event.colour,
        "kiosk": booth,
        "kiosk_seconds": settings.SALON_KIOSK_SECONDS,
    }
    whole = {**more, **context}
    with timezone.override(times.zone(whole.get("clock_of") or event)):
        response = render(request, template, whole, status=status)
    if booth:
        response["Cache-Control"] = "no-store"  # going back must not show the visitor before
    return response
