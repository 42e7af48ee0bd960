"""Backstage: the form is composed, applications are read and decided, codes are made."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import SalonError
from salon.web import codes as qr
from salon.web import queries
from salon.web.answers import STATUS
from salon.web.call import fields, views
from salon.web.call.domain import answers, codes, deciding, drafts, files, forms, windows
from salon.web.call.models import AccessCode, Call, Question, Submission, Upload
from salon.web.events import texts, times
from salon.web.events.domain import current_event
from salon.web.events.models import Entry, Event
from salon.web.events.pages import rendered
from salon.web.people.models import Role
from salon.web.people.sessions import allowed

State = Submission.State
LENGTH = 60
#: who reads applications; only organisers change the form and apply decisions
READERS = (Role.Kind.CURATOR,)


def _to(name: str, *arguments: Any, anchor: str = "", **query: Any) -> HttpResponse:
    address = reverse(f"call:{name}", args=arguments)
    return HttpResponseRedirect(f"{address}{'?' + urlencode(query) if query else ''}{anchor}")


def _found(event: Event, state: str, use: str, text: str) -> Any:
    """The query set of applications that the list shows."""
    found = Submission.objects.filter(event=event).select_related("guest", "work")
    found = found.filter(state=state) if state in State.values else found.exclude(state=State.DRAFT)
    if use in Question.Use.values:
        found = found.filter(answers__value=True, answers__question__use=use)
    if text:
        found = found.filter(Q(title__icontains=text) | Q(artist__icontains=text) | Q(guest__name__icontains=text))
    return found.distinct()


@require_http_methods(["GET", "HEAD"])
@allowed(*READERS)
def home(request: HttpRequest) -> HttpResponse:
    """`/backstage/call`: how the call stands, and the applications."""
    event = current_event()
    call = windows.call_of(event)
    state, use, text = (request.GET.get(name, "")[:60] for name in ("state", "use", "q"))
    rows = Submission.objects.filter(event=event)
    counts = dict(rows.values_list("state").annotate(Count("id")))
    pending = dict(rows.exclude(pending="").values_list("pending").annotate(Count("id")))
    page = Paginator(_found(event, state, use, text), LENGTH).get_page(request.GET.get("page"))
    context = {
        "event": event,
        "call": call,
        "phase": windows.phase(call),
        "states": [(value, name, counts.get(value, 0)) for value, name in State.choices],
        "pending": [(State(value).label, count) for value, count in sorted(pending.items())],
        "pending_total": sum(pending.values()),
        "page": page,
        "query": {"state": state, "use": use, "q": text},
        "uses": [(value, name) for value, name in Question.Use.choices if value != Question.Use.LABEL],
        "drafts": drafts.told(event),
        "told": "applied" in request.GET,
        "applied": queries.number(request.GET, "applied"),
        "overtaken": queries.number(request.GET, "overtaken"),
    }
    return rendered(request, "call/backstage.html", context)


@require_POST
@allowed()
def apply(request: HttpRequest) -> HttpResponse:
    """Applies every decision that is noted."""
    applied = deciding.apply_pending(current_event(), request.user)
    for work in applied.down:
        views.tell_down(work)
    return _to("backstage", applied=sum(applied.counts.values()), overtaken=len(applied.overtaken))


@require_POST
@allowed()
def decide(request: HttpRequest, submission_id: str) -> HttpResponse:
    """Notes a decision; told to nobody until all are applied."""
    deciding.set_pending(request.user, submission_id, request.POST.get("decision", "")[:20])
    if request.POST.get("back") == "one":
        return _to("application", submission_id)
    kept = {name: request.POST[name][:60] for name in ("state", "q", "page") if request.POST.get(name)}
    return _to("backstage", anchor=f"#{submission_id}", **kept)


@require_safe
@allowed(*READERS)
def one(request: HttpRequest, submission_id: str) -> HttpResponse:
    """`/backstage/call/<id>`: one application. What is only typed is nobody's to read."""
    found = Submission.objects.select_related("guest", "event", "work", "code").exclude(state=State.DRAFT)
    submission = get_object_or_404(found, id=submission_id, event=current_event())
    history = Entry.objects.filter(event=submission.event, subject=submission.id).select_related("person")
    context = {
        "submission": submission,
        "rows": answers.told(submission),
        "history": history,
    }
    return rendered(request, "call/application.html", context)


@require_safe
@allowed(*READERS)
def original(request: HttpRequest, upload_id: str) -> HttpResponse:
    """A file as it was sent, as a download."""
    return views.download(_upload(upload_id))


@require_safe
@allowed(*READERS)
def shown(request: HttpRequest, upload_id: str) -> HttpResponse:
    """A picture as it is shown."""
    return views.picture(_upload(upload_id))


def _upload(upload_id: str) -> Upload:
    sent = Upload.objects.exclude(submission__submitted_at=None)
    return get_object_or_404(sent, id=upload_id, submission__event=current_event())


# the form


#: what the forms ask for in the event's other languages
CALL_LINES = {
    "title": texts.Line(gettext_lazy("Title"), 0, 200),
    "about": texts.Line(gettext_lazy("What you are looking for"), 8, 10_000),
}
QUESTION_LINES = {
    "label": texts.Line(gettext_lazy("Question"), 0, 300),
    "help": texts.Line(gettext_lazy("Help under it; of an agreement: the words that are agreed to"), 3, 4000),
    "options": texts.Line(gettext_lazy("Answers to choose from, each in a line of its own"), 3, 12_000),
}


