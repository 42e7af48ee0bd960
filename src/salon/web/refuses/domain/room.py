"""What everyone may see: findings that two people have let in."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Q
from django.urls import reverse

from salon.web.events.models import Event
from salon.web.refuses.domain import judging, outcomes
from salon.web.refuses.models import Failure, Finding, Severity
from salon.web.station.domain.pictures import without_words
from salon.web.station.models import Image

#: failures whose pictures are covered until somebody wants to see them
COVERED = (Failure.SEXUAL, Failure.VIOLENT, Failure.HATE)
PAGE = 24


def shown(event: Event, hidden: Sequence[str] = ()) -> list[Finding]:
    """The findings of the room, newest first, without those that anybody gave one of the `hidden` failures."""
    found = Finding.objects.filter(event=event, state=Finding.State.SHOWN).order_by("-shown_at", "id")
    if hidden:
        said = Q(failure__in=hidden) | Q(reports__failure__in=hidden) | Q(reviews__failure__in=hidden)
        found = found.exclude(id__in=Finding.objects.filter(said).values("id"))
    return list(found.select_related("image").prefetch_related("reports", "reviews"))


def page(event: Event, hidden: Sequence[str], after: str) -> tuple[list[Finding], str]:
    """A page of the room, and the name of the finding after which the next one goes on ("" at the end)."""
    found = shown(event, hidden)
    first = next((place + 1 for place, finding in enumerate(found) if finding.id == after), 0)
    more = found[first : first + PAGE]
    return more, more[-1].id if len(found) > first + PAGE else ""


def one(finding_id: str) -> Finding | None:
    """A finding that is shown; nobody is told of the others."""
    return Finding.objects.filter(id=finding_id, state=Finding.State.SHOWN).select_related("image").first()


def categories(finding: Finding) -> set[str]:
    """Every failure that anybody named."""
    told = [finding.failure, *(r.failure for r in finding.reports.all()), *(r.failure for r in finding.reviews.all())]
    return set(filter(None, told))


def covered(finding: Finding) -> bool:
    """Whether the picture is hidden behind a press: one reviewer, or one reporter, is enough."""
    return (finding.severity or 0) >= Severity.BAD or not categories(finding).isdisjoint(COVERED)


def words_public(image: Image) -> bool:
    """Whether the words may be told: who proposed the picture for the gallery may have kept them back. The gallery's
    works are found by their reverse name, since the register comes before the gallery."""
    return not image.works.filter(may_publish_prompt=False).exists()


def credits(finding: Finding) -> tuple[list[str], int]:
    """Names of the finders who want to be named, oldest first, and how many others there are."""
    reports = sorted(finding.reports.all(), key=lambda report: report.created_at)
    names = [report.credit for report in reports if report.credit and report.credit_seen]
    return list(dict.fromkeys(names)), len(reports) - len(names)


def told(finding: Finding) -> dict[str, Any]:
    """A finding as its page tells it."""
    image = finding.image
    assert image is not None  # only a withdrawn one has none
    names, anonymous = credits(finding)
    public = words_public(image)
    return {
        "id": finding.id,
        "finding": finding,
        "recipe": image.recipe,
        "url": reverse("refuses:finding", args=[finding.id]),
        "src": reverse("refuses:picture", args=[finding.id]) if image.file else "",
        "recipe_url": reverse("station:image", args=[image.id]) if public else "",
        "prompt": finding.prompt if public else "",
        "covered": covered(finding),
        "rate": outcomes.rate(finding.outcomes),
        "others": outcomes.others(finding.outcomes),
        "looked_for": judging.words(finding.field, finding.value),
        "reviews": list(finding.reviews.all()),
        "names": names,
        "anonymous": anonymous,
    }


def listing(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [told(finding) for finding in findings]


def read_file(finding: Finding) -> bytes:
    """The picture, PNG; without the recipe in it if the words are kept back. Raises FileNotFoundError."""
    image = finding.image
    if image is None or not image.file:
        raise FileNotFoundError(finding.id)
    with default_storage.open(image.file) as file:
        data: bytes = file.read()
    return data if words_public(image) else without_words(data)
