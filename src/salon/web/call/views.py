"""An artist's pages: the call, beginning, the form, one's own page, files. All are the artist's own, by the guest's
cookie; the way back is the private link (`people:private_link`)."""

import secrets
from typing import Any

from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import SalonError
from salon.web import codes as qr
from salon.web.answers import STATUS
from salon.web.call import fields
from salon.web.call.domain import answers, applying, codes, drafts, files, states, windows
from salon.web.call.models import Call, Question, Submission, Upload
from salon.web.events import devices, sums
from salon.web.events.domain import current_event
from salon.web.events.pages import rendered
from salon.web.gallery import topics
from salon.web.gallery.models import Work
from salon.web.line import ToDesk, line
from salon.web.people import guests
from salon.web.people.models import Guest
from salon.web.people.private import AT_A_BOOTH
from salon.web.seats.domain import showing
from salon.web.sources import source_of
from salon.web.station.domain.visitors import visitor_of

#: files that one press of a button may bring
MOST_AT_ONCE = 12


def private(response: HttpResponse) -> HttpResponse:
    """A page of one person: kept by no cache between; going back shows what was typed."""
    response["Cache-Control"] = "private, no-cache"
    return response


def download(upload: Upload) -> HttpResponse:
    """An original, byte for byte, as a download that no browser runs or shows."""
    try:
        file = default_storage.open(upload.file.name)
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(file, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, upload.name)
    response["Content-Length"] = str(upload.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def picture(upload: Upload) -> HttpResponse:
    """What is shown of a picture: a WebP made here."""
    if not upload.shown:
        raise Http404
    try:
        with default_storage.open(upload.shown) as file:
            response = HttpResponse(file.read(), content_type="image/webp")
    except FileNotFoundError as error:
        raise Http404 from error
    response["Cache-Control"] = "private, max-age=600"
    return response


@async_to_sync
async def tell(message: ToDesk) -> None:
    """To the walls."""
    line().tell(message)


def tell_down(work: Work | None) -> None:
    """A work came down."""
    if work:
        tell(topics.changed(work))


def _status(error: SalonError) -> int:
    return STATUS.get(error.code, 400)


# the call


def _start(request: HttpRequest, guest: Guest | None, **more: Any) -> dict[str, Any]:
    """What the page of the call is given."""
    event = current_event()
    found = windows.call_of(event)
    return {
        "event": event,
        "call": found,
        "phase": windows.phase(found),
        "questions": answers.asked(found) if found else [],
        "guest": guest,
        "applications": applying.of_guest(guest),
        "ticket": request.GET.get("late", "")[:200],
        "key": secrets.token_hex(16),
        "stamp": sums.stamp(),
        "typed": {},
        **more,
    }


@require_safe
def call(request: HttpRequest) -> HttpResponse:
    """`/call`: what is called for, until when, what will be asked; and the beginning."""
    context = _start(request, guests.guest_of(request))
    return private(rendered(request, "call/call.html", context, 404 if context["phase"] == "none" else 200))


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """A new application. What was typed stays in its fields, whatever is wrong."""
    form, guest, event = request.POST, guests.guest_of(request), current_event()
    if guest and guest.event_id != event.id:
        guest = None
    ask = applying.Begin(
        key=form.get("key", "")[:64],
        name=form.get("name", "")[:400],
        email=form.get("email", "")[:254],
        language=get_language() or "",
        visitor=visitor_of(request) or "",
        ticket=form.get("ticket", "")[:200],
        source=source_of(request),
    )
    try:
        made = applying.again(ask.key, guest)
        if made is None:
            proof = None
            if not ask.ticket:
                proof = sums.check(form.get("sum", ""), form.get("stamp", "")[:200], source_of(request))
            made = applying.begin(ask, guest, proof)
    except SalonError as error:
        again = {"typed": form, "error": error, "key": ask.key, "ticket": ask.ticket}
        if isinstance(error, sums.TooSoon):
            again["stamp"] = form.get("stamp", "")
        return private(rendered(request, "call/call.html", _start(request, guest, **again), _status(error)))
    response = HttpResponseRedirect(f"{reverse('call:edit', args=[made.id])}?new=1")
    if guest is None:
        guests.remember(response, guests.link_token(made.guest))
        if devices.booth(request):  # everybody's browser
            response.cookies[guests.COOKIE]["max-age"] = AT_A_BOOTH
    return response


@require_POST
def code(request: HttpRequest) -> HttpResponse:
    """A code for late ones is looked at; then the beginning, with its ticket."""
    try:
        ticket = codes.accept(current_event(), request.POST.get("code", "")[:64], source_of(request))
    except SalonError as error:
        context = _start(request, guests.guest_of(request), code_error=error)
        return private(rendered(request, "call/call.html", context, _status(error)))
    return HttpResponseRedirect(f"{reverse('call:call')}?{urlencode({'late': ticket})}")


# one's own


def _own(guest: Guest | None, submission: Submission, request: HttpRequest) -> dict[str, Any]:
    """What every page of an application is given."""
    found = windows.call_of(submission.event)
    link = reverse("people:private_link", args=[guests.link_token(submission.guest)])
    return {
        "event": submission.event,
        "clock_of": submission.event,
        "call": found,
        "submission": submission,
        "guest": guest,
        "expires": drafts.expires_at(submission, found),
        "deadline": windows.deadline(found, submission) if found else None,
        "writable": windows.writable(found, submission) and submission.state in states.WRITABLE,
        "link": qr.public_address(request, link),
    }


@require_safe
def one(request: HttpRequest, submission_id: str) -> HttpResponse:
    """`/call/<id>`: how it stands, what was sent, what can be done. A draft shows its form."""
    guest = guests.guest_of(request)
    submission = applying.mine(guest, submission_id)
    context = _own(guest, submission, request)
    if submission.state == Submission.State.DRAFT and context["writable"]:
        return HttpResponseRedirect(reverse("call:edit", args=[submission.id]))
    return private(rendered(request, "call/one.html", context | _told(submission)))


def _told(submission: Submission) -> dict[str, Any]:
    words = answers.typed_of(submission) if submission.state == Submission.State.DRAFT else {}
    return {
        "rows": answers.told(submission),
        "typed": words,
        "may": {deed: states.may(submission.state, deed) for deed in ("withdrawn", "confirmed")},
        "invited": showing.invited(submission.guest),
        "others": [other for other in applying.of_guest(submission.guest) if other.id != submission.id],
    }


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, submission_id: str) -> HttpResponse:
    """`/call/<id>/edit`: the form. A POST keeps what was typed; with `send` it is sent, with `remove` a file goes, with
    files they are taken in. Scripts ask for JSON."""
    guest = guests.guest_of(request)
    submission = applying.mine(guest, submission_id)
    if request.method == "POST":
        return _asked_for_json(request, guest, submission) if _json(request) else _posted(request, guest, submission)
    if submission.state not in states.WRITABLE:
        return HttpResponseRedirect(reverse("call:one", args=[submission.id]))
    return _form(request, guest, submission, answers.typed_of(submission))


