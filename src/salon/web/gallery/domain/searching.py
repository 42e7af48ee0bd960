"""Finding what hangs by words or by a picture: cosines of CLIP's embeddings, which are kept, a row an image."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from PIL import Image as Picture

from salon.core.errors import BadRecipe, SalonError, WeightsMissing
from salon.core.recipe import MAX_PROMPT
from salon.core.text import tidy
from salon.web.events.models import Event
from salon.web.gallery.models import Embedding, GivenPicture, Work
from salon.web.station.models import Image

#: works that a search shows
SHOWN = 60
#: pictures that a search looks at for the first time, AT_ONCE in a call, until LONGEST seconds are over; the others
#: wait for the next search
MOST_NEW, AT_ONCE, LONGEST = 512, 32, 2.0
_looking = threading.Lock()


class Found(NamedTuple):
    """Works with their cosines, nearest first; how many pictures were compared, and how many hang."""

    works: list[tuple[Work, float]]
    compared: int
    hanging: int


def _clip() -> ModuleType:
    from salon.judge import clip  # lazy: it brings the runtime, and most who import the gallery never search

    return clip


def trouble() -> str:
    """Why nothing can be searched, in a sentence; "" if all is well."""
    try:
        _clip().installed_clip()
    except WeightsMissing:
        return _("It cannot be searched: CLIP, the model that compares words with pictures, is not installed.")
    except SalonError:
        return _("It cannot be searched: CLIP, the model that compares words with pictures, is damaged.")
    return ""


def read_words(text: str) -> str:
    """What is looked for, tidied; it may be empty. Raises BadRecipe if it is too long."""
    clean = tidy(text)
    if len(clean) > MAX_PROMPT:
        raise BadRecipe(
            _("These are %(count)d characters; at most %(most)d can be read.")
            % {"count": len(clean), "most": MAX_PROMPT},
            _("Say it more briefly."),
        )
    return clean


def by_words(event: Event, text: str) -> Found:
    """What hangs, nearest to the words first. This and the next two raise WeightsMissing, WeightsDamaged."""
    return _nearest(event, _clip().load_clip().encode_text([text])[0])


def by_picture(event: Event, picture: Picture.Image) -> Found:
    """What hangs, nearest to the picture first."""
    return _nearest(event, _clip().see([picture])[0])


def like(event: Event, work: Work) -> Found:
    """What hangs, nearest to a work first; the same image is left out. Raises FileNotFoundError."""
    weights, name = _clip().installed_clip().weights, work.picture_id
    if kept := dict(_kept(weights, [name])):
        return _nearest(event, _unpacked([kept[name]])[0], name)
    with default_storage.open(work.picture.file) as file, Picture.open(file) as picture:
        return _nearest(event, _clip().see([picture])[0], name)


def _hanging(event: Event) -> Any:
    """The query set of works that hang and whose picture nobody keeps back."""
    there = (Q(image__withheld="") & ~Q(image__file="")) | (Q(given__isnull=False) & ~Q(given__file=""))
    return Work.objects.filter(there, event=event, state=Work.State.HUNG).order_by("-hung_at", "id")


def _named(works: Any) -> Any:
    """The works with `name`: that of their picture, drawn or given."""
    return works.annotate(name=Coalesce("image_id", "given_id"))


def _kept(weights: str, names: Any) -> list[tuple[str, bytes]]:
    """What these weights saw in the pictures of these names, by name."""
    drawn = Embedding.objects.filter(weights=weights, image_id__in=names).values_list("image_id", "vector")
    given = GivenPicture.objects.filter(weights=weights, id__in=names).values_list("id", "vector")
    return sorted([*drawn, *given])


def _nearest(event: Event, vector: Any, without: str = "") -> Found:
    weights = _clip().installed_clip().weights
    _look(event, weights)
    names = _named(_hanging(event)).order_by().exclude(name=without).values("name").distinct()
    rows = _kept(weights, names)
    cosines = _unpacked([row[1] for row in rows]) @ np.asarray(vector, np.float32)
    best = {rows[i][0]: float(cosines[i]) for i in np.argsort(-cosines, kind="stable")[:SHOWN]}
    works = _named(_hanging(event)).filter(name__in=best).select_related("image", "given")
    found = [(work, best[work.name]) for work in sorted(works, key=lambda work: -best[work.name])]
    return Found(found[:SHOWN], len(rows), names.count())


def _unpacked(vectors: Sequence[bytes]) -> Any:
    """Embeddings [N,256] float32."""
    return np.frombuffer(b"".join(vectors), "<f2").reshape(len(vectors), 256).astype(np.float32)


def _look(event: Event, weights: str) -> None:
    """Looks at pictures that these weights never saw, newest first, as many as the limits let. One visitor's search
    does it at a time; the others go on with what is there."""
    if not _looking.acquire(blocking=False):
        return
    try:
        ends, pictures = time.monotonic() + LONGEST, islice(_pictures(_unseen(event, weights)), MOST_NEW)
        while time.monotonic() < ends and (some := dict(islice(pictures, AT_ONCE))):
            _keep(weights, list(some), _clip().see(some.values()))
    finally:
        _looking.release()


def _unseen(event: Event, weights: str) -> dict[str, str]:
    """Picture -> file."""
    seen = Embedding.objects.filter(weights=weights).values("image_id")
    drawn = Q(image__isnull=False) & ~Q(image_id__in=seen)
    given = Q(given__isnull=False) & ~Q(given__weights=weights)
    found = _named(_hanging(event)).filter(drawn | given)
    return dict(found.values_list("name", Coalesce("image__file", "given__file")))


def _pictures(files: dict[str, str]) -> Iterator[tuple[str, Picture.Image]]:
    """Those of the files that can be read, opened one after the other."""
    for picture_id, name in files.items():
        try:
            with default_storage.open(name) as file, Picture.open(file) as picture:
                seen = picture.convert("RGB")
        except (OSError, SyntaxError, ValueError):  # gone or broken: it is not found, the others are
            continue
        yield picture_id, seen


def _keep(weights: str, names: Iterable[str], vectors: Any) -> None:
    """Writes them down, except for what was taken away meanwhile."""
    packed = {name: vector.astype("<f2").tobytes() for name, vector in zip(names, vectors)}
    with transaction.atomic():
        there = Image.objects.select_for_update().filter(id__in=packed).exclude(file="")
        present = set(there.values_list("id", flat=True))
        rows = [Embedding(image_id=name, weights=weights, vector=packed[name]) for name in packed if name in present]
        for given in GivenPicture.objects.select_for_update().filter(id__in=packed).exclude(file=""):
            given.weights, given.vector = weights, packed[given.id]
            given.save(update_fields=["weights", "vector"])
        form = {"update_conflicts": True, "unique_fields": ["image"], "update_fields": ["weights", "vector"]}
        Embedding.objects.bulk_create(rows, **form)
