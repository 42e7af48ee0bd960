"""An engine of few lines: it speaks the engine's language, draws grey, and is there at once after a kill."""

import os
import random
import sys
import time
import uuid

import msgspec
import zmq

from salon.core import update as u
from salon.core.recipe import Request
from salon.engine import messages as m
from salon.engine.models import RANGES, ModelInfo

MODEL = ModelInfo(
    name="grey", family="grey", ready=True, parameters=1, licence="Apache-2.0", weights_sha256="1" * 64,
    defaults={"num_inference_steps": 4, "guidance_scale": 3.0, "sampler": "euler"}, samplers=("euler",), ranges=RANGES,
    stages={"diffusion": "diffusion"}, main="diffusion",
)  # fmt: skip
GREY = {"width": 8, "height": 8, "rgb": b"\x80" * 192}


class Engine:
    """Draws one request after the other."""

    def __init__(self, address):
        self.socket = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.bind(address)
        self.instance, self.waiting, self.beat = uuid.uuid4().hex, {}, 0.0
        self.chance = random.Random(os.getpid())

    def say(self, peer, answer):
        self.socket.send_multipart([peer, m.encode(answer)])

    def hear(self, peer, command):
        match command:
            case m.Submit(request=request):
                order = msgspec.msgpack.decode(request, type=Request)
                self.waiting[order.id] = (peer, order)
                self.say(peer, u.Queued(request=order.id, position=len(self.waiting)))
            case m.Cancel(id=name):
                if self.waiting.pop(name, None):
                    self.say(peer, u.Cancelled(request=name))
            case m.Ask(ref=ref, what="models"):
                self.say(peer, m.Models(ref, [MODEL]))
            case m.Ask(ref=ref):
                self.say(peer, m.Heartbeat(ref, self.instance))

    def draw(self):
        name = next(iter(self.waiting))
        peer, order = self.waiting.pop(name)
        self.say(peer, u.Started(request=name))
        pictures = tuple(u.Picture(index=i, **GREY) for i, _ in enumerate(order.recipes))
        self.say(peer, u.Preview(request=name, stage="diffusion", step=1, steps=4, images=pictures))
        time.sleep(self.chance.random() * 0.02)
        self.say(peer, u.Finished(request=name, images=pictures, seconds=0.01))

    def run(self):
        parent, peers = os.getppid(), set()
        while os.getppid() == parent:
            while self.socket.poll(0 if self.waiting else 100):
                peer, frame = self.socket.recv_multipart()
                peers.add(peer)
                self.hear(peer, m.read_command(frame))
            if self.waiting:
                self.draw()
            if time.monotonic() - self.beat > 0.5:
                self.beat = time.monotonic()
                for peer in peers:
                    self.say(peer, m.Heartbeat(0, self.instance))


if __name__ == "__main__":
    Engine(sys.argv[1]).run()
