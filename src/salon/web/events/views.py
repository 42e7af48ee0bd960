"""Pages of events that everybody may see."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from salon.core.errors import BadRecipe
from salon.web.events import colours, parts, sums
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.events.pages import rendered

NEVER_CHANGES = "public, max-age=31536000, immutable"


def ways(event: Event) -> list[tuple[str, str]]:
    """What an event's page leads to: (address, words). Where there is nothing yet is left out."""
    if not event.current:
        return []
    all_of_it = (
        ("/programme", _("The programme")),
        ("/call", _("Show your own work: the call for artists")),
        ("/places", _("Take a place")),
        ("/gallery", _("What hangs")),
        ("/station", _("Draw something")),
    )
    return [(path, words) for path, words in all_of_it if parts.leads_somewhere(path, event)]


def _opened(slug: str) -> Event:
    """The event that everybody may see under this name. Raises Http404: nobody is told of others."""
    event = Event.objects.filter(slug=slug).exclude(opened_at=None).first() if slug else current_event()
    if event is None or event.opened_at is None:
        raise Http404
    return event


def _about(event: Event) -> dict[str, Any]:
    """What a page about this event is given, which need not be the current one."""
    return {"event": event, "clock_of": event, "wall_colour": event.colour}


def shown(request: HttpRequest, event: Event, preview: bool = False) -> HttpResponse:
    """The event's page; organisers see it before it is open."""
    context = {"ways": ways(event), "parts": parts.of(event), "preview": preview, "rooms": list(event.rooms.all())}
    return rendered(request, "events/event.html", _about(event) | context)


@require_safe
def event(request: HttpRequest, slug: str = "") -> HttpResponse:
    """`/event` and `/events/<slug>`: what, when, where."""
    if not slug and current_event().opened_at is None:
        return rendered(request, "events/soon.html", {}, 404)
    return shown(request, _opened(slug))


@require_safe
def privacy(request: HttpRequest, slug: str = "") -> HttpResponse:
    """`/privacy` and `/events/<slug>/privacy`: what is kept of people, in the organisers' words."""
    found = _opened(slug)
    if not found.privacy:
        raise Http404
    return rendered(request, "events/privacy.html", _about(found))


@require_safe
def logo(request: HttpRequest, slug: str) -> HttpResponse:
    """`/events/<slug>/logo.png`. A logo is no secret, so it need not be open: organisers see it in the set-up."""
    found = Event.objects.filter(slug=slug).exclude(logo="").first()
    if found is None or not default_storage.exists(found.logo.name):
        raise Http404
    response = FileResponse(default_storage.open(found.logo.name), content_type="image/png")
    response["Cache-Control"] = "no-cache"
    response["ETag"] = f'"{found.logo.name}"'
    return response


@require_safe
def wall(request: HttpRequest, colour: str) -> HttpResponse:
    """`/walls/<rrggbb>.css`: the house's walls in this colour, if words can be read on it."""
    try:
        sheet = colours.stylesheet(colours.checked(colour))
    except BadRecipe as error:
        raise Http404 from error
    response = HttpResponse(sheet, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = NEVER_CHANGES
    return response


def address(event: Event) -> str:
    """The event's page: the short address while it is the current one."""
    return reverse("events:event") if event.current else reverse("events:other", args=[event.slug])


@require_safe
def small_sum(request: HttpRequest) -> JsonResponse:
    """`/sum`: the small sum for a browser to do, before a form is taken from somebody whom nobody knows."""
    response = JsonResponse(sums.challenge())
    response["Cache-Control"] = "no-store"
    return response
