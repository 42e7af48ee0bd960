"""Places backstage: organisers make pools, give, move, cancel places; volunteers look, and use the door's reserve."""

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import Conflict, SalonError
from salon.web import codes
from salon.web.answers import STATUS
from salon.web.events import times
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.ids import new_id
from salon.web.pages import rendered
from salon.web.people.models import Role
from salon.web.people.sessions import allowed, may
from salon.web.seats.domain import circles, counts, invitations, managing, places, proof, showing
from salon.web.seats.models import Place, Pool

DEFAULTS = {
    "capacity": 20, "reserve": 0, "hold_minutes": 15, "offer_hours": 6, "waiting_list": True, "listed": True,
    "minutes": 30, "count": 12, "laptops": 0,
}  # fmt: skip
#: what a new pool begins as
PRESETS: dict[str, dict[str, Any]] = {
    "meeting": {"kind": Pool.Kind.MEETING, "capacity": 40, "reserve": 4},
    "workshop": {"kind": Pool.Kind.WORKSHOP, "capacity": 16, "reserve": 2, "laptops": 12},
    "slots": {"kind": Pool.Kind.SLOT, "capacity": 2, "offer_hours": 1},
    "other": {"kind": Pool.Kind.OTHER},
}
TITLES = {
    "meeting": _("A meet & greet"),
    "workshop": _("A workshop"),
    "slots": _("Slots at the station"),
    "other": _("Something else"),
}
DEEDS = {
    "close": managing.close,
    "reopen": managing.reopen,
}
PLACE_DEEDS = {"cancel": managing.cancel, "resend": managing.resend}


def _pool(pool_id: str) -> Pool:
    rows = Pool.objects.select_related("event", "room", "needs")
    return get_object_or_404(rows, id=pool_id, event=current_event())


def _to(pool_id: str, said: str = "") -> HttpResponse:
    return HttpResponseRedirect(reverse("seats:manage", args=[pool_id]) + (f"?said={said}" if said else ""))


def _numbers(event: Event) -> list[dict[str, Any]]:
    pools = list(Pool.objects.filter(event=event).select_related("event", "room", "needs"))
    found = counts.all_of(pools)
    needed = {pool.needs_id for pool in pools}
    return [
        {"pool": pool, "when": showing.when(pool), "count": count, "lent": pool.id in needed and count.lent}
        for pool in pools
        for count in (found[pool.id],)
    ]


@require_safe
@allowed(Role.Kind.VOLUNTEER)
def home(request: HttpRequest) -> HttpResponse:
    """`/backstage/places`: every pool with its numbers."""
    event = current_event()
    context = {"event": event, "rows": _numbers(event), "presets": TITLES.items(), "organiser": may(request.user)}
    return rendered(request, "seats/backstage.html", context)


@require_safe
@allowed(Role.Kind.VOLUNTEER)
def numbers(request: HttpRequest) -> HttpResponse:
    """The live numbers, by pool."""
    return JsonResponse({row["pool"].id: row["count"]._asdict() for row in _numbers(current_event())})


def _of_pool(pool: Pool) -> dict[str, Any]:
    """What the form's fields show of a pool."""
    plain = ("name", "about", "kind", "capacity", "reserve", "hold_minutes", "offer_hours", "waiting_list", "listed")
    shown = {name: getattr(pool, name) for name in plain} | {"room": pool.room_id, "needs": pool.needs_id}
    shown["release_after"] = "" if pool.release_after is None else pool.release_after
    return shown | {name: times.field(pool.event, getattr(pool, name)) for name in managing.MOMENTS}


def _fields(event: Event, pool: Pool | None = None) -> dict[str, Any]:
    others = Pool.objects.filter(event=event, needs=None).filter(Q(kind=Pool.Kind.LAPTOP) | Q(listed=False))
    return {
        "event": event,
        "rooms": event.rooms.all(),
        "kinds": Pool.Kind.choices,
        "needable": others.exclude(id=pool.id) if pool else others,
    }


def _create(request: HttpRequest, event: Event, preset: str, values: dict[str, Any]) -> HttpResponse:
    form, person = request.POST, request.user
    if preset == "slots":
        minutes, count = (managing.whole_number(form.get(name, "")) for name in ("minutes", "count"))
        managing.make_series(person, event.id, values, minutes, count)
        return HttpResponseRedirect(reverse("seats:backstage"))
    laptops = managing.whole_number(form.get("laptops", "0"))
    pool = managing.make_with_laptops(person, event.id, values, laptops)
    return _to(pool.id)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def new(request: HttpRequest, preset: str) -> HttpResponse:
    """`/backstage/places/new/<preset>`: few fields, the others behind a drawer."""
    if preset not in PRESETS:
        raise Http404
    event = current_event()
    first = f"{event.starts_on.isoformat()}T10:00" if event.starts_on else ""
    values = DEFAULTS | PRESETS[preset] | {"starts_at": first}
    context = _fields(event) | {"preset": preset, "title": TITLES[preset], "values": values}
    status = 200
    if request.method == "POST":
        values, wrong = managing.read(event, request.POST)
        context |= {"values": request.POST.dict(), "wrong": wrong}
        status = 422
        if not wrong:
            try:
                return _create(request, event, preset, values)
            except SalonError as error:
                context["refusal"], status = error, STATUS.get(error.code, 500)
    return rendered(request, "seats/new.html", context, status)


