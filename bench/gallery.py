"""What the gallery and the walls cost: python bench/gallery.py [--json] [--works 10000] [--streams 300].

Fills a house of its own with works that hang (rows; they share a few picture files) and asks over real HTTP:
`gallery_p95_ms` of the gallery's first page, `middle_p95_ms` of one far down, `work_p95_ms` of single works;
`peer_ms`, the station's page in the same run, which counts no works. Then `streams` walls listen to one web process:
`web_rss_mb` before, with all of them after 5 seconds, and after 45 (four heartbeats); `told_all_ms` from hanging a
work to the last wall's hearing of it.
"""

import argparse
import asyncio
import http.client
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from station import House

PICTURES = 24


def fill(works: int) -> list[str]:
    """Rows of works that hang; their names, newest first."""
    import datetime

    import django

    django.setup()
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from django.utils import timezone
    from PIL import Image as Picture

    from salon.core.recipe import DiffusionOptions, Recipe
    from salon.web.events.domain import current_event
    from salon.web.gallery.models import Work
    from salon.web.station.models import Image

    event, now = current_event(), timezone.now()
    options = {"diffusion": DiffusionOptions(num_inference_steps=4, guidance_scale=1.0, sampler="euler")}
    recipes = [
        Recipe(model="latent", weights="0" * 64, prompt=f"a fox, number {i}", seed=i, stages=options)
        for i in range(works)
    ]
    files = []
    for i in range(PICTURES):
        file = io.BytesIO()
        Picture.effect_noise((256, 256), 40 + i).convert("RGB").save(file, "PNG")
        files.append(default_storage.save(f"bench/{i}.png", ContentFile(file.getvalue())))
    Image.objects.bulk_create(
        [Image(id=r.id, event=event, recipe_json=r.to_json(), width=256, height=256, file=files[i % PICTURES])
         for i, r in enumerate(recipes)], batch_size=1000,
    )  # fmt: skip
    made = Work.objects.bulk_create(
        [Work(event=event, image_id=r.id, visitor=f"{i % 500:032x}", title=f"Fox number {i}", maker="Bench",
              may_publish_prompt=True, state="hung", hung_at=now - datetime.timedelta(seconds=i))
         for i, r in enumerate(recipes)], batch_size=1000,
    )  # fmt: skip
    return [work.id for work in made]


def p95(house: House, paths: list[str]) -> float:
    times = []
    for path in paths:
        start = time.perf_counter()
        answer = house._call("GET", path)
        answer.read()
        assert answer.status == 200, path
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.quantiles(times, n=20)[-1], 1)


def web_process(house: House) -> int:
    for entry in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in entry.read_text().splitlines())
            if (
                int(lines["PPid"]) == house.process.pid
                and b"salon.web.serve" in (entry.parent / "cmdline").read_bytes()
            ):
                return int(entry.parent.name)
        except OSError:
            continue
    raise SystemExit("The web's process was not found.")


def rss_mb(process: int) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return round(int(lines["VmRSS"].split()[0]) * 1024 / 1e6, 1)


def hang_again(work: str) -> None:
    """Takes a work down and hangs it by the curator's own rules, and tells the walls as the page does."""
    code = (
        "import django, sys, msgspec, zmq; django.setup()\n"
        "from salon.web.gallery import topics; from salon.web.gallery.domain import curating\n"
        "from salon.web.line import to_desk_address; from salon.web.people.links import keeper\n"
        "person = keeper(); curating.decide(person, sys.argv[1], 'pulled'); curating.undo(person, sys.argv[1])\n"
        "work = curating.decide(person, sys.argv[1], 'approved')\n"
        "push = zmq.Context.instance().socket(zmq.PUSH); push.connect(to_desk_address())\n"
        "import time; print(time.time(), flush=True)\n"
        "push.send(msgspec.msgpack.encode(topics.changed(work))); push.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, work], capture_output=True, text=True, check=True)
    hang_again.at = float(done.stdout)  # type: ignore[attr-defined]


async def listen(port: int, ready: asyncio.Semaphore, heard: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /wall/updates HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    async for line in reader:
        if line.startswith(b"event: hello"):
            ready.release()
        if line.startswith(b"event: hung"):
            heard.append(time.time())
            break
    writer.close()


async def walls(house: House, count: int, work: str) -> tuple[list[float], float]:
    process, ready, heard = web_process(house), asyncio.Semaphore(0), []
    before = rss_mb(process)
    tasks = [asyncio.create_task(listen(house.port, ready, heard)) for i in range(count)]
    for _ in range(count):
        await ready.acquire()
    memory = [before]
    for wait in (5, 40):
        await asyncio.sleep(wait)  # heartbeats come meanwhile
        memory.append(rss_mb(process))
    await asyncio.to_thread(hang_again, work)
    await asyncio.wait_for(asyncio.gather(*tasks), 60)
    return memory, round((max(heard) - hang_again.at) * 1000, 1)  # type: ignore[attr-defined]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--works", type=int, default=10_000)
    parser.add_argument("--streams", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"SALON_HOME": home, "DJANGO_SETTINGS_MODULE": "salon.web.settings"}
        house = House(home)
        try:
            house.settle()
            names = fill(options.works)
            for path in ("/gallery", "/station"):
                house.get(path)
            middle = names[len(names) // 2 : len(names) // 2 + 60]
            figures = {
                "works": options.works,
                "gallery_p95_ms": p95(house, ["/gallery"] * 100),
                "middle_p95_ms": p95(house, [f"/gallery?after={name}" for name in middle]),
                "work_p95_ms": p95(house, [f"/works/{name}" for name in middle]),
                "peer_ms": p95(house, ["/station"] * 60),
                "streams": options.streams,
            }
            memory, told = asyncio.run(walls(house, options.streams, names[0]))
            figures |= {"web_rss_mb": memory, "told_all_ms": told}
        except http.client.HTTPException as error:
            raise SystemExit(f"The house did not answer: {error}.") from error
        finally:
            house.close()
    print(json.dumps(figures) if options.json else "\n".join(f"{k:<20}{v}" for k, v in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