def _json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _form(  # what the page shows, and its status
    request: HttpRequest, guest: Guest | None, submission: Submission, typed: dict[str, Any], status: int = 200,
    **more: Any,
) -> HttpResponse:  # fmt: skip
    context = _own(guest, submission, request)
    found: Call | None = context["call"]
    if found is None:
        raise Http404
    wrong, kept = more.get("wrong"), more.get("kept")
    opened = request.POST.get("opened") if request.method == "POST" else None
    context |= {
        "own": fields.own(typed, wrong, kept),
        "fields": fields.of(answers.asked(found), typed, wrong, kept, submission),
        "summary": fields.summary(answers.asked(found), wrong or {}),
        "revision": submission.revision,
        "opened": opened or windows.opened(submission),
        "new": request.GET.get("new"),
        "saved": request.GET.get("saved"),
        "limits": {"file": files.MOST_A_FILE, "all": files.MOST_BYTES, "count": files.MOST_A_QUESTION},
    }
    return private(rendered(request, "call/edit.html", context | more, status))


def _keep(request: HttpRequest, guest: Guest | None, submission: Submission) -> tuple[Submission, list[Question]]:
    """Saves what was typed. Raises applying.Changed and others."""
    found = windows.call_of(submission.event)
    questions = answers.asked(found) if found else []
    text = request.POST.get("revision", "")
    revision = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    return applying.save(guest, submission.id, revision, answers.read(questions, request.POST)), questions


def _take_files(
    request: HttpRequest, guest: Guest | None, submission: Submission, questions: list[Question]
) -> dict[str, str]:
    """Takes in the files of the form, one by one, and a file away. What is wrong, by field."""
    wrong: dict[str, str] = {}
    opened, left = request.POST.get("opened", ""), MOST_AT_ONCE
    for question in questions:
        name = answers.name_of(question)
        for file in request.FILES.getlist(name) if question.kind == Question.Kind.FILE else []:
            left -= 1
            try:
                if left >= 0:
                    files.keep(guest, submission.id, question, file, opened)
            except SalonError as error:
                wrong[name] = f"{wrong.get(name, '')} {error}".strip()
    if upload := request.POST.get("remove", "")[:32]:
        try:
            files.remove(guest, submission.id, upload, opened)
        except SalonError as error:
            question_id = Upload.objects.filter(id=upload).values_list("question_id", flat=True).first()
            wrong[f"q{question_id}"] = str(error)
    return wrong


