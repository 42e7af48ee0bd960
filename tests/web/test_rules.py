"""Rules of the station, tried on a real database."""

import threading
from contextlib import nullcontext

import pytest
from django.db import connection
from django.test import RequestFactory

from salon.core.errors import EngineUnavailable, UnknownModel, WeightsMissing
from salon.engine.client import ModelInfo
from salon.engine.models import RANGES
from salon.web.line import MAILBOX, EngineState, Event, Mailbox
from salon.web.middleware import comes_from_elsewhere
from salon.web.station.domain import catalogue, intake, words
from salon.web.station.domain.visitors import COOKIE, give_ticket, visitor_of
from salon.web.station.models import Drawing, Image, Request

MODEL = ModelInfo(
    name="tiny",
    family="latent",
    ready=True,
    weights_sha256="ab" * 32,
    defaults={"num_inference_steps": 12, "guidance_scale": 3.0, "sampler": "euler"},
    ranges=RANGES,
    samplers=("euler",),
    stages={"diffusion": "diffusion", "upscale": "plain"},
    main="diffusion",
)
ENGINE = EngineState("ready", models=(MODEL,))


def ask(**more):
    return intake.Ask(**{"prompt": "a red fox", "count": 3, **more})


@pytest.mark.django_db
def test_a_request_is_a_row_with_a_drawing_for_each_seed():
    request, new = intake.submit(ask(seed=2**32 - 1), "ada", ENGINE)
    assert new
    assert request.state == "waiting"
    assert [d.image.recipe.seed for d in request.drawings.all()] == [2**32 - 1, 0, 1]
    assert all(d.image.recipe.id == d.image_id for d in request.drawings.all())


@pytest.mark.django_db
def test_two_who_ask_for_the_same_share_the_images_and_not_the_request():
    one, _ = intake.submit(ask(seed=1), "ada", ENGINE)
    other, _ = intake.submit(ask(seed=1), "bob", ENGINE)
    assert one.id != other.id
    assert Image.objects.count() == 3
    assert Drawing.objects.count() == 6


@pytest.mark.django_db
def test_the_same_key_is_the_same_request_only_for_the_same_visitor():
    one, _ = intake.submit(ask(key="k"), "ada", ENGINE)
    assert intake.submit(ask(key="k"), "ada", ENGINE) == (one, False)
    assert intake.submit(ask(key="k"), "bob", ENGINE)[1]


@pytest.mark.django_db
def test_cancelled_requests_make_room(settings):
    settings.SALON_WAITING_PER_VISITOR = 1
    first, _ = intake.submit(ask(), "ada", ENGINE)
    with pytest.raises(intake.TooManyWaiting):
        intake.submit(ask(), "ada", ENGINE)
    assert intake.cancel(first)
    assert not intake.cancel(first)
    intake.submit(ask(), "ada", ENGINE)


@pytest.mark.django_db
def test_the_house_has_a_limit_too(settings):
    settings.SALON_WAITING_TOTAL = 2
    for visitor in ("ada", "bob"):
        intake.submit(ask(), visitor, ENGINE)
    with pytest.raises(intake.Busy):
        intake.submit(ask(), "eve", ENGINE)


def press_at_once(key, people=8):
    """`people` presses of one button at the same moment, each on its own connection; their answers."""
    answers, together = [], threading.Barrier(people)

    def press():
        together.wait()
        try:
            answers.append(intake.submit(ask(key=key, count=1), "ada", ENGINE)[0].id)
        except Exception as error:
            answers.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(people)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return answers


@pytest.mark.django_db(transaction=True)
def test_presses_at_the_same_moment_are_one_request(first_event):
    assert len(set(press_at_once("k"))) == 1
    assert Request.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_cap_holds_when_many_press_at_once(first_event, settings):
    settings.SALON_WAITING_PER_VISITOR = 3
    assert press_at_once(None).count("TooManyWaiting") == 5
    assert Request.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_cap_does_not_hold(first_event, settings, monkeypatch):
    """Negative control: counting and storing without one transaction lets more in."""
    settings.SALON_WAITING_PER_VISITOR = 3
    monkeypatch.setattr(intake.transaction, "atomic", nullcontext)
    monkeypatch.setattr(intake, "lock_current_event", intake.Event.objects.get)
    gate, check = threading.Barrier(8), intake.check_room

    def slow_check(*arguments):
        check(*arguments)
        gate.wait()

    monkeypatch.setattr(intake, "check_room", slow_check)
    press_at_once(None)
    assert Request.objects.count() > 3


