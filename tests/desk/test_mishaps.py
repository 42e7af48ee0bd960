"""What may go wrong in the middle: killed processes, a full disk. Nothing is lost, nothing is doubled."""

import os
import re
import resource
import signal
import socket
import time
from collections import Counter

import pytest

from salon.core.limits import raise_open_files
from salon.core.running import Where, heard

pytestmark = pytest.mark.slow

LIMIT = resource.RLIMIT_FSIZE


def until(condition, what, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.02)


def wait_for_state(visitor, request, *states):
    until(lambda: visitor.get(f"/api/requests/{request['id']}")[1]["state"] in states, " or ".join(states))


def running(visitor, request):
    """Waits until an engine is in the middle of the request."""
    wait_for_state(visitor, request, "running")


def slow(visitor, **more):
    """Some seconds of drawing: whoever sees it running can do something to it before it is drawn."""
    return visitor.ask(count=9, num_inference_steps=80, model="heavy", **more)


def pixels(visitor, done):
    return [visitor.call("GET", image["src"])[1] for image in done["images"]]


def test_a_killed_engine_costs_time_and_nothing_else(new_house):
    house = new_house()
    visitor = house.visitor()
    request = slow(visitor, seed=77)
    running(visitor, request)
    killed = house.kill("salon.engine.service")
    done = visitor.finish(request)
    assert house.child("salon.engine.service") != killed
    assert [image["seed"] for image in done["images"]] == list(range(77, 86))
    assert [image["id"] for image in done["images"]] == [image["id"] for image in request["images"]]
    # drawn again without a disturbance, and compared by the house with what hangs
    again = [visitor.finish(visitor.post("/api/requests", {"image": i["id"]})[1]) for i in done["images"][:3]]
    assert [answer["images"][0]["difference"] for answer in again] == [0, 0, 0]


def test_a_killed_web_keeps_its_port_and_its_requests(new_house):
    house = new_house()
    visitor = house.visitor()
    request = slow(visitor)
    running(visitor, request)
    house.kill("salon.web.serve")
    assert visitor.finish(request)["state"] == "finished"


def test_a_killed_desk_takes_its_children_along_and_the_next_one_goes_on(new_house):
    house = new_house()
    visitor = house.visitor()
    request = slow(visitor, seed=3)
    running(visitor, request)
    waiting = visitor.ask("a blue cat", seed=8)
    children = [house.child("salon.web.serve"), house.child("salon.engine.service")]
    house.close(signal.SIGKILL)
    end = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in children) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in children)
    house.open()
    assert [image["seed"] for image in visitor.finish(request)["images"]] == list(range(3, 12))
    assert visitor.finish(waiting)["state"] == "finished"


def test_a_stop_in_the_middle_is_graceful_and_keeps_the_request(new_house):
    house = new_house()
    visitor = house.visitor()
    request = slow(visitor)
    running(visitor, request)
    assert house.close(signal.SIGINT) == 0
    assert visitor_is_turned_away(visitor)
    house.open()
    assert visitor.finish(request)["state"] == "finished"


def visitor_is_turned_away(visitor):
    try:
        visitor.get("/healthz")
    except OSError:
        return True
    return False


def test_a_request_that_kills_every_engine_is_given_up(new_house):
    house = new_house()
    visitor = house.visitor()
    request = slow(visitor)
    running(visitor, request)
    for _ in range(2):
        killed = house.kill("salon.engine.service")
        # not "until it waits": it may run again before anybody looked
        until(lambda killed=killed: house.child("salon.engine.service") != killed, "another engine")
        running(visitor, request)
    house.kill("salon.engine.service")
    *_, (tag, data) = visitor.stream(request)
    assert tag == "failed"
    assert data["code"] == "engine_unavailable"
    assert visitor.finish(visitor.ask(count=1))["state"] == "finished"


def files(house, images):
    """The files of these images; the house's own first draws hang in the same folder."""
    names = {image["id"] for image in images}
    return [file for file in house.home.glob("images/**/*.png") if file.stem in names]


