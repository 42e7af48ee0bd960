"""Drawing styles: filters from a rendered scene to a painting of it. uint8 [S,S,3] in and out, at any S."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage
from scipy.spatial import cKDTree

Pixels = np.ndarray
Rng = np.random.Generator


def _clip(pixels: np.ndarray) -> Pixels:
    return pixels.clip(0, 255).astype(np.uint8)


def _kuwahara(pixels: Pixels, radius: int) -> Pixels:
    """Each pixel takes the mean of the calmest of four windows beside it (Kuwahara 1976): flat strokes, crisp edges."""
    source = pixels.astype(np.float32)
    light = source.mean(-1)
    size = radius + 1
    mean = ndimage.uniform_filter(source, (size, size, 0))
    spread = ndimage.uniform_filter(light * light, size) - ndimage.uniform_filter(light, size) ** 2
    half = radius // 2 + 1
    best, out = None, source
    for dy in (-half, half):
        for dx in (-half, half):
            spread_here = np.roll(spread, (dy, dx), (0, 1))
            mean_here = np.roll(mean, (dy, dx), (0, 1))
            if best is None:
                best, out = spread_here, mean_here
            else:
                calmer = spread_here < best
                best, out = np.where(calmer, spread_here, best), np.where(calmer[..., None], mean_here, out)
    return _clip(out)


def _strokes(
    pixels: Pixels, rng: Rng, number: int, length: float, width: float, angle: Callable, jitter: float
) -> Pixels:
    """Paint `number` short strokes in the colours under them; lengths in parts of the side."""
    side = pixels.shape[0]
    image = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(side * 0.008))
    source, pen = np.asarray(image).astype(float), ImageDraw.Draw(image)
    spots = rng.uniform(0, side, (number, 2))
    for x, y in spots:
        colour = source[int(y), int(x)] + rng.normal(0, jitter) + rng.normal(0, jitter * 0.7, 3)
        turn = angle(x / side, y / side, rng)
        dx, dy = np.cos(turn) * length * side / 2, np.sin(turn) * length * side / 2
        ends = [(x - dx, y - dy), (x + dx, y + dy)]
        pen.line(ends, fill=tuple(_clip(colour).tolist()), width=max(1, round(width * side)))
    return np.asarray(image)


def oil(pixels: Pixels, rng: Rng) -> Pixels:
    """Broad flat strokes under a warm varnish, a little dark at the rim."""
    side = pixels.shape[0]
    flat = _kuwahara(_kuwahara(pixels, max(2, side // 40)), max(2, side // 40)).astype(float)
    grain = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), (side / 180, side / 40))
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    rim = 1 - 0.28 * np.clip(x * x + y * y - 0.5, 0, 1.5)
    varnish = np.array((1.0, 0.93, 0.78))
    return _clip((flat * varnish + grain[..., None] / grain.std() * 6) * rim[..., None])


def impressionist(pixels: Pixels, rng: Rng) -> Pixels:
    """Short broken dabs of bright, wavering colour."""
    source = Image.fromarray(pixels).convert("HSV")
    hsv = np.asarray(source).astype(int)
    hsv[..., 1] = (hsv[..., 1] * 1.15).clip(0, 255)
    bright = np.asarray(Image.fromarray(hsv.astype(np.uint8), "HSV").convert("RGB"))
    return _strokes(bright, rng, 1500, 0.062, 0.02, lambda x, y, r: r.normal(0.2, 0.35) + 0.5 * np.sin(6 * x), 15)


def pointillist(pixels: Pixels, rng: Rng) -> Pixels:
    """Dots of pure colour on a pale ground."""
    side = pixels.shape[0]
    source = pixels.astype(float)
    image = Image.fromarray(_clip(source * 0.55 + 110))
    pen = ImageDraw.Draw(image)
    step = 1 / 34
    for gy in np.arange(step / 2, 1, step):
        for gx in np.arange(step / 2, 1, step):
            spot = np.array((gx, gy)) + rng.normal(0, step * 0.16, 2)
            x, y = spot.clip(0, 0.999) * side
            colour = source[int(y), int(x)]
            colour = colour.mean() + (colour - colour.mean()) * 1.35 + rng.normal(0, 16, 3)
            r = side * step * 0.46
            pen.ellipse([x - r, y - r, x + r, y + r], fill=tuple(_clip(colour).tolist()))
    return np.asarray(image)


def watercolour(pixels: Pixels, rng: Rng) -> Pixels:
    """Washes that pool at their edges, on rough white paper that shows at the rim."""
    side = pixels.shape[0]
    wash = _kuwahara(pixels, max(2, side // 32)).astype(float)
    blot = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), side / 22)
    edge = np.abs(ndimage.gaussian_laplace(wash.mean(-1), side / 90))
    pale = 255 - (255 - wash) * (0.74 + 0.22 * blot / blot.std() * 0.5)[..., None]
    pale -= (np.minimum(edge / (edge.max() + 1e-6), 0.3) * 110)[..., None]
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    wobble = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), side / 16)
    near = np.maximum(np.abs(x), np.abs(y)) + 0.05 * wobble / wobble.std()
    paper = np.clip((near - 0.86) * 14, 0, 1)[..., None]
    grain = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), side / 250)
    return _clip(pale * (1 - paper) + 251 * paper + grain[..., None] / grain.std() * 2.5)


def woodblock(pixels: Pixels, rng: Rng) -> Pixels:
    """A few flat inks within dark blue lines, on warm paper."""
    side = pixels.shape[0]
    flat = np.asarray(Image.fromarray(_kuwahara(pixels, max(2, side // 45))).quantize(7).convert("RGB")).astype(float)
    light = ndimage.gaussian_filter(pixels.astype(float), (side / 160, side / 160, 0))
    edge = np.sqrt(sum(ndimage.sobel(light, axis).max(-1) ** 2 for axis in (0, 1)))
    line = np.clip((edge - 90) / 110, 0, 1)[..., None] * 0.9
    paper = np.array((246, 230, 196))
    ink = (flat * 0.82 + 0.18 * flat.mean(-1, keepdims=True)) * paper / 255
    return _clip(ink * (1 - line) + np.array((26, 36, 70)) * line)


def pixel_art(pixels: Pixels, rng: Rng) -> Pixels:
    """Squares of few colours on a grid of 32."""
    side = pixels.shape[0]
    small = Image.fromarray(pixels).resize((32, 32), Image.Resampling.BOX).quantize(20).convert("RGB")
    return np.asarray(small.resize((side, side), Image.Resampling.NEAREST))


def pencil(pixels: Pixels, rng: Rng) -> Pixels:
    """Graphite on paper: dodge for the lines, hatching for the shade."""
    side = pixels.shape[0]
    gray = np.asarray(Image.fromarray(pixels).convert("L")).astype(float)
    soft = ndimage.gaussian_filter(255 - gray, side / 38)
    lines = np.minimum(255, gray * 255 / (256 - soft))
    noise = rng.normal(0, 1, (side, side))
    hatch = ndimage.gaussian_filter1d(ndimage.gaussian_filter(noise, side / 300), side / 24, axis=0)
    hatch = np.abs(ndimage.rotate(np.pad(hatch, side // 4, mode="wrap"), 40, reshape=False, order=1))
    hatch = hatch[side // 4 : -(side // 4), side // 4 : -(side // 4)][:side, :side]
    shade = np.clip((190 - gray) / 190, 0, 1) * (45 + 75 * np.minimum(hatch / (hatch.mean() * 2), 1))
    tone = np.clip(np.minimum(lines, 255) * 0.96 - shade, 18, 250)
    return _clip(np.repeat(tone[..., None], 3, 2) * np.array((1.0, 0.985, 0.955)))


def pop_art(pixels: Pixels, rng: Rng) -> Pixels:
    """Loud flat colours, black shadows, a screen of dots."""
    side = pixels.shape[0]
    hsv = np.asarray(Image.fromarray(pixels).convert("HSV")).astype(int)
    hsv[..., 1] = np.where(hsv[..., 1] > 24, (hsv[..., 1] * 2).clip(140, 255), hsv[..., 1])
    hsv[..., 2] = np.digitize(hsv[..., 2], (60, 130, 200)) * 70 + 40
    loud = np.asarray(Image.fromarray(hsv.clip(0, 255).astype(np.uint8), "HSV").convert("RGB")).astype(float)
    y, x = np.mgrid[0:side, 0:side] * (22 / side)
    dots = np.hypot((x + np.floor(y) % 2 * 0.5) % 1 - 0.5, y % 1 - 0.5)
    screen = np.clip((0.3 - dots) * 8, 0, 1)[..., None]
    return _clip(loud * (1 - 0.3 * screen))


def mosaic(pixels: Pixels, rng: Rng) -> Pixels:
    """Irregular stones with pale joints (Voronoi cells)."""
    side = pixels.shape[0]
    grid = (np.mgrid[0:26, 0:26].reshape(2, -1).T + 0.5) / 26
    points = grid + rng.normal(0, 0.008, grid.shape)
    y, x = np.mgrid[0:side, 0:side]
    spots = np.column_stack([y.ravel(), x.ravel()]) / side
    distance, nearest = cKDTree(points).query(spots, k=2)
    cell = nearest[:, 0]
    total = np.maximum(np.bincount(cell, minlength=len(points)), 1)
    mean = [np.bincount(cell, pixels[..., c].ravel().astype(float), len(points)) / total for c in range(3)]
    stones = np.column_stack(mean) + rng.normal(0, 9, (len(points), 1))
    joint = np.clip((distance[:, 1] - distance[:, 0] - 0.002) / 0.006, 0, 1)[:, None]
    return _clip((stones[cell] * joint + 226 * (1 - joint)).reshape(side, side, 3))


FILTERS: dict[str, Callable[[Pixels, Rng], Pixels]] = {
    "oil": oil, "impressionist": impressionist, "pointillist": pointillist, "watercolour": watercolour,
    "woodblock": woodblock, "pixel art": pixel_art, "pencil": pencil, "pop art": pop_art, "mosaic": mosaic,
}  # fmt: skip
