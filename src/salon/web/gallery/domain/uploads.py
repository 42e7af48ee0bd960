"""Pictures that people send: read into memory and opened with care. What a visitor shows to the search is looked at and
forgotten; of what an artist sends in a file is made that can be shown."""

import io
import threading

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image as Picture

from salon.core.errors import BadRecipe
from salon.engine.pictures import GIVEN, TooManyPixels, Unread, kind_of_phone, on_white, unpacked, unread
from salon.web.sentences import spoken

#: formats by Pillow's names; its other readers are never asked
FORMATS = GIVEN
#: bytes that fit into the largest body the house reads (web/asgi.py), with the form around them
MOST_BYTES = 60_000
MOST_PIXELS = 4_000_000
#: pixels of a picture that an artist sends in: a large camera's. Unpacked it takes three bytes each, so one at a time
MOST_PIXELS_GIVEN = 50_000_000
#: the longer side of what is shown of it
SHOWN_SIDE = 1600
_unpacking = threading.Lock()


def read(file: UploadedFile | None) -> Picture.Image:
    """The picture as RGB or RGBA, in sRGB and upright, whatever else its file says left aside. Raises BadRecipe."""
    if file is None:
        raise BadRecipe(_("No picture was sent."), _("Choose a file first."))
    data = file.read(MOST_BYTES + 1)
    if not data:
        raise BadRecipe(_("This file is empty."), _("Choose another one."))
    if len(data) > MOST_BYTES:
        raise BadRecipe(
            _("This file is larger than %(most)d kB.") % {"most": MOST_BYTES // 1000},
            _("Make it smaller first: 64 pixels are all that the search reads."),
        )
    return _decoded(data, MOST_PIXELS, _("Make it smaller first: 64 pixels are all that the search reads."))


def to_show(data: bytes) -> bytes:
    """What is shown of a picture that an artist sent in, WebP: upright, at most SHOWN_SIDE, on white where it is
    transparent, nothing of the file's own bytes in it. Raises BadRecipe."""
    with _unpacking:
        picture = _decoded(data, MOST_PIXELS_GIVEN, _("Make it smaller first: 50 million pixels are enough."))
        picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Picture.Resampling.LANCZOS)
    out = io.BytesIO()
    on_white(picture).save(out, "WEBP", quality=92)
    return out.getvalue()


def check_head(head: bytes) -> None:
    """Raises BadRecipe if a file begins as a photo of a format that this house cannot read."""
    if error := unread(head):
        raise said(error)


def is_avif(head: bytes) -> bool:
    """Whether a file begins as AVIF, and this house reads AVIF."""
    return "AVIF" in FORMATS and kind_of_phone(head) == "AVIF"


def said(error: Unread) -> BadRecipe:
    """The same in the visitor's language."""
    return BadRecipe(spoken(error.message), spoken(error.hint))


def _decoded(data: bytes, most: int, hint: str) -> Picture.Image:
    try:
        return unpacked(data, most, FORMATS)
    except BadRecipe as error:
        if isinstance(error, TooManyPixels) and error.size:
            raise BadRecipe(
                _("This picture has %(width)d × %(height)d pixels, more than this house unpacks.")
                % {"width": error.size[0], "height": error.size[1]},
                hint,
            ) from error
        if isinstance(error, TooManyPixels):
            raise BadRecipe(_("This picture has more pixels than this house unpacks."), hint) from error
        if isinstance(error, Unread):
            raise said(error) from error
        message = _("This file cannot be read as a picture.")
        raise BadRecipe(message, _("It takes JPEG, PNG and WebP, whole ones.")) from error
