"""Pictures that people give: opened with care, and made as small as networks read them."""

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from salon.core.errors import BadRecipe

#: side of the pictures that CLIP reads
SIDE = 64
#: bytes and pixels of a file that somebody names on the own machine
MOST_BYTES = 100_000_000
MOST_PIXELS = 100_000_000
#: of all that Pillow opens these are left out: to read them it starts another program
FOREIGN = frozenset({"EPS"})


class TooManyPixels(BadRecipe):
    """A picture whose file says that it is larger than may be unpacked; `size` is (width, height), if it is known."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        said = f"{size[0]} x {size[1]}" if size else f"more than {Image.MAX_IMAGE_PIXELS}"
        super().__init__(f"This picture has {said} pixels, more than are unpacked here.", "Make it smaller first.")
        self.size = size


def unpacked(data: bytes, most_pixels: int, formats: tuple[str, ...]) -> Image.Image:
    """A file's picture as RGB or RGBA, whatever else the file says (EXIF, profiles, further frames) left aside. Only
    readers of `formats` (Pillow's names) are asked, and the size is known before anything is unpacked. Raises
    TooManyPixels, or BadRecipe if it is not a whole picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we look ourselves
            with Image.open(io.BytesIO(data), formats=formats) as picture:
                size = picture.size
                if size[0] * size[1] <= most_pixels:
                    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except Image.DecompressionBombError as error:
        raise TooManyPixels(None) from error
    except Exception as error:  # Pillow's readers raise many kinds, all meaning: not a whole picture
        raise BadRecipe("This file cannot be read as a picture.", "Give a whole JPEG, PNG or WebP.") from error
    raise TooManyPixels(size)


def read(path: Path) -> Image.Image:
    """The picture in a file, of any format that Pillow reads by itself, upright as its camera was held. Raises
    BadRecipe, OSError."""
    if path.exists() and not path.is_file():  # a pipe would keep us waiting, a device has no end
        raise BadRecipe(f"{path} is no file.", "Name a picture.")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise BadRecipe(f"{path} is larger than {MOST_BYTES // 1_000_000} MB.", "Make it smaller first.")
    Image.init()
    try:
        found = unpacked(data, MOST_PIXELS, tuple(kind for kind in Image.ID if kind not in FOREIGN))
        return ImageOps.exif_transpose(found)
    except BadRecipe as error:
        raise BadRecipe(f"{path}: {error.message}", error.hint) from error
    except Exception as error:  # EXIF that makes no sense: Pillow raises many kinds
        raise BadRecipe(f"{path}: what it says of its camera cannot be read.", "Save it again without EXIF.") from error


def small(picture: Image.Image) -> Image.Image:
    """The middle square of a picture, on white where it is transparent, averaged down (or enlarged) to 64 x 64 RGB."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    cut = picture.crop((left, top, left + side, top + side))
    if cut.has_transparency_data:
        seen = cut.convert("RGBA")
        cut = Image.new("RGB", cut.size, "white")
        cut.paste(seen, mask=seen)
    way = Image.Resampling.BOX if side >= SIDE else Image.Resampling.BICUBIC
    return cut.convert("RGB").resize((SIDE, SIDE), way)
