"""A smaller rush than bench/rush.py, on a server as in life: whatever the machine's mood, no answer is an error, as
many places are given out as there are, and nobody has two. How fast it is the bench says."""

import asyncio
import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PEOPLE, PLACES, SECONDS = 300, 120, 4


def test_a_rush_is_served_whole(server):
    spec = importlib.util.spec_from_file_location("rush", Path(__file__).parents[2] / "bench" / "rush.py")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    server.open(PLACES)
    told = asyncio.run(bench.rush(server, PEOPLE, SECONDS, assets=False))
    count = server.count()
    assert told.errors == []
    assert count == {"states": {"booked": PLACES, "waiting": PEOPLE - PLACES}, "guests": PEOPLE, "rows": PEOPLE}
