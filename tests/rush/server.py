"""`python server.py PORT [crowded] [unlocked]`: the real web server.

`crowded`: several deeds at a time instead of a line, and when the last places go a pause between counting what is free
and writing it down, so that whatever can go wrong between the two does. `unlocked`: without the lock, for negative
controls only.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.web.settings")
import uvicorn

from salon.web.asgi import application

#: many more writers starve each other on SQLite, whose lock knows no line
WIDTH, LAST, PAUSE = 4, 3, 0.2


def crowd() -> None:
    from salon.web import asgi
    from salon.web.seats import lanes
    from salon.web.seats.domain import places

    def open_lanes():
        lanes._lanes.update({name: ThreadPoolExecutor(WIDTH, name) for name in ("deeds", "pages")})

    counted = places.room

    def slowly(*arguments, **more):
        found = counted(*arguments, **more)
        if 0 < found <= LAST:
            time.sleep(PAUSE)
        return found

    asgi.open_lanes, places.room = open_lanes, slowly


def unlock() -> None:
    from salon.web.seats.domain import locking

    @contextmanager
    def open_door(*pool_ids):
        yield locking.families(pool_ids)

    locking.locked = open_door


if "crowded" in sys.argv:
    crowd()
if "unlocked" in sys.argv:
    unlock()
uvicorn.run(application, port=int(sys.argv[1]), log_level="warning", access_log=False, timeout_graceful_shutdown=2)
