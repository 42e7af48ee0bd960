"""Visitors' pages: what there is, taking a place, and the place's own page."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from salon.core.errors import BadRecipe, Conflict, SalonError
from salon.web import codes
from salon.web.answers import STATUS
from salon.web.events import sums, tries
from salon.web.events.domain import current_event
from salon.web.ids import new_id
from salon.web.line import line
from salon.web.pages import rendered
from salon.web.people import guests
from salon.web.people.models import Guest
from salon.web.seats import lanes, ticketing
from salon.web.seats.domain import invitations, places, proof, registering, showing
from salon.web.seats.models import Place, Pool
from salon.web.sources import source_of
from salon.web.station.domain import catalogue
from salon.web.station.domain.visitors import visitor_of

#: seconds that a pool is shown as it was to people who have nothing here
GLANCE, MOST_SEEN = 1.0, 500
#: letters to addresses that have never answered, which one network may make the house write in an hour
MOST_LETTERS = 120
_seen: dict[tuple[str, str | None], tuple[float, showing.Told]] = {}
DEEDS: dict[str, Callable[..., Place]] = {
    "confirm": places.confirm,
    "accept": places.accept,
    "decline": lambda place_id, guest, _proven: places.decline(place_id, guest),
    "give_back": lambda place_id, guest, _proven: places.give_back(place_id, guest),
    "without": lambda place_id, guest, _proven: registering.without_address(place_id, guest),
}


def _door() -> dict[str, Any]:
    return {"door": catalogue.door(line().engine)}


def _private(response: HttpResponse) -> HttpResponse:
    """Names stand on these pages, and keys in their forms: back and forward ask the house again."""
    response["Cache-Control"] = "no-store"
    return response


def _listing(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    event = current_event()
    context |= {"event": event, "open": showing.is_open(event)}
    if context["open"]:
        context["groups"] = showing.groups(event, _known(request))
    return rendered(request, "seats/places.html", context)


@require_safe
async def listing(request: HttpRequest) -> HttpResponse:
    """`/places`: everything of which there is only so much, and what is left of it."""
    return _private(await lanes.page(_listing, request, _door()))


def _pool(pool_id: str) -> Pool:
    pool = get_object_or_404(Pool.objects.select_related("event", "room", "needs"), id=pool_id, listed=True)
    if not (pool.event.current and showing.is_open(pool.event)):
        raise Http404
    return pool


def _glance(pool_id: str) -> showing.Told:
    """The pool as somebody sees it who has nothing here, a second old at most: in a rush that spares each page all its
    queries. What may be taken is looked up when somebody takes it."""
    now = time.monotonic()
    seen = _seen.get((pool_id, get_language()))
    if seen is None or now - seen[0] > GLANCE:
        if len(_seen) > MOST_SEEN:
            _seen.clear()
        seen = _seen[pool_id, get_language()] = (now, showing.told([_pool(pool_id)], None)[0])
    return seen[1]


def _form(request: HttpRequest, pool_id: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    guest = None if request.GET.get("another") else _known(request)
    told = showing.told([_pool(pool_id)], guest)[0] if guest else _glance(pool_id)
    pool = told.pool
    code = (request.POST.get("code") or request.GET.get("code", ""))[:64]
    invited = invitations.standing(pool, guest, code)
    context = {
        "pool": pool, "told": told, "event": pool.event, "key": new_id(), "by_mail": settings.EMAIL_CONFIGURED,
        "stamp": sums.stamp(),
        "invited": invited, "kept_until": showing.kept_until(pool, invited.until) if invited else "",
        "values": {"name": guest.name if guest else "", "code": code},
        "mine": told.mine and proof.token_of(told.mine),
        **context,
    }  # fmt: skip
    return rendered(request, "seats/pool.html", context, status)


def _known(request: HttpRequest) -> Guest | None:
    """Whom this browser was before; most are nobody yet, and cost no query."""
    return guests.guest_of(request) if guests.COOKIE in request.COOKIES else None


def _show_form(request: HttpRequest, pool_id: str, context: dict[str, Any]) -> HttpResponse:
    return _form(request, pool_id, context)


def _take_invited(request: HttpRequest, pool_id: str, context: dict[str, Any]) -> HttpResponse:
    key, code = request.POST.get("key", ""), request.POST.get("code", "")[:64]
    _pool(pool_id)
    try:
        if not registering.KEY.fullmatch(key):
            raise BadRecipe(_("This form is not whole: open the page anew."), "")
        place = places.take_invited(pool_id, _known(request), key, code)
    except SalonError as error:
        return _form(request, pool_id, {**context, "refusal": error}, STATUS.get(error.code, 500))
    return HttpResponseRedirect(reverse("seats:mine", args=[proof.token_of(place)]))


def _proof(request: HttpRequest, pool: Pool) -> sums.Proof:
    """The sum of a form that makes the house write to a stranger. Raises TooSoon, Conflict, TooManyTries."""
    form, source = request.POST, source_of(request)
    done = sums.check(form.get("sum", ""), form.get("stamp", "")[:200], source)
    try:
        tries.once_more("letter", source, tries.HOUR, MOST_LETTERS, 20 * MOST_LETTERS)
    except tries.TooManyTries as error:
        error.hint = _("Take the place without an address, or try again in an hour.")
        raise
    return done


def _take(request: HttpRequest, pool_id: str, context: dict[str, Any]) -> HttpResponse:
    if request.POST.get("invited"):
        return _take_invited(request, pool_id, context)
    asked, wrong = registering.read(request.POST)
    known = _known(request)
    more = {**context, "values": asked, "key": asked.key if "key" not in wrong else new_id()}
    if wrong:
        return _form(request, pool_id, {**more, "wrong": wrong}, 422)
    try:
        done = _proof(request, _pool(pool_id)) if registering.needs_proof(asked, known) else None
        place = registering.register(pool_id, asked, known, get_language() or "", visitor_of(request) or "", done)
    except SalonError as error:
        if isinstance(error, sums.TooSoon):
            more["stamp"] = request.POST.get("stamp", "")
        return _form(request, pool_id, {**more, "refusal": error}, STATUS.get(error.code, 500))
    answer = HttpResponseRedirect(reverse("seats:mine", args=[proof.token_of(place)]))
    # a family's phone stays the first one's; an invitation's code may have been passed on, and opens a place, no more
    if known is None and not asked.code:
        guests.remember(answer, guests.link_token(place.guest))
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
async def pool(request: HttpRequest, pool_id: str) -> HttpResponse:
    """`/places/<id>`: one pool, and the form that takes a place of it or a wait for one."""
    if request.method == "POST":
        return _private(await lanes.deed(_take, request, pool_id, _door()))
    return _private(await lanes.page(_show_form, request, pool_id, _door()))


def _place(token: str) -> tuple[Place, bool]:
    claim = proof.read(token)
    rows = Place.objects.select_related("pool__event", "pool__room", "pool__needs", "guest")
    return proof.held_by(claim, get_object_or_404(rows, id=claim.place_id, guest__erased_at=None)), claim.by_letter


def _show_place(request: HttpRequest, token: str, context: dict[str, Any]) -> HttpResponse:
    place, by_letter = _place(token)
    if showing.due(place):
        places.sweep(place.pool)
        place.refresh_from_db(fields=["state", "expires_at"])
    link = codes.public_address(request, reverse("seats:mine", args=[token]))
    event = place.pool.event
    more = {"event": event, "clock_of": event, "ticket": ticketing.link_of(place), "private_link": link}
    status = 409 if "refusal" in context else 200
    return rendered(request, "seats/place.html", context | showing.page(place, by_letter) | more, status)


def _do(request: HttpRequest, token: str, context: dict[str, Any]) -> HttpResponse:
    claim = proof.read(token)
    rows = Place.objects.select_related("guest")
    place = proof.held_by(claim, get_object_or_404(rows, id=claim.place_id, guest__erased_at=None))
    deed = DEEDS.get(request.POST.get("deed", ""))
    if deed is None:
        raise Http404
    try:
        deed(place.id, place.guest, claim.by_letter)
    except (Conflict, proof.Unproven) as error:  # the page says what is true now, and why this was not done
        return _show_place(request, token, context | {"refusal": error})
    return HttpResponseRedirect(reverse("seats:mine", args=[token]))


@require_http_methods(["GET", "HEAD", "POST"])
async def mine(request: HttpRequest, token: str) -> HttpResponse:
    """`/places/mine/<token>`: a place's private page; POST confirms, accepts, declines, gives back."""
    if request.method == "POST":
        return _private(await lanes.deed(_do, request, token, _door()))
    return _private(await lanes.page(_show_place, request, token, _door()))


def _state(token: str) -> dict[str, Any]:
    place, _by_letter = _place(token)
    if showing.due(place):
        places.sweep(place.pool)
        place.refresh_from_db(fields=["state", "expires_at"])
    return showing.state(place)


@require_safe
async def state(request: HttpRequest, token: str) -> HttpResponse:
    """What the page looks at every so often."""
    return _private(JsonResponse(await lanes.page(_state, token)))
