"""The organisers' pages of the jury: rounds, jurors, who judges what, the ranking and its decisions."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core import cells
from salon.web.events.domain import current_event
from salon.web.events.pages import rendered
from salon.web.events.times import field
from salon.web.jury.domain import assigning, conflicts, deciding, exporting, jurors, phases, reviewing
from salon.web.jury.domain.applications import judged, to_judge
from salon.web.jury.domain.ranking import Row, Standing, standing
from salon.web.jury.models import Conflict, Marking, Phase
from salon.web.people.sessions import allowed, may

#: applications that one page of assignments shows
A_PAGE = 50
#: markings that the ranking's page names
MARKINGS = 5
#: stretches of places that are named in words
MOST_RUNS = 12
MOST_ID = 2**31 - 1
EXPORTS = {"ranking": exporting.ranking, "reviews": exporting.reviews}


def _found(phase_id: int) -> Phase:
    return get_object_or_404(Phase.objects.select_related("event"), pk=phase_id, event=current_event())


def _to(name: str, *arguments: Any) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"jury:{name}", args=arguments))


def _number(request: HttpRequest, name: str) -> int:
    """The key of a row; 0, which none has, for what is no key."""
    return phases.whole(request.POST.get(name, ""), 1, MOST_ID) or 0


@require_safe
@allowed("reviewer")
def home(request: HttpRequest) -> HttpResponse:
    """`/backstage/jury`: rounds and jurors for organisers; jurors go on to their queue."""
    if not may(request.user):
        return _to("queue")
    event = current_event()
    seats = jurors.seated(event)
    asked = {one.pk: reviewing.progress(one) for one in event.phases.all()}
    active = {one.pk for one in jurors.active(event)}
    context = {
        "phases": [_phase_line(one, asked[one.pk]) for one in event.phases.all()],
        "jurors": [
            {"juror": one, "active": one.pk in active, "knows": one.user is not None and may(one.user, "curator"),
             "done": sum(a.get(one.pk, (0, 0))[0] for a in asked.values()),
             "of": sum(a.get(one.pk, (0, 0))[1] for a in asked.values())}
            for one in seats
        ],
        "conflicts": Conflict.objects.filter(juror__event=event).select_related("juror__user", "submission", "said_by"),
        "applications": list(judged(event)),
        "waiting": to_judge(event).count(),
        "own": any(one.user_id == request.user.pk for one in seats),
    }  # fmt: skip
    return rendered(request, "jury/home.html", context)


def _phase_line(phase: Phase, asked: dict[int, tuple[int, int]]) -> dict[str, Any]:
    done, of = (sum(two[at] for two in asked.values()) for at in (0, 1))
    return {"phase": phase, "done": done, "of": of, "open": phases.is_open(phase), "over": phases.is_over(phase)}


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def new(request: HttpRequest) -> HttpResponse:
    """`/backstage/jury/phases/new`."""
    event, values, wrong = current_event(), {"each": 3, "others": Phase.Others.AFTER_ALL}, {}
    if request.method == "POST":
        read, wrong = phases.read_phase(event, request.POST)
        if not wrong:
            return _to("phase", phases.make(request.user, read).pk)
        values = request.POST
    return _phase_page(request, None, values, wrong)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def phase(request: HttpRequest, phase_id: int) -> HttpResponse:
    """`/backstage/jury/phases/<id>`: when it is, what jurors see, what they score."""
    found, wrong = _found(phase_id), {}
    if request.method == "POST":
        values, wrong = phases.read_phase(found.event, request.POST)
        if not wrong:
            return _to("phase", phases.change(request.user, phase_id, values).pk)
    return _phase_page(request, found, request.POST if wrong else _values(found), wrong)


def _values(found: Phase) -> dict[str, Any]:
    values = {name: getattr(found, name) for name in ("name", "others", "names_shown", "each")}
    return values | {name: field(found.event, getattr(found, name)) for name in ("opens_at", "closes_at")}


def _phase_page(
    request: HttpRequest, found: Phase | None, values: Any, wrong: dict[str, str], category: Any = None
) -> HttpResponse:
    """`category`: what was typed of a category (its key, its form, what is wrong with it)."""
    key, typed, mistakes = category or (None, {}, {})
    rows = [
        {"pk": one.pk, "values": typed if one.pk == key else one, "wrong": mistakes if one.pk == key else {}}
        for one in (found.categories.all() if found else [])
    ]
    rows += [{"pk": 0, "values": typed if key == 0 else {"low": 0, "high": 10, "weight": 1},
              "wrong": mistakes if key == 0 else {}}]  # fmt: skip
    context = {"phase": found, "values": values, "wrong": wrong, "others": Phase.Others.choices, "categories": rows,
               "weightless": found and found.categories.exists()
               and not found.categories.filter(weight__gt=0, independent=False).exists()}  # fmt: skip
    return rendered(request, "jury/phase.html", context, 422 if wrong or mistakes else 200)


@require_POST
@allowed()
def category(request: HttpRequest, phase_id: int) -> HttpResponse:
    """Makes, changes or removes what is scored."""
    found, key = _found(phase_id), _number(request, "category")
    if request.POST.get("do") == "remove":
        phases.remove_category(request.user, phase_id, key)
        return _to("phase", phase_id)
    values, wrong = phases.read_category(request.POST)
    if wrong:
        return _phase_page(request, found, _values(found), {}, (key, request.POST, wrong))
    phases.set_category(request.user, phase_id, key or None, values)
    return HttpResponseRedirect(f"{reverse('jury:phase', args=[phase_id])}#scored")


@require_POST
@allowed()
def remove(request: HttpRequest, phase_id: int) -> HttpResponse:
    """Removes a round in which nobody has judged."""
    phases.remove(request.user, phase_id)
    return _to("backstage")


@require_safe
@allowed()
def asking(request: HttpRequest, phase_id: int) -> HttpResponse:
    """`/backstage/jury/phases/<id>/asking`: who judges what."""
    found = _found(phase_id)
    active, asked = jurors.active(found.event), reviewing.progress(found)
    page = Paginator(to_judge(found.event).select_related("guest"), A_PAGE).get_page(request.GET.get("page"))
    rows = [_asked_line(found, one, active) for one in page]
    having = list(found.assignments.values_list("submission_id", flat=True))
    short = sum(having.count(pk) < found.each for pk in to_judge(found.event).values_list("pk", flat=True))
    context = {
        "phase": found, "rows": rows, "page": page, "short": short, "over": phases.is_over(found),
        "loads": [{"juror": one, "done": asked.get(one.pk, (0, 0))[0], "of": asked.get(one.pk, (0, 0))[1]}
                  for one in active],
    }  # fmt: skip
    return rendered(request, "jury/asking.html", context)


def _asked_line(found: Phase, submission: Any, active: list[Any]) -> dict[str, Any]:
    judged_by = set(found.reviews.filter(submission=submission).values_list("juror", flat=True))
    barred = list(submission.conflicts.select_related("juror__user"))
    out = {one.juror_id for one in barred}
    asked = [{"juror": one.juror, "done": one.juror_id in judged_by}
             for one in found.assignments.filter(submission=submission).select_related("juror__user")
             if one.juror_id not in out]  # fmt: skip
    out |= {one["juror"].pk for one in asked}
    return {"submission": submission, "asked": asked, "barred": barred,
            "free": [one for one in active if one.pk not in out]}  # fmt: skip


@require_POST
@allowed()
def ask(request: HttpRequest, phase_id: int) -> HttpResponse:
    """Draws jurors, asks one by hand, or asks one no more."""
    form, do = request.POST, request.POST.get("do", "")
    if do in ("draw", "anew"):
        assigning.draw(request.user, phase_id, form.get("seed", ""), anew=do == "anew")
    elif do == "ask":
        assigning.assign(request.user, phase_id, form.get("application", ""), _number(request, "juror"))
    elif do == "off":
        assigning.take_off(request.user, phase_id, form.get("application", ""), _number(request, "juror"))
    else:
        raise Http404
    at = f"?page={page}" if (page := phases.whole(form.get("page", ""), 1, MOST_ID)) else ""
    return HttpResponseRedirect(f"{reverse('jury:asking', args=[phase_id])}{at}")


@require_POST
@allowed()
def juror(request: HttpRequest, juror_id: int) -> HttpResponse:
    """Lets a juror go, or takes one back."""
    if request.POST.get("do") == "back":
        jurors.take_back(request.user, juror_id)
    else:
        jurors.let_go(request.user, juror_id, counted=bool(request.POST.get("counted")))
    return _to("backstage")


@require_POST
@allowed()
def conflict(request: HttpRequest) -> HttpResponse:
    """Declares a conflict of interest for a juror, or lifts one."""
    form = request.POST
    if form.get("do") == "lift":
        conflicts.lift(request.user, _number(request, "conflict"))
    else:
        conflicts.declare(request.user, form.get("application", ""), _number(request, "juror"), form.get("reason", ""))
    return HttpResponseRedirect(f"{reverse('jury:backstage')}#conflicts")


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def ranking(request: HttpRequest, phase_id: int) -> HttpResponse:
    """`/backstage/jury/phases/<id>/ranking`: places with their intervals; POST marks decisions or takes them back."""
    found, form = _found(phase_id), request.POST
    if request.method == "POST":
        if form.get("do") == "undo":
            deciding.undo(request.user, phase_id, _number(request, "marking"))
        elif form.get("do") == "line":
            deciding.above(request.user, phase_id, form.get("line", ""), bool(form.get("rest")))
        else:
            wanted = {name.removeprefix("mark-"): mark for name, mark in form.items() if name.startswith("mark-")}
            deciding.mark(request.user, phase_id, wanted)
        return HttpResponseRedirect(f"{reverse('jury:ranking', args=[phase_id])}#decide")
    told = standing(found)
    line = _line(told)
    context = {
        "phase": found, "told": told, "rows": [_drawn(row) for row in told.rows],
        "runs": [f"{first}–{last}" for first, last in told.runs[:MOST_RUNS]], "more_runs": told.runs[MOST_RUNS:],
        "line": line, "across": told.across(line) if line else None, "last": deciding.last(found),
        "markings": Marking.objects.filter(phase=found).select_related("person")[:MARKINGS],
        "accepted": sum(row.submission.pending == "accepted" for row in told.rows),
        "rejected": sum(row.submission.pending == "rejected" for row in told.rows),
    }  # fmt: skip
    return rendered(request, "jury/ranking.html", context)


def _drawn(row: Row) -> dict[str, Any]:
    """A row with its interval as places on a line from 0 to 100, written for SVG whatever the language."""
    ends = {"low": row.placed.low, "high": row.placed.high, "mean": row.placed.mean, "corrected": row.placed.corrected}
    return {"row": row, **{name: f"{min(max(value, 0), 100):.2f}%" for name, value in ends.items()}}


def _line(told: Standing) -> int:
    """The place down to which all are marked accepted, and none below; 0 if the marks are no such line."""
    marks = [row.submission.pending == "accepted" for row in told.rows]
    line = sum(marks)
    return line if all(marks[:line]) else 0


@require_safe
@allowed()
def export(request: HttpRequest, phase_id: int, what: str, ending: str) -> HttpResponse:
    """`/backstage/jury/phases/<id>/ranking.csv`, `reviews.csv`, and the same as JSON."""
    if what not in EXPORTS or ending not in ("csv", "json"):
        raise Http404
    rows = list(EXPORTS[what](_found(phase_id)))
    if ending == "json":
        response = JsonResponse({what: rows}, json_dumps_params={"ensure_ascii": False, "allow_nan": False})
    else:
        response = HttpResponse(cells.table(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{what}-{phase_id}.{ending}"'
    return response