def test_what_there_is_to_draw_with_is_said_clearly():
    with pytest.raises(EngineUnavailable):
        catalogue.model_of(EngineState("starting"), None)
    with pytest.raises(WeightsMissing):
        catalogue.model_of(EngineState("missing", why="No model."), None)
    with pytest.raises(UnknownModel, match="tiny"):
        catalogue.model_of(ENGINE, "dalle")
    assert catalogue.door(ENGINE) is None
    assert catalogue.door(EngineState("away"))["code"] == "engine_unavailable"


# Who sent it

HOST = {"HTTP_HOST": "127.0.0.1:8000"}


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"HTTP_COOKIE": f"{COOKIE}=x"}, True),
        ({"HTTP_COOKIE": f"{COOKIE}=x", "HTTP_ORIGIN": "http://127.0.0.1:8000"}, False),
        ({"HTTP_ORIGIN": "http://evil.example"}, True),
        ({"HTTP_ORIGIN": "null"}, True),
        ({"HTTP_ORIGIN": "http://127.0.0.1:8001"}, True),
        ({"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_COOKIE": "a=b"}, False),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, True),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, True),
        ({"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "http://127.0.0.1:8000"}, True),
    ],
)
def test_pages_of_others_cannot_press_our_buttons(headers, foreign):
    request = RequestFactory().post("/api/requests", **HOST, **headers)
    assert comes_from_elsewhere(request) is foreign


@pytest.mark.django_db
@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_foreign_page_is_refused_and_nothing_is_stored(client, origin):
    answer = client.post("/api/requests", b"{}", content_type="text/plain", headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json()["code"] == "foreign_page"
    assert not Request.objects.exists()


def test_a_ticket_is_read_from_cookie_or_header_and_nothing_else_is_one():
    from django.http import HttpResponse

    response = HttpResponse()
    give_ticket(response, "ada")
    ticket = response.cookies[COOKIE].value
    assert response.cookies[COOKIE]["httponly"]
    assert response.cookies[COOKIE]["samesite"] == "Lax"
    by_cookie, by_header, forged = (RequestFactory().get("/") for _ in range(3))
    by_cookie.COOKIES[COOKIE] = ticket
    by_header.META["HTTP_AUTHORIZATION"] = f"Bearer {ticket}"
    forged.COOKIES[COOKIE] = "ada"
    assert visitor_of(by_cookie) == visitor_of(by_header) == "ada"
    assert visitor_of(forged) is None


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/station", "/nowhere", "/api/nowhere", "/healthz"])
def test_every_answer_is_guarded(client, path):
    headers = client.get(path).headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_an_unforeseen_error_shows_no_traceback(client, monkeypatch):
    monkeypatch.setattr("salon.web.station.views._recent", lambda *_: 1 / 0)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert b"ZeroDivisionError" not in answer.content
    assert b"Traceback" not in answer.content


# Streams and words


@pytest.mark.parametrize("lag", [MAILBOX * 3])
def test_a_reader_that_lags_loses_old_previews_only(lag):
    import asyncio

    async def read():
        mailbox = Mailbox()
        for number in range(lag):
            mailbox.put(Event("preview", str(number).encode()))
        mailbox.put(Event("finished", b"{}"))
        got = []
        while event := await mailbox.get(0.01):
            got.append(event)
        return got

    got = asyncio.run(read())
    assert len(got) <= MAILBOX
    assert got[-1].tag == "finished"
    assert got[-2].data == str(lag - 1).encode()


def test_words_of_the_world_are_known_and_others_pointed_out():
    assert words.unknown_words("three yellow ducks in the snow, oil painting") == []
    assert words.unknown_words("a zeppelin over a duck") == ["zeppelin"]
    assert "elephant" in words.spelt_like("elefant")


def test_advice_does_not_fail_on_any_text():
    for text in ("", "狐狸", "’’’", "a" * 1000, "\u202e", "1234 %$#"):
        assert isinstance(words.far_words(text), list)
