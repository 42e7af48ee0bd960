"""Which language a page speaks: the one that was chosen here, else the guest's, else what the browser asks for; always
one that the event offers, else the event's first. Backstage speaks English until somebody chooses otherwise there."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, parse_cookie
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_POST

from salon.core.hashing import bytes_hash
from salon.web import cookies, hosts
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.people import guests

COOKIE = cookies.personal("salon_language")
#: a choice made backstage is another one: who shows visitors' pages in Japanese goes on working in English
BACKSTAGE_COOKIE = cookies.personal("salon_backstage_language", "/backstage")
LIFETIME = 60 * 60 * 24 * 365
#: seconds for which the event's languages and a guest's are remembered, so that a page costs no query for them
KEPT, GUESTS_KEPT = 2.0, 60.0
#: guests remembered at once; then all are asked anew
MOST_GUESTS = 2_000
#: kinds of answers that hold words of ours
SPOKEN = ("text/html", "text/calendar", "application/json", "application/atom+xml")
_offered: tuple[float, tuple[str, ...]] = (-KEPT, ())
_guests: dict[str, tuple[float, str]] = {}


def known() -> dict[str, str]:
    """Every language of the house: its code and its name in itself."""
    return dict(settings.LANGUAGES)


def forget() -> None:
    """The event's languages and the guests' are looked up again at the next page."""
    global _offered
    _offered = (-KEPT, ())
    _guests.clear()


def offered() -> tuple[str, ...]:
    """What visitors of the current event may choose, its own language first; a few seconds old at most. A house whose
    database does not answer still has words for that."""
    global _offered
    if time.monotonic() - _offered[0] > KEPT:
        try:
            wanted = current_event().languages
        except (DatabaseError, Event.DoesNotExist):
            return tuple(known())
        _offered = (time.monotonic(), tuple(code for code in wanted if code in known()) or (settings.LANGUAGE_CODE,))
    return _offered[1]


def _guests_language(token: str) -> str:
    name = bytes_hash(token.encode())
    if not _known_guest(name):
        guest = guests.find(token)
        _note_guest(name, guest.language if guest else "")
    return _guests[name][1]


def _known_guest(name: str) -> bool:
    return name in _guests and time.monotonic() - _guests[name][0] <= GUESTS_KEPT


def _note_guest(name: str, language: str) -> None:
    if len(_guests) >= MOST_GUESTS:
        _guests.clear()
    _guests[name] = (time.monotonic(), language)


def match(wanted: str, choice: tuple[str, ...]) -> str:
    """The language of `choice` that `wanted` ("es-MX") is or is a kind of; "" for none."""
    code = wanted.strip().lower().replace("_", "-")
    return next((name for name in choice if code == name or code.startswith(f"{name}-")), "")


def _browsers(header: str, choice: tuple[str, ...]) -> str:
    return next((found for code, _weight in parse_accept_lang_header(header) if (found := match(code, choice))), "")


def is_backstage(path: str) -> bool:
    return path == "/backstage" or path.startswith("/backstage/")


def choice_for(path: str) -> tuple[str, ...]:
    """What may be chosen on a page: the event's languages, backstage every one of the house. Asks the database."""
    pseudo = tuple(settings.PSEUDO_LANGUAGES)
    return (*(known() if is_backstage(path) else offered()), *pseudo)


def _cookie(path: str) -> str:
    return BACKSTAGE_COOKIE if is_backstage(path) else COOKIE


def _found(request: HttpRequest) -> tuple[str, tuple[str, ...], str]:
    """The page's language, what may be chosen instead, and what was chosen just now in the address."""
    choice = choice_for(request.path)
    asked = match(request.GET.get("lang", "")[:20], choice)
    if chosen := asked or match(request.COOKIES.get(_cookie(request.path), ""), choice):
        return chosen, choice, asked
    if is_backstage(request.path):
        return settings.LANGUAGE_CODE, choice, ""
    token = request.COOKIES.get(guests.COOKIE, "")
    guests_own = match(_guests_language(token), choice) if token else ""
    return guests_own or _browsers(request.headers.get("Accept-Language", ""), choice) or choice[0], choice, ""


