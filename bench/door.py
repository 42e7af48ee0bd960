"""What a door waits for: python bench/door.py [--json] [--guests 2000] [--doors 4].

Opens the whole house (`salon run`) in a folder of its own, gives that many people places, and scans over real HTTP:
`in_p50_ms`, `in_p95_ms` of first scans at one door, `again_p95_ms` of the same tickets once more (refused),
`replay_p95_ms` of presses sent twice, `search_p95_ms` of names; `peer_ms` of the station's page in the same run, which
decides nothing.
Then all doors scan at once: `rush_p95_ms`, `rush_per_s`, and `twice`, tickets that heard "in" more than once (0).
`pdf_ms` of a ticket's PDF.
"""

import argparse
import http.client
import json
import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from station import House


def fill(guests_wanted: int, doors_wanted: int) -> tuple[list[str], list[str], str]:
    """(codes, tokens of one device a door, the path of one ticket's PDF)."""
    import django

    django.setup()
    from salon.web.doors import tickets
    from salon.web.doors.domain import hands
    from salon.web.events.domain import current_event
    from salon.web.people.links import keeper
    from salon.web.people.models import Guest
    from salon.web.seats.models import Place, Pool

    event, person = current_event(), keeper()
    pool = Pool.objects.create(event=event, kind="meeting", name="Meet & greet", capacity=guests_wanted)
    people = Guest.objects.bulk_create(
        Guest(event=event, name=f"Guest {secrets.token_hex(3)}", token_hash=secrets.token_hex(32))
        for _ in range(guests_wanted)
    )
    places = Place.objects.bulk_create(
        Place(pool=pool, guest=guest, state="booked", key=secrets.token_hex(16)) for guest in people
    )
    tokens = []
    for number in range(doors_wanted):
        door = hands.set_door(person, "", {"name": f"Door {number}"}, [])
        tokens.append(hands.post(person, door.id, f"Phone {number}")[1])
    pdf = tickets.link(places[0]).replace("?", ".pdf?")
    return [tickets.ticket_of(place) for place in places], tokens, pdf


class Door:
    """One device's connection, kept open as a browser keeps it."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Cookie": f"salon_device_door={token}", "Sec-Fetch-Site": "same-origin"}
        self.times: list[float] = []

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        start = time.perf_counter()
        self.connection.request(method, path, json.dumps(body) if body else None, self.headers)
        answer = self.connection.getresponse()
        data = answer.read()
        self.times.append((time.perf_counter() - start) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {data[:300]!r}")
        return data

    def redeem(self, code: str, nonce: str) -> str:
        return str(json.loads(self.call("POST", "/api/door/redeem", {"code": code, "nonce": nonce}))["answer"])

    def taken(self) -> list[float]:
        """Milliseconds of the calls since the last look."""
        times, self.times = self.times, []
        return times


def p95(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=20)[-1], 1)


def one_door(door: Door, codes: list[str]) -> dict[str, float]:
    presses = [(code, secrets.token_hex(16)) for code in codes]
    door.call("GET", "/api/door/state")  # the first request opens the database
    door.taken()
    assert {door.redeem(*press) for press in presses} == {"in"}
    first = door.taken()
    assert {door.redeem(*press) for press in presses} == {"in"}
    replayed = door.taken()
    assert {door.redeem(code, secrets.token_hex(16)) for code in codes} == {"already_in"}
    again = door.taken()
    for _ in range(60):
        door.call("GET", f"/api/door/search?q={secrets.token_hex(1)}")
    figures = {"in_p50_ms": round(statistics.median(first), 1), "in_p95_ms": p95(first), "again_p95_ms": p95(again)}
    return {**figures, "replay_p95_ms": p95(replayed), "search_p95_ms": p95(door.taken())}


def rush(doors: list[Door], codes: list[str]) -> dict[str, float]:
    """Each ticket is shown at two doors, all doors at once."""
    heard: list[tuple[str, str]] = []
    start = threading.Barrier(len(doors) + 1)

    def stand(number: int, door: Door) -> None:
        mine = [code for at, code in enumerate(codes) if number in (at % len(doors), (at + 1) % len(doors))]
        start.wait()
        for code in mine:
            heard.append((code, door.redeem(code, secrets.token_hex(16))))

    threads = [threading.Thread(target=stand, args=pair) for pair in enumerate(doors)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    ins = [code for code, answer in heard if answer == "in"]
    times = [one for door in doors for one in door.taken()]
    figures = {"rush_p95_ms": p95(times), "rush_per_s": round(len(heard) / seconds, 1)}
    return {**figures, "twice": len(ins) - len(set(ins)), "never": len(set(codes)) - len(set(ins))}


def pages(door: Door, path: str, times: int) -> float:
    door.taken()
    for _ in range(times):
        door.call("GET", path)
    return round(statistics.median(door.taken()), 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--guests", type=int, default=2_000)
    parser.add_argument("--doors", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"SALON_HOME": home, "DJANGO_SETTINGS_MODULE": "salon.web.settings"}
        house = House(home)
        try:
            house.settle()
            codes, tokens, pdf = fill(options.guests, options.doors)
            doors = [Door(house.port, token) for token in tokens]
            figures = {"guests": options.guests, "doors": options.doors, **one_door(doors[0], codes[:200])}
            figures |= {"peer_ms": pages(doors[0], "/station", 40), "pdf_ms": pages(doors[0], pdf, 20)}
            figures |= rush(doors, codes[200:600])
        except http.client.HTTPException as error:
            raise SystemExit(f"The house did not answer: {error}.") from error
        finally:
            house.close()
    print(json.dumps(figures) if options.json else "\n".join(f"{k:<20}{v}" for k, v in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
