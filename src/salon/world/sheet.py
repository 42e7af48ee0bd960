"""Contact sheets: a look at the world."""

import numpy as np
from PIL import Image

from salon.world.render import render
from salon.world.scene import Split, sample_scene


def sheet(first: int = 0, columns: int = 8, rows: int = 6, size: int = 128, split: Split = "any") -> Image.Image:
    """The scenes of the seeds from `first` on, side by side, in reading order."""
    pictures = [render(sample_scene(first + i, split), size) for i in range(columns * rows)]
    lines = [np.concatenate(pictures[row * columns : (row + 1) * columns], 1) for row in range(rows)]
    return Image.fromarray(np.concatenate(lines, 0))