async def find(request: HttpRequest) -> tuple[str, str]:
    """The page's language, and what the address (`?lang=`) chose; `request.languages` is what may be chosen. Goes to
    the database's thread only when something has to be looked up."""
    fresh = time.monotonic() - _offered[0] <= KEPT
    if token := request.COOKIES.get(guests.COOKIE):
        fresh = fresh and _known_guest(bytes_hash(token.encode()))
    try:
        found = _found(request) if fresh else await sync_to_async(_found)(request)
    except SynchronousOnlyOperation:  # it went stale between two looks at the clock: machines may be that busy
        found = await sync_to_async(_found)(request)
    language, request.languages, asked = found
    return language, asked


def of_headers(headers: dict[bytes, bytes]) -> str:
    """The language for whoever is answered before Django is asked: as far as their headers say. Asks no database."""
    choice = _offered[1] or tuple(known())
    chosen = match(parse_cookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE, ""), choice)
    return chosen or _browsers(headers.get(b"accept-language", b"").decode("latin-1"), choice) or choice[0]


def keep(response: HttpResponse, path: str, language: str) -> None:
    """Remembers the choice."""
    cookies.keep(response, _cookie(path), language, LIFETIME)


def meet(request: HttpRequest, response: HttpResponse, language: str) -> None:
    """Whoever became a guest by a form speaks the form's language: no need to look that up in a rush."""
    if request.method == "POST" and (token := response.cookies.get(guests.COOKIE)) and token.value:
        _note_guest(bytes_hash(token.value.encode()), language)


def mark(response: HttpResponse, language: str) -> None:
    """Says to browsers and caches which language this is, and what it depends on."""
    if response.get("Content-Type", "").startswith(SPOKEN):
        response.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))


async def spoken(parts: AsyncGenerator[bytes, None], language: str) -> AsyncGenerator[bytes, None]:
    """A stream's parts, each made in the language: they are made after the page's own has been put away."""
    with translation.override(language, deactivate=True):
        async with aclosing(parts) as each:
            async for part in each:
                yield part


def tongues(request: HttpRequest) -> list[dict[str, object]]:
    """What the chooser shows: `code`, `name`, `current`; nothing if there is no choice."""
    choice, now = getattr(request, "languages", ()), translation.get_language()
    names = known() | settings.PSEUDO_LANGUAGES
    return [{"code": code, "name": names[code], "current": code == now} for code in choice] if len(choice) > 1 else []


def _without_choice(address: str) -> str:
    """Path and query, without a language in it; "" of what is no address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != "lang"]
    return parts.path + ("?" + "&".join(kept) if kept else "")


def back_from(request: HttpRequest) -> str:
    """Where the chooser on this page leads back to: the page itself, or, where the page is the answer to a form, the
    page on which the form stood."""
    if request.method in ("GET", "HEAD"):
        return _without_choice(request.get_full_path())
    return _referrer(request) or "/"


def _referrer(request: HttpRequest) -> str:
    address = request.headers.get("Referer", "")
    return _without_choice(address) if hosts.is_here(request, address) else ""


def _back(request: HttpRequest) -> str:
    """The page that was left; its address may have changed since it was made (a request's id), so the browser's own
    word is better. Never another site."""
    named, left = _without_choice(request.POST.get("back", "/")), _referrer(request)
    if not named.startswith("/") or not url_has_allowed_host_and_scheme(named, allowed_hosts=None):
        named = "/"
    return left if urlsplit(left).path == urlsplit(named).path else named


def _tell_guest(request: HttpRequest, path: str, language: str) -> bool:
    """Whether the language may be chosen; a guest's letters follow it."""
    if language not in choice_for(path):
        return False
    guest = None if is_backstage(path) else guests.guest_of(request)
    if guest is not None and language in known():
        guests.Guest.objects.filter(id=guest.id).update(language=language)
    return True


@require_POST
async def choose(request: HttpRequest) -> HttpResponse:
    """`POST /language`: `language` from now on, back to the page that was left. What is not offered changes nothing."""
    back, language = _back(request), request.POST.get("language", "")[:20]
    response = HttpResponseRedirect(back)
    if await sync_to_async(_tell_guest)(request, urlsplit(back).path, language):
        keep(response, urlsplit(back).path, language)
    return response
