"""What the browser that a guest came with has drawn and hung here. Two guests may have come with one browser (a
family's phone): it is forgotten with the last of them."""

from typing import Any

from salon.web.gallery.domain import giving, proposing
from salon.web.gallery.models import Licence, Work
from salon.web.people.models import Guest
from salon.web.refuses.models import Report
from salon.web.station.models import Drawing


def collect(guest: Guest) -> dict[str, Any]:
    """Works with their labels; pictures that were drawn, with their words."""
    if not guest.visitor:
        return {}
    drawn = Drawing.objects.filter(request__visitor=guest.visitor).select_related("image").order_by("id")
    found = {
        "works": [
            {"title": work.title, "maker": work.maker, "statement": work.statement, "licence": work.licence,
             "state": work.state, "at": work.created_at}
            for work in proposing.works_of(guest.visitor)
        ],
        "drawn": [{"image": one.image_id, "prompt": one.image.recipe.prompt} for one in drawn],
    }  # fmt: skip
    return found if any(found.values()) else {}


def subjects(guest: Guest) -> list[str]:
    """What the trail calls theirs: works, whose notes hold reasons, and reports, whose notes hold the name for the
    credit."""
    if not guest.visitor or _others(guest):
        return []
    rows = (model.objects.filter(visitor=guest.visitor) for model in (Work, Report))
    return [pk for found in rows for pk in found.values_list("pk", flat=True)]


def _others(guest: Guest) -> bool:
    """Whether somebody else came with the same browser."""
    return Guest.objects.filter(visitor=guest.visitor, erased_at=None).exclude(id=guest.id).exists()


def erase(guest: Guest) -> None:
    """Everything, but works under a free licence if the guest wants that they stay: those lose name and words."""
    if not guest.visitor or _others(guest):
        return
    if guest.works_stay:
        free = Work.objects.filter(visitor=guest.visitor, state=Work.State.HUNG).exclude(licence=Licence.ALL_RIGHTS)
        for work in free:
            giving.forget(work, free=True)
            work.visitor = f"forgotten-{work.id}"
            work.save(update_fields=["visitor"])
    proposing.forget(guest.visitor)
