"""The station's JSON API. Thin: parse, ask the domain, answer."""

import asyncio
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET, require_POST, require_safe

from salon.web.events import devices
from salon.web.line import Cancel, EngineState, Event, Look, line
from salon.web.station.domain import catalogue, intake, state
from salon.web.station.domain.visitors import give_ticket, new_visitor, visitor_of
from salon.web.station.domain.words import ask_neighbours, far_words
from salon.web.station.openapi import document

#: milliseconds after which a browser whose stream broke tries again
RETRY = 1_000


def _submit(http: HttpRequest, ask: intake.Ask, visitor: str, engine: EngineState) -> tuple[dict[str, object], bool]:
    request, new = intake.submit(ask, visitor, engine, devices.booth(http))
    return state.state_of(request), new


@require_POST
async def requests(request: HttpRequest) -> HttpResponse:
    """`POST /api/requests`: 202 with the request's state, and a ticket for those who come without one."""
    ask = intake.parse_ask(request.body)
    visitor = visitor_of(request) or new_visitor()
    answer, new = await sync_to_async(_submit)(request, ask, visitor, line().engine)
    if new:
        line().tell(Look())
    response = JsonResponse({**answer, "words": far_words(ask.prompt)}, status=202)
    give_ticket(request, response, visitor)
    return response


def _owned_state(request_id: str, visitor: str | None) -> dict[str, object]:
    found = state.owned(request_id, visitor)
    if found is None:
        raise Http404
    return state.state_of(found)


@require_safe
async def request_state(request: HttpRequest, request_id: str) -> HttpResponse:
    return JsonResponse(await sync_to_async(_owned_state)(request_id, visitor_of(request)))


def _cancel(request_id: str, visitor: str | None) -> dict[str, object]:
    found = state.owned(request_id, visitor)
    if found is None:
        raise Http404
    intake.cancel(found)
    found.refresh_from_db()
    return state.state_of(found)


@require_POST
async def cancel(request: HttpRequest, request_id: str) -> HttpResponse:
    """Ends a request that is waiting or running; one that has ended stays as it is."""
    answer = await sync_to_async(_cancel)(request_id, visitor_of(request))
    line().tell(Cancel(request=request_id))
    return JsonResponse(answer)


def _present(request_id: str, visitor: str | None) -> Event | None:
    """The present state as an event. Run in the shared pool: its connection goes back at once, so that a
    stream that stays open for an hour holds neither a thread nor a connection."""
    try:
        found = state.owned(request_id, visitor)
        return state.event_of(found) if found else None
    finally:
        connection.close()


async def _present_event(request_id: str, visitor: str | None) -> Event | None:
    return await sync_to_async(_present, thread_sensitive=False)(request_id, visitor)


def _frame(event: Event, number: int) -> bytes:
    return b"event: %s\nid: %d\ndata: %s\n\n" % (event.tag.encode(), number, event.data)


async def _stream(request_id: str, visitor: str, first: Event) -> AsyncIterator[bytes]:
    """The present state, then what comes. Ends after the final event, or when the client is gone."""
    async with line().watch(request_id) as mailbox:
        yield b"retry: %d\n\n" % RETRY
        # read again: what happened between the first look and the subscription must not be lost
        event: Event | None = await _present_event(request_id, visitor) or first
        number = 0
        while True:
            if event is not None:
                yield _frame(event, number)
                number += 1
                if event.final:
                    return
                if number == 1 and (preview := line().last_preview(request_id)):
                    yield _frame(preview, number)
                    number += 1
            event = await mailbox.get(settings.SALON_HEARTBEAT)
            if event is None:
                yield b": still here\n\n"
                # safety net: should a message ever be lost, the row still knows the end
                present = await _present_event(request_id, visitor)
                event = present if present and present.final else None


@require_GET
async def updates(request: HttpRequest, request_id: str) -> HttpResponse:
    """`GET /api/requests/<id>/updates`: server-sent events, for the request's owner only."""
    visitor = visitor_of(request)
    first = await _present_event(request_id, visitor)
    if first is None or visitor is None:
        raise Http404
    response = StreamingHttpResponse(_stream(request_id, visitor, first), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


@require_safe
async def models(request: HttpRequest) -> HttpResponse:
    """`GET /api/models`: installed models, their defaults, and the ranges that every request must keep."""
    return JsonResponse(catalogue.listing(line().engine.models))


@require_safe
async def words(request: HttpRequest) -> HttpResponse:
    """`GET /api/words?prompt=`: words far from the model's vocabulary, with near words to try."""
    prompt = request.GET.get("prompt", "")[:1_000]
    if line().engine.state == "ready":
        return JsonResponse({"words": await asyncio.to_thread(ask_neighbours, prompt)})
    return JsonResponse({"words": far_words(prompt)})


@require_safe
async def openapi(request: HttpRequest) -> HttpResponse:
    """`GET /api/openapi.json`: this API, for programs."""
    return JsonResponse(document())
