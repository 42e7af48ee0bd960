"""A juror's pages: the queue, and one application a page. Everything about an application comes of its sheet."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import Conflict
from salon.web.events.pages import rendered
from salon.web.jury.domain import anonymity, conflicts, reviewing, scoring
from salon.web.jury.domain.phases import MOST_REVISION, whole
from salon.web.jury.models import Assignment, Category, Review
from salon.web.people.sessions import allowed

#: points up to which a category is tapped, not typed
MOST_TAPS = 11


@require_safe
@allowed("reviewer")
def queue(request: HttpRequest) -> HttpResponse:
    """`/backstage/jury/queue`: what is asked of this juror."""
    return rendered(request, "jury/queue.html", {"lines": reviewing.lines(request.user)})


@require_http_methods(["GET", "HEAD", "POST"])
@allowed("reviewer")
def judge(request: HttpRequest, assignment_id: str) -> HttpResponse:
    """`/backstage/jury/judge/<id>`: one application; POST keeps what the juror says and goes on to the next."""
    found = reviewing.asked(request.user, assignment_id)
    if request.method != "POST":
        return _page(request, found)
    form, categories = request.POST, list(found.phase.categories.all())
    values, wrong = reviewing.read_review(categories, form)
    if wrong:
        return _page(request, found, {"wrong": wrong, "typed": form, "status": 422})
    try:
        reviewing.save(request.user, assignment_id, values, whole(form.get("revision"), 0, MOST_REVISION) or 0)
    except Conflict as error:
        reviewing.asked(request.user, assignment_id)  # withdrawn, or over: then this says it
        return _page(request, found, {"stale": error, "typed": form, "status": 409})
    return HttpResponseRedirect(_after(found))


def _after(found: Assignment) -> str:
    """The next application that waits, else the queue."""
    coming = reviewing.line(found.juror, found.phase).next
    return reverse("jury:judge", args=[coming.pk]) if coming else f"{reverse('jury:queue')}#phase-{found.phase_id}"


def _page(request: HttpRequest, found: Assignment, more: dict[str, Any] | None = None) -> HttpResponse:
    more = more or {}
    review, line = reviewing.review_of(found), reviewing.line(found.juror, found.phase)
    typed = more.get("typed")
    context = {
        "asked": found, "sheet": anonymity.sheet(found.submission, found.phase), "review": review, "line": line,
        "fields": [_field(one, review, typed, more.get("wrong", {})) for one in found.phase.categories.all()],
        "text": typed.get("text", "") if typed else (review.text if review else ""),
        "note": typed.get("note", "") if typed else (review.note if review else ""),
        "others": _others(found), "wrong": more.get("wrong"), "stale": more.get("stale"),
        "nth": next(at for at, one in enumerate(line.waiting, 1) if one.assignment.pk == found.pk),
    }  # fmt: skip
    return rendered(request, "jury/judge.html", context, more.get("status", 200))


def _others(found: Assignment) -> list[dict[str, Any]] | None:
    others = reviewing.others_of(found)
    return others if others is None else [{"review": one, "total": scoring.total(one)} for one in others]


def _field(category: Category, review: Review | None, typed: Any, wrong: dict[str, str]) -> dict[str, Any]:
    name = f"score-{category.pk}"
    kept = {score.category_id: str(score.value) for score in review.scores.all()} if review else {}
    few = category.high - category.low < MOST_TAPS
    return {
        "category": category, "name": name, "wrong": wrong.get(name, ""),
        "value": typed.get(name, "") if typed else kept.get(category.pk, ""),
        "taps": [str(n) for n in range(category.low, category.high + 1)] if few else [],
    }  # fmt: skip


@require_safe
@allowed("reviewer")
def picture(request: HttpRequest, assignment_id: str, number: int) -> HttpResponse:
    """A picture of the application, by its place on the page."""
    found = reviewing.asked(request.user, assignment_id)
    name = anonymity.picture(found.submission, found.phase, number)
    if name is None or not default_storage.exists(name):
        raise Http404
    kind = "image/webp" if name.endswith(".webp") else "image/jpeg" if name.endswith((".jpg", ".jpeg")) else "image/png"
    return HttpResponse(default_storage.open(name).read(), content_type=kind)


@require_safe
@allowed("reviewer")
def file(request: HttpRequest, assignment_id: str, number: int) -> HttpResponse:
    """Another file of the application, in rounds that show names."""
    found = reviewing.asked(request.user, assignment_id)
    upload = anonymity.original(found.submission, found.phase, number)
    if upload is None or not upload.file.storage.exists(upload.file.name):
        raise Http404
    kind = "application/octet-stream"
    return FileResponse(upload.file.open(), as_attachment=True, filename=upload.name, content_type=kind)


@require_POST
@allowed("reviewer")
def declare(request: HttpRequest, assignment_id: str) -> HttpResponse:
    """The juror has a conflict of interest: the application leaves their queue."""
    found = reviewing.asked(request.user, assignment_id)
    conflicts.declare_own(request.user, assignment_id, request.POST.get("reason", ""))
    return HttpResponseRedirect(_after(found))
