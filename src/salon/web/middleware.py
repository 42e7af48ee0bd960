"""Four small middlewares, asynchronous so that no request hops through a thread for their sake."""

import logging
from collections.abc import Awaitable, Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.decorators import async_only_middleware
from django.utils.translation import gettext as _

from salon.core.errors import SalonError
from salon.web import cookies, hosts, languages
from salon.web.answers import error_answer, is_full_disk, salon_error_answer, storage_full

log = logging.getLogger("salon.web")
Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # No other site learns an address of ours. Never "no-referrer": browsers then send forms with `Origin: null`, and
    # without TLS `comes_from_elsewhere` has nothing else to go by.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@async_only_middleware
def security_headers(get_response: Handler) -> Handler:
    """Every answer, static files included, forbids inline scripts, foreign content and framing; cookies are sealed."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        response = await get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        cookies.seal(request, response)
        if not response.streaming and response.status_code != 304:
            response.setdefault("Content-Length", str(len(response.content)))
        return response

    return middleware


@async_only_middleware
def speak(get_response: Handler) -> Handler:
    """Pages, errors and streams in the visitor's language (`languages`)."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        language, asked = await languages.find(request)
        with translation.override(language, deactivate=True):
            response = await get_response(request)
        if response.streaming and response.is_async:
            response.streaming_content = languages.spoken(response.streaming_content, language)
        languages.mark(response, language)
        languages.meet(request, response, language)
        if asked:
            languages.keep(response, request.path, asked)
        return response

    return middleware


def comes_from_elsewhere(request: HttpRequest) -> bool:
    """Whether a page of another site made the browser send this request.

    Browsers say so in Sec-Fetch-Site (secure contexts) or Origin, and no page can forge either. A request that
    says neither is not a browser's; it is trusted only if it brings no cookie, the authority that a browser
    would lend to a stranger without asking.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is not None:
        return not hosts.is_here(request, origin)
    return bool(request.headers.get("Cookie"))


@async_only_middleware
def same_origin(get_response: Handler) -> Handler:
    """Refuses what other sites make a visitor's browser do (CSRF), for every method that changes something."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        if request.method not in SAFE and comes_from_elsewhere(request):
            return error_answer(
                request,
                403,
                "foreign_page",
                _("This was sent from a page that does not belong to this salon."),
                _("Open the station here and press the button there."),
            )
        return await get_response(request)

    return middleware


@async_only_middleware
def friendly_errors(get_response: Handler) -> Handler:
    """Turns the house's errors into answers; what nobody foresaw goes to the log, never to the page."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        return await get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, SalonError):
            return salon_error_answer(request, error)
        if isinstance(error, RequestDataTooBig):
            return error_answer(request, 413, "too_large", _("That is more than this salon reads at once."), "")
        if is_full_disk(error):
            log.error("disk full: %s", error)
            return salon_error_answer(request, storage_full())
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
