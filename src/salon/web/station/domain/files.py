"""Files of pictures that were drawn here: how they are called, and which of them a row names (web/leftovers.py). Such
a file carries its prompt. It is written before its row says so, and the writer looks again."""

import datetime
import re
from collections.abc import Collection
from pathlib import PurePosixPath

from salon.core.hashing import NAME_DIGITS
from salon.web.leftovers import Shelf
from salon.web.station.models import Image

#: the shelf's name
DRAWN = "drawn"


def file_name(image_id: str) -> str:
    """Name in the storage: folders of two digits keep directories small."""
    return f"{image_id[:2]}/{image_id}.png"


def named(names: Collection[str]) -> set[str]:
    """Those that a row names; by the image's id where that says it, which costs no look at all rows."""
    usual = {PurePosixPath(name).stem: name for name in names if file_name(PurePosixPath(name).stem) == name}
    other = set(names) - set(usual.values())
    found = set(Image.objects.filter(id__in=usual).values_list("file", flat=True))
    return found | (set(Image.objects.filter(file__in=other).values_list("file", flat=True)) if other else set())


SHELF = Shelf(
    re.compile(r"[0-9a-f]{2}"), re.compile(rf"[0-9a-f]{{{NAME_DIGITS}}}\.png"), named, age=datetime.timedelta()
)
