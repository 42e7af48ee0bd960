"""What rooms share that tell as it happens: server-sent events, and the workers that keep a page for when the house is
away.

Each open stream is an open file of this process, and when those have run out no page opens any more. So there is a cap
on what one client holds, on what one address holds, and on all; the house's own screens and doors are let in beyond
them."""

import resource
import weakref
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _

from salon.core.errors import Busy
from salon.web.sources import source_of

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


class TooManyStreams(Busy):
    """One client has as many streams open as one may have."""

    code = "too_many_streams"


#: how many streams are open by who holds them; each stream counts for its client, its address, and among all
_open: Counter[str] = Counter()
ALL = "all"


def most_of_all() -> int:
    """Streams that may be open at once: no more than half of the files that this process may open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return settings.SALON_STREAMS if soft == resource.RLIM_INFINITY else min(settings.SALON_STREAMS, soft // 2)


def _hold(who: str, address: str, ours: bool) -> Callable[[], None]:
    """Counts one stream; called again, what is returned changes nothing. Raises TooManyStreams, Busy."""
    total = most_of_all()
    # a venue, or a proxy, is one address: tickets behind it share half of all, those without a ticket a part of that
    by_address = total // 2 if who else min(settings.SALON_STREAMS_PER_ADDRESS, total // 2)
    if (who and _open[who] >= settings.SALON_STREAMS_PER_CLIENT) or (not ours and _open[address] >= by_address):
        raise TooManyStreams(
            _("As many pages of yours follow this house already as it can tell at once."),
            _("Close one that you no longer look at; this one goes on by itself then."),
        )
    if not ours and _open[ALL] >= total:
        raise Busy(
            _("More pages follow this house just now than it can tell at once."),
            _("This one goes on by itself as soon as there is room."),
        )
    held = [key for key in (who, address, ALL) if key]
    _open.update(held)

    def release() -> None:
        _open.subtract(held)
        for key in [key for key in held if _open[key] <= 0]:
            del _open[key]
        held.clear()

    return release


async def _releasing(frames: AsyncIterator[bytes], release: Callable[[], None]) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(frames) as each:  # type: ignore[type-var]
            async for part in each:
                yield part
    finally:
        release()


def streaming(request: HttpRequest, frames: AsyncIterator[bytes], who: str, ours: bool = False) -> HttpResponse:
    """The answer that tells them, past every cache and buffer. `who` holds it: a visitor's ticket, a device's token, ""
    for somebody of whom only the address is known; `ours`: one of the house's own devices. Raises TooManyStreams, Busy.
    """
    address = f"address {source_of(request)}"
    release = _hold(f"client {who}" if who else "", address, ours)
    response = StreamingHttpResponse(_releasing(frames, release), content_type="text/event-stream")
    weakref.finalize(response, release)  # for a client that is gone before the first word
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
