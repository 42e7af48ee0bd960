"""The whole house: what people see when all is well, and what they see of each other."""

import io
import itertools
import signal
import subprocess
import sys
import time

import msgspec
import pytest
import zmq
from PIL import Image

from salon.core.home import socket_address
from salon.core.png import read_recipe
from salon.desk.lock import AlreadyRunning, only_desk


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_prompt_becomes_nine_images_that_sharpen(house):
    visitor = house.visitor()
    request = visitor.ask(count=9, seed=100)
    events = list(visitor.stream(request))
    tags = [tag for tag, _ in events]
    assert tags[-1] == "finished"
    assert tags.count("finished") == 1
    previews = [data for tag, data in events if tag == "preview"]
    assert previews
    assert all(image["src"].startswith("data:image/webp;base64,") for data in previews for image in data["images"])
    assert [image["index"] for image in events[-1][1]["images"]] == list(range(9))
    for place, image in enumerate(events[-1][1]["images"]):
        status, data, headers = visitor.call("GET", image["src"])
        assert status == 200
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        recipe = read_recipe(data)
        assert recipe.id == image["id"]
        assert recipe.seed == 100 + place
        picture = Image.open(io.BytesIO(data))
        picture.load()
        assert picture.size == (recipe.width, recipe.height)


def test_the_same_recipe_again_is_the_same_image(house):
    visitor = house.visitor()
    first = visitor.finish(visitor.ask(count=1, seed=5))
    again = visitor.finish(visitor.post("/api/requests", {"image": first["images"][0]["id"]})[1])
    assert again["images"][0]["id"] == first["images"][0]["id"]
    assert first["images"][0]["difference"] is None
    assert again["images"][0]["difference"] == 0


def test_another_seed_is_another_image(house):
    """Negative control of the comparison above."""
    from salon.desk.pictures import largest_difference

    visitor = house.visitor()
    done = visitor.finish(visitor.ask(count=2, seed=9))
    one, other = (visitor.call("GET", image["src"])[1] for image in done["images"])
    assert largest_difference(one, other) > 1


def test_two_tabs_see_the_same_end(house):
    visitor = house.visitor()
    request = visitor.ask(count=4, num_inference_steps=30)
    tabs = [visitor.stream(request), visitor.stream(request)]
    ends = [list(tab)[-1] for tab in tabs]
    assert ends[0] == ends[1]
    assert ends[0][0] == "finished"


def test_a_press_sent_twice_is_one_request(house):
    visitor = house.visitor()
    visitor.ask()
    one, two = (visitor.ask("a blue cat", key="press-1") for _ in range(2))
    assert one["id"] == two["id"]
    assert visitor.ask("a blue cat", key="press-2")["id"] != one["id"]
    assert house.visitor().ask("a blue cat", key="press-1")["id"] != one["id"]


def test_others_are_not_told_that_a_request_exists(house):
    owner, stranger = house.visitor(), house.visitor()
    request = owner.ask(num_inference_steps=50)
    stranger.ask()
    for method, path in (
        ("GET", f"/api/requests/{request['id']}"),
        ("GET", request["updates"]),
        ("POST", f"/api/requests/{request['id']}/cancel"),
    ):
        status, data, _ = stranger.call(method, path, b"{}" if method == "POST" else None)
        assert status == 404, data
    assert owner.finish(request)["state"] == "finished"


def test_a_forged_ticket_is_no_ticket(house):
    owner = house.visitor()
    request = owner.ask()
    thief = house.visitor()
    thief.ticket = owner.ticket[:-1] + ("a" if owner.ticket[-1] != "a" else "b")
    assert thief.call("GET", request["updates"])[0] == 404
    assert owner.call("GET", request["updates"])[0] == 200


def test_a_closed_tab_frees_its_stream_and_the_drawing_is_kept(house):
    visitor = house.visitor()
    request = visitor.ask(count=16, num_inference_steps=60)
    tab = visitor.stream(request)
    next(tab)
    assert house.health()["streams"] >= 1
    tab.close()
    assert wait_for(lambda: house.health()["streams"] == 0)
    assert visitor.finish(request)["state"] == "finished"


def test_a_stream_opened_late_begins_with_the_present_state(house):
    visitor = house.visitor()
    request = visitor.ask(count=16, num_inference_steps=60)
    first = visitor.stream(request)
    list(itertools.takewhile(lambda event: event[0] != "preview", first))
    second = visitor.stream(request)
    early = [next(second)[0], next(second)[0]]
    assert early[0] == "started"
    assert "preview" in (early[1], next(second)[0], next(second)[0])
    first.close(), second.close()
    visitor.finish(request)
    assert [tag for tag, _ in visitor.stream(request)] == ["finished"]


