"""An event's logo: opened where people's pictures are opened, made anew as a PNG, the file that was given forgotten."""

import io
import re
from collections.abc import Collection

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe
from salon.core.hashing import bytes_hash
from salon.engine.pictures import GIVEN, TooManyPixels, Unread, unpacked
from salon.web.events.models import Event
from salon.web.leftovers import Shelf, alone
from salon.web.sentences import spoken

MOST_BYTES = 2_000_000
MOST_PIXELS = 16_000_000
#: what pages show of it, in pixels
WIDTH, HEIGHT = 1200, 480


def read(file: UploadedFile | None) -> bytes:
    """The file as a PNG of at most WIDTH x HEIGHT, without whatever else it said. Raises BadRecipe."""
    if file is None:
        raise BadRecipe(_("No picture was sent."), _("Choose a file first."))
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        message = _("This file is larger than %(most)d MB.") % {"most": MOST_BYTES // 1_000_000}
        raise BadRecipe(message, _("Save it smaller; %(width)d pixels across are enough.") % {"width": WIDTH})
    try:
        picture = unpacked(data, MOST_PIXELS, GIVEN)
    except TooManyPixels as error:
        hint = _("Save it smaller; %(width)d pixels across are enough.") % {"width": WIDTH}
        raise BadRecipe(_("This picture has more pixels than this house unpacks."), hint) from error
    except Unread as error:
        raise BadRecipe(spoken(error.message), spoken(error.hint)) from error
    except BadRecipe as error:
        message = _("This file cannot be read as a picture.")
        raise BadRecipe(message, _("It takes PNG, JPEG and WebP, whole ones.")) from error
    picture.thumbnail((WIDTH, HEIGHT))
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def stored(data: bytes) -> str:
    """Inside a transaction in which an event gets it: the name under which it lies in the storage, its content's, so
    that the same logo lies there once. Nobody erases it meanwhile."""
    alone()
    name = f"logos/{bytes_hash(data)[:32]}.png"
    return name if default_storage.exists(name) else default_storage.save(name, ContentFile(data))


def named(names: Collection[str]) -> set[str]:
    """Those of the files that an event shows."""
    return set(Event.objects.filter(logo__in=names).values_list("logo", flat=True))


SHELF = Shelf(re.compile("logos"), re.compile(r"[0-9a-f]{32}\.png"), named)
