"""What rooms share that tell as it happens: server-sent events, and the workers that keep a page for when the house is
away."""

from collections.abc import AsyncIterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse, StreamingHttpResponse

#: milliseconds after which a browser whose stream broke tries again
RETRY = 1_000
STILL_HERE = b": still here\n\n"


def retry() -> bytes:
    """The first words of every stream."""
    return b"retry: %d\n\n" % RETRY


def frame(tag: str, data: bytes, number: int | None = None) -> bytes:
    """One event; `number` counts those of a stream that can be taken up again."""
    told = b"" if number is None else b"id: %d\n" % number
    return b"event: %s\n%sdata: %s\n\n" % (tag.encode(), told, data)


def streaming(frames: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """The answer that tells them, past every cache and buffer."""
    response = StreamingHttpResponse(frames, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def service_worker(name: str) -> HttpResponse:
    """A worker's script from the static files, under an address of its room: a worker's reach is its own folder. The
    address of what it imports has the version of the files, so that a new house brings a new worker."""
    script = Path(finders.find(f"salon/js/{name}")).read_text(encoding="utf-8")
    script = script.replace("/static/salon/", f"{settings.STATIC_URL}salon/")
    response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    response["Service-Worker-Allowed"] = "/"
    response["Cache-Control"] = "no-cache"
    return response
