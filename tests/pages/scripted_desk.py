# ruff: noqa: E402 (Django must stand before its models are imported)
"""A desk whose engine is a script: real rows, real line, real files; only the pictures are drawn by numpy.

Pages are tested against it because it can be told, by words in the prompt, to be slow, to fail or to say nothing.
"""

import asyncio
import os
import re
import sys
import time
from pathlib import Path

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

DIFFUSION = {"num_inference_steps": 6, "guidance_scale": 3.0, "sampler": "euler"}
TOKEN_RANGES = {"temperature": (0.0, 10.0), "top_k": (0, 512), "top_p": (0.001, 1.0)}
TOKENS = {"guidance_scale": 3.0, "temperature": 1.0, "top_k": 0, "top_p": 1.0}


def model(name: str, main: str, **stages: str) -> ModelInfo:
    others = {stage: DIFFUSION for stage, kind in stages.items() if stage != main and kind in ("diffusion", "prior")}
    return ModelInfo(
        name=name, family=name, ready=True, parameters=1, licence="Apache-2.0", weights_sha256="1" * 64,
        defaults=TOKENS if stages.get(main) == "tokens" else DIFFUSION if stages else {},
        samplers=("euler", "heun"), ranges=RANGES | TOKEN_RANGES,
        stages=stages, main=main, stage_defaults=others,
    )  # fmt: skip


MODELS = (
    model("latent", "diffusion", diffusion="diffusion"),
    model("cascade", "base", base="diffusion", super_resolution="diffusion"),
    model("clip", ""),
    model("unclip", "decoder", prior="prior", decoder="diffusion", super_resolution="diffusion"),
    model("vq", "tokens", tokens="tokens", upscale="plain"),
)
STEPS = 6
#: of one code after the other
CODES = 16
PAUSE = 0.12
#: names of models that this file lists are damaged; tests write it
DAMAGED = Path(os.environ["SALON_HOME"]) / "damaged"


def ready() -> EngineState:
    names = DAMAGED.read_text().split() if DAMAGED.exists() else []
    broken = {
        name: ModelInfo(name=name, problem=f"{name}/model.json is torn. Put the original back.") for name in names
    }
    return EngineState("ready", models=tuple(broken.get(m.name, m) for m in MODELS))


def walk(name: str) -> list[tuple[str, int, int]]:
    """(stage, step, steps) of all that is seen of a model's drawing."""
    stages = next(m.stages for m in MODELS if m.name == name)
    steps = {"tokens": CODES, "plain": 0}
    lengths = [(stage, steps.get(kind, STEPS)) for stage, kind in stages.items()]
    return [(stage, step, length) for stage, length in lengths for step in range(1, length + 1)]


def fails(prompt: str, name: str) -> bool:
    """ "this fails": every model; "vq fails": that one."""
    named = re.search(rf"\b({'|'.join(m.name for m in MODELS)}) fails", prompt)
    return named[1] == name if named else "fails" in prompt


def salt(name: str) -> int:
    """Each model has bands of its own for a seed."""
    return 0 if name == "latent" else 1 + [m.name for m in MODELS].index(name)


def picture(seed: list[int], index: int, side: int, noise: float) -> Picture:
    """Coloured bands that the numbers of `seed` choose, under `noise` (1: nothing else)."""
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
        prompt, name = order.recipes[0].prompt, order.recipes[0].model
        pause = PAUSE * (8 if "slow" in prompt else 1)
        path = walk(name)
        store.mark_started(order.id)
        await self.say(order.id, "started", {})
        for turn, (stage, step, steps) in enumerate(path, 1):
            await asyncio.sleep(pause * STEPS / len(path))
            if order.id in store.unwanted_among([order.id]):
                return await self.end(order.id)
            if fails(prompt, name) and turn == 3:
                store.mark_ended(order.id, "failed", "error", "The canvas tore.")
                return await self.end(order.id)
            images = [
                {"index": i, "src": webp_url(picture([recipe.seed, salt(recipe.model)], i, 64, 1 - turn / len(path)))}
                for i, recipe in enumerate(order.recipes)
                if stage != "prior"
            ]
            await self.say(order.id, "preview", {"stage": stage, "step": step, "steps": steps, "images": images})
        began = time.monotonic()
        files = [(r.id, png_file(picture([r.seed, salt(r.model)], i, 256, 0), r)) for i, r in enumerate(order.recipes)]
        withheld = [files.pop(1)[0]] if "hidden" in prompt else []
        scores = {name: 0.1 + 0.8 / (abs(i - 4) + 2) for i, (name, _) in enumerate(files)} if "clip" in prompt else {}
        store.keep(order.id, files, withheld, round(time.monotonic() - began + STEPS * pause, 2), scores)
        await self.end(order.id)

    async def end(self, request: str) -> None:
        event = store.present(request)
        await self.say(request, event.tag, event.data)

    async def run(self) -> None:
        tasks = set()
        print("ready", flush=True)
        while True:
            await self.say(HOUSE.decode(), "house", ready())
            if await self.pull.poll(300):
                message = msgspec.msgpack.decode(await self.pull.recv(), type=ToDesk)
                if isinstance(message, Say):
                    await self.say(message.topic, message.event, message.data)
            for order in store.waiting_orders(self.known, 10).orders:
                self.known.add(order.id)
                tasks.add(asyncio.create_task(self.draw(order)))


if __name__ == "__main__":
    try:
        asyncio.run(Desk().run())
    except KeyboardInterrupt:
        sys.exit(0)
