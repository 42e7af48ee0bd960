"""Grounds and landscapes, painted by rule at any size. Coordinates are parts of the side, y down."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from salon.world import vocabulary as words
from salon.world.scene import Scene

Colour = Sequence[float]

#: Light of the day: (sky above, sky at the horizon, what the land's colours are multiplied by, their tint).
SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((96, 170, 238), (206, 233, 250)),
    "sunset": ((104, 62, 130), (255, 160, 84)),
    "night": ((10, 16, 50), (46, 58, 110)),
}
_LAND: dict[str, tuple[Colour, Colour]] = {
    "day": ((1, 1, 1), (0, 0, 0)),
    "sunset": ((0.62, 0.46, 0.46), (26, 8, 20)),
    "night": ((0.24, 0.28, 0.4), (2, 6, 20)),
}


class Ground:
    """A picture in the making: twice as fine as asked, so that edges come out smooth."""

    def __init__(self, side: int, rng: np.random.Generator, light: str) -> None:
        self.side, self.fine, self.rng, self.light = side, side * 2, rng, light
        self.image = Image.new("RGB", (self.fine, self.fine))
        self.draw = ImageDraw.Draw(self.image)

    def land(self, colour: Colour) -> tuple[int, ...]:
        """A colour of the land as this light shows it."""
        times, plus = _LAND[self.light]
        return tuple(int(min(255, c * t + p)) for c, t, p in zip(colour, times, plus, strict=True))

    def blend(self, top: Colour, bottom: Colour, y0: float = 0.0, y1: float = 1.0) -> None:
        """Vertical gradient between y0 and y1."""
        first, last = round(y0 * self.fine), round(y1 * self.fine)
        if last <= first:
            return
        rows = np.linspace(0, 1, last - first)[:, None, None]
        band = (np.array(top) * (1 - rows) + np.array(bottom) * rows).astype(np.uint8)
        self.image.paste(Image.fromarray(np.repeat(band, self.fine, 1)), (0, first))

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        self.draw.polygon([(x * self.fine, y * self.fine) for x, y in points], fill=tuple(int(c) for c in colour))

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        box = [(x - rx) * self.fine, (y - ry) * self.fine, (x + rx) * self.fine, (y + ry) * self.fine]
        self.draw.ellipse(box, fill=tuple(int(c) for c in colour))

    def ridge(self, y: float, height: float, colour: Colour, waves: float = 2.0, base: float = 1.0) -> None:
        """A hilly outline from side to side, filled down to `base`."""
        x = np.linspace(-0.02, 1.02, 60)
        phase = self.rng.uniform(0, 6.28, 2)
        line = y - height * (0.6 * np.sin(waves * 3.1 * x + phase[0]) + 0.4 * np.sin(waves * 5.3 * x + phase[1]))
        self.polygon([*zip(x, line), (1.02, base), (-0.02, base)], colour)

    def sky(self, horizon: float) -> None:
        top, bottom = SKIES[self.light]
        self.blend(top, bottom, 0, min(1.0, horizon + 0.08))
        if self.light == "night":
            self.stars(30, horizon)
        elif self.light == "sunset":
            self.low_sun(horizon)
        else:
            self.clouds(int(self.rng.integers(0, 3)), horizon * 0.55)

    def low_sun(self, horizon: float) -> None:
        x, r = self.rng.uniform(0.2, 0.8), self.rng.uniform(0.07, 0.1)
        self.ellipse(x, horizon - r * 0.4, r * 1.35, r * 1.35, (255, 190, 110))
        self.ellipse(x, horizon - r * 0.4, r, r, (255, 226, 150))

    def stars(self, number: int, below: float = 1.0) -> None:
        for _ in range(number):
            x, y, r = self.rng.uniform(0, 1), self.rng.uniform(0, below), self.rng.choice((0.005, 0.008, 0.011))
            self.ellipse(x, y, r, r, (255, 250, 224))

    def clouds(self, number: int, below: float) -> None:
        for _ in range(number):
            x, y = self.rng.uniform(0.08, 0.92), self.rng.uniform(0.08, max(0.1, below))
            r = self.rng.uniform(0.045, 0.075)
            for dx, dy, k in ((-1.3, 0.25, 0.8), (0, 0, 1.1), (1.3, 0.25, 0.85), (0.1, 0.4, 1.0)):
                self.ellipse(x + dx * r, y + dy * r, r * k, r * k * 0.75, (247, 251, 255))

    def pine(self, x: float, foot: float, height: float, colour: Colour) -> None:
        for k, w in ((0.0, 0.17), (0.22, 0.24), (0.45, 0.31)):
            top = foot - height * (1 - k)
            low = top + height * 0.52
            self.polygon([(x - height * w, low), (x, top), (x + height * w, low)], colour)

    def bush(self, x: float, foot: float, r: float, colour: Colour) -> None:
        self.polygon([(x - r * 0.18, foot), (x - r * 0.12, foot - r * 1.5), (x + r * 0.12, foot - r * 1.5),
                      (x + r * 0.18, foot)], self.land((96, 66, 42)))  # fmt: skip
        for dx, dy, k in ((-0.55, -1.5, 0.7), (0.55, -1.5, 0.7), (0, -2.0, 0.85)):
            self.ellipse(x + dx * r, foot + dy * r, r * k, r * k, colour)

    def ripples(self, top: float, bottom: float, colour: Colour, number: int = 9) -> None:
        for _ in range(number):
            y = self.rng.uniform(top + 0.02, bottom - 0.01)
            depth = (y - top) / max(bottom - top, 0.01)
            x, w, h = self.rng.uniform(0, 1), 0.04 + 0.08 * depth, 0.003 + 0.006 * depth
            self.ellipse(x, y, w, h, colour)

    def done(self) -> np.ndarray:
        """The picture, uint8 [side, side, 3]."""
        return np.asarray(self.image.resize((self.side, self.side), Image.Resampling.BOX))


def _meadow(g: Ground, flowers: int = 0) -> None:
    horizon = g.rng.uniform(0.5, 0.62)
    g.sky(horizon)
    g.ridge(horizon, 0.03, g.land((134, 196, 104)))
    g.ridge(horizon + 0.12, 0.03, g.land((104, 178, 82)))
    g.ridge(horizon + 0.27, 0.025, g.land((80, 156, 66)))
    for _ in range(flowers):
        y = g.rng.uniform(horizon + 0.14, 0.98)
        r = 0.006 + 0.018 * (y - horizon)
        g.ellipse(g.rng.uniform(0, 1), y, r, r, g.land(g.rng.choice([(240, 220, 80), (236, 90, 110), (250, 250, 250)])))


def _beach(g: Ground) -> None:
    horizon = g.rng.uniform(0.38, 0.46)
    g.sky(horizon)
    g.blend(g.land((40, 130, 196)), g.land((112, 208, 222)), horizon, 0.72)
    g.ridge(0.645, 0.02, g.land((240, 250, 250)), 1.2)
    g.ridge(0.665, 0.02, g.land((240, 216, 160)), 1.2)


def _snow(g: Ground) -> None:
    horizon = g.rng.uniform(0.5, 0.6)
    g.sky(horizon)
    for _ in range(int(g.rng.integers(2, 6))):
        g.pine(g.rng.uniform(0, 1), horizon + 0.03, g.rng.uniform(0.12, 0.2), g.land((94, 134, 128)))
    g.ridge(horizon, 0.03, g.land((226, 236, 248)))
    g.ridge(horizon + 0.15, 0.03, g.land((246, 250, 255)))


def _sea(g: Ground) -> None:
    horizon = g.rng.uniform(0.4, 0.52)
    g.sky(horizon)
    g.blend(g.land((66, 142, 206)), g.land((18, 72, 140)), horizon, 1)
    g.ripples(horizon, 1, g.land((150, 205, 236)), 12)


def _desert(g: Ground) -> None:
    horizon = g.rng.uniform(0.48, 0.58)
    g.sky(horizon)
    if g.light == "day":
        g.blend((120, 186, 236), (252, 234, 196), 0, horizon + 0.05)
    g.ridge(horizon, 0.04, g.land((232, 186, 112)), 1.2)
    g.ridge(horizon + 0.13, 0.05, g.land((218, 164, 88)), 1.0)
    g.ridge(horizon + 0.29, 0.05, g.land((200, 142, 70)), 0.8)


def _peaks(g: Ground, horizon: float) -> None:
    for colour, low, high in (((150, 166, 196), 0.14, 0.26), ((112, 128, 162), 0.2, 0.34)):
        for x in (g.rng.uniform(-0.05, 0.3), g.rng.uniform(0.3, 0.7), g.rng.uniform(0.7, 1.05)):
            w, top = g.rng.uniform(0.26, 0.4), g.rng.uniform(low, high)
            g.polygon([(x - w, horizon + 0.05), (x, top), (x + w, horizon + 0.05)], g.land(colour))
            k = 0.3
            snow = top + (horizon + 0.05 - top) * k
            g.polygon([(x - w * k, snow), (x, top), (x + w * k, snow),
                       (x + w * 0.1, top + (horizon - top) * 0.24), (x - w * 0.08, top + (horizon - top) * 0.36)],
                      g.land((246, 249, 253)))  # fmt: skip


def _mountains(g: Ground) -> None:
    horizon = g.rng.uniform(0.58, 0.66)
    g.sky(horizon)
    _peaks(g, horizon)
    g.ridge(horizon, 0.02, g.land((108, 164, 96)))
    g.ridge(horizon + 0.14, 0.02, g.land((82, 140, 76)))


def _forest(g: Ground) -> None:
    horizon = g.rng.uniform(0.56, 0.64)
    g.sky(horizon)
    rows = (((110, 160, 120), 9, 0.3, 0.42), ((58, 120, 76), 8, 0.36, 0.52), ((30, 88, 54), 5, 0.4, 0.6))
    for colour, n, low, high in rows:
        for i in range(n):
            g.pine((i + g.rng.uniform(0.1, 0.9)) / n, horizon + 0.05, g.rng.uniform(low, high), g.land(colour))
    g.ridge(horizon + 0.04, 0.015, g.land((86, 138, 66)))
    g.ridge(horizon + 0.2, 0.02, g.land((64, 116, 52)))


def _towers(g: Ground, foot: float, far: bool, number: int) -> None:
    lit = (255, 222, 130) if g.light != "day" else (226, 240, 250)
    for i in range(number):
        x, w = (i + g.rng.uniform(0.2, 0.8)) / number, g.rng.uniform(0.05, 0.08)
        top = foot - g.rng.uniform(0.16, 0.46 if far else 0.32)
        shade = (150, 166, 190) if far else g.rng.choice([(104, 116, 146), (126, 108, 128), (92, 120, 136)])
        g.polygon([(x - w, foot), (x - w, top), (x + w, top), (x + w, foot)], g.land(shade))
        for row in np.arange(top + 0.03, foot - 0.04, 0.055):
            for dx in (-0.5, 0.1) if not far else ():
                if g.rng.random() < 0.7:
                    left, right, low = x + dx * w, x + dx * w + w * 0.4, row + 0.025
                    g.polygon([(left, row), (left, low), (right, low), (right, row)], lit)


def _city(g: Ground) -> None:
    foot = g.rng.uniform(0.66, 0.74)
    g.sky(foot)
    _towers(g, foot, True, 7)
    _towers(g, foot, False, 6)
    g.blend(g.land((120, 124, 132)), g.land((84, 88, 98)), foot, 1)
    for x in (0.1, 0.45, 0.8):
        g.polygon([(x, 0.87), (x + 0.14, 0.87), (x + 0.14, 0.89), (x, 0.89)], g.land((236, 232, 214)))


def _open_sky(g: Ground) -> None:
    g.blend((84, 160, 234), (196, 228, 250))
    g.clouds(int(g.rng.integers(3, 6)), 0.95)


def _sunset(g: Ground) -> None:
    g.light = "sunset"
    horizon = g.rng.uniform(0.6, 0.7)
    g.sky(horizon)
    if g.rng.random() < 0.5:
        g.blend((196, 108, 104), (58, 46, 98), horizon, 1)
        g.ripples(horizon, 1, (255, 190, 130), 8)
    else:
        g.ridge(horizon, 0.02, (74, 44, 66))
        g.ridge(horizon + 0.14, 0.02, (48, 30, 52))


def _night(g: Ground) -> None:
    g.light = "night"
    g.sky(0.72)
    g.stars(24, 0.7)
    g.ridge(0.74, 0.03, (20, 36, 44))
    g.ridge(0.86, 0.02, (12, 24, 32))


def _space(g: Ground) -> None:
    g.blend((6, 6, 20), (24, 12, 48))
    haze = Image.new("RGB", (32, 32))
    pen = ImageDraw.Draw(haze)
    for colour in ((70, 30, 96), (22, 44, 100)):
        x, y = g.rng.uniform(4, 28, 2)
        pen.ellipse([x - 8, y - 6, x + 8, y + 6], fill=colour)
    haze = haze.filter(ImageFilter.GaussianBlur(5)).resize(g.image.size, Image.Resampling.BICUBIC)
    g.image.paste(Image.fromarray(np.maximum(np.asarray(g.image), np.asarray(haze))))
    g.stars(55)


def _river(g: Ground) -> None:
    horizon = g.rng.uniform(0.4, 0.5)
    g.sky(horizon)
    g.ridge(horizon - 0.02, 0.03, g.land((126, 164, 150)), 1.4)
    g.ridge(horizon + 0.02, 0.015, g.land((120, 184, 92)))
    y = np.linspace(0, 1, 40) ** 1.4
    sway, phase = g.rng.uniform(0.1, 0.18), g.rng.uniform(0, 6.28)
    middle = 0.5 + sway * np.sin(y * 5 + phase) * (0.35 + y)
    half = 0.02 + 0.26 * y
    rows = horizon + 0.02 + (0.98 - horizon) * y
    bank = [*zip(middle - half - 0.02, rows), *zip((middle + half + 0.02)[::-1], rows[::-1])]
    g.polygon(bank, g.land((196, 190, 130)))
    g.polygon([*zip(middle - half, rows), *zip((middle + half)[::-1], rows[::-1])], g.land((84, 156, 214)))
    for i in range(5, 40, 4):
        x = middle[i] + g.rng.uniform(-0.6, 0.6) * half[i]
        g.ellipse(x, rows[i], half[i] * 0.25, 0.004 + 0.006 * y[i], g.land((178, 218, 240)))
    for side in (-1, 1, -1, 1):
        i = int(g.rng.integers(6, 26))
        x = middle[i] + side * (half[i] + g.rng.uniform(0.08, 0.2))
        g.bush(x, rows[i], 0.03 + 0.06 * y[i], g.land((56, 128, 64)))


def _lake(g: Ground) -> None:
    horizon = g.rng.uniform(0.46, 0.54)
    g.sky(horizon)
    _peaks(g, horizon - 0.05)
    g.ridge(horizon - 0.02, 0.015, g.land((74, 134, 84)), base=horizon + 0.04)
    g.blend(g.land((110, 172, 210)), g.land((48, 110, 160)), horizon + 0.02, 1)
    g.ripples(horizon + 0.02, 1, g.land((190, 222, 238)), 9)
    g.ridge(0.93, 0.02, g.land((86, 146, 72)))


def _harbour(g: Ground) -> None:
    horizon = g.rng.uniform(0.48, 0.56)
    g.sky(horizon)
    for i in range(7):
        x, w, h = i / 7 + 0.06, 0.07, g.rng.uniform(0.07, 0.13)
        wall = [(224, 142, 110), (236, 206, 150), (206, 110, 96), (170, 190, 204)][g.rng.integers(4)]
        g.polygon([(x - w, horizon + 0.02), (x - w, horizon - h), (x, horizon - h - 0.05), (x + w, horizon - h),
                   (x + w, horizon + 0.02)], g.land(wall))  # fmt: skip
    g.blend(g.land((70, 142, 190)), g.land((28, 82, 132)), horizon + 0.02, 1)
    g.ripples(horizon, 1, g.land((160, 206, 228)), 9)
    for left, right, y, k in ((0.15, 0.3, 0.66, 0.8), (0.45, 0.6, 0.8, 1.2), (0.75, 0.88, 0.7, 0.9)):
        _boat(g, g.rng.uniform(left, right), y, 0.1 * k)


def _boat(g: Ground, x: float, y: float, r: float) -> None:
    """Two sails on a hull of half-length `r`."""
    boom, keel = y - r * 0.15, y + r * 0.35
    g.polygon([(x, boom), (x, y - r * 1.9), (x + r * 1.0, boom)], g.land((250, 246, 236)))
    sail = [(x - r * 0.12, boom), (x - r * 0.12, y - r * 1.6), (x - r * 0.75, boom)]
    g.polygon(sail, g.land((226, 218, 204)))
    hull = [(x - r * 1.0, y), (x + r * 1.1, y), (x + r * 0.8, keel), (x - r * 0.7, keel)]
    g.polygon(hull, g.land((156, 66, 48)))


def _night_sky(g: Ground) -> None:
    g.blend((8, 12, 44), (50, 54, 120))
    g.stars(70, 0.85)
    x = g.rng.uniform(0.6, 0.85)
    g.ellipse(x, 0.2, 0.075, 0.075, (252, 244, 208))
    g.ridge(0.84, 0.03, (18, 28, 46))


_PLACES: dict[str, Callable[[Ground], None]] = {
    "meadow": _meadow, "beach": _beach, "snow": _snow, "sea": _sea, "desert": _desert, "mountains": _mountains,
    "forest": _forest, "city": _city, "sky": _open_sky, "sunset": _sunset, "night": _night, "space": _space,
    "lake": _lake,
}  # fmt: skip
_LANDSCAPES: dict[str, Callable[[Ground], None]] = {
    "river": _river, "sea": _sea, "mountains": _mountains, "forest": _forest, "city": _city,
    "night sky": _night_sky, "meadow": lambda g: _meadow(g, 40), "desert": _desert, "lake": _lake,
    "harbour": _harbour,
}  # fmt: skip


def _banner(g: Ground, country: str) -> None:
    """The flag of an invented country, on a pole at the upper left."""
    _, first, second = words.COUNTRIES[country]
    for y, name in ((0.06, first), (0.13, second)):
        g.polygon([(0.09, y), (0.31, y), (0.31, y + 0.07), (0.09, y + 0.07)], words.COLOURS[name])
    g.polygon([(0.07, 0.04), (0.09, 0.04), (0.09, 0.9), (0.07, 0.9)], (120, 96, 70))


def paint(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """The scene's ground or landscape, uint8 [side, side, 3]."""
    if scene.place == "plain":
        return np.full((side, side, 3), words.COLOURS[scene.ground or "white"], np.uint8)
    g = Ground(side, rng, scene.light)
    (_LANDSCAPES if scene.kind == "landscape" else _PLACES)[scene.place](g)
    if scene.country:
        _banner(g, scene.country)
    return g.done()
