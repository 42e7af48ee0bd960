"""What everyone may see: works that hang, in the order in which they were hung."""

import datetime
import io
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Q
from django.urls import reverse
from PIL import Image as Picture
from PIL import ImageOps

from salon.web.events.models import Event
from salon.web.gallery.models import Work
from salon.web.station.domain.pictures import without_words

#: works on a page of the gallery
PAGE = 24
#: the share card, as social networks want it; and the picture on it
CARD, ON_CARD = (1200, 630), 512
WALL, GILT, SLIP = (35, 80, 74), (184, 146, 74), (28, 23, 18)


def hung(event: Event) -> Any:
    """The query set of works that hang, newest first."""
    return (
        Work.objects.filter(event=event, state=Work.State.HUNG)
        .select_related("image", "given")
        .order_by("-hung_at", "id")
    )


def page(event: Event, before: str = "") -> tuple[list[Work], str]:
    """A page of the gallery, and the name of the work after which the next one goes on ("" at the end)."""
    works = hung(event)
    if last := Work.objects.filter(id=before, event=event).exclude(hung_at=None).first() if before else None:
        works = works.filter(Q(hung_at__lt=last.hung_at) | Q(hung_at=last.hung_at, id__gt=last.id))
    found = list(works[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else ""


def neighbours(work: Work) -> tuple[Work | None, Work | None]:
    """The works hung next before and after this one."""
    works = Work.objects.filter(event_id=work.event_id, state=Work.State.HUNG)
    earlier = works.filter(Q(hung_at__lt=work.hung_at) | Q(hung_at=work.hung_at, id__gt=work.id))
    later = works.filter(Q(hung_at__gt=work.hung_at) | Q(hung_at=work.hung_at, id__lt=work.id))
    return earlier.order_by("-hung_at", "id").first(), later.order_by("hung_at", "-id").first()


def shown(work: Work) -> dict[str, Any]:
    """A work as the wall and the API tell it. The prompt only if its maker lets it be published. `model` is empty for a
    picture that was not drawn here; then `medium` says what it is, if its maker does."""
    recipe = work.image.recipe if work.image else None
    return {
        "id": work.id,
        "title": work.title,
        "maker": work.maker,
        "statement": work.statement,
        "model": recipe.model if recipe else "",
        "medium": work.medium,
        "date": (work.hung_at or work.created_at).date().isoformat(),
        "year": (work.hung_at or work.created_at).year,
        "prompt": recipe.prompt if recipe and work.may_publish_prompt else "",
        "licence": str(work.get_licence_display()),
        "url": reverse("gallery:work", args=[work.id]),
        "src": work.src,
        "width": work.picture.width,
        "height": work.picture.height,
        "qr": reverse("gallery:work_qr", args=[work.id]),
    }


def listing(event: Event, most: int) -> list[dict[str, Any]]:
    """What the walls show: the newest works that hang, and nothing while they are dark."""
    return [] if event.dark else [shown(work) for work in hung(event)[:most]]


def read_file(work: Work) -> bytes:
    """The PNG, or a given picture's WebP. Without consent to publish the prompt, the recipe that travels in a PNG is
    left out. Raises FileNotFoundError."""
    if not work.picture.file:
        raise FileNotFoundError(work.picture_id)
    with default_storage.open(work.picture.file) as file:
        data: bytes = file.read()
    return data if work.may_publish_prompt or work.given_id else without_words(data)


def card(work: Work) -> bytes:
    """A share card, JPEG: the picture in a frame on the wall."""
    with Picture.open(io.BytesIO(read_file(work))) as picture:
        enlarged = ImageOps.contain(picture.convert("RGB"), (ON_CARD, ON_CARD), Picture.Resampling.LANCZOS)
    sheet = Picture.new("RGB", CARD, WALL)
    for colour, edge in ((SLIP, 26), (GILT, 24), (SLIP, 6)):
        sheet.paste(colour, _centred(enlarged.width + 2 * edge, enlarged.height + 2 * edge))
    sheet.paste(enlarged, _centred(*enlarged.size)[:2])
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=88)
    return out.getvalue()


def _centred(width: int, height: int) -> tuple[int, int, int, int]:
    left, top = (CARD[0] - width) // 2, (CARD[1] - height) // 2
    return left, top, left + width, top + height


def updated(works: list[Work]) -> datetime.datetime:
    """When the newest of them was hung."""
    return max((work.hung_at for work in works if work.hung_at), default=datetime.datetime.now(datetime.UTC))
