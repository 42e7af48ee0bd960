"""The organisers' page: tables to take along, tokens for programs."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe
from salon.web import codes
from salon.web.events.domain import current_event
from salon.web.events.pages import rendered
from salon.web.events.trail import note
from salon.web.exports.domain import tokens
from salon.web.exports.domain.tables import TABLES, counts
from salon.web.exports.domain.writing import TYPES, WRITERS
from salon.web.exports.models import Scope, Token
from salon.web.people.sessions import allowed

#: days for which a token is good unless something else is said
DAYS = 30


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def home(request: HttpRequest) -> HttpResponse:
    """`/backstage/exports`: tables, and tokens. A new token is shown once."""
    event, status = current_event(), 200
    context: dict[str, Any] = {"scopes": Scope.choices, "days": DAYS, "most": settings.SALON_API_PER_MINUTE}
    context["kinds"] = (("csv", "CSV"), ("csv", "Excel"), ("json", "JSON"))
    if request.method == "POST":
        form, said = request.POST, request.POST.get("days", "")
        days = int(said) if said.isascii() and said.isdecimal() and len(said) < 6 else None
        try:
            made, text = tokens.make(request.user, form.get("name", ""), form.getlist("scope"), days)
            context |= {"made": made, "text": text}
        except BadRecipe as error:
            context |= {"wrong": error, "typed": form, "ticked": form.getlist("scope"), "days": said}
            status = 422
    numbers, now = counts(event), timezone.now()
    context |= {
        "tables": [{"name": name, "label": table.label, "count": numbers[name]} for name, table in TABLES.items()],
        "tokens": [{"token": one, "over": one.expires_at <= now} for one in Token.objects.filter(event=event)],
        "api": codes.public_address(request, reverse("exports:api_event")),
        "openapi": reverse("station:api_openapi"),
    }
    return rendered(request, "exports/home.html", context, status)


@require_safe
@allowed()
def table(request: HttpRequest, name: str, ending: str) -> HttpResponse:
    """`/backstage/exports/<table>.csv` and `.json`, written while they are read. That it was taken is in the trail."""
    if name not in TABLES or ending not in WRITERS:
        raise Http404
    event, wanted = current_event(), TABLES[name]
    if request.method == "GET":
        with transaction.atomic():
            note(event, "table taken", name, person=request.user, text=ending)
    rows = WRITERS[ending](wanted, event, wanted.columns(event), bool(request.GET.get("excel")))
    response = StreamingHttpResponse(rows, content_type=TYPES[ending])
    response["Content-Disposition"] = f'attachment; filename="{event.slug}-{name}.{ending}"'
    return response


@require_POST
@allowed()
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """The token opens nothing any more."""
    tokens.revoke(request.user, token_id)
    return HttpResponseRedirect(f"{reverse('exports:backstage')}#tokens")
