"""Forgetting a visitor: their requests, and the images that nobody else has."""

import secrets
from collections.abc import Sequence

from django.db.models import QuerySet

from salon.web.leftovers import discard_later
from salon.web.station.domain.intake import cancel
from salon.web.station.models import Drawing, Image, Request, Withheld
from salon.web.station.signals import forgotten


def erase_visitor(visitor: str) -> list[str]:
    """Inside a transaction: ends what is open, erases the drawings, and the images that no other drawing, work or
    report holds. Rows of requests stay as numbers, under a name that leads nowhere.
    Returns the names of the requests that were open, for the desk to stop drawing."""
    stopped = list(Request.objects.filter(visitor=visitor, state__in=Request.OPEN))
    for request in stopped:
        cancel(request)
    forgotten.send(None, visitor=visitor)
    erase_drawings(Drawing.objects.filter(request__visitor=visitor))
    Request.objects.filter(visitor=visitor).update(visitor=f"forgotten-{secrets.token_hex(16)}", key=None, source="")
    return [request.id for request in stopped]


def erase_drawings(drawings: QuerySet[Drawing]) -> None:
    """Inside a transaction: the drawings, and the images that nothing else holds."""
    images = list(drawings.values_list("image_id", flat=True).distinct())
    drawings.delete()
    erase_orphans(images)


def erase_orphans(images: Sequence[str]) -> None:
    """Inside a transaction: those of the images that no drawing, work, report or finding holds. Files go when it is
    committed."""
    orphans = [image for image in Image.objects.filter(id__in=images, drawings=None) if not _held(image)]
    names = [image.file for image in orphans if image.file]
    Image.objects.filter(id__in=[image.id for image in orphans]).delete()
    discard_later(names)


def _held(image: Image) -> bool:
    """Whether another room still points to the image, or the house keeps it out: forgetting must not let it in."""
    if image.withheld == Withheld.HOUSE:
        return True
    pointers = [r for r in Image._meta.related_objects if r.related_model is not Drawing]
    return any(r.related_model.objects.filter(**{r.field.name: image}).exists() for r in pointers)
