"""The worker in a whole house: it sends by itself, rests, comes back when it is killed, and ends when it is told to."""

import os
import re
import signal
import subprocess
import sys
import time

MODULE = "salon.desk.worker"


def until(condition, what, seconds=180):
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return answer


def worker_of(house):
    return house.child(MODULE)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def make_guest(house):
    """A guest with an address, made by a process of its own."""
    words = (
        "import django; django.setup()\n"
        "from salon.web.events.domain import current_event\n"
        "from salon.web.people import guests\n"
        "guests.make(current_event().id, 'Ada', 'ada@example.org')\n"
    )
    environment = {**house.environment, "DJANGO_SETTINGS_MODULE": "salon.web.settings"}
    subprocess.run([sys.executable, "-c", words], env=environment, check=True)


def letters_in(house):
    folder = house.home / "mail"
    return sorted(file.read_text() for file in folder.glob("*.eml")) if folder.is_dir() else []


def test_the_worker_sends_rests_returns_and_ends(new_house):
    house = new_house()
    make_guest(house)
    browser, first = house.browser(), worker_of(house)
    assert os.getpriority(os.PRIO_PROCESS, first) == 15

    assert browser.insist("POST", "/you/lost", {"email": "ada@example.org"})[0] == 302
    [letter] = until(lambda: letters_in(house), "the letter")
    link = re.search(rf"http://127\.0\.0\.1:{house.port}(/you/\S+)", letter.replace("=\n", ""))
    assert browser.insist("POST", link[1])[0] == 302
    assert "Ada" in browser.insist("GET", "/you")[1]

    house.kill(MODULE)
    second = until(lambda: (new := worker_of(house)) != first and new, "another worker")
    assert browser.insist("POST", "/you/lost", {"email": "ADA@example.org"})[0] == 302
    until(lambda: len(letters_in(house)) == 2, "the second letter")

    os.kill(second, signal.SIGTERM)  # alone, it is started again as well
    third = until(lambda: (new := worker_of(house)) != second and new, "a third worker")
    assert house.close() == 0
    assert not alive(third)
