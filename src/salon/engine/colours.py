"""What the numbers of a picture's pixels mean. Files come in other depths (16 bits, floats), other spaces (Adobe RGB,
Display P3, inks, Lab) and lying on their side; screens and networks read 8 bits of sRGB (IEC 61966-2-1), upright."""

import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

#: bytes of a profile that is looked at; those of printing presses have one or two million
MOST_PROFILE = 8_000_000
#: a profile's own word for its space -> Pillow's modes that it can be meant for
MEANT = {"GRAY": ("L",), "RGB": ("RGB", "L"), "CMYK": ("CMYK",), "Lab": ("LAB",)}
#: classes of profiles that say what numbers look like (ICC.1:2022, 7.2.5): scanner, display, printer, space
CLASSES = frozenset({"scnr", "mntr", "prtr", "spac"})
#: rows that are computed at once
ROWS = 128
#: what PNG's gamma is where nothing is to be done
SCREEN = 1 / 2.2
#: from linear Adobe RGB (1998) to linear sRGB, both of white D65; its curve is a power
ADOBE = np.array([[1.39836, -0.39836, 0.0], [0.0, 1.0, 0.0], [0.0, -0.04293, 1.04293]], np.float32)
ADOBE_GAMMA = 563 / 256
#: solid inks on coated paper as a screen shows them (ISO 12647-2, paper type 1, relative to the paper), sRGB: none,
#: yellow, magenta, both, and the same four over cyan (below zero: more colourful than screens); BLACK: black on white
INKS = (
    (255, 255, 255), (255, 237, 0), (230, 0, 126), (227, 6, 19),
    (-65, 159, 227), (-34, 150, 64), (49, 39, 131), (54, 46, 43),
)  # fmt: skip
BLACK = (29, 29, 27)
#: how light spreads in paper between the dots (Yule and Nielsen 1951), by the tints of black that printers know
SPREAD = 1.8
#: places of a table of curves
STEPS = 16_384

Pixels = NDArray[Any]


def plain(picture: Image.Image) -> Image.Image:
    """A picture's first frame as RGB or RGBA of 8 bits, in sRGB, upright, and nothing that its file said beside. What a
    file says of itself and makes no sense (a broken profile, one of another space, impossible EXIF) is left aside."""
    says, adobe = dict(picture.info), _says_adobe(picture)
    laid = _upright(_shallow(picture))
    if laid.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB") or "transparency" in laid.info:
        laid = laid.convert("RGBA" if laid.has_transparency_data else "RGB")
    alpha = laid.getchannel("A") if laid.mode in ("LA", "RGBA") else None
    inks = laid if alpha is None else laid.convert(laid.mode[:-1])
    made = _by_profile(inks, says.get("icc_profile")) or _by_custom(inks, says, adobe)
    made = made.copy() if made is picture else made
    if alpha is not None:
        made.putalpha(alpha)
    made.info = {}
    return made


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture) if picture.getexif().get(0x0112, 1) != 1 else picture
    except Exception:  # EXIF that makes no sense: Pillow raises many kinds
        return picture


def _says_adobe(picture: Image.Image) -> bool:
    """Whether a camera says that these are numbers of Adobe RGB, which it does without a profile (DCF 2.0, "R03")."""
    try:
        exif = picture.getexif()
        return exif.get_ifd(0x8769).get(0xA001) == 2 or exif.get_ifd(0xA005).get(1) == "R03"
    except Exception:
        return False


def _shallow(picture: Image.Image) -> Image.Image:
    """Greys of more than 8 bits as greys of 8; anything else as it is."""
    if picture.mode[0] not in "IF":
        return picture
    numbers = np.asarray(picture)
    white, inverted = _white(picture, numbers)
    made = Image.fromarray(_by_rows(numbers, lambda part: np.clip(part / white * 255, 0, 255)))
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        made.putalpha(Image.fromarray(np.where(numbers == clear, 0, 255).astype(np.uint8)))
    made.info = {name: value for name, value in picture.info.items() if name != "transparency"}
    return ImageOps.invert(made) if inverted and made.mode == "L" else made


def _white(picture: Image.Image, numbers: NDArray[Any]) -> tuple[float, bool]:
    """The number that is white (TIFF 6.0: BitsPerSample, SampleFormat), and whether it is black instead."""
    tags = getattr(picture, "tag_v2", {})
    if picture.mode == "F" or (picture.format is None and picture.mode == "I"):
        most = float(np.nanmax(numbers, initial=0.0))
        return (1.0 if most <= 1 and picture.mode == "F" else 255.0 if most <= 255 else 65535.0), False
    bits = int(tags.get(258, (16,))[0]) - (tags.get(339, (1,))[0] == 2)  # a sign takes one
    return float(2**bits - 1), tags.get(262) == 0


