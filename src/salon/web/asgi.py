"""The ASGI application: Django behind a cap on bodies, with the line to the desk opened and closed with it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.web.settings")

from django.core.asgi import get_asgi_application

from salon.web.line import close_line, line

#: bytes of a request's body; Django itself would spool any amount to the disk before it looks
MAX_BODY = 64 * 1024
_TOO_LARGE = (
    b'{"code":"too_large","message":"That is more than this salon reads at once (64 kB).",'
    b'"hint":"A prompt has at most 1000 characters."}'
)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class TooLarge(Exception):
    """The body went over the cap."""


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
        if _declared(scope) > MAX_BODY:
            return await _answer_too_large(send)
        read = 0
        started = False

        async def counted() -> dict[str, Any]:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY:
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
                await _answer_too_large(send)


async def _answer_too_large(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE})


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
            await send({"type": "lifespan.startup.complete"})
        else:
            await close_line()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = Application(get_asgi_application())
