"""The image filter and the pictures that people send in: it looks where it is installed, a curator decides either way,
and is told whether it looked (docs/guard.md)."""

import importlib.util
import logging
from functools import lru_cache

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image as Picture

from salon.core.errors import GuardUnavailable
from salon.core.update import Picture as Pixels
from salon.engine.guard import SIDE_OF_UPLOADS, ImageGuard, switched_off
from salon.web.gallery.models import GivenPicture, Work

log = logging.getLogger("salon.web")
Said = GivenPicture.Filter
#: pictures that one turn of the worker looks at
AT_ONCE = 16


@lru_cache(1)
def _filter() -> ImageGuard:
    return ImageGuard(side=SIDE_OF_UPLOADS)


def standing() -> str:
    """How the filter stands in this house: "on", "off" (whoever runs it wants none), "missing" (not installed)."""
    if switched_off():
        return "off"
    return "on" if importlib.util.find_spec("nudenet") else "missing"


def look_at_new() -> None:
    """Looks at pictures that nobody's filter has looked at, oldest first. A duty of the worker; without a filter they
    stay as they are, for the day on which there is one."""
    if standing() != "on":
        return
    for given in GivenPicture.objects.filter(filtered=Said.UNSEEN).exclude(file="").order_by("created_at")[:AT_ONCE]:
        said = _said(given.file)
        GivenPicture.objects.filter(id=given.id, filtered=Said.UNSEEN).update(filtered=said)


def _said(name: str) -> str:
    """What the filter says of the file. One at which it fails is no reason to try for ever: a curator is told."""
    try:
        with default_storage.open(name) as file, Picture.open(file) as picture:
            seen = picture.convert("RGB")
        one = Pixels(index=0, width=seen.width, height=seen.height, rgb=seen.tobytes())
        return Said.FOUND if _filter().withheld([one]) else Said.CLEAR
    except (GuardUnavailable, OSError, SyntaxError, ValueError) as error:
        log.error("the image filter could not look at %s: %s", name, error)
        return Said.FAILED


def told(work: Work) -> str:
    """What a curator reads beside a picture that was sent in: whether a filter looked, and what it said. "" for one
    that was drawn here: the engine's filter stands before those."""
    if work.given is None:
        return ""
    said = {
        Said.CLEAR: _("The image filter looked at it and found nothing."),
        Said.FOUND: _("The image filter found nakedness in it. It may be wrong: look, then decide."),
        Said.FAILED: _("The image filter could not look at it: your eyes alone decide."),
    }
    if work.given.filtered in said:
        return said[work.given.filtered]
    if standing() == "on":
        return _("The image filter has not looked at it yet.")
    return _("No image filter looked at it: your eyes alone decide.")


def stands() -> str:
    """How the filter stands, in a sentence for the people of the house."""
    return {
        "on": _("looks at every picture"),
        "off": _("switched off: every screen needs eyes"),
        "missing": _("not installed: only models of our own world draw, which cannot draw what it looks for"),
    }[standing()]
