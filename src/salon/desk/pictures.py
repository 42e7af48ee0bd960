"""Raw pictures of the engine as files: small WebP for previews, PNG with its recipe for keeps."""

import base64
import io
from importlib.metadata import version

from PIL import Image, ImageChops

from salon.core.png import with_recipe
from salon.core.recipe import Recipe
from salon.core.update import Picture

_VERSION = version("latent-salon")


def _image(picture: Picture) -> Image.Image:
    return Image.frombuffer("RGB", (picture.width, picture.height), picture.rgb, "raw", "RGB", 0, 1)


def webp_url(picture: Picture) -> str:
    """`picture` as a `data:` URL of a small lossy WebP (about 1 kB at 64 px)."""
    file = io.BytesIO()
    _image(picture).save(file, "WEBP", quality=75, method=1)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def png_file(picture: Picture, recipe: Recipe) -> bytes:
    """`picture` as PNG bytes that carry `recipe`; the same picture gives the same bytes."""
    file = io.BytesIO()
    _image(picture).save(file, "PNG", compress_level=4)
    return with_recipe(file.getvalue(), recipe, _VERSION)


def warm() -> None:
    """Loads the codecs: the first picture would wait half a second for them on a busy machine."""
    grey = Picture(index=0, width=8, height=8, rgb=b"\x80" * 192)
    webp_url(grey)
    _image(grey).save(io.BytesIO(), "PNG")


def largest_difference(one: bytes, other: bytes) -> int:
    """Largest difference of a channel between two PNGs, 0 to 255; 255 when their sizes differ."""
    first, second = (Image.open(io.BytesIO(data)).convert("RGB") for data in (one, other))
    if first.size != second.size:
        return 255
    return max(high for _low, high in ImageChops.difference(first, second).getextrema())
