"""Programs that ask a running house: Python many times with one `Salon`, the command line, and what is no house."""

import http.server
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from salon import Salon
from salon.cli.draw import _recipe_of
from salon.core.errors import EngineUnavailable, SalonError
from salon.core.png import read_recipe
from salon.engine import drawing


def same(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b))


def address(house):
    return f"http://127.0.0.1:{house.port}"


def test_one_salon_draws_many_times_as_one_visitor(house):
    asked = Salon(url=address(house))
    first = asked.draw("a red fox", seeds=[5, 6], model="tiny")
    again = [asked.draw("a red fox", seeds=[seed], model="tiny")[0] for seed in (5, 6, 5)]
    assert [same(a, b) for a, b in zip([*first, first[0]], again)] == [True] * 3
    ticket = asked._house._ticket
    other = Salon(url=address(house))
    other.draw("a red fox", seeds=[5], model="tiny")
    assert other._house._ticket != ticket  # two programs are two visitors


def test_the_control_a_cookie_alone_draws_once(house):
    """As it was: the ticket goes back as a cookie, which any page could make a browser send."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    body = json.dumps({"prompt": "a red fox", "model": "tiny", "count": 1}).encode()

    def press():
        return opener.open(urllib.request.Request(f"{address(house)}/api/requests", body), timeout=60).status

    assert press() == 202
    with pytest.raises(urllib.error.HTTPError, match="403"):
        press()


def test_more_requests_than_may_wait_are_drawn_in_turn(new_house):
    """Seeds that do not follow each other are requests of their own; this house lets two wait."""
    house = new_house(SALON_WAITING_PER_VISITOR="2")
    seeds = [9, 7, 5, 3, 1]
    images = Salon(url=address(house)).draw("a red fox", seeds=seeds, model="tiny")
    assert [_recipe_of(image).seed for image in images] == seeds
    house = drawing.House(address(house))
    heavy = {"prompt": "a red fox", "model": "heavy", "count": 9}
    with pytest.raises(SalonError) as caught:  # the control: all at once, nothing fetched in between
        [house._ask(heavy | {"seed": seed}, patient=False) for seed in seeds]
    assert caught.value.code == "too_many_waiting"


def draw(house, folder, *words):
    command = [sys.executable, "-m", "salon", "draw", "--model", "tiny", "--url", address(house), "--out", str(folder)]
    return subprocess.run([*command, *words], capture_output=True, text=True, env=house.environment, timeout=600)


UNREAD = "Note: The models cannot read this of the prompt: 狐 🦊\n"


@pytest.mark.parametrize(("prompt", "note"), [("a red fox", ""), ("ein Fuchs in Köln", ""), ("狐 🦊", UNREAD)])
def test_the_command_line_writes_what_a_house_draws(house, tmp_path, prompt, note):
    """The recipe travels as iTXt in the house's file."""
    done = draw(house, tmp_path / "out", prompt, "--count", "2", "--seed", "4")
    assert (done.returncode, done.stderr) == (0, note)
    recipes = [read_recipe(Path(line).read_bytes()) for line in done.stdout.splitlines()]
    assert [(recipe.prompt, recipe.seed) for recipe in recipes] == [(prompt, 4), (prompt, 5)]


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers everything with what it was told to."""

    said = b""

    def do_POST(self):
        self.wfile.write(self.said)

    def log_message(self, *_words):
        pass


@pytest.mark.parametrize("body", [b"<p>hello", b"[]", b'{"hello": 1}', b'{"id": ""}'])
def test_what_is_no_house_is_said(body):
    said = b"HTTP/1.0 200 OK\r\n\r\n" + body
    handler = type("Told", (Stranger,), {"said": said})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(EngineUnavailable, match="no Latent Salon"):
            Salon(f"http://127.0.0.1:{server.server_port}").draw("a red fox")
        handler.said = b"SSH-2.0-OpenSSH_9\r\n"
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            Salon(f"http://127.0.0.1:{server.server_port}").draw("a red fox")
    finally:
        server.shutdown()
        server.server_close()
