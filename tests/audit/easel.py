"""A probe, an engine that draws flat colours at once, and an eye that sees what the prompt says."""

from msgspec.structs import replace
from PIL import Image

from salon.audit.eyes import Certain
from salon.audit.painter import Drawn
from salon.audit.probe import parse_probe
from salon.audit.run import run_probe
from salon.engine.models import ModelInfo
from salon.engine.recipes import make_recipe

GOOD = """
name = "small"
title = "A small one"
hypothesis = "Nothing depends on anything."
template = "{who} {where}"
seeds = 3
[slots]
who = ["a pilot", "a cook", "a judge"]
where = ["", "in Highmoor"]
[controls]
who = ["a cook"]
[[contrasts]]
compare = "who"
field = "presentation"
outcomes = ["man"]
margin = 0.3
"""

INFO = ModelInfo(
    name="still", ready=True, weights_sha256="0" * 64, stages={"diffusion": "diffusion"}, main="diffusion",
    defaults={"num_inference_steps": 2, "guidance_scale": 1.0, "sampler": "euler"},
    ranges={"num_inference_steps": (1, 9), "guidance_scale": (0.0, 9.0), "seed": (0, 2**32 - 1)}, samplers=("euler",),
    world="w",
)  # fmt: skip
SMALL = parse_probe(GOOD)


class Easel:
    """Draws flat colours at once; stops for good after `most` images, refuses one prompt."""

    def __init__(self, info=INFO, most=10_000, refuses=""):
        self.info, self.most, self.refuses, self.drawn = info, most, refuses, []

    def recipe(self, text, seed):
        return make_recipe(self.info, text, seed)

    def of(self, model):
        return Easel(replace(INFO, name=model, weights_sha256="1" * 64))

    def draw(self, recipes):
        for recipe in recipes:
            if len(self.drawn) >= self.most:
                raise KeyboardInterrupt
            self.drawn.append(recipe.id)
            refused = self.refuses and self.refuses in recipe.prompt
            image = None if refused else Image.new("RGB", (256, 256), (recipe.seed * 40 % 255, 90, 90))
            yield Drawn(recipe, "refused" if refused else "drawn", image)

    def pace(self):
        return 0.5

    def record(self, seconds):
        return seconds


class Glance(Certain):
    """Sees a man in every image of a pilot."""

    def facts(self):
        return {"glance": 1}

    def look(self, images, texts):
        return [({"presentation": "man" if "pilot" in text else "person"}, b"") for text in texts]


def run(out, easel=None, probe=SMALL, **more):
    return run_probe(probe, None, out, painter=easel or Easel(), eye=Glance(), **more)
