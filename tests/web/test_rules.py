"""Rules of the station, tried on a real database."""

import threading
from contextlib import nullcontext

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from salon.core.errors import EngineUnavailable, UnknownModel, WeightsMissing
from salon.engine.client import ModelInfo
from salon.engine.models import RANGES
from salon.web.line import MAILBOX, EngineState, Event, Line, Mailbox
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
        ({"HTTP_ORIGIN": "http://["}, True),
        ({"HTTP_ORIGIN": ""}, True),
        ({"HTTP_ORIGIN": "http://127.0.0.1:8000", "HTTP_HOST": "no name of this house"}, True),
        ({"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_COOKIE": "a=b"}, False),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, True),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, True),
        ({"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "http://127.0.0.1:8000"}, True),
    ],
)
def test_pages_of_others_cannot_press_our_buttons(headers, foreign):
    request = RequestFactory().post("/api/requests", **(HOST | headers))
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
    give_ticket(RequestFactory().get("/"), response, "ada")
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


def test_every_unknown_word_is_named():
    found = words.far_words("a knight with sunglasses rides a zeppelin over a duck, a narwhal and a yurt")
    assert [one["word"] for one in found] == ["knight", "sunglasses", "rides", "zeppelin", "narwhal", "yurt"]
    many = words.far_words(" ".join(f"{letter * 3}x" for letter in "abcdefghijklmnop"))
    assert len(many) == 16


@pytest.mark.parametrize(
    ("word", "near"),
    [("elefant", ["elephant"]), ("pengiun", ["penguin"]), ("knight", []), ("sunglasses", []), ("porn", []),
     ("rowboat", []), ("hentai", []), ("zzz", [])],
)  # fmt: skip
def test_only_slips_of_the_pen_are_told_by_their_letters(word, near):
    assert words.far_words(word)[0]["near"] == near


def test_words_of_the_lists_get_no_other_in_their_place():
    """Control: by its letters alone this one was answered with corn."""
    import difflib

    from salon.world.vocabulary import suggestions

    assert difflib.get_close_matches("porn", suggestions(), n=1, cutoff=0.72) == ["corn"]
    words.neighbours._remember(["porn", "poodle"], [("corn",), ("dog",)])
    assert words.far_words("porn")[0]["near"] == []
    assert words.far_words("poodle")[0]["near"] == ["dog"]


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("un zorro en la nieve con el sol y los lobos", ["zorro", "nieve", "sol", "lobos"]),
        ("雪の中の赤い狐", ["雪", "中", "赤い", "狐"]),
        ("キツネは森にいる", ["キツネ", "森"]),
        ("a fox for the king, out of his castle", ["king"]),
        ("a fox without a tail", ["without", "tail"]),
    ],
)
def test_small_words_of_the_houses_languages_are_not_pointed_out(prompt, unknown):
    assert words.unknown_words(prompt) == unknown


def test_near_in_meaning_is_near(monkeypatch):
    """With the models' own text encoder. Control: at the bound of before a knight is a carrot."""
    from salon.engine.text import TextEncoder
    from salon.web.station.domain import neighbours

    near = neighbours.Neighbours()._nearest
    asked = ("rowboat", "poodle", "knight", "sunglasses", "zeppelin")
    found = dict(zip(asked, near(TextEncoder(), asked)))
    assert found["rowboat"][0] == "boat"
    assert found["poodle"] == ("dog",)
    assert {found[word] for word in ("knight", "sunglasses", "zeppelin")} == {()}
    monkeypatch.setattr(neighbours, "LEAST_LIKENESS", 0.3)
    assert near(TextEncoder(), ["knight"])[0][0] == "carrot"


def test_a_crowd_that_asks_for_advice_takes_no_more_than_two_threads(monkeypatch):
    """The threads that wait for it are those that open everybody's streams. Control: as many as may wait do."""
    from salon.web.station.domain import neighbours

    inside, enough, leave = [], threading.Semaphore(0), threading.Event()

    class Slow(neighbours.Neighbours):
        def _ask(self, new):
            inside.append(new)
            enough.release()
            assert leave.wait(60)

    found = Slow()
    crowd = [threading.Thread(target=found.find, args=([f"w{i}"],)) for i in range(neighbours.AT_ONCE)]
    for one in crowd:
        one.start()
        assert enough.acquire(timeout=60)
    for i in range(20):
        found.find([f"more{i}"])  # comes back at once, though nobody has left
    assert len(inside) == neighbours.AT_ONCE
    leave.set()
    for one in crowd:
        one.join(60)
    found.find(["later"])
    assert inside[-1] == ["later"]


LONG = " ".join(["castle"] * 62) + " moat dragon"


