"""Open streams are open files: no client and no address may take them all, and whoever leaves gives theirs back."""

import asyncio
import gc
import json
import resource
import subprocess
import sys

import pytest
from django.test import RequestFactory

from salon.core.errors import Busy
from salon.web import streams
from salon.web.answers import salon_error_answer
from salon.web.line import Event, close_line
from salon.web.station import api


@pytest.fixture(autouse=True)
def _nobody(settings):
    streams._open.clear()
    settings.SALON_STREAMS_PER_CLIENT, settings.SALON_STREAMS_PER_ADDRESS, settings.SALON_STREAMS = 3, 5, 20
    yield
    streams._open.clear()


async def frames():
    yield b"one"
    yield b"two"


def stream(who="", address="127.0.0.1", forwarded="", **more):
    headers = {"accept": "text/event-stream"} | ({"x-forwarded-for": forwarded} if forwarded else {})
    request = RequestFactory().get("/wall/updates", REMOTE_ADDR=address, headers=headers)
    return streams.streaming(request, frames(), who, **more)


def test_one_client_has_its_share_and_others_have_theirs():
    mine = [stream("ada") for _ in range(3)]
    with pytest.raises(streams.TooManyStreams) as refused:
        stream("ada")
    assert refused.value.hint
    other = stream("bob")
    assert len({id(one) for one in (*mine, other)}) == 4


def test_without_the_cap_one_client_takes_all(settings):
    """Negative control: then every other client is the one who is refused."""
    settings.SALON_STREAMS_PER_CLIENT = settings.SALON_STREAMS_PER_ADDRESS = 10**6
    settings.SALON_STREAMS = 8
    held = [stream("ada") for _ in range(4)]  # an address has half of all
    with pytest.raises(streams.TooManyStreams):
        stream("ada")
    held += [stream("ada", address="10.0.0.2") for _ in range(4)]
    with pytest.raises(Busy):
        stream("bob", address="10.0.0.3")


def test_who_has_no_ticket_shares_the_place_of_their_address():
    held = [stream() for _ in range(5)]
    with pytest.raises(streams.TooManyStreams):
        stream()
    held.append(stream(address="10.0.0.2"))
    assert streams._open[streams.ALL] == 6


def test_new_tickets_do_not_get_an_address_more_than_its_share():
    held = [stream() for _ in range(5)]
    held += [stream(f"ticket {i}") for i in range(5)]  # who has none takes no place of those who have one
    with pytest.raises(streams.TooManyStreams):
        stream("one more ticket")
    held.append(stream("bob", address="10.0.0.2"))
    for _ in range(2):  # the house's own screens stand behind the same address
        held.append(stream("a wall of the house", ours=True))
    assert streams._open[streams.ALL] == 13


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"address": "2001:db8::1"}, {"address": "2001:db8::ffff:2"}, True),  # a phone makes itself new ones all day
        ({"address": "2001:db8::1"}, {"address": "2001:db8:0:1::1"}, False),
        ({"forwarded": "10.1.1.1"}, {"forwarded": "10.1.1.2"}, False),  # behind a proxy on this machine
        ({"forwarded": "10.1.1.1"}, {"forwarded": "10.9.9.9, 10.1.1.1"}, True),  # what the proxy itself says counts
        ({"address": "10.0.0.1", "forwarded": "10.1.1.1"}, {"address": "10.0.0.1", "forwarded": "10.1.1.2"}, True),
    ],
)
def test_an_address_is_a_network_as_for_everything_else(one, other, same):
    held = [stream(**one) for _ in range(5)]
    if same:
        with pytest.raises(streams.TooManyStreams):
            stream(**other)
    else:
        held.append(stream(**other))
    assert streams._open[streams.ALL] == len(held)


def test_of_all_there_are_no_more_than_half_of_the_files(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (8, 8))
    held = [stream("", address=f"10.0.1.{i}") for i in range(4)]
    with pytest.raises(Busy) as full:
        stream("", address="10.0.2.1")
    assert not isinstance(full.value, streams.TooManyStreams)
    assert stream("a door of the house", address="10.0.2.1", ours=True)
    assert held


@pytest.mark.parametrize("how", ["to the end", "left in the middle", "never begun"])
def test_whoever_leaves_gives_theirs_back(how):
    response = stream("ada")
    assert streams._open[streams.ALL] == 1

    async def read(parts):
        if how == "to the end":
            assert [part async for part in parts] == [b"one", b"two"]
        else:
            assert await anext(parts) == b"one"
            await parts.aclose()

    if how != "never begun":
        asyncio.run(read(response.streaming_content))
        assert not streams._open, "given back at once, not when the rubbish is collected"
    del response
    gc.collect()
    assert not streams._open


@pytest.mark.parametrize(("error", "status"), [(streams.TooManyStreams("a", "b"), 429), (Busy("a", "b"), 503)])
def test_the_answer_is_a_sentence_a_program_can_read(error, status):
    request = RequestFactory().get("/wall/updates", HTTP_ACCEPT="text/event-stream")
    answer = salon_error_answer(request, error)
    assert (answer.status_code, answer["Content-Type"], answer["Retry-After"]) == (status, "application/json", "5")


@pytest.mark.parametrize("gone", [True, False])
def test_a_stream_whose_request_is_gone_ends(monkeypatch, settings, gone):
    """The control: one that is there and still open goes on."""
    settings.SALON_HEARTBEAT = 0.01
    there = Event("queued", b'{"state":"waiting"}')
    found = [there]

    async def present(*_):
        return found.pop() if found else None if gone else there

    monkeypatch.setattr(api, "_present_event", present)

    async def told():
        events = api._events("abc", "ada", there)
        first = [await anext(events) for _ in range(2)]
        try:
            return first, await anext(events)
        finally:
            await events.aclose()
            await close_line()

    first, last = asyncio.run(told())
    assert first == [there, None]
    assert last is None if not gone else (last.tag, json.loads(last.data)["code"]) == ("cancelled", "gone")


def limits(soft, *words):
    """What a process that begins with this soft limit ends with."""
    code = "from salon.core.limits import raise_open_files as r; r(); import resource as s"
    code += "; print(s.getrlimit(s.RLIMIT_NOFILE)[0])"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if words:
        code = code.replace(" r();", "")  # the control
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
    )  # fmt: skip
    return int(done.stdout)


def test_the_soft_limit_of_open_files_is_raised():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = min(65_536, hard) if hard != resource.RLIM_INFINITY else 65_536
    assert limits(256) == most
    assert limits(256, "without") == 256
