"""What a picture costs by stage, in processor time: the table of src/salon/web/station/domain/pricing.py.

    taskset -c 0 python scripts/prices.py

Processor time, not the clock: it says nearly the same on a machine that has other work.
"""

import itertools
import time

from salon.core.recipe import Request
from salon.engine.client import LocalEngine
from salon.engine.recipes import make_recipe

PICTURES, TURNS = 9, 3
#: model, stage, two numbers of steps, passes a step
STEPS = (
    ("latent", "diffusion", (4, 16), 2),
    ("cascade", "base", (4, 16), 2),
    ("cascade", "super_resolution", (2, 8), 1),
    ("unclip", "decoder", (4, 16), 2),
    ("unclip", "prior", (2, 22), 2),
)
engine, names = LocalEngine(), itertools.count()
models = {model.name: model for model in engine.models()}


def took(name: str, **options: object) -> float:
    """Milliseconds of processor time a picture: the least of TURNS."""
    least = float("inf")
    for _turn in range(TURNS):
        stages = {stage: {"num_inference_steps": steps} for stage, steps in options.items()}
        recipes = tuple(make_recipe(models[name], "a red fox", seed, stages=stages) for seed in range(PICTURES))
        began = time.process_time()
        engine.submit(Request(id=str(next(names)), visitor="bench", recipes=recipes))
        for _update in engine.updates():
            pass
        least = min(least, time.process_time() - began)
    return least * 1000 / PICTURES


if __name__ == "__main__":
    for name, stage, (few, many), passes in STEPS:
        a_pass = (took(name, **{stage: many}) - took(name, **{stage: few})) / (many - few) / passes
        print(f"{name:12} {stage:18} {a_pass:6.1f} ms a pass")
    for name in ("latent-fast", "latent", "vq", "cascade", "unclip"):
        print(f"{name:12} {'all, as it is':18} {took(name):6.1f} ms")
