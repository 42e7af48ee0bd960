"""The rush: python bench/rush.py [--json] [--people N] [--seconds S] [--places N] [--assets].

Opens a house of its own (SQLite, one web process as in life) with one pool, and lets `people` come within `seconds`, at
random moments: each opens the page, reads for a moment, sends the form, follows to the place's own page and confirms,
over a connection of its own. `--assets`: each also loads the page's styles, scripts and fonts, as a new browser does.
Figures: answers other than expected (`errors`), `p50_ms`, `p95_ms` and `worst_ms` of opening and of submitting, whether
exactly `places` were given out (`exact`), the seconds that the server computed (`server_cpu_s`), how much later than
planned the crowd itself came (`late_p95_ms`: if that is large, this machine was too busy for the figures to mean much).
"""

import argparse
import asyncio
import json
import os
import random
import re
import sys
import tempfile
from pathlib import Path
from statistics import quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "rush"))
from crowd import Answer, Server, ask, form

READING = (0.5, 3.0)
ASSET = re.compile(rb'(?:href|src)="(/static/[^"]+)"')


class Told(dict[str, list[float]]):
    """Seconds by kind of request, and what went wrong."""

    def __init__(self) -> None:
        super().__init__(open=[], submit=[], place=[], confirm=[], asset=[], late=[])
        self.errors: list[str] = []

    def note(self, kind: str, answer: Answer, *expected: int) -> Answer:
        self[kind].append(answer.seconds)
        if answer.status not in expected:
            self.errors.append(f"{kind}: {answer.status}")
        return answer


async def person(server: Server, number: int, at: float, told: Told, assets: bool) -> None:
    """Comes at `at`, reads, writes, sends, confirms if something is held."""
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(max(0.0, at - clock()))
    told["late"].append(clock() - at)
    chance = random.Random(number)
    try:
        page = told.note("open", await ask(server.port, "GET", f"/places/{server.pool}"), 200)
        if assets:
            for path in sorted(set(ASSET.findall(page.body))):
                told.note("asset", await ask(server.port, "GET", path.decode()), 200)
        key = re.search(rb'name="key" value="([0-9a-f]{32})"', page.body)
        await asyncio.sleep(chance.uniform(*READING))
        written = form(number) | ({"key": key[1].decode()} if key else {})
        sent = told.note("submit", await ask(server.port, "POST", f"/places/{server.pool}", written), 302)
        own = told.note("place", await ask(server.port, "GET", sent.location), 200)
        if b'value="confirm"' in own.body:
            told.note("confirm", await ask(server.port, "POST", sent.location, {"deed": "confirm"}), 302)
    except (OSError, TimeoutError, ValueError, IndexError) as error:
        told.errors.append(f"{type(error).__name__}: {error}")


async def rush(server: Server, people: int, seconds: float, assets: bool) -> Told:
    told, chance = Told(), random.Random(20261125)
    begin = asyncio.get_running_loop().time() + 1
    moments = [begin + chance.uniform(0, seconds) for _ in range(people)]
    await asyncio.gather(*(person(server, number, at, told, assets) for number, at in enumerate(moments)))
    return told


def figures(told: Told, server: Server, people: int, places: int, cpu: float) -> dict[str, Any]:
    found: dict[str, Any] = {"people": people, "places": places, "errors": len(told.errors)}
    for kind, seconds in told.items():
        if len(seconds) > 1:
            cuts = quantiles(seconds, n=100, method="inclusive")
            found[f"{kind}_p50_ms"], found[f"{kind}_p95_ms"] = (round(1000 * cuts[at]) for at in (49, 94))
            found[f"{kind}_worst_ms"] = round(1000 * max(seconds))
    count = server.count()
    taken = min(places, people)
    expected = {name: n for name, n in (("booked", taken), ("waiting", people - taken)) if n}
    found |= {"states": count["states"], "exact": count["states"] == expected and count["guests"] == people}
    found["server_cpu_s"] = round(cpu, 1)
    found["said"] = sorted(set(told.errors))[:5]
    return found


def cpu_of(process_id: int) -> float:
    """Seconds that a process has computed."""
    stat = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--places", type=int, default=500)
    parser.add_argument("--assets", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.open(options.places)
        try:
            before = cpu_of(server.process.pid)
            told = asyncio.run(rush(server, options.people, options.seconds, options.assets))
            cpu = cpu_of(server.process.pid) - before
            found = figures(told, server, options.people, options.places, cpu)
        finally:
            server.close()
    print(json.dumps(found) if options.json else "\n".join(f"{name:18} {value}" for name, value in found.items()))
    return 0 if found["exact"] and not found["errors"] else 1


if __name__ == "__main__":
    sys.exit(main())