def limit_files(house, size):
    """A real limit of the kernel on every file that desk and web write: pictures and database alike."""
    for pid in (house.process.pid, house.child("salon.web.serve")):
        resource.prlimit(pid, LIMIT, (size, resource.RLIM_INFINITY))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux")
def test_a_full_disk_loses_nothing(new_house):
    house = new_house()
    visitor = house.visitor()
    request = slow(visitor, seed=21)
    running(visitor, request)
    limit_files(house, 512)
    for tag, data in visitor.stream(request):
        if data.get("code") == "storage_full":
            break
        assert tag != "finished", "the limit did not hold"
    assert "disk is full" in data["message"]
    refused, answer = house.visitor().post("/api/requests", {"prompt": "a cat", "model": "tiny"})
    if house.environment.get("DATABASE_URL", "").startswith("postgres"):
        assert refused == 202  # that server's disk is not full
    else:
        assert (refused, answer["code"]) == (503, "storage_full")
    assert not files(house, request["images"]), "a half image was left"
    limit_files(house, resource.RLIM_INFINITY)
    done = visitor.finish(request)
    assert [image["seed"] for image in done["images"]] == list(range(21, 30))
    assert len(files(house, done["images"])) == 9
    until(lambda: not list(house.home.glob("images/**/.*")), "half images to be cleared away")


def test_a_lost_file_is_offered_to_be_drawn_again(new_house):
    house = new_house()
    visitor = house.visitor()
    done = visitor.finish(visitor.ask(count=1, seed=4))
    image = done["images"][0]
    before = visitor.call("GET", image["src"])[1]
    (file,) = files(house, [image])
    file.unlink()
    assert visitor.call("GET", image["src"])[0] == 404
    assert visitor.call("GET", image["url"])[0] == 200
    visitor.finish(visitor.post("/api/requests", {"image": image["id"]})[1])
    assert visitor.call("GET", image["src"])[1] == before


def test_a_damaged_file_is_replaced_when_it_is_drawn_again(new_house):
    house = new_house()
    visitor = house.visitor()
    image = visitor.finish(visitor.ask(count=1, seed=4))["images"][0]
    before = visitor.call("GET", image["src"])[1]
    (file,) = files(house, [image])
    file.write_bytes(before[:200])
    visitor.finish(visitor.post("/api/requests", {"image": image["id"]})[1])
    assert visitor.call("GET", image["src"])[1] == before


def test_without_weights_the_pages_are_there_and_say_so(new_house, tmp_path):
    damaged = tmp_path / "weights" / "tiny"
    damaged.mkdir(parents=True)
    (damaged / "model.json").write_text("{}")
    house = new_house(SALON_WEIGHTS=str(tmp_path / "weights"))
    visitor = house.visitor()
    assert visitor.call("GET", "/station")[0] == 200
    status, answer = visitor.post("/api/requests", {"prompt": "a cat", "model": "tiny"})
    assert status == 503
    assert answer["code"] in ("weights_missing", "weights_damaged")
    assert answer["hint"]


