"""The vendored art of the world: SVG bodies by noun and hand, rendered at any size."""

import io
import json
import lzma
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from salon.core.errors import WorldError

FILE = Path(__file__).with_name("sprites.jsonl.xz")
#: Sprites are rendered at these sides and scaled down from the next larger one.
SIDES = (96, 256, 1024)


@dataclass(frozen=True)
class Sprite:
    """One drawing: `key` is (noun, hand) or (occupation, presentation, tone)."""

    key: tuple[str, ...]
    icon: str
    svg: str


def _sprite(row: dict) -> Sprite:
    key = (row["noun"], row["hand"]) if "noun" in row else (row["occupation"], row["presentation"], row["tone"])
    width, height = row["size"]
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return Sprite(key, f"{row['set']}:{row['icon']}", f'{head} viewBox="0 0 {width} {height}">{row["body"]}</svg>')


@cache
def sprites() -> dict[tuple[str, ...], Sprite]:
    """All sprites by key. Raises WorldError if the vendored file is missing or damaged."""
    try:
        lines = lzma.decompress(FILE.read_bytes()).decode().splitlines()
        return {sprite.key: sprite for sprite in map(_sprite, map(json.loads, lines))}
    except (OSError, lzma.LZMAError, ValueError, KeyError) as error:
        hint = "Restore it from the repository, or run scripts/vendor_sprites.py."
        raise WorldError(f"The world's sprites cannot be read: {error}.", hint) from error


@lru_cache(maxsize=4096)
def _rendered(key: tuple[str, ...], side: int) -> Image.Image:
    found = sprites().get(key)
    if found is None:
        raise WorldError(f"The world has no drawing of {' '.join(key)}.", "See `salon world words`.")
    data = resvg_py.svg_to_bytes(svg_string=found.svg, width=side, height=side, skip_system_fonts=True)
    drawn = Image.open(io.BytesIO(bytes(data))).convert("RGBA")
    canvas = Image.new("RGBA", (side, side))
    canvas.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
    return canvas


@lru_cache(maxsize=4096)
def _cropped(key: tuple[str, ...], side: int) -> Image.Image:
    """The sprite without its empty margin, the longer side scaled to `side` exactly when drawn."""
    image = _rendered(key, side)
    box = image.getchannel("A").point(lambda alpha: 255 * (alpha > 8)).getbbox()
    return image.crop(box) if box else image


def draw(key: tuple[str, ...], side: int, tint: tuple[int, int, int] | None = None, flip: bool = False) -> Image.Image:
    """RGBA image whose longer side is `side` pixels; repainted in `tint` if given. Raises WorldError."""
    base = next((size for size in SIDES if size >= side), SIDES[-1])
    image = _cropped(key, base)
    scale = side / max(image.size)
    size = tuple(max(1, round(length * scale)) for length in image.size)
    # Premultiplied scaling: no dark fringe where the sprite ends.
    image = image.convert("RGBa").resize(size, Image.Resampling.LANCZOS if scale > 0.5 else Image.Resampling.BOX)
    image = image.convert("RGBA")
    if tint is not None:
        image = repaint(image, tint)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else image


def repaint(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """The drawing in shades of one colour: its light and dark kept, its hues replaced."""
    pixels = np.asarray(image).astype(np.float32)
    light = pixels[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    seen = pixels[..., 3] > 64
    if seen.any():
        low, high = np.percentile(light[seen], (2, 98))
        light = np.clip((light - low) / max(high - low, 0.15), 0, 1)
        # Half of the drawing stays darker than the pure colour: a pale tulip becomes a yellow one, not a white one.
        light **= np.clip(np.log(0.55) / np.log(np.clip(np.median(light[seen]), 0.05, 0.95)), 0.4, 2.5)
    dark, mid, pale = np.array(colour) * 0.35, np.array(colour, float), np.array(colour) * 0.35 + 255 * 0.65
    ramp = [np.interp(light, (0, 0.6, 1), (dark[c], mid[c], pale[c])) for c in range(3)]
    return Image.fromarray(np.dstack([*ramp, pixels[..., 3]]).round().astype(np.uint8), "RGBA")


def credits() -> Iterable[str]:
    """The icons in use, `set:icon`, sorted."""
    return sorted({sprite.icon for sprite in sprites().values()})
