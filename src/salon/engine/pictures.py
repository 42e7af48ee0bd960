"""Pictures that people give: opened with care, and made as small as networks read them."""

import io
import warnings
from pathlib import Path

from PIL import Image, features

from salon.core.errors import BadRecipe
from salon.engine.colours import plain

#: side of the pictures that CLIP reads
SIDE = 64
#: bytes and pixels of a file that somebody names on the own machine
MOST_BYTES = 100_000_000
MOST_PIXELS = 100_000_000
#: of all that Pillow opens these are left out: to read them it starts another program
FOREIGN = frozenset({"EPS"})
#: what strangers' files may be, by Pillow's names; AVIF where this Pillow reads it
GIVEN = ("JPEG", "PNG", "WEBP", *(("AVIF",) if features.check("avif") else ()))
#: how files of phones begin that need another program (ISO 14496-12: a box "ftyp", then its brands)
PHONES = {"HEIC": (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "AVIF": (b"avif", b"avis")}


class Unread(BadRecipe):
    """A picture in a format that is well known and not read here; the hint says how it becomes one that is."""


class TooManyPixels(BadRecipe):
    """A picture whose file says that it is larger than may be unpacked; `size` is (width, height), if it is known."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        said = f"{size[0]} x {size[1]}" if size else f"more than {Image.MAX_IMAGE_PIXELS}"
        super().__init__(f"This picture has {said} pixels, more than are unpacked here.", "Make it smaller first.")
        self.size = size


def unpacked(data: bytes, most_pixels: int, formats: tuple[str, ...]) -> Image.Image:
    """A file's picture (the first of several) as RGB or RGBA in sRGB, upright (`colours.plain`); whatever else the file
    says is left aside. Only readers of `formats` (Pillow's names) are asked, and the size is known before anything is
    unpacked. Raises TooManyPixels, Unread, or BadRecipe if it is not a whole picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which we look at ourselves, and of torn EXIF
            with Image.open(io.BytesIO(data), formats=formats) as picture:
                size = picture.size
                if size[0] * size[1] <= most_pixels:
                    picture.load()
                    return plain(picture)
    except Image.DecompressionBombError as error:
        raise TooManyPixels(None) from error
    except Exception as error:  # Pillow's readers raise many kinds, all meaning: not a whole picture
        why = BadRecipe("This file cannot be read as a picture.", "Give a whole JPEG, PNG or WebP.")
        raise unread(data) or why from error
    raise TooManyPixels(size)


def kind_of_phone(head: bytes) -> str:
    """HEIC or AVIF, if a file's first bytes say so; else nothing."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    return next((kind for kind, known in PHONES.items() if brand in known), "")


def unread(head: bytes) -> Unread | None:
    """What to say of a file that begins as a format of phones that is not read here."""
    kind = kind_of_phone(head)
    if not kind or kind in GIVEN:
        return None
    if kind == "AVIF":
        return Unread("This is an AVIF picture, which cannot be read here.", "Save it as a PNG or JPEG.")
    return Unread(
        "This is a HEIC photo, as iPhones keep them, which cannot be read here.",
        "On an iPhone choose it from Photos, not from Files: it then arrives as a JPEG. "
        "Elsewhere open it and save or share it as a JPEG.",
    )


def read(path: Path) -> Image.Image:
    """The picture in a file, of any format that Pillow reads by itself (HEIC, too, where a plugin taught it). Raises
    BadRecipe, OSError."""
    if path.exists() and not path.is_file():  # a pipe would keep us waiting, a device has no end
        raise BadRecipe(f"{path} is no file.", "Name a picture.")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise BadRecipe(f"{path} is larger than {MOST_BYTES // 1_000_000} MB.", "Make it smaller first.")
    Image.init()
    try:
        return unpacked(data, MOST_PIXELS, tuple(kind for kind in Image.ID if kind not in FOREIGN))
    except BadRecipe as error:
        raise BadRecipe(f"{path}: {error.message}", error.hint) from error


def small(picture: Image.Image) -> Image.Image:
    """The middle square of a picture, on white where it is transparent, averaged down (or enlarged) to 64 x 64 RGB."""
    picture = plain(picture)
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    cut = picture.crop((left, top, left + side, top + side))
    way = Image.Resampling.BOX if side >= SIDE else Image.Resampling.BICUBIC
    return on_white(cut).resize((SIDE, SIDE), way)


def on_white(picture: Image.Image) -> Image.Image:
    """RGB or RGBA as RGB, on white where it is transparent."""
    if picture.mode == "RGB":
        return picture
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat
