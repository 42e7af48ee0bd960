"""What the world looks like and says today, coarsely: `python tests/world/pin.py` writes pinned.json anew.

Do so only together with a new VERSION or RENDER: a model was taught the world as it was.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from salon.world import vocabulary as words
from salon.world.captions import captions
from salon.world.render import render
from salon.world.scene import Scene, sample_scene

FILE = Path(__file__).with_name("pinned.json")
KINDS = ("single", "count", "pair", "landscape", "person")


def pinned_scenes() -> dict[str, Scene]:
    """Every kind thrice, every landscape and every style."""
    scenes = {f"{kind} {seed}": sample_scene(seed, "train", {kind: 1.0}) for kind in KINDS for seed in range(3)}
    scenes |= {f"land {p}": Scene(seed=7, kind="landscape", place=p, light="sunset") for p in words.LANDSCAPES}
    return scenes | {f"in {s}": Scene(seed=8, kind="landscape", place="lake", style=s) for s in words.STYLES}


def means(scene: Scene) -> np.ndarray:
    """Mean colours of an 8x8 grid, int [8, 8, 3]: what another version of Pillow or resvg leaves as it is."""
    return np.asarray(Image.fromarray(render(scene, 64)).resize((8, 8), Image.Resampling.BOX)).astype(int)


def facts(scene: Scene) -> dict:
    return {"means": means(scene).astype(np.uint8).tobytes().hex(), "captions": captions(scene, 2)}


if __name__ == "__main__":
    FILE.write_text(json.dumps({name: facts(scene) for name, scene in pinned_scenes().items()}, indent=1) + "\n")