@pytest.mark.django_db
def test_what_changes_nothing_is_answered_before_and_with_the_request(client, monkeypatch):
    monkeypatch.setattr(Line, "engine", property(lambda self: ENGINE))
    monkeypatch.setattr(words.neighbours, "find", lambda words: None)  # no engine runs here
    advice = client.get("/api/words", {"prompt": LONG, "negative_prompt": "trees", "guidance_scale": "1"}).json()
    assert [one["field"] for one in advice["unused"]] == ["prompt", "negative_prompt"]
    assert advice["unused"][0]["words"] == ["moat", "dragon"]
    assert client.get("/api/words", {"prompt": "a fox", "negative_prompt": "trees"}).json()["unused"] == []
    body = {"prompt": LONG, "negative_prompt": "trees", "guidance_scale": 1.0, "count": 1}
    answer = client.post("/api/requests", body, content_type="application/json").json()
    assert answer["unused"] == advice["unused"]
    page = client.get(answer["images"][0]["url"]).content.decode()
    assert "Not read: moat dragon" in page
    body |= {"prompt": "a fox", "guidance_scale": 2.0}
    assert Client().post("/api/requests", body, content_type="application/json").json()["unused"] == []


@pytest.mark.django_db
def test_what_is_too_long_is_not_judged(client, monkeypatch):
    """Judging 60 kB of words run together takes five seconds, in which nobody gets a page. Control: a prompt that may
    be asked is judged, as it will be drawn."""
    judged = []
    monkeypatch.setattr(Line, "engine", property(lambda self: ENGINE))
    monkeypatch.setattr(intake, "check_texts", lambda *texts, hint: judged.extend(texts))
    for field in ("prompt", "negative_prompt"):
        body = {"prompt": "a fox", "count": 1, field: "child" * 12_000}
        answer = client.post("/api/requests", body, content_type="application/json")
        assert (answer.status_code, "characters" in answer.json()["message"]) == (400, True)
    arena = client.post("/arena", {"own": "1", "prompt": "child" * 12_000}, headers={"Sec-Fetch-Site": "same-origin"})
    assert arena.status_code == 400
    assert judged == []
    client.post("/api/requests", {"prompt": " a  fox\u00ad", "count": 1}, content_type="application/json")
    assert judged == ["a fox", ""]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", [{"prompt": "x" * 1001}, {"negative_prompt": "x" * 1001}, {"prompt": "a", "guidance_scale": "high"}]
)
def test_advice_on_what_could_not_be_asked_says_so(client, query):
    answer = client.get("/api/words", query)
    assert answer.status_code == 400
    assert answer.json()["hint"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"image": "0" * 32, "prompt": "a fox"}, "prompt"),
        ({"image": "0" * 32, "seed": 0}, "seed"),
        ({"image": "0" * 32, "count": 1}, "count"),
        ({"prompt": "a fox", "seeds": [1, 2], "seed": 3}, "seed"),
        ({"prompt": "a fox", "seeds": [1, 2], "count": 9}, "count"),
        ({"prompt": "a fox", "sede": 3}, "sede"),
    ],
)
def test_nothing_is_accepted_and_left_out(client, body, field):
    answer = client.post("/api/requests", body, content_type="application/json")
    assert answer.status_code == 400
    assert field in answer.json()["message"]
    assert answer.json()["hint"]
    assert not Request.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_both_prompts_are_judged_as_the_model_reads_them(field):
    """Nothing is stored. Control: the same with an innocent word is."""
    with pytest.raises(intake.Refused, match="all ages"):
        intake.submit(ask(**{field: "a nu\u200bde gіrl"}), "ada", ENGINE)
    with pytest.raises(intake.Refused, match="hatred"):
        intake.submit(ask(**{field: "n a z i"}), "ada", ENGINE)
    assert not Request.objects.exists()
    intake.submit(ask(**{field: "a fi\u200bne gіrl"}), "ada", ENGINE)


@pytest.mark.django_db
def test_an_image_of_before_the_rules_is_not_drawn_again(monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(intake, "check_texts", lambda *_, **__: None)
        before.setattr(intake, "check_recipes", lambda *_, **__: None)
        request, _ = intake.submit(ask(prompt="a nudegirl"), "ada", ENGINE)
    with pytest.raises(intake.Refused):
        intake.submit(intake.Ask(image=request.drawings.first().image_id), "ada", ENGINE)


@pytest.mark.django_db
def test_the_arena_takes_no_words_that_no_machine_reads(client):
    answer = client.post("/arena", {"own": "1", "prompt": LONG})
    assert answer.status_code == 400
    assert "Not read: moat dragon" in answer.content.decode()
    assert client.post("/arena", {"own": "1", "prompt": "\u3164\u200d"}).status_code == 422
