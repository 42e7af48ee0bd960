"""Backstage pages of the register: the list, one finding, the contact sheet, the review, the export."""

from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.audit.findings import WRITERS, encode
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.line import EngineState, Look, line
from salon.web.pages import rendered
from salon.web.people.models import Role, User
from salon.web.people.sessions import allowed
from salon.web.refuses.domain import exporting, findings, judging, outcomes, reproducing, reviewing, room
from salon.web.refuses.models import Failure, Finding, Harm, Severity, Target

#: findings that the list shows
LENGTH = 200
DEEDS = {"close": findings.close, "reopen": lambda person, finding_id, _reason: findings.reopen(person, finding_id)}


@async_to_sync
async def _look() -> None:
    line().tell(Look())


@async_to_sync
async def _engine() -> EngineState:
    return line().engine


def _to(finding: Finding) -> HttpResponse:
    return HttpResponseRedirect(reverse("backstage:finding", args=[finding.id]))


def _found(finding_id: str) -> Finding:
    return get_object_or_404(Finding.objects.select_related("image"), id=finding_id, event=current_event())


def _reviewers(event: Event) -> int:
    """How many people of the house may review here."""
    kinds = (Role.Kind.ORGANISER, Role.Kind.CURATOR)
    here = Q(is_superuser=True) | Q(roles__event=event, roles__kind__in=kinds)
    return User.objects.filter(here, is_active=True).distinct().count()


def _rate(finding: Finding, person: User) -> outcomes.Rate | None:
    """The rate, unless people count and this person has not: a count is blind to the other's."""
    blind = not finding.field and not finding.counts.filter(person=person).exists()
    over = finding.state in (Finding.State.SHOWN, Finding.State.CLOSED, Finding.State.REVIEWED)
    return None if blind and not over else outcomes.rate(finding.outcomes)


@require_safe
@allowed("curator")
def listing(request: HttpRequest) -> HttpResponse:
    """`/backstage/findings`: reports that wait to become findings, and the findings."""
    event = current_event()
    reproducing.settle_all(event)
    found = Finding.objects.filter(event=event).select_related("image").prefetch_related("reports", "reviews")
    rows = [
        {"finding": one, "rate": _rate(one, request.user), "covered": room.covered(one),
         "may_review": reviewing.may_review(one, request.user), "counted": one.asked and not one.outcomes}
        for one in found[:LENGTH]
    ]  # fmt: skip
    context = {
        "unsorted": [
            {"report": report, "like": like, "covered": report.failure in room.COVERED}
            for report, like in findings.unsorted(event)
        ],
        "rows": rows,
        "agreement": reviewing.agreement(event),
        "accounts": _reviewers(event),
        "formats": [ending[1:] for ending in WRITERS],
    }
    return rendered(request, "backstage/findings.html", context)


@require_POST
@allowed("curator")
def open_report(request: HttpRequest, report_id: str) -> HttpResponse:
    """A report becomes a finding."""
    return _to(findings.open_finding(request.user, report_id))


@require_POST
@allowed("curator")
def join(request: HttpRequest, report_id: str) -> HttpResponse:
    """A report joins the finding that it is a duplicate of."""
    return _to(findings.join(request.user, report_id, request.POST.get("finding", "")))


@require_POST
@allowed("curator")
def part(request: HttpRequest, report_id: str) -> HttpResponse:
    """Undoes a join."""
    return _to(findings.part(request.user, report_id))


@require_POST
@allowed("curator")
def see_credit(request: HttpRequest, report_id: str) -> HttpResponse:
    """The name may be shown."""
    seen = findings.see_credit(request.user, report_id)
    return _to(seen.finding) if seen.finding else HttpResponseRedirect(reverse("backstage:findings"))


@require_safe
@allowed("curator")
def one(request: HttpRequest, finding_id: str) -> HttpResponse:
    """`/backstage/findings/<id>`: all about it, but the other's review before one's own."""
    finding = reproducing.settle(_found(finding_id))
    choices = reproducing.candidates(finding.id, _engine()) if not finding.asked and not finding.over else []
    done, of = reproducing.progress(finding)
    rate = _rate(finding, request.user)
    context: dict[str, Any] = {
        "finding": finding,
        "recipe": finding.image.recipe if finding.image else None,
        "covered": room.covered(finding),
        "reports": list(finding.reports.order_by("created_at")),
        "reviews": reviewing.reviews_for(finding, request.user),
        "reviewed": finding.reviews.count(),
        "may_review": reviewing.may_review(finding, request.user),
        "choices": choices,
        "choice": judging.first_choice(choices, finding.target),
        "sizes": reproducing.SIZES,
        "size": reproducing.SIZE,
        "done": done,
        "of": of,
        "drawing": of and done < of,
        "rate": rate,
        "others": outcomes.others(finding.outcomes) if rate else [],
        "looked_for": judging.words(finding.field, finding.value),
        "may_count": of and done == of and not finding.field and not finding.over
        and not finding.counts.filter(person=request.user).exists(),
        "history": findings.history(finding),
    }  # fmt: skip
    return rendered(request, "backstage/finding.html", context)


@require_POST
@allowed("curator")
def draw(request: HttpRequest, finding_id: str) -> HttpResponse:
    """Draws it again on fresh seeds, when nobody waits."""
    number = request.POST.get("number", "")
    size = int(number) if number.isascii() and number.isdigit() else 0
    finding = reproducing.start(request.user, finding_id, size, request.POST.get("look_for", ""), _engine())
    _look()
    return _to(finding)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed("curator")
def count(request: HttpRequest, finding_id: str) -> HttpResponse:
    """`/backstage/findings/<id>/count`: the contact sheet; which of these show it?"""
    if request.method == "POST":
        return _to(reproducing.count(request.user, finding_id, request.POST.getlist("seen")))
    finding = _found(finding_id)
    rows = reproducing.pictures(finding)
    context = {"finding": finding, "fresh": reproducing.visible(rows), "hidden": len(rows)}
    context["hidden"] -= len(context["fresh"])
    return rendered(request, "backstage/count.html", context | {"covered": room.covered(finding)})


@require_http_methods(["GET", "HEAD", "POST"])
@allowed("curator")
def review(request: HttpRequest, finding_id: str) -> HttpResponse:
    """`/backstage/findings/<id>/review`: one's own labels; the other's are not on this page."""
    values, wrong = reviewing.read_review(request.POST)
    if request.method == "POST" and not wrong:
        return _to(reviewing.review(request.user, finding_id, values))
    finding = _found(finding_id)
    context = {
        "finding": finding,
        "covered": room.covered(finding),
        "reports": list(finding.reports.order_by("created_at")),
        "values": request.POST,
        "wrong": wrong if request.method == "POST" else {},
        "failures": Failure.choices,
        "targets": Target.choices,
        "harms": Harm.choices,
        "severities": Severity.choices,
    }
    return rendered(request, "backstage/review.html", context, 422 if context["wrong"] else 200)


@require_POST
@allowed("curator")
def change(request: HttpRequest, finding_id: str, deed: str) -> HttpResponse:
    """Close a finding, or reopen it."""
    if deed not in DEEDS:
        raise Http404
    return _to(DEEDS[deed](request.user, finding_id, request.POST.get("reason", "")))


@require_safe
@allowed("curator")
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """`/backstage/findings.<kind>`: the register as a file (docs/register.md)."""
    if f".{kind}" not in WRITERS:
        raise Http404
    data = encode(exporting.rows(current_event()), f".{kind}")
    response = HttpResponse(data, content_type="text/csv" if kind == "csv" else "application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="findings.{kind}"'
    return response