def _manage(request: HttpRequest, pool: Pool, more: dict[str, Any], status: int = 200) -> HttpResponse:
    context = _fields(pool.event, pool) | {
        "pool": pool, "when": showing.when(pool), "count": counts.of(pool), "rows": managing.rows(pool),
        "organiser": may(request.user), "key": new_id(), "values": _of_pool(pool), "circles": circles.names(),
        "invited": managing.invited(pool), "said": request.GET.get("said", ""), "released_at": counts.released_at(pool),
        "shut": bool(pool.closes_at and pool.closes_at <= timezone.now()),
        "elsewhere": Pool.objects.filter(event=pool.event).exclude(id=pool.id),
    }  # fmt: skip
    return rendered(request, "seats/manage.html", context | more, status)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed(Role.Kind.VOLUNTEER)
def manage(request: HttpRequest, pool_id: str) -> HttpResponse:
    """`/backstage/places/<id>`: one pool, its people, its settings; POST changes the settings."""
    pool = _pool(pool_id)
    if request.method != "POST":
        places.sweep(pool)
        return _manage(request, pool, {})
    return _change(request, pool_id)


@allowed()
def _change(request: HttpRequest, pool_id: str) -> HttpResponse:
    pool = _pool(pool_id)
    values, wrong = managing.read(pool.event, request.POST)
    typed = {"values": request.POST.dict(), "wrong": wrong, "editing": True}
    if wrong:
        return _manage(request, pool, typed, 422)
    try:
        managing.change(request.user, pool_id, values, anyway=bool(request.POST.get("anyway")))
    except SalonError as error:
        fewer = isinstance(error, managing.Fewer)
        return _manage(request, _pool(pool_id), typed | {"refusal": error, "fewer": fewer}, STATUS.get(error.code, 500))
    return _to(pool_id)


def _tried(request: HttpRequest, pool_id: str, deed: Any) -> HttpResponse:
    """The deed, then the page; what is refused is said on it."""
    try:
        said = deed()
    except SalonError as error:
        return _manage(request, _pool(pool_id), {"refusal": error}, STATUS.get(error.code, 500))
    return _to(pool_id, said if isinstance(said, str) else "")


@require_POST
@allowed()
def act(request: HttpRequest, pool_id: str, deed: str) -> HttpResponse:
    """Close, open again."""
    if deed not in DEEDS:
        raise Http404
    pool = _pool(pool_id)
    return _tried(request, pool.id, lambda: DEEDS[deed](request.user, pool.id))


@require_POST
@allowed()
def remove(request: HttpRequest, pool_id: str) -> HttpResponse:
    """A pool that nobody had a place in is no more."""
    try:
        managing.remove(request.user, _pool(pool_id).id)
    except Conflict as error:
        return _manage(request, _pool(pool_id), {"refusal": error}, 409)
    return HttpResponseRedirect(reverse("seats:backstage"))


@require_POST
@allowed()
def give(request: HttpRequest, pool_id: str) -> HttpResponse:
    """A place by an organiser's hand."""
    return _tried(request, pool_id, lambda: _give(request, pool_id, door=False))


@require_POST
@allowed(Role.Kind.VOLUNTEER)
def at_door(request: HttpRequest, pool_id: str) -> HttpResponse:
    """A place for somebody at the door."""
    return _tried(request, pool_id, lambda: _give(request, pool_id, door=True))


def _give(request: HttpRequest, pool_id: str, door: bool) -> str:
    form = request.POST
    email = "" if door else form.get("email", "").strip()
    place = managing.give(request.user, _pool(pool_id).id, form.get("name", ""), email, form.get("key", "")[:64], door)
    return f"given-{place.id}"


@require_POST
@allowed()
def place(request: HttpRequest, place_id: str, deed: str) -> HttpResponse:
    """Cancel a place, or send its letter again."""
    found = get_object_or_404(Place, id=place_id, pool__event=current_event())
    if deed not in PLACE_DEEDS:
        raise Http404
    return _tried(request, found.pool_id, lambda: PLACE_DEEDS[deed](request.user, place_id))


@require_POST
@allowed()
def move(request: HttpRequest, place_id: str) -> HttpResponse:
    """To another pool."""
    found = get_object_or_404(Place, id=place_id, pool__event=current_event())
    there = _pool(request.POST.get("to", "")[:32])
    return _tried(request, found.pool_id, lambda: managing.move(request.user, place_id, there.id))


@require_POST
@allowed()
def invite(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Everybody of a circle; or a code for one person, which is shown once."""
    pool, reason = _pool(pool_id), request.POST.get("reason", "")
    if reason == "code":
        with managing.deed(request.user, pool.id, "code made") as held:
            code = invitations.make_code(held)
        link = codes.public_address(request, reverse("seats:pool", args=[pool.id]))
        return _manage(request, pool, {"code": code, "code_link": f"{link}?code={code}"})
    if reason not in dict(circles.names()):
        raise Http404
    return _tried(request, pool.id, lambda: f"invited-{circles.invite(request.user, pool.id, reason)}")


@require_safe
@allowed(Role.Kind.VOLUNTEER)
def paper(request: HttpRequest, pool_id: str) -> HttpResponse:
    """`/backstage/places/<id>/list`: names to be printed."""
    pool = _pool(pool_id)
    places.sweep(pool)
    there = pool.places.select_related("guest")
    booked = sorted(there.filter(state=Place.State.BOOKED), key=lambda one: one.guest.name.casefold())
    waiting = there.filter(state=Place.State.WAITING).order_by("created_at", "id")
    context = {"pool": pool, "when": showing.when(pool), "booked": booked, "waiting": waiting, "now": timezone.now()}
    return rendered(request, "seats/paper.html", context | {"event": pool.event, "count": counts.of(pool)})


@require_safe
@allowed()
def link(request: HttpRequest, place_id: str) -> HttpResponse:
    """A place's own page, for an organiser who helps somebody who lost the link."""
    found = get_object_or_404(Place.objects.select_related("guest"), id=place_id, pool__event=current_event())
    return HttpResponseRedirect(reverse("seats:mine", args=[proof.token_of(found)]))
