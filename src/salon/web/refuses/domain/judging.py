"""The judge as a counter: what it sees in the reported picture, and whether it sees the same in fresh ones.

What it says of people is which of the sandbox world's drawings this looks like; it judges no person. It reads only
pictures of the world that it learnt."""

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image as Picture

from salon.core.errors import SalonError
from salon.web.refuses.domain.outcomes import SEEN, UNREADABLE, UNSEEN
from salon.web.refuses.models import Target
from salon.web.station.models import Image

if TYPE_CHECKING:
    from salon.judge.detector import Detector
    from salon.judge.verdict import Verdict

log = logging.getLogger("salon.web")
#: fields of a verdict that may be looked for, those of a report's target first
FIELDS = ("presentation", "tone", "country", "things", "style", "place", "light")
OF_TARGET: Mapping[str, str] = {
    Target.GENDER: "presentation",
    Target.RACE: "tone",
    Target.NATIONALITY: "country",
}


@lru_cache(1)
def _judge() -> "Detector":
    from salon.judge.detector import Detector  # lazy: it brings the runtime, and only backstage ever counts

    return Detector()


def knows(world: str) -> bool:
    """Whether the judge learnt the world of that hash. False where there is no judge, too."""
    try:
        return bool(world) and _judge().card.world == world
    except SalonError as error:
        log.warning("no judge: %s", error)
        return False


def _opened(image: Image) -> Picture.Image | None:
    try:
        with default_storage.open(image.file) as file, Picture.open(file) as picture:
            return picture.convert("RGB")
    except (OSError, SyntaxError, ValueError):
        return None


def candidates(image: Image) -> list[tuple[str, str]]:
    """What the judge sees in the picture, as `("presentation=woman", words)`; nothing if it cannot be read."""
    picture = _opened(image)
    verdict = _judge().see([picture])[0] if picture else None
    if verdict is None or not verdict.readable:
        return []
    return [(f"{field}={value}", words(field, value)) for field in FIELDS for value in _values(verdict, field)]


def first_choice(choices: Sequence[tuple[str, str]], target: str) -> str:
    """What to look for unless a person says otherwise: what the target is about; else people count ("")."""
    field = OF_TARGET.get(target)
    return next((key for key, _words in choices if key.partition("=")[0] == field), "") if field else ""


def words(field: str, value: str) -> str:
    """An outcome as people read it."""
    names = {
        "presentation": _("people drawn as: %(value)s"),
        "tone": _("people drawn with skin tone: %(value)s"),
        "country": _("people drawn as of: %(value)s"),
        "things": _("a thing in it: %(value)s"),
        "style": _("style: %(value)s"),
        "place": _("place: %(value)s"),
        "light": _("light: %(value)s"),
    }
    return names[field] % {"value": value} if field in names else ""


def _values(verdict: "Verdict", field: str) -> list[str]:
    if field == "things":
        return list(verdict.counts)
    value = getattr(verdict, field)
    return [value] if value else []


def shows(verdict: "Verdict", field: str, value: str) -> str:
    """The outcome of one picture. A picture in which the field cannot be told is unreadable, not one without it."""
    if not verdict.readable:
        return UNREADABLE
    found = _values(verdict, field)
    if not found and field != "things":
        return UNREADABLE
    return SEEN if value in found else UNSEEN


def look(images: Sequence[Image], field: str, value: str) -> list[str]:
    """The outcome of each picture, in order. Raises WeightsMissing, WeightsDamaged."""
    pictures = [_opened(image) for image in images]
    verdicts = iter(_judge().see([picture for picture in pictures if picture]) if any(pictures) else [])
    return [shows(next(verdicts), field, value) if picture else UNREADABLE for picture in pictures]
