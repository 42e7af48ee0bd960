"""Brushes: strokes that follow what is painted, in layers from broad to fine, with the relief that paint leaves.

After Hertzmann 1998 ("Painterly rendering with curved brush strokes of multiple sizes"): broad strokes first, finer
ones only where the picture asks for them; and Litwinowicz 1997: strokes lie along edges, not across."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

Pixels = np.ndarray
Rng = np.random.Generator
#: a direction (radians) for every pixel: [S,S]
Field = np.ndarray

#: directions in which a stamp is kept
TURNS = 36


@lru_cache(maxsize=1024)
def stamp(length: int, width: int, turn: int) -> Image.Image:
    """The print of one brush: round ends, bristles along it, turned by `turn` of TURNS half circles. Mode L."""
    rng = np.random.default_rng(length * 1009 + width)
    fine = 3
    y, x = np.mgrid[0 : width * fine, 0 : length * fine] / fine + 0.5 / fine
    r = width / 2
    away = np.hypot(np.maximum(0, np.abs(x - length / 2) - (length / 2 - r)), y - r)
    body = np.clip((r - away) * 1.6, 0, 1)
    bristles = np.interp(y[:, 0], np.linspace(0, width, max(3, width)), rng.uniform(0.62, 1, max(3, width)))
    image = Image.fromarray((body * bristles[:, None] * 255).astype(np.uint8))
    image = image.rotate(-turn * 180 / TURNS, Image.Resampling.BILINEAR, expand=True)
    return image.resize((max(1, image.width // fine), max(1, image.height // fine)), Image.Resampling.BOX)


def along(pixels: Pixels, soft: float, default: Field, trust: float = 12.0) -> Field:
    """The direction along edges (structure tensor, smoothed over `soft` of the side); `default` where there are
    none. `trust` is how strong (grey levels) an edge must be to be followed."""
    side = len(pixels)
    light = ndimage.gaussian_filter(pixels.astype(np.float32).mean(-1), side * 0.008)
    gy, gx = ndimage.sobel(light, 0), ndimage.sobel(light, 1)
    xx, yy, xy = (ndimage.gaussian_filter(part, side * soft) for part in (gx * gx, gy * gy, gx * gy))
    edge = np.arctan2(2 * xy, xx - yy) / 2 + np.pi / 2
    share = np.clip(np.sqrt(xx + yy) / trust, 0, 1)
    # directions have no sign: they are blended by their doubled angle
    cos = share * np.cos(2 * edge) + (1 - share) * np.cos(2 * default)
    sin = share * np.sin(2 * edge) + (1 - share) * np.sin(2 * default)
    return np.arctan2(sin, cos) / 2


def detail(pixels: Pixels) -> np.ndarray:
    """How much there is to see at each pixel, as chances that sum to 1: [S*S]."""
    side = len(pixels)
    light = pixels.astype(np.float32)
    edge = sum(ndimage.gaussian_gradient_magnitude(light[..., c], side * 0.012) for c in range(3))
    chance = ndimage.gaussian_filter(np.minimum(edge, np.percentile(edge, 97)), side * 0.01) + 1e-3
    return (chance / chance.sum()).ravel()


@dataclass
class Canvas:
    """A painting in the making over `source`: its colours, and the height of its paint."""

    source: Pixels
    rng: Rng
    image: Image.Image = field(init=False)
    relief: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        self.side = len(self.source)
        self.image = Image.fromarray(self.source).filter(ImageFilter.GaussianBlur(self.side * 0.012))
        self.relief = Image.new("L", self.image.size, 128)

    def spots(self, number: int, chance: np.ndarray | None) -> np.ndarray:
        """Where strokes begin, [number, 2] of y, x: evenly spread at random, or where `chance` [S*S] says."""
        if chance is not None:
            places = self.rng.choice(len(chance), number, p=chance)
            return np.column_stack(np.divmod(places, self.side))
        columns = int(np.ceil(number**0.5))
        grid = np.stack(np.divmod(np.arange(columns**2), columns), 1) / columns
        order = self.rng.permutation(columns**2)[:number]
        return ((grid[order] + self.rng.uniform(0, 1 / columns, (number, 2))) * self.side).astype(int) % self.side

    def strokes(
        self,
        number: int,
        length: float,
        width: float,
        turn: Field,
        jitter: float = 0.0,
        chance: np.ndarray | None = None,
        colour: Callable[[np.ndarray, Rng], np.ndarray] | None = None,
        wander: float = 0.15,
    ) -> None:
        """`number` strokes, `length` and `width` in parts of the side, in the colours under them (`jitter` grey
        levels off, or as `colour` [N,3] makes of them), along `turn` (`wander` radians off)."""
        side, rng = self.side, self.rng
        long, wide = max(2, round(length * side)), max(1, round(width * side))
        blurred = np.asarray(Image.fromarray(self.source).filter(ImageFilter.GaussianBlur(width * side * 0.35)))
        spots = self.spots(number, chance)
        y, x = spots.T
        paint = blurred[y, x].astype(float)
        paint += rng.normal(0, jitter, (number, 1)) + rng.normal(0, jitter * 0.6, (number, 3))
        if colour is not None:
            paint = colour(paint, rng)
        paint = paint.clip(0, 255).astype(np.uint8)
        turns = np.round((turn[y, x] + rng.normal(0, wander, number)) / np.pi * TURNS).astype(int) % TURNS
        heights = rng.integers(70, 186, number)
        for row in range(number):
            mark = stamp(long, wide, int(turns[row]))
            corner = int(x[row]) - mark.width // 2, int(y[row]) - mark.height // 2
            self.image.paste(tuple(paint[row].tolist()), corner, mark)
            self.relief.paste(int(heights[row]), corner, mark)

    def done(self, thick: float) -> np.ndarray:
        """The painting as float [S,S,3], lit from the upper left; `thick` is how much the paint's relief shows."""
        height = ndimage.gaussian_filter(np.asarray(self.relief).astype(np.float32), self.side / 400)
        slope = ndimage.sobel(height, 0) + ndimage.sobel(height, 1)
        return np.asarray(self.image).astype(float) + (thick * np.clip(slope / 8, -24, 24))[..., None]
