"""Reporting: three taps from any image; and the room of the refused."""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.web.events import devices
from salon.web.events.domain import current_event
from salon.web.line import Cancel, line
from salon.web.pages import page
from salon.web.refuses.domain import reporting
from salon.web.refuses.domain import room as showing
from salon.web.refuses.models import Failure, Finding, Target
from salon.web.station.domain.visitors import give_ticket, new_visitor, standing_of, visitor_of
from salon.web.station.models import Image


def _report(request: HttpRequest, image_id: str, visitor: str) -> dict[str, Any]:
    image = Image.objects.filter(id=image_id).first()
    if image is None:
        raise Http404
    values, wrong = reporting.read_report(request.POST)
    posted = request.method == "POST"
    if posted and not wrong:
        booth = devices.booth(request)
        reporting.report(visitor, image, values, booth, standing_of(request, booth))
    return {
        "image": image,
        "values": values,
        "wrong": wrong if posted else {},
        "thanks": posted and not wrong,
        "failures": Failure.choices,
        "targets": Target.choices,
    }


@require_http_methods(["GET", "HEAD", "POST"])
async def report(request: HttpRequest, image_id: str) -> HttpResponse:
    """`/images/<id>/report`: what is wrong, whom it concerns, a note, a name. The recipe comes along by itself."""
    visitor = visitor_of(request) or new_visitor()
    context = await sync_to_async(_report)(request, image_id, visitor)
    response = await page(request, "refuses/report.html", context, status=422 if context["wrong"] else 200)
    if context["thanks"]:
        give_ticket(request, response, visitor)
    return response


@require_POST
async def credit(request: HttpRequest, report_id: str) -> HttpResponse:
    """Be named with what you found, or not."""
    await sync_to_async(reporting.set_credit)(visitor_of(request) or "", report_id, request.POST.get("credit", ""))
    return HttpResponseRedirect(f"{reverse('gallery:mine')}#reported")


@require_POST
async def withdraw(request: HttpRequest, report_id: str) -> HttpResponse:
    """Takes one's own report back."""
    for stopped in await sync_to_async(reporting.withdraw)(visitor_of(request) or "", report_id):
        line().tell(Cancel(request=stopped))
    return HttpResponseRedirect(f"{reverse('gallery:mine')}#reported")


def _room(hidden: list[str], after: str) -> dict[str, Any]:
    found, further = showing.page(current_event(), hidden, after)
    return {"findings": showing.listing(found), "further": further, "hidden": hidden, "failures": Failure.choices}


@require_safe
async def room(request: HttpRequest) -> HttpResponse:
    """`/refuses`: what two people have let in, newest first. Each `hide=` leaves a kind of failure out."""
    hidden = [name for name in request.GET.getlist("hide") if name in Failure.values]
    context = await sync_to_async(_room)(hidden, request.GET.get("after", "")[:32])
    return await page(request, "refuses/room.html", context)


def _one(finding_id: str) -> Finding:
    found = showing.one(finding_id)
    if found is None:
        raise Http404
    return found


def _finding(finding_id: str, visitor: str | None) -> dict[str, Any]:
    found = _one(finding_id)
    mine = visitor is not None and found.reports.filter(visitor=visitor).exists()
    return {"told": showing.told(found), "mine": mine}


@require_safe
async def finding(request: HttpRequest, finding_id: str) -> HttpResponse:
    """`/refuses/<id>`: one finding, its rate, and what both reviewers said."""
    context = await sync_to_async(_finding)(finding_id, visitor_of(request))
    return await page(request, "refuses/finding.html", context)


def _picture(finding_id: str) -> bytes:
    try:
        return showing.read_file(_one(finding_id))
    except FileNotFoundError as error:
        raise Http404 from error


@require_safe
async def picture(request: HttpRequest, finding_id: str) -> HttpResponse:
    """`/refuses/<id>.png`: not kept by browsers, since it may be withdrawn."""
    response = HttpResponse(await sync_to_async(_picture)(finding_id), content_type="image/png")
    response["Cache-Control"] = "no-store"
    return response
