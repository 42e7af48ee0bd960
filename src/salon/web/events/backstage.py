"""Backstage: the set-up of an event, and the list of events. Each step is a page; each deed a POST."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe, Conflict, Forbidden, SalonError
from salon.core.text import tidy
from salon.web.answers import STATUS
from salon.web.events import colours, demo, forms, logos, setup, several, texts, times, views, words, zones
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.events.pages import rendered
from salon.web.ids import new_id
from salon.web.people.sessions import View, allowed, staff

#: rows of rooms that wait to be filled in
SPARE_ROOMS = 3
#: what the words' page asks for in the event's other languages
WORDS_LINES = {
    "welcome": texts.Line(gettext_lazy("Welcome"), 7, 4000),
    "privacy": texts.Line(gettext_lazy("Privacy: what you keep of people"), 12, 10_000),
}


def _to(event: Event, step: setup.Step | None = None) -> HttpResponse:
    return HttpResponseRedirect(_address(event, step))


def _address(event: Event, step: setup.Step | None = None) -> str:
    return reverse("events:step", args=[event.slug, step.name]) if step else reverse("events:one", args=[event.slug])


def _page(
    request: HttpRequest, template: str, event: Event, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page about one event, by its clock and in its colour."""
    lacking = {one.step.name for one in setup.missing(event) if one.needed}
    steps = [
        {"step": step, "url": _address(event, step), "kept": step.name in event.steps, "lacks": step.name in lacking}
        for step in setup.STEPS
    ]
    more = {"event": event, "clock_of": event, "wall_colour": event.colour, "steps": steps, "user": request.user}
    return rendered(request, template, more | context, status)


def organising(view: View) -> View:
    """For whoever organises an event, be it the current one or not. Raises Forbidden for others of the house."""

    def wrapped(request: HttpRequest, *arguments: Any, **more: Any) -> HttpResponse:
        if not several.events_of(request.user):
            raise Forbidden(_("This page is for organisers."), _("Ask one of them for the role."))
        return view(request, *arguments, **more)

    return staff(wrapped)


# --- the set-up


@require_safe
@allowed()
def overview(request: HttpRequest) -> HttpResponse:
    """`/backstage/event`: how far the set-up of the current event is."""
    return _to(current_event())


@require_safe
@staff
def one(request: HttpRequest, slug: str) -> HttpResponse:
    """`/backstage/events/<slug>`: the last page of the set-up: what is there, what is missing, open it."""
    return _overview(request, several.organised(request.user, slug))