def test_a_cancelled_request_ends_for_everyone_who_watches(house):
    visitor = house.visitor()
    request = visitor.ask(count=16, num_inference_steps=100)
    tab = visitor.stream(request)
    next(tab)
    assert visitor.post(f"/api/requests/{request['id']}/cancel")[1]["state"] == "cancelled"
    assert list(tab)[-1][0] == "cancelled"
    assert visitor.get(f"/api/requests/{request['id']}")[1]["state"] == "cancelled"


def test_cancelling_what_is_finished_changes_nothing(house):
    visitor = house.visitor()
    request = visitor.ask(count=1)
    visitor.finish(request)
    assert visitor.post(f"/api/requests/{request['id']}/cancel")[1]["state"] == "finished"


def test_a_second_desk_says_why_it_cannot_open(house):
    words = [sys.executable, "-m", "salon", "run", "--port", "1"]
    done = subprocess.run(words, env=house.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "running already" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_said_in_a_sentence(house, tmp_path):
    words = [sys.executable, "-m", "salon", "run", "--port", str(house.port)]
    environment = {**house.environment, "SALON_HOME": str(tmp_path / "other")}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"Port {house.port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_lock_is_free_again_afterwards(tmp_path):
    with only_desk(tmp_path), pytest.raises(AlreadyRunning), only_desk(tmp_path):
        pass
    with only_desk(tmp_path):
        pass


def test_nothing_that_is_said_to_the_desk_closes_the_house(house):
    """Whatever arrives, the next message is heard, and what is asked is drawn by the same processes."""
    before = [house.process.pid, house.child("salon.web.serve"), house.child("salon.engine.service")]
    desk, engine = (zmq.Context.instance().socket(kind) for kind in (zmq.PUSH, zmq.DEALER))
    for socket, name in ((desk, "desk"), (engine, "engine")):
        socket.set(zmq.LINGER, 10_000)
        socket.connect(socket_address(house.home, name))
        for frame in (b"", b"rubbish", b"\xc1" * 999, msgspec.msgpack.encode({"type": "dance"})):
            socket.send(frame)
    desk.send(msgspec.msgpack.encode({"type": "cancel", "request": "nobody's"}))
    desk.send(msgspec.msgpack.encode({"type": "say", "topic": "x", "event": 7, "data": None}))
    visitor = house.visitor()
    assert visitor.finish(visitor.ask(count=1))["state"] == "finished"
    assert [house.process.pid, house.child("salon.web.serve"), house.child("salon.engine.service")] == before
    desk.close(), engine.close()


def test_a_word_the_world_does_not_hold_gets_near_ones(house):
    """By meaning, from the engine's own text encoder; a slip of the pen by its letters, engine or not."""
    visitor = house.visitor()
    rowboat, knight = visitor.get("/api/words?prompt=a+rowboat+with+a+knight")[1]["words"]
    assert (rowboat["word"], rowboat["near"]) == ("rowboat", ["boat"])
    assert (knight["word"], knight["near"]) == ("knight", [])
    (elefant,) = visitor.get("/api/words?prompt=an+elefant")[1]["words"]
    assert elefant["near"][0] == "elephant"
    assert visitor.get("/api/words?prompt=a+red+fox")[1]["words"] == []


@pytest.mark.slow
def test_the_command_for_a_link_finds_the_running_house_and_no_dead_one(new_house):
    """Killed, the desk leaves its address lying about (the control): it is not believed."""
    house = new_house()

    def said(*more):
        words = [sys.executable, "-m", "salon", "backstage", *more]
        return subprocess.run(words, env=house.environment, capture_output=True, text=True, timeout=60)

    done = said()
    assert f" http://127.0.0.1:{house.port}/backstage/enter/" in done.stdout
    assert done.stderr == ""
    assert " http://127.0.0.1:9/backstage/enter/" in said("--port", "9").stdout, "who says where is believed"
    assert " https://salon.example/backstage/enter/" in said("--url", "https://salon.example/").stdout
    house.close(signal.SIGKILL)
    assert f":{house.port}" in (house.home / "address").read_text()
    done = said()
    assert " http://127.0.0.1:8000/backstage/enter/" in done.stdout
    assert "No house is running" in done.stderr
