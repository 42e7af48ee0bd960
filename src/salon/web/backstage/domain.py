"""What is seen and set backstage: the engine's work in numbers, the pause, the banner, the line and its emptying."""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import Avg, Count, Q, Sum
from django.utils import timezone

from salon.core.text import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.gallery.models import Work
from salon.web.line import EngineState
from salon.web.people.models import User
from salon.web.station.domain import intake
from salon.web.station.models import Drawing, Request

#: minutes over which the engine's pace is told
PACE = 10


def set_house(person: User, paused: bool, banner: str) -> Event:
    """Pause or open the house, and say so on every page."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        clean = tidy(banner)[:200]
        changed = [
            said
            for said, now, then in (
                ("paused" if paused else "opened", paused, event.paused),
                ("banner", clean, event.banner),
            )
            if now != then
        ]
        event.paused, event.banner = paused, clean
        event.save(update_fields=["paused", "banner"])
        for deed in changed:
            note(event, deed, "", person=person, text=clean if deed == "banner" else "")
        return event


def set_lights(person: User, dark: bool) -> Event:
    """Blank every wall at once, or show again what hangs."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        if event.dark != dark:
            event.dark = dark
            event.save(update_fields=["dark"])
            note(event, "darkened" if dark else "lit", "", person=person)
        return event


def line_of(event: Event) -> dict[str, int]:
    """What visitors have in line: `requests`, how much work that is (`price`, in ordinary requests), of how many
    `visitors`, how many of the requests are `strangers`', and the most that comes from one network (`one_network`)."""
    rows = Request.objects.filter(event=event, state__in=Request.OPEN).exclude(audience=intake.BACKGROUND)
    told = rows.aggregate(
        requests=Count("id"), price=Sum("price", default=0), visitors=Count("visitor", distinct=True),
        strangers=Count("id", filter=Q(known=False)),
    )  # fmt: skip
    most = rows.exclude(source="").values("source").annotate(count=Count("id")).order_by("-count").first()
    return told | {"one_network": most["count"] if most else 0}


def empty_line(person: User) -> list[str]:
    """Everything that visitors have in line ends, and says why; nothing of what hangs is touched. Names of the
    requests, for the desk."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        ended = intake.empty_line(event)
        note(event, "line emptied", "", person=person, text=str(len(ended)))
        return ended


def pulse(event: Event, engine: EngineState) -> dict[str, Any]:
    """The engine and the day in numbers, for the live view."""
    since = timezone.now() - datetime.timedelta(minutes=PACE)
    rows = Request.objects.filter(event=event)
    states = dict(rows.filter(state__in=Request.OPEN).values_list("state").annotate(Count("id")))
    done = rows.filter(state=Request.State.FINISHED, ended_at__gt=since)
    images = Drawing.objects.filter(request__in=done.values("id")).count()
    works = dict(Work.objects.filter(event=event).values_list("state").annotate(Count("id")))
    return {
        "engine": engine.state,
        "why": engine.why,
        "models": [{"name": m.name, "ready": m.ready, "problem": m.problem} for m in engine.models],
        "waiting": states.get("waiting", 0),
        "running": states.get("running", 0),
        "images_recently": images,
        "seconds_a_request": done.aggregate(mean=Avg("seconds"))["mean"],
        "failed_recently": rows.filter(state=Request.State.FAILED, ended_at__gt=since).count(),
        "works_waiting": works.get("waiting", 0),
        "works_hung": works.get("hung", 0),
        "minutes": PACE,
    }