def _overview(request: HttpRequest, event: Event, error: SalonError | None = None) -> HttpResponse:
    missing = setup.missing(event)
    context = {
        "needed": [one for one in missing if one.needed],
        "wanted": [one for one in missing if not one.needed],
        "next": setup.next_step(event),
        "address": views.address(event),
        "events": len(several.events_of(request.user)),
        "error": error,
    }
    return _page(request, "events/overview.html", event, context, STATUS.get(error.code, 500) if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def step(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """`/backstage/events/<slug>/<step>`: a page of the set-up. Nothing typed is lost on an error."""
    event, found = several.organised(request.user, slug), setup.step_named(name)
    if found is None:
        raise Http404
    if request.method != "POST":
        return _form(request, event, found, setup.values_of(event, found))
    values, wrong = forms.read(found.name, request.POST, event)
    if wrong:
        return _form(request, event, found, _typed(request, found), wrong=wrong)
    try:
        was, sure = request.POST.get("was", ""), request.POST.get("sure") == "1"
        event = setup.keep(request.user, event.id, found, values, was, sure)
    except Conflict as error:
        fresh = Event.objects.get(id=event.id)
        return _form(request, fresh, found, _typed(request, found), error=error)
    following = setup.after(found) if request.POST.get("then") == "next" else found
    return _to(event, following)


def _typed(request: HttpRequest, step: setup.Step) -> setup.Values:
    """What was typed, as it was typed."""
    if step.name == "rooms":
        return {"rooms": forms.typed_rooms(request.POST)}
    if step.name == "languages":
        return {"languages": request.POST.getlist("languages"), "first": request.POST.get("first", "")}
    return {name: request.POST.get(name, "") for name in (*step.fields, "own", "sure")} | {"form": request.POST}


def _form(
    request: HttpRequest,
    event: Event,
    step: setup.Step,
    values: setup.Values,
    wrong: forms.Wrong | None = None,
    error: SalonError | None = None,
) -> HttpResponse:
    context = {
        "step": step,
        "number": setup.STEPS.index(step) + 1,
        "values": values,
        "wrong": wrong or {},
        "error": error,
        "theirs": _theirs(event, step) if isinstance(error, setup.Changed) else None,
        "was": setup.stamp(event, step),
        "following": setup.after(step),
    } | _help(event, step, values)
    status = STATUS.get(error.code, 500) if error else 422 if wrong else 200
    return _page(request, f"events/steps/{step.name}.html", event, context, status)


def _theirs(event: Event, step: setup.Step) -> list[tuple[str, Any]]:
    """What is kept now, each with its name: to be compared with what one has typed."""
    if step.name == "rooms":
        return [(_("Rooms"), ", ".join(room.name for room in event.rooms.all()))]
    kept = setup.values_of(event, step)
    if step.name == "languages":
        names = dict(settings.LANGUAGES)
        kept = {"languages": ", ".join(names.get(code, code) for code in kept["languages"])}
    others = kept.pop("texts", "") or {}
    said = [(name, f"{code}: {value}") for code, row in others.items() for name, value in row.items()]
    return [(str(Event._meta.get_field(name).verbose_name), value) for name, value in [*kept.items(), *said]]



def _help(event: Event, step: setup.Step, values: setup.Values) -> dict[str, Any]:
    """What one step's page offers beside the fields."""
    if step.name == "days":
        return {"zones": zones.names(), "now": times.local(event, timezone.now())}
    if step.name == "rooms":
        return {"spare": range(SPARE_ROOMS)}
    if step.name == "words":
        return {"suggestion": words.privacy(event), "others": _other_words(event, values.get("form"))}
    if step.name == "languages":
        chosen = values["languages"] or [settings.LANGUAGE_CODE]
        return {"known": settings.LANGUAGES, "first": values.get("first") or chosen[0]}
    if step.name == "look":
        return {"instead": _instead(values["colour"]), "own": values.get("own", "1" if event.colour else "")}
    return {}


def _other_words(event: Event, form: Any) -> list[dict[str, Any]]:
    """Welcome and privacy in the event's other languages; a privacy text that nobody has written yet is suggested."""
    found = texts.asked(event, event.languages, WORDS_LINES, form)
    for other in found:
        privacy = next(field for field in other["fields"] if field["name"].startswith("privacy"))
        if form is None and not privacy["value"]:
            with translation.override(other["code"]):
                privacy["value"] = words.privacy(event)
    return found


def _instead(colour: str) -> str:
    """A shade that will do instead of a colour that will not."""
    try:
        colours.checked(colour)
    except colours.Unreadable as error:
        return error.instead
    except BadRecipe:
        pass
    return ""


@require_POST
@staff
def logo(request: HttpRequest, slug: str) -> HttpResponse:
    """Another logo, or none; a form of its own, so that a file that will not do costs nothing else."""
    event, look = several.organised(request.user, slug), setup.step_named("look")
    try:
        data = b"" if request.POST.get("none") else logos.read(request.FILES.get("logo"))
        setup.set_logo(request.user, event.id, data)
    except SalonError as error:
        return _form(request, event, look, setup.values_of(event, look), {"logo": str(error)})
    return _to(event, look)


@require_safe
@staff
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The event's page as visitors will see it."""
    return views.shown(request, several.organised(request.user, slug), preview=True)


# --- several events


@require_safe
@organising
def listing(request: HttpRequest) -> HttpResponse:
    """`/backstage/events`: all that one organises; a new one; the demo."""
    mine, made = several.events_of(request.user), demo.existing()
    context = {
        "events": mine,
        "copies": several.copies(),
        "demo": made,
        "demo_is_mine": made in mine,
        "key": new_id(),
        "user": request.user,
    }
    return rendered(request, "events/events.html", context)


@require_POST
@organising
def new(request: HttpRequest) -> HttpResponse:
    """A new event; its set-up is what follows."""
    source, name = request.POST.get("source", ""), request.POST.get("name", "")
    before = several.organised(request.user, source) if source else None
    key = tidy(request.POST.get("key", ""))[:32]
    made = several.make(request.user, name, before, request.POST.getlist("what"), key)
    return _to(made, setup.STEPS[0])


@require_POST
@organising
def demo_event(request: HttpRequest) -> HttpResponse:
    """The demo event: made, or taken away."""
    if request.POST.get("remove"):
        demo.remove(request.user)
        return HttpResponseRedirect(reverse("events:events"))
    return _to(demo.make(request.user))


DEEDS = {
    "open": lambda person, event: setup.open_event(person, event.id),
    "close": lambda person, event: setup.close_event(person, event.id),
    "choose": several.choose,
    "archive": several.archive,
    "unarchive": several.unarchive,
}


@require_POST
@staff
def change(request: HttpRequest, slug: str, deed: str) -> HttpResponse:
    """Open or close the event, make it the current one, put it into the archive or take it out."""
    if deed not in DEEDS:
        raise Http404
    event = several.organised(request.user, slug)
    try:
        return _to(DEEDS[deed](request.user, event))
    except Conflict as error:
        return _overview(request, Event.objects.get(id=event.id), error)
