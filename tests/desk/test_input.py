"""What people and programs may send: never an error 500, always a sentence."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salon.core.recipe import MAX_PROMPT

KNOWN = ["prompt", "negative_prompt", "model", "seed", "seeds", "num_inference_steps", "guidance_scale"]
KNOWN += ["sampler", "count", "image", "key", "stranger"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from(KNOWN), anything, max_size=6).map(lambda body: json.dumps(body).encode())
near_bodies = st.fixed_dictionaries(
    {"prompt": st.text(max_size=60), "model": st.just("tiny"), "count": st.integers(-1, 2)},
    optional={
        "seed": st.integers(-2, 2**33),
        "num_inference_steps": st.integers(-1, 3) | st.just(1_000),
        "guidance_scale": st.floats() | st.integers(),
        "negative_prompt": st.text(max_size=30),
    },
).map(lambda body: json.dumps(body).encode())
ALLOWED = {202, 400, 413, 422, 429, 503}


@given(body=st.binary(max_size=200) | bodies | near_bodies)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_posted_is_an_error_of_ours(house, body):
    status, data, _ = house.visitor().call("POST", "/api/requests", body)
    answer = json.loads(data)
    assert status in ALLOWED, answer
    if status != 202:
        assert set(answer) == {"code", "message", "hint"}
        assert answer["message"]


def test_prompts_of_many_kinds_are_drawn_as_they_are_meant(house):
    visitor = house.visitor()
    for prompt, meant in [
        ("  a\tred\r\n fox ", "a red fox"),
        ("a red\x00 fox\x07", "a red fox"),
        ("ثعلب أحمر في الثلج", "ثعلب أحمر في الثلج"),
        ("a \u202efox\u202c", "a fox"),
        ("une maison e\u0301clairée", "une maison éclairée"),
        ("a fox 🦊 👩‍🚀", "a fox 🦊 👩‍🚀"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("狐狸在雪地里", "狐狸在雪地里"),
    ]:
        request = visitor.ask(prompt, count=1, num_inference_steps=1)
        assert request["prompt"] == meant
        page = visitor.call("GET", request["images"][0]["url"])[1].decode()
        assert "<script>alert" not in page
    visitor.finish(request)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"prompt": ""}, 400, "prompt"),
        ({"prompt": " \x00\n"}, 400, "prompt"),
        ({"prompt": "x" * 10_000}, 400, f"at most {MAX_PROMPT:}"),
        ({"prompt": 7}, 400, "prompt"),
        ({"prompt": "fox", "seed": -1}, 400, "seed"),
        ({"prompt": "fox", "seed": 2**32}, 400, "seed"),
        ({"prompt": "fox", "seed": "7"}, 400, "seed"),
        ({"prompt": "fox", "seed": True}, 400, "seed"),
        ({"prompt": "fox", "count": 0}, 400, "count"),
        ({"prompt": "fox", "count": 17}, 400, "count"),
        ({"prompt": "fox", "num_inference_steps": 0}, 400, "num_inference_steps"),
        ({"prompt": "fox", "num_inference_steps": 101}, 400, "num_inference_steps"),
        ({"prompt": "fox", "guidance_scale": 21}, 400, "guidance_scale"),
        ({"prompt": "fox", "sampler": "no such"}, 400, "sampler"),
        ({"prompt": "fox", "model": "no such"}, 422, "no such"),
        ({"prompt": "fox", "width": 100_000}, 400, "width"),
        ({"prompt": "fox", "key": "a b"}, 400, "key"),
        ({"image": "0" * 32}, 400, "image"),
        ({"image": "\x00"}, 400, "image"),
        ([], 400, "object"),
    ],
)
def test_what_cannot_be_drawn_is_said_with_its_field(house, body, status, said):
    if isinstance(body, dict):
        body = {"model": "tiny", **body}
    found, answer = house.visitor().post("/api/requests", body)
    assert found == status, answer
    assert said in answer["message"].lower()
    assert answer["hint"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"prompt": "\\ud800"}', b"[" * 60_000, b"\xef\xbb\xbf{}"])
def test_what_is_no_json_is_said(house, body):
    status, data, _ = house.visitor().call("POST", "/api/requests", body)
    assert status == 400
    assert json.loads(data)["code"] == "bad_recipe"


def test_a_large_body_is_refused_before_it_is_read(house):
    status, data, _ = house.visitor().call("POST", "/api/requests", b" " * 70_000)
    assert status == 413
    assert json.loads(data)["code"] == "too_large"


def test_a_large_body_without_a_declared_length_is_refused_too(house):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
    connection.putrequest("POST", "/api/requests")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for _ in range(2):  # beyond the limit, and no end of it in sight: the house must not wait for one
        connection.send(b"%x\r\n%s\r\n" % (40_000, b" " * 40_000))
    assert connection.getresponse().status == 413


STRANGE = ["/images/..%2fsecret", "/images/%00", "/api/requests/x/updates", "/nowhere", "/images/zz.png"]


@pytest.mark.parametrize("path", STRANGE)
def test_strange_addresses_are_not_found(house, path):
    assert house.visitor().call("GET", path)[0] == 404


def test_the_station_takes_any_query(house):
    path = "/station?prompt=%00%ff%E2%80%AE&seed=zzz&count=-1&request=%00"
    status, data, _ = house.visitor().call("GET", path)
    assert status == 200
    assert b"\x00" not in data


@pytest.mark.slow
def test_a_visitor_may_have_only_so_many_requests_waiting(new_house):
    work = {"count": 16, "num_inference_steps": 100}
    price = 14  # of these pictures, in ordinary requests
    house = new_house(SALON_WAITING_PER_VISITOR=str(2 * price))
    visitor = house.visitor()
    kept = [visitor.ask(**work) for _ in range(2)]
    status, answer = visitor.post("/api/requests", {"prompt": "one more", "model": "tiny"})
    assert status == 429
    assert answer["code"] == "too_many_waiting"
    assert house.visitor().post("/api/requests", {"prompt": "another visitor", "model": "tiny"})[0] == 202
    visitor.post(f"/api/requests/{kept[0]['id']}/cancel")
    assert visitor.post("/api/requests", {"prompt": "one more", "model": "tiny"})[0] == 202
