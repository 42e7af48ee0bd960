"""The ASGI application: Django behind a cap on bodies, with the line to the desk opened and closed with it."""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.web.settings")

from django.core.asgi import get_asgi_application
from django.utils import translation
from django.utils.translation import gettext as _

from salon.web.answers import is_full_disk
from salon.web.line import close_line, line
from salon.web.seats.lanes import close_lanes, open_lanes

#: bytes of a request's body; Django itself would spool any amount to the disk before it looks
MAX_BODY = 64 * 1024
#: where a body may carry a file that is larger, and how many bytes it may have then
LARGER = (
    (re.compile(r"/backstage/events/[\w-]+/logo"), 2_100_000),
    (re.compile(r"/call/[0-9a-f]{32}/edit"), 62_000_000),
)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class TooLarge(Exception):
    """The body went over the cap."""


def allowed(path: str) -> int:
    """Bytes that a body sent to this path may have."""
    return next((most for pattern, most in LARGER if pattern.fullmatch(path)), MAX_BODY)


def _declared(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


class Application:
    """Lifespan and body cap around Django."""

    def __init__(self, django: Any) -> None:
        self.django = django

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = allowed(scope["path"])
        if _declared(scope) > most:
            return await _answer_too_large(scope, send, most)
        read = 0
        started = False

        async def counted() -> dict[str, Any]:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise TooLarge
            return message

        async def noted(message: dict[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.django(scope, counted, noted)
        except TooLarge:
            if not started:
                await _answer_too_large(scope, send, most)
        except OSError as error:  # Django lays a large body on the disk before anything of ours is asked
            if started or not is_full_disk(error):
                raise
            await _answer_disk_full(scope, send)


def _spoken(scope: Scope) -> translation.override:
    """The visitor's language, for what is answered before Django is asked."""
    from salon.web import languages  # inline: it knows models, which are there once Django is set up

    return translation.override(languages.of_headers(dict(scope["headers"])))


async def _answer_too_large(scope: Scope, send: Send, most: int) -> None:
    with _spoken(scope):
        short = {
            "code": "too_large",
            "message": _("That is more than this salon reads at once (64 kB)."),
            "hint": _("A prompt has at most 1000 characters."),
        }
        files = _(
            "Together these files are larger than %(most)d MB, so nothing of this form was read. Go back: what you "
            "typed is still there. Make the files smaller, or give a link to them."
        ) % {"most": most // 1_000_000}
    if most == MAX_BODY:
        return await _answer(send, 413, b"application/json", json.dumps(short).encode())
    await _answer(send, 413, b"text/plain; charset=utf-8", files.encode())


async def _answer_disk_full(scope: Scope, send: Send) -> None:
    with _spoken(scope):
        words = _(
            "There is no room left on this machine's disk just now. Go back, tell a volunteer, try again in a minute."
        )
    await _answer(send, 503, b"text/plain; charset=utf-8", words.encode())


async def _answer(send: Send, status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def warm() -> None:
    """Loads what the first request would otherwise wait for: routes, templates, vocabulary."""
    from django.template.loader import get_template
    from django.urls import reverse

    from salon.web.station.domain.words import unknown_words

    reverse("station:station")
    for name in ("home.html", "station/station.html", "station/image.html", "error.html"):
        get_template(name)
    unknown_words("")


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            line()
            await asyncio.to_thread(warm)
            open_lanes()
            await send({"type": "lifespan.startup.complete"})
        else:
            await asyncio.to_thread(close_lanes)
            await close_line()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = Application(get_asgi_application())