def _form(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    event = current_event()
    call = windows.call_of(event)
    questions = (
        list(call.questions.annotate(told=Count("answers") + Count("uploads")).order_by("rank", "id")) if call else []
    )
    context = {
        "event": event,
        "call": call,
        "phase": windows.phase(call),
        "asked": [one for one in questions if not one.retired],
        "retired": [one for one in questions if one.retired],
        "kinds": Question.Kind.choices,
        "uses": Question.Use.choices,
        "typed": {},
        "saved": request.GET.get("saved"),
        "call_others": texts.asked(call, event.languages, CALL_LINES, more.get("set")),
        "others": texts.asked(None, event.languages, QUESTION_LINES, more.get("typed")),
        **more,
    }
    return rendered(request, "call/form.html", context, status)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def form(request: HttpRequest) -> HttpResponse:
    """`/backstage/call/form`: the call's words, its days and its questions. A POST makes the call."""
    if request.method == "POST":
        forms.make(request.user)
        return _to("form")
    return _form(request)


@require_POST
@allowed()
def set_call(request: HttpRequest) -> HttpResponse:
    """The call's words and days."""
    form, event = request.POST, current_event()
    try:
        opens, closes = (
            times.parse_local(event, form[name]) if form.get(name, "").strip() else None
            for name in ("opens_at", "closes_at")
        )
        others = texts.read(form, event.languages, forms.OF_CALL)
        forms.set_call(request.user, form.get("title", ""), form.get("about", ""), opens, closes, others)
    except SalonError as error:
        return _form(request, STATUS.get(error.code, 400), error=error, set=form)
    return _to("form", saved=1)


@require_POST
@allowed()
def add(request: HttpRequest) -> HttpResponse:
    """A new question at the end."""
    try:
        made = forms.add(request.user, forms.read_question(request.POST, current_event().languages))
    except SalonError as error:
        return _form(request, STATUS.get(error.code, 400), question_error=error, typed=request.POST)
    return _to("form", anchor=f"#question-{made.id}")


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def change(request: HttpRequest, question_id: int) -> HttpResponse:
    """`/backstage/call/questions/<id>`: other words or rules."""
    event = current_event()
    question = get_object_or_404(Question, id=question_id, call__event=event)
    posted = request.POST if request.method == "POST" else None
    context: dict[str, Any] = {
        "event": event,
        "others": texts.asked(question, event.languages, QUESTION_LINES, posted),
        "question": question,
        "kinds": Question.Kind.choices,
        "uses": Question.Use.choices,
        "answered": forms.answered(question),
        "typed": {
            "kind": question.kind, "label": question.label, "help": question.help, "use": question.use,
            "options": "\n".join(question.options) if question.kind != Question.Kind.FILE else "",
            "pictures": Question.PICTURES in question.options, "required": question.required,
            "personal": question.personal,
        },
        "wordings": list(question.wordings.all()),
    }  # fmt: skip
    if request.method != "POST":
        return rendered(request, "call/question.html", context)
    try:
        forms.change(request.user, question_id, forms.read_question(request.POST, event.languages))
    except SalonError as error:
        more = {"question_error": error, "typed": request.POST}
        return rendered(request, "call/question.html", context | more, STATUS.get(error.code, 400))
    return _to("form", anchor=f"#question-{question_id}")


@require_POST
@allowed()
def reorder(request: HttpRequest, question_id: int, deed: str) -> HttpResponse:
    """Up, down, to a place; retire, ask again."""
    if deed in ("up", "down"):
        forms.move(request.user, question_id, -1 if deed == "up" else 1)
    elif deed in ("retire", "restore"):
        forms.retire(request.user, question_id, back=deed == "restore")
    else:
        raise Http404
    return _to("form", anchor=f"#question-{question_id}")


@require_safe
@allowed(*READERS)
def preview(request: HttpRequest) -> HttpResponse:
    """`/backstage/call/preview`: the form as artists see it; nothing can be sent from here."""
    event = current_event()
    call: Call = forms.the_call(event)
    context = {
        "event": event,
        "call": call,
        "own": fields.own({}, None, None),
        "fields": fields.of(answers.asked(call), {}),
        "preview": True,
        "limits": {"file": files.MOST_A_FILE, "all": files.MOST_BYTES, "count": files.MOST_A_QUESTION},
    }
    return rendered(request, "call/edit.html", context)


# codes


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def codes_page(request: HttpRequest) -> HttpResponse:
    """`/backstage/call/codes`: codes for late ones. A new one is shown once."""
    event = current_event()
    call = forms.the_call(event)
    context: dict[str, Any] = {"event": event, "call": call, "typed": {}}
    status = 200
    if request.method == "POST":
        form = request.POST
        try:
            until = times.parse_local(event, form.get("until", ""))
            uses = int(form["uses"]) if form.get("uses", "").isascii() and form.get("uses", "").isdigit() else 0
            made = codes.make(request.user, call, form.get("name", ""), uses, until)
            context |= {"made": made, "address": qr.public_address(request, reverse("call:call"))}
        except SalonError as error:
            status = STATUS.get(error.code, 400)
            context |= {"error": error, "typed": form}
    context["codes"] = AccessCode.objects.filter(call=call).annotate(used=Count("submissions")).order_by("-until")
    return rendered(request, "call/codes.html", context, status)


@require_POST
@allowed()
def revoke(request: HttpRequest, code_id: int) -> HttpResponse:
    """The code opens nothing any more."""
    codes.revoke(request.user, code_id)
    return _to("codes")
