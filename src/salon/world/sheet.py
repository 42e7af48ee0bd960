"""Contact sheets: a look at the world."""

import numpy as np
from PIL import Image

from salon.world.flaws import sample_flawed
from salon.world.render import render
from salon.world.scene import Split, sample_scene


def sheet(first: int = 0, columns: int = 8, rows: int = 6, size: int = 128, split: Split = "any",
          flawed: bool = False) -> Image.Image:  # fmt: skip
    """The scenes of the seeds from `first` on, side by side, in reading order; of the flawed world if asked."""
    seeds = range(first, first + columns * rows)
    scenes = (sample_flawed(seed)[0] if flawed else sample_scene(seed, split) for seed in seeds)
    pictures = [render(scene, size) for scene in scenes]
    lines = [np.concatenate(pictures[row * columns : (row + 1) * columns], 1) for row in range(rows)]
    return Image.fromarray(np.concatenate(lines, 0))
