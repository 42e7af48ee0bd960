"""The station's JSON API. Thin: parse, ask the domain, answer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from salon.core.errors import BadRecipe
from salon.core.recipe import MAX_PROMPT
from salon.core.text import tidy
from salon.core.unused import unused, unused_of
from salon.web.events import devices
from salon.web.line import Cancel, EngineState, Event, Look, line
from salon.web.sentences import spoken_event
from salon.web.station.domain import catalogue, intake, state
from salon.web.station.domain.visitors import give_ticket, new_visitor, prove, standing_of, visitor_of
from salon.web.station.domain.words import ask_neighbours, far_words, told
from salon.web.station.openapi import document
from salon.web.streams import STILL_HERE, frame, retry, streaming

log = logging.getLogger("salon.web")

#: requests that one stream may follow
MOST_TOGETHER = 16


def _submit(http: HttpRequest, ask: intake.Ask, visitor: str, engine: EngineState) -> tuple[dict[str, object], bool]:
    booth = devices.booth(http)
    request, new = intake.submit(ask, visitor, engine, booth, standing_of(http, booth))
    drawing = request.drawings.select_related("image").first()
    answer = state.state_of(request) | {"words": far_words(ask.prompt)}
    return answer | {"unused": told(unused(drawing.image.recipe)) if drawing else []}, new


@require_POST
async def requests(request: HttpRequest) -> HttpResponse:
    """`POST /api/requests`: 202 with the request's state, and a ticket for those who come without one."""
    ask = intake.parse_ask(request.body)
    visitor = visitor_of(request) or new_visitor()
    answer, new = await sync_to_async(_submit)(request, ask, visitor, line().engine)
    if new:
        line().tell(Look())
    response = JsonResponse(answer, status=202)
    give_ticket(request, response, visitor)
    return response


@require_POST
async def ticket(request: HttpRequest) -> HttpResponse:
    """`POST /api/ticket {sum}`: a ticket of one's own for a sum (`/sum`); the visitor stays who they are."""
    visitor = visitor_of(request) or new_visitor()
    await sync_to_async(prove)(request, intake.parse_sum(request.body))
    response = JsonResponse({"known": True})
    give_ticket(request, response, visitor, known=True)
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


async def _events(request_id: str, visitor: str, first: Event) -> AsyncIterator[Event | None]:
    """The present state, then what comes; None: a heartbeat. Ends after the final event."""
    async with line().watch(request_id) as mailbox:
        # read again: what happened between the first look and the subscription must not be lost
        event: Event | None = await _present_event(request_id, visitor) or first
        yield event
        if not event.final and (preview := line().last_preview(request_id)):
            yield preview
        while event is None or not event.final:
            event = await mailbox.get(settings.SALON_HEARTBEAT)
            if event is None:
                yield None
                # safety net: should a message ever be lost, the row still knows the end, and so does its absence
                present = await _present_event(request_id, visitor) or state.gone(request_id)
                event = present if present.final else None
            if event is not None:
                yield event if event.tag == "preview" else Event(event.tag, spoken_event(event.data))


async def _stream(request_id: str, visitor: str, first: Event) -> AsyncIterator[bytes]:
    """One request's events as they are sent. Ends after the final one, or when the client is gone."""
    yield retry()
    number = 0
    async with aclosing(_events(request_id, visitor, first)) as events:
        async for event in events:
            yield frame(event.tag, event.data, number) if event else STILL_HERE
            number += event is not None


@require_GET
async def updates(request: HttpRequest, request_id: str) -> HttpResponse:
    """`GET /api/requests/<id>/updates`: server-sent events, for the request's owner only."""
    visitor = visitor_of(request)
    first = await _present_event(request_id, visitor)
    if first is None or visitor is None:
        raise Http404
    return streaming(request, _stream(request_id, visitor, first), visitor)


async def _stream_together(found: dict[str, Event], visitor: str) -> AsyncIterator[bytes]:
    """Several requests' events in one stream, each as `{request, data}`: a browser opens only six connections to a
    house. Ends with the last request."""
    queue: asyncio.Queue[tuple[str, Event | None, bool]] = asyncio.Queue(1)

    async def follow(request_id: str, first: Event) -> None:
        try:
            async with aclosing(_events(request_id, visitor, first)) as events:
                async for event in events:
                    await queue.put((request_id, event, False))
        except Exception:
            log.exception("request %s can be followed no longer", request_id)
        await queue.put((request_id, None, True))

    tasks = [asyncio.create_task(follow(*pair)) for pair in found.items()]
    try:
        yield retry()
        number, going = 0, len(tasks)
        while going:
            request_id, event, over = await queue.get()
            going -= over
            if event:
                data = b'{"request":"%s","data":%s}' % (request_id.encode(), event.data)
                yield frame(event.tag, data, number)
                number += 1
            elif not over:
                yield STILL_HERE
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@require_GET
async def updates_together(request: HttpRequest) -> HttpResponse:
    """`GET /station/machines/updates?id=...&id=...`: the events of several requests of one visitor, in one stream."""
    visitor = visitor_of(request)
    wanted = dict.fromkeys(request.GET.getlist("id")[:MOST_TOGETHER])
    found = {name: event for name in wanted if (event := await _present_event(name, visitor))}
    if not found or visitor is None:
        raise Http404
    return streaming(request, _stream_together(found, visitor), visitor)


@require_safe
async def models(request: HttpRequest) -> HttpResponse:
    """`GET /api/models`: installed models, their defaults, and the ranges that every request must keep."""
    return JsonResponse(catalogue.listing(line().engine.models))


def _advised(request: HttpRequest) -> tuple[str, str, list[float]]:
    """Prompt, negative prompt and guidance, as far as they are said. Raises BadRecipe."""
    prompt, negative = (tidy(request.GET.get(name, "")) for name in ("prompt", "negative_prompt"))
    if max(len(prompt), len(negative)) > MAX_PROMPT:
        raise BadRecipe(_("At most %(most)d characters can be read.") % {"most": MAX_PROMPT}, _("Say it more briefly."))
    try:
        said = request.GET.get("guidance_scale")
        return prompt, negative, [] if said is None else [float(said)]
    except ValueError as error:
        raise BadRecipe(_("The guidance is a number."), _("Leave it out for the model's own choice.")) from error


@require_safe
async def words(request: HttpRequest) -> HttpResponse:
    """`GET /api/words?prompt=`: words far from the model's vocabulary, with near words to try, and what would change
    nothing: words beyond what the models read, a negative prompt at this guidance (`negative_prompt`,
    `guidance_scale`)."""
    prompt, negative, guidance = _advised(request)
    ready = line().engine.state == "ready"
    found = await asyncio.to_thread(ask_neighbours, prompt) if ready else far_words(prompt)
    return JsonResponse({"words": found, "unused": told(unused_of(prompt, negative, guidance))})


@require_safe
async def openapi(request: HttpRequest) -> HttpResponse:
    """`GET /api/openapi.json`: this API, for programs."""
    return JsonResponse(document())
