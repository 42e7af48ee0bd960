"""Drawing styles: filters from a rendered scene to a painting of it. uint8 [S,S,3] in and out, at any S."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import cKDTree

from salon.world.brush import Canvas, along, detail

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


def _saturated(pixels: Pixels, times: float) -> Pixels:
    gray = pixels.astype(float).mean(-1, keepdims=True)
    return _clip(gray + (pixels - gray) * times)


def _drift(side: int, rng: Rng, scale: float, base: float, sway: float) -> np.ndarray:
    """A direction for every pixel that wanders gently: `base` radians, `sway` to either side, over `scale`."""
    coarse = max(3, round(1 / scale) + 2)
    noise = ndimage.zoom(rng.normal(0, 1, (coarse, coarse)), side / coarse, order=3, grid_mode=True, mode="nearest")
    return base + sway * noise[:side, :side]


def oil(pixels: Pixels, rng: Rng) -> Pixels:
    """Layers of brushwork along the forms, broad and then fine, under a warm varnish; a little dark at the rim."""
    side = len(pixels)
    canvas = Canvas(pixels, rng)
    turn = along(pixels, 0.02, _drift(side, rng, 0.5, 0.3, 0.5))
    canvas.strokes(220, 0.2, 0.07, turn, 10)
    canvas.strokes(520, 0.12, 0.036, turn, 8)
    canvas.strokes(900, 0.055, 0.018, turn, 5, detail(pixels), wander=0.08)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    rim = 1 - 0.2 * np.clip(x * x + y * y - 0.6, 0, 1.4)
    return _clip(canvas.done(0.9) * np.array((1.0, 0.95, 0.84)) * rim[..., None])


def impressionist(pixels: Pixels, rng: Rng) -> Pixels:
    """Short broken dabs of bright, wavering colour."""
    canvas = Canvas(_saturated(pixels, 1.25), rng)
    turn = along(pixels, 0.015, _drift(len(pixels), rng, 0.4, 0.1, 0.5))

    def lively(paint: np.ndarray, rng: Rng) -> np.ndarray:
        """Now and then a lighter dab, and cold beside warm."""
        warm = rng.normal(0, 9, (len(paint), 1)) * np.array((1.0, 0.2, -1.0))
        return paint + warm + 26 * (rng.random((len(paint), 1)) < 0.2)

    canvas.strokes(600, 0.085, 0.034, turn, 14, colour=lively, wander=0.3)
    canvas.strokes(800, 0.055, 0.022, turn, 12, colour=lively, wander=0.3)
    canvas.strokes(800, 0.036, 0.015, turn, 8, detail(pixels), colour=lively, wander=0.2)
    return _clip(canvas.done(0.8))


def van_gogh(pixels: Pixels, rng: Rng) -> Pixels:
    """Long strokes of pure colour that swirl through the ground and run round the forms, within dark blue lines."""
    side = len(pixels)
    y, x = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j]
    turn = np.zeros((side, side))
    for _ in range(4):
        cy, cx = rng.uniform(0.05, 0.95, 2)
        near = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 0.06)
        turn += near * (np.arctan2(y - cy, x - cx) + np.pi / 2)
    turn = along(pixels, 0.03, turn + _drift(side, rng, 0.4, 0.1, 0.3), trust=30)
    canvas = Canvas(_saturated(pixels, 1.35), rng)

    def pure(paint: np.ndarray, rng: Rng) -> np.ndarray:
        """Streaks of yellow light and of blue shade."""
        kind, streak = rng.random((len(paint), 1)), np.array((34.0, 26.0, -18.0))
        return paint + np.where(kind < 0.22, streak, 0) - np.where(kind > 0.8, streak, 0)

    canvas.strokes(420, 0.16, 0.034, turn, 12, colour=pure)
    canvas.strokes(800, 0.11, 0.02, turn, 12, colour=pure, wander=0.1)
    canvas.strokes(700, 0.05, 0.014, turn, 6, detail(pixels), wander=0.08)
    light = ndimage.gaussian_filter(pixels.astype(float), (side / 110, side / 110, 0))
    edge = np.sqrt(sum(ndimage.sobel(light, axis).max(-1) ** 2 for axis in (0, 1)))
    line = (np.clip((edge - 70) / 130, 0, 1) * 0.55)[..., None]
    return _clip(canvas.done(1.0) * (1 - line) + np.array((24, 34, 84)) * line)


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
    """Transparent washes that bloom and pool at their edges, on rough white paper that shows at the rim."""
    side = len(pixels)
    wash = _kuwahara(_saturated(pixels, 1.1), max(2, side // 36)).astype(float)
    bleed = [ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), side / 40) for _ in range(2)]
    y, x = np.mgrid[0:side, 0:side]
    shift = [y + bleed[0] / bleed[0].std() * side / 110, x + bleed[1] / bleed[1].std() * side / 110]
    wash = np.dstack([ndimage.map_coordinates(wash[..., c], shift, order=1, mode="nearest") for c in range(3)])
    bloom = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), side / 14)
    thin = np.clip(0.82 + 0.1 * bloom / bloom.std(), 0.5, 1)[..., None]
    light = ndimage.gaussian_filter(wash.mean(-1), side / 160)
    edge = np.clip(ndimage.gaussian_gradient_magnitude(light, side / 120) / (0.12 * 255) * 60 / side * 8, 0, 1)
    pigment = (255 - wash) * thin * (1 + 0.4 * edge[..., None])
    v, u = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    wobble = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), side / 18)
    near = np.maximum(np.abs(u), np.abs(v)) + 0.035 * wobble / wobble.std()
    dry = np.clip((near - 0.9) * 16, 0, 1)[..., None]
    grain = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), side / 260)
    tooth = 1 + 0.05 * np.clip(grain / grain.std(), -2, 2)[..., None]
    return _clip(np.array((253, 251, 246)) - pigment * (1 - dry) * tooth)


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
    """Loud flat colours within black lines, their lighter half as a screen of dots on white."""
    side = len(pixels)
    flat = _kuwahara(pixels, max(2, side // 60))
    hsv = np.asarray(Image.fromarray(flat).convert("HSV")).astype(int)
    coloured = hsv[..., 1] > 40
    hsv[..., 0] = (hsv[..., 0] + 8) // 17 * 17
    hsv[..., 1] = np.where(coloured, (hsv[..., 1] * 1.9).clip(165, 245), 0)
    hsv[..., 2] = np.digitize(hsv[..., 2], (48, 112, 176)) * 64 + 60
    loud = np.asarray(Image.fromarray(hsv.clip(0, 255).astype(np.uint8), "HSV").convert("RGB")).astype(float)
    light = flat.astype(float).mean(-1)
    y, x = np.mgrid[0:side, 0:side] * (26 / side)
    u, v = (x + y) % 1 - 0.5, (x - y) % 1 - 0.5
    dots = np.clip((np.hypot(u, v) - 0.3) * 7, 0, 1) * np.clip((light - 105) / 60, 0, 1) * 0.55
    screened = loud + (255 - loud) * dots[..., None]
    soft = ndimage.gaussian_filter(pixels.astype(float), (side / 150, side / 150, 0))
    edge = np.sqrt(sum(ndimage.sobel(soft, axis).max(-1) ** 2 for axis in (0, 1))) * side / 200
    # no black rings round the stars
    lit = np.clip((ndimage.gaussian_filter(light, side / 20) - 30) / 40, 0, 1)
    line = (np.clip((edge - 130) / 110, 0, 1) * 0.92 * lit)[..., None]
    return _clip(screened * (1 - line) + np.array((18, 14, 24)) * line)


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
    "oil": oil, "impressionist": impressionist, "van gogh": van_gogh, "pointillist": pointillist,
    "watercolour": watercolour, "woodblock": woodblock, "pixel art": pixel_art, "pencil": pencil,
    "pop art": pop_art, "mosaic": mosaic,
}  # fmt: skip