def _by_rows(numbers: NDArray[Any], of: Callable[[Pixels], Pixels]) -> NDArray[np.uint8]:
    """What `of` makes of rows as floats, in 0 to 255, rounded; a few at a time, since pictures are large."""
    parts = (of(numbers[at : at + ROWS].astype(np.float32)) for at in range(0, len(numbers), ROWS))
    return np.concatenate([np.rint(np.nan_to_num(part)).astype(np.uint8) for part in parts])


def _by_profile(picture: Image.Image, data: object) -> Image.Image | None:
    """sRGB by the file's own profile; None where there is none, or none that fits."""
    if not isinstance(data, bytes) or not 0 < len(data) <= MOST_PROFILE:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        modes = MEANT.get(profile.profile.xcolor_space.strip(), ())
        if picture.mode not in modes or profile.profile.device_class not in CLASSES:
            return None
        asked = picture if picture.mode == modes[0] else picture.convert(modes[0])
        transform = ImageCms.buildTransform(
            profile, ImageCms.createProfile("sRGB"), asked.mode, "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )  # fmt: skip
        return transform.apply(asked)
    except Exception:  # whatever littlecms makes of a broken profile
        return None


def _by_custom(picture: Image.Image, says: dict[Any, Any], adobe: bool) -> Image.Image:
    """sRGB where no profile says what the numbers mean: by what is usual (Pillow knows what Lab is)."""
    if picture.mode == "CMYK":
        return Image.fromarray(_by_rows(np.asarray(picture), _printed))
    if adobe:
        return Image.fromarray(_by_rows(np.asarray(picture.convert("RGB")), _from_adobe))
    gamma = says.get("gamma")
    if "srgb" not in says and isinstance(gamma, float) and 0.1 < gamma < 2 and abs(gamma - SCREEN) > 0.01:
        curve = _encoded((np.arange(256, dtype=np.float32) / 255) ** (1 / gamma))
        picture = picture.point([round(float(value)) for value in curve] * len(picture.getbands()))
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _encoded(light: Pixels) -> Pixels:
    """sRGB numbers 0 to 255 of linear light."""
    at = np.clip(light, 0, 1)
    return 255 * np.where(at <= 0.0031308, 12.92 * at, 1.055 * at ** (1 / 2.4) - 0.055).astype(np.float32)


@functools.cache
def _table(power: float) -> Pixels:
    """sRGB numbers of light to one over `power`, at STEPS places from 0 to 1: powers of all pixels would take long."""
    return _encoded(np.linspace(0, 1, STEPS, dtype=np.float32) ** power)


def _looked_up(values: Pixels, power: float) -> Pixels:
    return _table(power)[(np.clip(values, 0, 1) * (STEPS - 1)).astype(np.intp)]


def _from_adobe(part: Pixels) -> Pixels:
    light = (np.arange(256, dtype=np.float32) / 255) ** ADOBE_GAMMA
    return _looked_up(light[part.astype(np.intp)] @ ADOBE.T, 1.0)


def _spread(numbers: Any) -> Pixels:
    """Linear light of sRGB numbers to the power at which dots of ink add up; what is below zero stays there."""
    at = np.abs(np.asarray(numbers, np.float32)) / 255
    light = np.where(at <= 0.04045, at / 12.92, ((at + 0.055) / 1.055) ** 2.4)
    spread: Pixels = np.sign(numbers) * light ** (1 / SPREAD)
    return spread.astype(np.float32)


def _printed(part: Pixels) -> Pixels:
    """Ink on paper [rows, width, 4] as a screen shows it: the paper between the dots, the dots, and where they lie over
    each other, each by its share of the area (Neugebauer 1937)."""
    ink = part / 255
    shares = np.stack([1 - ink, ink], -1)  # without and with: [rows, width, ink, 2]
    cyan, magenta, yellow = (shares[..., at, :] for at in range(3))
    areas = (cyan[..., None] * magenta[..., None, :]).reshape(*part.shape[:2], 4, 1) * yellow[..., None, :]
    seen = areas.reshape(*part.shape[:2], 8) @ _spread(INKS)
    black = ink[..., 3:]
    return _looked_up(seen.clip(0) * (1 - black + black * _spread(BLACK)), SPREAD)