BANNER = "disk is full"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux")
def test_a_house_opens_with_a_full_disk_shows_what_it_has_and_goes_on_when_there_is_room(new_house):
    house = new_house()
    visitor = house.visitor()
    image = visitor.finish(visitor.ask(count=1))["images"][0]
    before = visitor.call("GET", image["src"])[1]
    until(lambda: house.health()["writes"] is True, "the desk's word on room")
    assert BANNER not in visitor.call("GET", "/gallery")[1].decode()
    assert house.close() == 0
    usual = resource.getrlimit(LIMIT)
    resource.setrlimit(LIMIT, (0, usual[1]))  # what is started now can write nothing, not one byte
    try:
        house.open()
    finally:
        resource.setrlimit(LIMIT, usual)
    until(lambda: house.health()["writes"] is False, "the house to say so")
    assert heard(house.home) is None
    assert house.health()["web"] == "ok"
    assert visitor.call("GET", image["src"])[1] == before
    until(lambda: BANNER in visitor.call("GET", "/gallery")[1].decode(), "the banner")
    for page in ("/", "/station", image["url"], "/arena", "/mine", "/wall", "/event", "/call", "/places", "/programme"):
        assert visitor.call("GET", page)[0] in (200, 302, 404), page
    if not house.environment.get("DATABASE_URL", "").startswith("postgres"):
        refused, answer = house.visitor().post("/api/requests", {"prompt": "a cat", "model": "tiny"})
        assert (refused, answer["code"]) == (503, "storage_full")
    for module in ("salon.web.serve", "salon.engine.service"):
        resource.prlimit(house.child(module), LIMIT, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    resource.prlimit(house.process.pid, LIMIT, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: house.health()["writes"] is True, "the house to see the room")
    until(lambda: heard(house.home) == Where(f"http://127.0.0.1:{house.port}", ""), "commands to find the house")
    assert visitor.finish(visitor.ask(count=1, seed=5))["state"] == "finished"
    until(lambda: BANNER not in visitor.call("GET", "/gallery")[1].decode(), "the banner to go")


def test_a_house_whose_words_nobody_reads_stays_open_and_closes_in_order(new_house):
    """`salon run | head -1`: the pipe is shut after the first line."""
    house = new_house()
    assert house.close() == 0
    house.open()
    house.process.stdout.close()
    visitor = house.visitor()
    assert visitor.finish(visitor.ask(count=1))["state"] == "finished"
    house.process.send_signal(signal.SIGINT)
    assert house.process.wait(60) == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux")
def test_a_full_disk_in_the_new_rooms_is_told_and_loses_nothing(new_house):
    house = new_house()
    if house.environment.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("that server's disk is another one")
    visitor, maker, back = house.visitor(), house.browser(), house.curator()
    image = visitor.finish(visitor.ask(count=1))["images"][0]
    maker.cookies["salon_ticket"] = visitor.ticket
    form = {"title": "Fox", "may_show": "1", "statement": "long thought of"}
    limit_files(house, 512)
    status, text = maker.insist("POST", f"{image['url']}/hang", form)
    assert status == 503
    assert "There is no room left" in text
    assert maker.insist("POST", f"{image['url']}/report", {"failure": "other", "target": "none"})[0] == 503
    limit_files(house, resource.RLIM_INFINITY)
    assert maker.insist("POST", f"{image['url']}/hang", form)[0] in (200, 302)
    work = re.search(r"/backstage/works/([0-9a-f]{32})/approved", back.insist("GET", "/backstage")[1])[1]
    limit_files(house, 512)
    assert back.insist("POST", f"/backstage/works/{work}/approved", {})[0] == 503
    assert visitor.get("/wall/works.json")[1]["works"] == []
    limit_files(house, resource.RLIM_INFINITY)
    assert back.insist("POST", f"/backstage/works/{work}/approved", {})[0] == 302
    assert [w["id"] for w in visitor.get("/wall/works.json")[1]["works"]] == [work]


def test_a_client_that_opens_more_streams_than_files_stops_no_page(new_house):
    """1,100 streams at the usual limit of 1,024 files: the house raises its limit, and this client has its share."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, usual[1]))
    try:
        house = new_house()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
    raise_open_files()
    asked = b"GET /wall/updates HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
    lines, said = [socket.create_connection(("127.0.0.1", house.port), 60) for _ in range(1100)], Counter()
    for line in lines:
        line.sendall(asked)
    for line in lines:
        said[int(line.recv(12).split()[1])] += 1
    assert said == {200: 500, 429: 600}
    assert house.health()["streams"] == 500
    assert house.visitor().call("GET", "/station")[0] == 200
    other = house.visitor()
    assert other.finish(other.ask(count=1))["state"] == "finished", "who has a ticket is told as before"
    for line in lines:
        line.close()
    until(lambda: house.health()["streams"] == 0, "the streams to be given back")
