"""Forgetting a visitor: their requests, and the images that nobody else has."""

import secrets

from django.core.files.storage import default_storage
from django.db import transaction

from salon.web.station.domain.intake import cancel
from salon.web.station.models import Drawing, Image, Request, Withheld


def erase_visitor(visitor: str) -> list[str]:
    """Inside a transaction: ends what is open, erases the drawings, and the images that no other drawing, work or
    report holds. Rows of requests stay as numbers, under a name that leads nowhere. Files go when it is committed.
    Returns the names of the requests that were open, for the desk to stop drawing."""
    stopped = list(Request.objects.filter(visitor=visitor, state__in=Request.OPEN))
    for request in stopped:
        cancel(request)
    drawings = Drawing.objects.filter(request__visitor=visitor)
    images = list(drawings.values_list("image_id", flat=True).distinct())
    drawings.delete()
    Request.objects.filter(visitor=visitor).update(visitor=f"forgotten-{secrets.token_hex(16)}", key=None)
    orphans = [image for image in Image.objects.filter(id__in=images, drawings=None) if not _held(image)]
    names = [image.file for image in orphans if image.file]
    Image.objects.filter(id__in=[image.id for image in orphans]).delete()
    transaction.on_commit(lambda: [default_storage.delete(name) for name in names])
    return [request.id for request in stopped]


def _held(image: Image) -> bool:
    """Whether another room still points to the image, or the house keeps it out: forgetting must not let it in."""
    if image.withheld == Withheld.HOUSE:
        return True
    pointers = [r for r in Image._meta.related_objects if r.related_model is not Drawing]
    return any(r.related_model.objects.filter(**{r.field.name: image}).exists() for r in pointers)
