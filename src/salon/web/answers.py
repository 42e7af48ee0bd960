"""Answers that say what happened and what to do next: JSON for the API, a page for people."""

import errno
import logging
from collections.abc import Mapping

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from salon.core.errors import SalonError, StorageFull
from salon.web.sentences import spoken

log = logging.getLogger("salon.web")

#: HTTP status of each kind of error (word of salon.core.errors)
STATUS: Mapping[str, int] = {
    "bad_recipe": 400,
    "bad_findings": 400,
    "bad_query": 400,
    "token_needed": 401,
    "unknown_model": 422,
    "refused": 422,
    "unprintable": 422,
    "conflict": 409,
    "forbidden": 403,
    "too_many_waiting": 429,
    "too_many_tries": 429,
    "too_many_streams": 429,
    "busy": 503,
    "guard_unavailable": 503,
    "weights_missing": 503,
    "weights_damaged": 503,
    "engine_unavailable": 503,
    "storage_full": 503,
}


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/") or "text/event-stream" in request.headers.get("Accept", "")


def error_answer(request: HttpRequest, status: int, code: str, message: str, hint: str = "") -> HttpResponse:
    """`{code, message, hint}` for the API, `error.html` with the same words for people."""
    words = {"code": code, "message": message, "hint": hint}
    if wants_json(request):
        return JsonResponse(words, status=status)
    return render(request, "error.html", {**words, "status": status}, status=status)


def salon_error_answer(request: HttpRequest, error: SalonError) -> HttpResponse:
    status, message, hint = STATUS.get(error.code, 500), spoken(error.message), spoken(error.hint)
    response = error_answer(request, status, error.code, message, hint)
    if response.status_code in (429, 503):
        response["Retry-After"] = "5"
    return response


def is_full_disk(error: BaseException) -> bool:
    """Whether `error`, or what caused it, says that there is no room left (file system, quota or database)."""
    if isinstance(error, StorageFull):
        return True
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    if isinstance(error, OperationalError) and any(w in str(error) for w in ("is full", "No space left", "disk I/O")):
        return True
    return error.__cause__ is not None and is_full_disk(error.__cause__)


def storage_full() -> StorageFull:
    return StorageFull(
        _("There is no room left on this machine's disk, so nothing new can be kept right now."),
        _("Tell a volunteer; what you wrote is still in its field (go back if you must), try again in a minute."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_answer(
        request, 404, "not_found", _("There is nothing here."), _("Go back to the station and draw something.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return error_answer(
        request,
        500,
        "error",
        _("Something went wrong on our side; it has been written down."),
        _("Try again; if it happens again, tell a volunteer."),
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_answer(request, 400, "bad_request", _("This request could not be understood."), "")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_answer(request, 403, "forbidden", _("This is not yours to see or change."), "")
