"""Reporting: three taps from any image."""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from salon.web.pages import page
from salon.web.refuses import domain
from salon.web.refuses.models import Failure, Target
from salon.web.station.domain.visitors import give_ticket, new_visitor, visitor_of
from salon.web.station.models import Image


def _report(request: HttpRequest, image_id: str, visitor: str) -> dict[str, Any]:
    image = Image.objects.filter(id=image_id).first()
    if image is None:
        raise Http404
    values, wrong = domain.read_report(request.POST)
    posted = request.method == "POST"
    if posted and not wrong:
        domain.report(visitor, image, values)
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
    """`/images/<id>/report`: what is wrong, whom it concerns, a note. The recipe comes along by itself."""
    visitor = visitor_of(request) or new_visitor()
    context = await sync_to_async(_report)(request, image_id, visitor)
    response = await page(request, "refuses/report.html", context, status=422 if context["wrong"] else 200)
    if context["thanks"]:
        give_ticket(request, response, visitor)
    return response
