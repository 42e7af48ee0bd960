# ruff: noqa: E402 (Django must stand before its models are imported)
"""A desk whose engine is a script: real rows, real line, real files; only the pictures are drawn by numpy.

Pages are tested against it because it can be told, by words in the prompt, to be slow, to fail or to say nothing.
"""

import asyncio
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.web.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # one coroutine, one connection: nothing to be unsafe about

import django

django.setup()

import msgspec
import numpy as np
import zmq
import zmq.asyncio

from salon.core.recipe import Request
from salon.core.update import Picture
from salon.desk import store
from salon.desk.pictures import png_file, webp_url
from salon.engine.models import RANGES, ModelInfo
from salon.web.line import HOUSE, EngineState, Say, ToDesk, from_desk_address, to_desk_address

READY = EngineState(
    state="ready",
    models=(
        ModelInfo(
            name="latent",
            family="latent",
            ready=True,
            parameters=1,
            licence="Apache-2.0",
            weights_sha256="1" * 64,
            defaults={"num_inference_steps": 6, "guidance_scale": 3.0, "sampler": "euler"},
            samplers=("euler", "heun"),
            ranges=RANGES,
            stages={"diffusion": "diffusion"},
        ),
    ),
)
STEPS = 6
PAUSE = 0.12


def picture(seed: int, index: int, side: int, noise: float) -> Picture:
    """Coloured bands that the seed chooses, under `noise` (1: nothing else)."""
    rng = np.random.default_rng(seed)
    bands = np.kron(rng.integers(30, 230, (4, 4, 3)), np.ones((side // 4, side // 4, 1)))
    grain = rng.normal(128, 60, (side, side, 3))
    rgb = np.clip(bands * (1 - noise) + grain * noise, 0, 255).astype(np.uint8)
    return Picture(index=index, width=side, height=side, rgb=rgb.tobytes())


class Desk:
    def __init__(self) -> None:
        context = zmq.asyncio.Context.instance()
        self.pull = context.socket(zmq.PULL)
        self.pull.bind(to_desk_address())
        self.pub = context.socket(zmq.PUB)
        self.pub.bind(from_desk_address())
        self.known: set[str] = set()

    async def say(self, topic: str, tag: str, data: object) -> None:
        body = data if isinstance(data, bytes) else msgspec.json.encode(data)
        await self.pub.send_multipart([topic.encode(), tag.encode(), body])

    async def draw(self, order: Request) -> None:
        prompt = order.recipes[0].prompt
        pause = PAUSE * (8 if "slow" in prompt else 1)
        store.mark_started(order.id)
        await self.say(order.id, "started", {})
        for step in range(1, STEPS + 1):
            await asyncio.sleep(pause)
            if order.id in store.cancelled_among([order.id]):
                return await self.end(order.id)
            if "fails" in prompt and step == 3:
                store.mark_ended(order.id, "failed", "error", "The canvas tore.")
                return await self.end(order.id)
            images = [
                {"index": i, "src": webp_url(picture(recipe.seed, i, 64, 1 - step / STEPS))}
                for i, recipe in enumerate(order.recipes)
            ]
            await self.say(order.id, "preview", {"stage": "base", "step": step, "steps": STEPS, "images": images})
        began = time.monotonic()
        files = [(r.id, png_file(picture(r.seed, i, 256, 0), r)) for i, r in enumerate(order.recipes)]
        withheld = [files.pop(1)[0]] if "hidden" in prompt else []
        store.keep(order.id, files, withheld, round(time.monotonic() - began + STEPS * pause, 2))
        await self.end(order.id)

    async def end(self, request: str) -> None:
        event = store.present(request)
        assert event is not None
        await self.say(request, event.tag, event.data)

    async def run(self) -> None:
        tasks = set()
        print("ready", flush=True)
        while True:
            await self.say(HOUSE.decode(), "house", READY)
            if await self.pull.poll(300):
                message = msgspec.msgpack.decode(await self.pull.recv(), type=ToDesk)
                if isinstance(message, Say):
                    await self.say(message.topic, message.event, message.data)
            for order in store.waiting_orders(self.known, 10):
                self.known.add(order.id)
                tasks.add(asyncio.create_task(self.draw(order)))


if __name__ == "__main__":
    try:
        asyncio.run(Desk().run())
    except KeyboardInterrupt:
        sys.exit(0)