def _posted(request: HttpRequest, guest: Guest | None, submission: Submission) -> HttpResponse:
    """A press of a button of the form."""
    try:
        submission, questions = _keep(request, guest, submission)
    except applying.Changed as error:
        kept = answers.typed_of(error.submission)
        return _form(request, guest, error.submission, error.typed, 409, kept=kept, error=error)
    wrong = _take_files(request, guest, submission, questions)
    typed = answers.typed_of(submission)
    if wrong:
        return _form(request, guest, submission, typed, 422, wrong=wrong)
    if "send" not in request.POST:
        anchor = "#files" if request.POST.get("remove") else ""
        return HttpResponseRedirect(f"{reverse('call:edit', args=[submission.id])}?saved=1{anchor}")
    try:
        submission, wrong = applying.send(guest, submission.id, request.POST.get("opened", ""))
    except windows.Late as error:
        return _form(request, guest, submission, typed, 409, error=error, late=True)
    if wrong:
        return _form(request, guest, submission, typed, 422, wrong=wrong)
    return HttpResponseRedirect(f"{reverse('call:one', args=[submission.id])}?sent=1")


def _asked_for_json(request: HttpRequest, guest: Guest | None, submission: Submission) -> JsonResponse:
    """What a script sends while somebody writes: kept, and told how it stands."""
    try:
        submission, questions = _keep(request, guest, submission)
    except SalonError as error:
        words = {"code": error.code, "message": error.message, "hint": error.hint}
        return JsonResponse(words, status=_status(error))
    wrong = _take_files(request, guest, submission, questions)
    uploads: dict[str, list[dict[str, Any]]] = {}
    for upload in submission.uploads.all():
        uploads.setdefault(f"q{upload.question_id}", []).append(told_file(upload))
    found = windows.call_of(submission.event)
    return JsonResponse(
        {"revision": submission.revision, "files": uploads, "wrong": wrong,
         "writable": windows.writable(found, submission)}
    )  # fmt: skip


def told_file(upload: Upload) -> dict[str, Any]:
    """A file as scripts are told of it."""
    where = [upload.submission_id, upload.id]
    src = reverse("call:shown", args=where) if upload.shown else ""
    return {"id": upload.id, "name": upload.name, "size": upload.size, "src": src,
            "url": reverse("call:original", args=where)}  # fmt: skip


@require_POST
def act(request: HttpRequest, submission_id: str, deed: str) -> HttpResponse:
    """Withdraw, take up again, confirm."""
    guest = guests.guest_of(request)
    if deed == "withdraw":
        _submission, work = applying.withdraw(guest, submission_id)
        tell_down(work)
    elif deed == "take-up":
        applying.take_up(guest, submission_id)
    elif deed == "confirm":
        applying.confirm(guest, submission_id)
    else:
        raise Http404
    return HttpResponseRedirect(reverse("call:one", args=[submission_id]))


@require_POST
def late_code(request: HttpRequest, submission_id: str) -> HttpResponse:
    """A code lets this application be sent after the deadline."""
    guest = guests.guest_of(request)
    submission = applying.mine(guest, submission_id)
    try:
        ticket = codes.accept(submission.event, request.POST.get("code", "")[:64], source_of(request))
        applying.come_late(guest, submission_id, ticket)
    except SalonError as error:
        context = _own(guest, submission, request) | _told(submission) | {"code_error": error}
        return private(rendered(request, "call/one.html", context, _status(error)))
    return HttpResponseRedirect(reverse("call:edit", args=[submission_id]))


def _upload(request: HttpRequest, submission_id: str, upload_id: str) -> Upload:
    submission = applying.mine(guests.guest_of(request), submission_id)
    return get_object_or_404(Upload, id=upload_id, submission=submission)


@require_safe
def original(request: HttpRequest, submission_id: str, upload_id: str) -> HttpResponse:
    """One's own file, as it was sent."""
    upload = _upload(request, submission_id, upload_id)
    return download(upload)


@require_safe
def shown(request: HttpRequest, submission_id: str, upload_id: str) -> HttpResponse:
    """One's own picture, as it is shown."""
    return picture(_upload(request, submission_id, upload_id))
