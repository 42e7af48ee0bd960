# ruff: noqa: E402 (Django must stand before its models are imported)
"""Deeds against drawing: `racer.py ROUNDS SEED KILLS_OF_THE_DESK [careless]`, in the house of SALON_HOME. Prints what
it found as JSON; `wrong` holds a line for everything that is not as it must be."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "salon.web.settings"
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import django

django.setup()

import msgspec
import zmq
from django.core.files.storage import default_storage
from django.db import connection
from house import MEET
from scripted_engine import MODEL

from conftest import _child_of, free_port
from salon.core.errors import Conflict
from salon.core.hashing import bytes_hash
from salon.core.png import read_recipe
from salon.desk.house import prepare_database
from salon.web.events import demo, several
from salon.web.events.domain import current_event
from salon.web.gallery.domain import curating, proposing
from salon.web.line import Cancel, EngineState, Look, to_desk_address
from salon.web.people.links import keeper
from salon.web.station.domain import intake
from salon.web.station.models import Drawing, Image, Request

LONG = 180
ENGINE = EngineState("ready", models=(MODEL,))


class House:
    """The desk's process, and a line to it as web has one."""

    def __init__(self, careless):
        self.words = [sys.executable, str(HERE / "house.py"), str(free_port()), *(["careless"] if careless else [])]
        self.kills, self.process, self.push = Counter(), None, None
        self.open()

    def open(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "is open at" in line:
                break
        self.push = zmq.Context.instance().socket(zmq.PUSH)
        self.push.set(zmq.LINGER, 0)
        self.push.connect(to_desk_address())

    def tell(self, *messages):
        for message in messages:
            self.push.send(msgspec.msgpack.encode(message))

    def kill_engine(self):
        if pid := _child_of(self.process.pid, "scripted_engine"):
            os.kill(pid, signal.SIGKILL)
            self.kills["engine"] += 1

    def kill_desk(self):
        self.process.kill()
        self.process.wait(LONG)
        self.push.close()
        self.kills["desk"] += 1
        self.open()


class Race:
    def __init__(self, seed, careless):
        self.chance, self.house, self.wrong = random.Random(seed), House(careless), []
        self.person, self.pool = keeper(), ThreadPoolExecutor(3)
        self.visitors, self.asked, self.fates, self.removed, self.deeds = [], {}, {}, set(), Counter()

    # asking

    def ask(self, word="", again=None):
        """A request, of a new visitor or of one who was here; (request, visitor)."""
        old = self.visitors and self.chance.random() < 0.3
        visitor = self.chance.choice(self.visitors) if old else f"{self.chance.getrandbits(128):032x}"
        prompt = f"a secret{visitor} {word}".strip()
        wish = intake.Ask(image=again) if again else intake.Ask(
            prompt=prompt, seed=self.chance.randrange(4), count=self.chance.randint(1, 4)
        )  # fmt: skip
        request, _new = intake.submit(wish, visitor, ENGINE)
        if not old:
            self.visitors.append(visitor)
        self.asked[request.id], self.fates[request.id] = visitor, "kept"
        self.house.tell(Look())
        return request.id, visitor

    def fate(self, fate, *requests):
        for request in requests:
            self.fates[request] = fate

    def of(self, visitor):
        return [request for request, who in self.asked.items() if who == visitor]

    # deeds, each at some moment of the drawing

    def forget(self, request, visitor):
        self.visitors.remove(visitor)
        self.fate("forgotten", *self.of(visitor))
        self.later(lambda: self.house_hears(proposing.forget(visitor)[1]))

    def house_hears(self, stopped):
        self.moments.extend(Cancel(request=name) for name in stopped)

    def meet(self, request, visitor):
        """The house itself forgets this one, between its file and its row."""
        try:
            _request, visitor = self.ask(MEET)
        except Conflict:
            return
        self.visitors.remove(visitor)
        self.fate("met", *self.of(visitor))

    def cancel(self, request, visitor):
        self.fate("cancelled", request)
        self.later(lambda: intake.cancel(Request(id=request)) and self.moments.append(Cancel(request=request)))

    def erase(self, request, visitor):
        image = Drawing.objects.filter(request=request).values_list("image_id", flat=True).first()
        self.removed.add(image)

        def deed():
            try:
                curating.remove(self.person, image)
            except Conflict:  # forgotten meanwhile
                self.removed.discard(image)

        self.later(deed)

    def demo(self, request, visitor):
        demo.make(self.person)
        of_demo = [self.ask() for _ in range(3)]
        self.fate("removed", *[name for name, _ in of_demo])
        time.sleep(self.chance.random() * 0.05)
        if self.chance.random() < 0.5:
            self.house.kill_engine()
        demo.remove(self.person)

    def archive(self, request, visitor):
        event = several.archive(self.person, current_event())
        time.sleep(self.chance.random() * 0.03)
        several.unarchive(self.person, event)

    def again(self, request, visitor):
        image = Drawing.objects.filter(request=request).values_list("image_id", flat=True).first()
        if image and image not in self.removed:
            self.ask(again=image)

    def kill(self, request, visitor):
        self.house.kill_engine()

    def nothing(self, request, visitor):
        pass

    DEEDS = {"nothing": 28, "forget": 24, "cancel": 14, "meet": 6, "erase": 8, "again": 8, "kill": 5, "demo": 1,
             "archive": 4}  # fmt: skip

    def later(self, deed):
        pause = self.chance.random() * 0.06

        def do():
            time.sleep(pause)
            try:
                deed()
            finally:
                connection.close()

        self.pending.append(self.pool.submit(do))

    def run(self, rounds, kills_of_the_desk):
        self.moments, self.pending = [], []
        blows = {round((i + 1) * rounds / (kills_of_the_desk + 1)) for i in range(kills_of_the_desk)}
        for number in range(rounds):
            if number in blows:
                self.house.kill_desk()
            request, visitor = self.ask()
            time.sleep(self.chance.random() * 0.03)
            # the first rounds do everything once
            names = list(self.DEEDS)
            deed = names[number] if number < len(names) else self.chance.choices(names, self.DEEDS.values())[0]
            self.deeds[deed] += 1
            if deed in ("demo", "archive", "again"):
                self.settle()  # what they do to whom must be known
            getattr(self, deed)(request, visitor)
            self.hear()
            if self.house.process.poll() is not None:
                self.wrong.append(f"the house closed by itself in round {number}")
                return
        self.settle()
        self.wait()
        self.check()

    def settle(self):
        """All deeds are done."""
        for future in self.pending:
            future.result(LONG)
        self.pending.clear()
        self.hear()

    def hear(self):
        while self.moments:
            self.house.tell(self.moments.pop())

    def wait(self):
        end = time.monotonic() + LONG
        while Request.objects.filter(state__in=Request.OPEN).exists():
            if time.monotonic() > end or self.house.process.poll() is not None:
                rest = list(Request.objects.filter(state__in=Request.OPEN).values_list("id", "state", "attempts"))
                self.wrong.append(f"these never ended: {rest[:5]}")
                return
            time.sleep(0.1)

    # what must be

    def check(self):
        self.house.process.send_signal(signal.SIGTERM)
        code = self.house.process.wait(LONG)
        if code != 0:
            self.wrong.append(f"closed on purpose, the house ended with {code}")
        for request, fate in self.fates.items():
            getattr(self, f"check_{fate}")(request, Request.objects.filter(id=request).first())
        self.check_rows()
        self.check_files()

    def check_kept(self, request, row):
        if row is None:
            self.wrong.append(f"{request} was lost")
        elif row.state == "failed" and row.attempts >= 3:
            self.deeds["given up"] += 1
        elif row.state != "finished":
            self.wrong.append(f"{request} is {row.state}: {row.why}")
        else:
            for drawing in row.drawings.select_related("image"):
                self.check_image(drawing.image)

    def check_image(self, image):
        if image.id in self.removed:
            return
        if not image.present:
            self.wrong.append(f"the file of {image.id} is missing")
            return
        with default_storage.open(image.file) as file:
            data = file.read()
        if bytes_hash(data) != image.sha256 or read_recipe(data).id != image.id:
            self.wrong.append(f"the file of {image.id} is another's")

    def check_cancelled(self, request, row):
        if row is None or row.state not in ("cancelled", "finished"):
            self.wrong.append(f"{request} was cancelled and is {row and row.state}")

    def check_forgotten(self, request, row):
        if row and (row.visitor == self.asked[request] or row.drawings.exists()):  # None: it went with a demo event
            self.wrong.append(f"{request} was not forgotten")

    def check_met(self, request, row):
        self.check_forgotten(request, row)

    def check_removed(self, request, row):
        if row is not None:
            self.wrong.append(f"{request} of the demo event is still there")

    def check_rows(self):
        for image in Image.objects.filter(drawings=None).exclude(withheld="house"):
            self.wrong.append(f"nobody has the image {image.id}")
        for image in self.removed:
            row = Image.objects.filter(id=image).first()
            if row and (row.withheld != "house" or row.file):
                self.wrong.append(f"{image} was taken down and is back")

    def check_files(self):
        named = set(Image.objects.exclude(file="").values_list("file", flat=True))
        root = Path(default_storage.location)
        for path in root.rglob("*"):
            name = str(path.relative_to(root))
            if path.is_file() and len(path.parent.name) == 2 and name not in named:
                self.wrong.append(f"no row names the file {name}")


def main():
    rounds, seed, kills = map(int, sys.argv[1:4])
    prepare_database()
    race = Race(seed, "careless" in sys.argv)
    began = time.monotonic()
    try:
        race.run(rounds, kills)
    finally:
        race.house.process.kill()
    found = {"asked": len(race.asked), "deeds": race.deeds, "kills": race.house.kills, "wrong": race.wrong}
    print(json.dumps({**found, "seconds": round(time.monotonic() - began)}))


if __name__ == "__main__":
    main()
