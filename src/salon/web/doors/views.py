"""Tickets: the page, the files to take along, giving the place back, making the ticket anew."""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from salon.core.errors import Conflict
from salon.web import codes
from salon.web.doors import calendar, paper, tickets
from salon.web.doors.domain import answering
from salon.web.doors.models import CheckIn
from salon.web.pages import page
from salon.web.people import guests
from salon.web.seats.domain import places
from salon.web.seats.models import Place


def _opened(request: HttpRequest, place_id: str) -> Place:
    return tickets.opened(place_id, guests.guest_of(request), request.GET.get("key", "")[:200])


def _address(request: HttpRequest, route: str, place: Place, *more: str) -> str:
    """A path of the ticket's; whoever came by its link goes on by it."""
    key = request.GET.get("key", "")
    return reverse(route, args=[place.id, *more]) + (f"?{urlencode({'key': key})}" if key else "")


def _ticket(request: HttpRequest, place_id: str) -> dict[str, Any]:
    place = _opened(request, place_id)
    entry = CheckIn.objects.select_related("door__event").filter(place=place, undone_at=None).first()
    told: dict[str, Any] = {"place": place, "event": place.pool.event, "facts": paper.facts(place)}
    told["came"] = answering.came(entry) if entry else ""
    told["good"] = place.state == Place.State.BOOKED
    told["links"] = {route: _address(request, f"doors:{route}", place) for route in ("renew", "give_back")}
    told["files"] = {kind: _address(request, "doors:file", place, kind) for kind in ("pdf", "png", "ics")}
    if told["good"]:
        told["code"] = tickets.spelled(tickets.edition(place).code)
        told["qr"] = codes.qr_svg(tickets.ticket_of(place)).decode()
    return told


@require_safe
async def ticket(request: HttpRequest, place_id: str) -> HttpResponse:
    """`/tickets/<place>`: for its guest's browser, or by the ticket's own link."""
    response = await page(request, "doors/ticket.html", await sync_to_async(_ticket)(request, place_id))
    response["Cache-Control"] = "private, no-cache"
    return response


def _file(request: HttpRequest, place_id: str, kind: str) -> tuple[bytes, str]:
    place = _opened(request, place_id)
    if place.state != Place.State.BOOKED:
        raise Conflict(_("There is no ticket for this place."), _("Only a booked place has one."))
    if kind == "ics":
        address = codes.public_address(request, tickets.link(place))
        return calendar.entry(place, address), "text/calendar; charset=utf-8"
    if kind not in paper.KINDS:
        raise Http404
    mime, make = paper.KINDS[kind]
    return make(place), mime


@require_safe
async def file(request: HttpRequest, place_id: str, kind: str) -> HttpResponse:
    """`/tickets/<place>.pdf`, `.png`, `.ics`: to take along."""
    data, mime = await sync_to_async(_file)(request, place_id, kind)
    response = HttpResponse(data, content_type=mime)
    response["Content-Disposition"] = f'attachment; filename="ticket-{place_id[:6]}.{kind}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _give_back(request: HttpRequest, place_id: str) -> str:
    place = _opened(request, place_id)
    if place.came_at:
        raise Conflict(_("Somebody came in with this ticket: it cannot be given back."), "")
    places.give_back(place.id, place.guest)
    return _address(request, "doors:ticket", place)


@require_POST
async def give_back(request: HttpRequest, place_id: str) -> HttpResponse:
    """The place goes to somebody else."""
    return HttpResponseRedirect(await sync_to_async(_give_back)(request, place_id))


def _renew(request: HttpRequest, place_id: str) -> str:
    renewed = tickets.renew(_opened(request, place_id).id)
    opened = Place.objects.select_related("pool", "guest").get(id=renewed.id)
    return tickets.link(opened) if request.GET.get("key") else reverse("doors:ticket", args=[place_id])


@require_POST
async def renew(request: HttpRequest, place_id: str) -> HttpResponse:
    """Makes the ticket anew: the older one, on whoever's phone, opens nothing any more."""
    return HttpResponseRedirect(await sync_to_async(_renew)(request, place_id))
