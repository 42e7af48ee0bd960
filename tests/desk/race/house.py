"""`salon run` with the scripted engine: `house.py PORT [careless]`.

A prompt with the word MEET is forgotten by its visitor in the very moment in which its first file is there and no row
says so yet. `careless`: the desk as it was, which did not look at the rows again: the race's negative control."""

import os
import sys
import threading
from pathlib import Path

MEET = "meetforget"


def meeting(careless: bool) -> None:
    """Lets forgetting meet finishing."""
    from django.db import connection

    from salon.desk import store
    from salon.web import leftovers
    from salon.web.gallery.domain import proposing
    from salon.web.station.models import Request

    write = store._write

    def forget(image_id: str) -> None:
        for visitor in Request.objects.filter(drawings__image=image_id).values_list("visitor", flat=True):
            proposing.forget(visitor)
        connection.close()

    def written(image_id: str, data: bytes) -> str:
        name = write(image_id, data)
        if MEET.encode() in data and not connection.in_atomic_block:
            thread = threading.Thread(target=forget, args=(image_id,))
            thread.start()
            thread.join()
        return name

    store._write = written
    if careless:
        leftovers.discard = lambda names: 0
        leftovers.discard_later = lambda names: None


def main(port: int, careless: bool) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "salon.web.settings"
    import django

    django.setup()
    from django.conf import settings

    from salon.core.home import socket_address
    from salon.desk import child, house
    from salon.desk.engine_line import EngineLine

    child.LONGEST_WAIT = 0.2  # it is killed on purpose, and often
    words = [sys.executable, str(Path(__file__).with_name("scripted_engine.py"))]
    EngineLine.command = staticmethod(lambda: [*words, socket_address(settings.HOME, "engine")])
    meeting(careless)
    return house.open_house(port, "127.0.0.1", None)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), "careless" in sys.argv[2:]))
