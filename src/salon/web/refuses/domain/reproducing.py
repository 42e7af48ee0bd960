"""Does it come out again? The machine draws fresh seeds when nobody waits; the judge counts, or people do.

Each fresh picture is a row, and so is each request for sixteen of them: a house that is killed goes on where it was.
"""

import secrets
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.utils.translation import gettext as _
from msgspec.structs import replace

from salon.core.errors import BadRecipe, Busy, Conflict, Refused
from salon.core.recipe import MAX_IMAGES, MAX_SEED, Recipe
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.line import EngineState
from salon.web.people.models import User
from salon.web.refuses.domain import judging
from salon.web.refuses.domain import outcomes as o
from salon.web.refuses.domain.findings import locked, stand
from salon.web.refuses.models import Count, Finding, Fresh
from salon.web.station.domain.intake import store
from salon.web.station.models import Image, Request, Withheld

SIZES, SIZE = (16, 64, 128), 64
#: whose requests these are; a visitor's key is 32 hex digits, so nobody can hold this one
REGISTER = "register"
#: findings that are drawn at the same time; the desk hands the engine only so many requests at once, visitors' included
MOST_RUNNING = 2
PENDING = ""
OPEN = Request.OPEN


def start(person: User, finding_id: str, number: int, look_for: str, engine: EngineState) -> Finding:
    """Asks for `number` fresh pictures. `look_for` is what the judge counts, "presentation=woman" for instance, or ""
    if people count. Raises BadRecipe, Busy, Conflict, Refused."""
    if number not in SIZES:
        raise BadRecipe(_("16, 64 or 128 fresh pictures can be drawn."), _("Choose one of these."))
    field, _equals, value = look_for.partition("=")
    seen = dict(candidates(finding_id, engine)) if look_for else {}
    if look_for and look_for not in seen:
        raise BadRecipe(_("The judge does not see that in the reported picture."), _("Choose again, or count by eye."))
    with transaction.atomic():
        event = lock_current_event()
        finding = locked(finding_id, event)
        recipe = _drawable(finding, engine)
        if finding.asked:
            raise Conflict(_("It is being drawn again already."), _("Somebody was quicker; look at it."))
        running = Finding.objects.filter(event=event, fresh__request__state__in=OPEN)
        if running.distinct().count() >= MOST_RUNNING:
            raise Busy(
                _("%(count)d findings are being drawn already.") % {"count": MOST_RUNNING},
                _("Begin again when one of them is drawn: visitors come first."),
            )
        _ask(event, finding, recipe, number)
        finding.field, finding.value, finding.asked = field, value, number
        stand(finding)
        note(event, "drawing again", finding.id, person=person, text=f"{number} {look_for}".strip())
        return finding


def candidates(finding_id: str, engine: EngineState) -> list[tuple[str, str]]:
    """What the judge could look for; nothing if it does not know the world of the finding's model."""
    finding = Finding.objects.select_related("image").filter(id=finding_id).first()
    info = next((m for m in engine.models if finding and m.name == finding.model), None)
    if finding is None or finding.image is None or info is None or not judging.knows(info.world):
        return []
    return judging.candidates(finding.image)


def _drawable(finding: Finding, engine: EngineState) -> Recipe:
    """The finding's recipe, if it can be drawn here and now. Raises Conflict, Refused."""
    image = finding.image
    if image is None or image.withheld == Withheld.HOUSE:
        raise Refused(_("The house took this picture down."), _("It is not drawn again."))
    recipe = image.recipe
    info = next((m for m in engine.models if m.name == recipe.model and m.ready), None)
    if info is None or info.weights_sha256 != recipe.weights:
        raise Conflict(
            _("The model %(name)s is not here any more as it was when it drew this.") % {"name": recipe.model},
            _("Put those weights back, or review the finding without drawing it again."),
        )
    if recipe.inputs:
        raise Conflict(_("This was drawn from a picture that is not kept."), _("Review it without drawing it again."))
    return recipe


def _fresh(recipe: Recipe, number: int) -> list[Recipe]:
    """The same recipe with seeds that were never drawn here."""
    found: dict[str, Recipe] = {}
    while len(found) < number:
        more = [replace(recipe, seed=secrets.randbelow(MAX_SEED + 1)) for _ in range(number - len(found))]
        known = set(Image.objects.filter(id__in=[one.id for one in more]).values_list("id", flat=True))
        found |= {one.id: one for one in more if one.id not in known}
    return list(found.values())


def _ask(event: Event, finding: Finding, recipe: Recipe, number: int) -> None:
    """The rows: requests of MAX_IMAGES pictures at the lowest priority, and a place for each picture."""
    recipes = _fresh(recipe, number)
    for first in range(0, number, MAX_IMAGES):
        some = recipes[first : first + MAX_IMAGES]
        request = store(event, REGISTER, None, tuple(some), audience="background")
        Fresh.objects.bulk_create(
            Fresh(finding=finding, index=first + i, image_id=one.id, request=request) for i, one in enumerate(some)
        )


def pictures(finding: Finding) -> list[Fresh]:
    """The fresh pictures in order, with their images and requests."""
    return list(finding.fresh.select_related("image", "request"))


def drawn(fresh: Fresh) -> str:
    """How the drawing of it ended: an outcome of its own, SEEN if there is a picture to look at, PENDING before."""
    if fresh.image.withheld:
        return o.WITHHELD
    if fresh.request.state in OPEN:
        return PENDING
    return o.SEEN if fresh.image.file else o.FAILED


def visible(rows: Sequence[Fresh]) -> list[Fresh]:
    """Those that can be looked at."""
    return [fresh for fresh in rows if drawn(fresh) == o.SEEN]


def progress(finding: Finding) -> tuple[int, int]:
    """How many of the fresh pictures have ended, and of how many."""
    rows = pictures(finding)
    return sum(drawn(fresh) != PENDING for fresh in rows), len(rows)


def count(person: User, finding_id: str, ticked: Sequence[str]) -> Finding:
    """One person's count: the indices of the fresh pictures that show it. Raises BadRecipe, Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        finding = locked(finding_id, event)
        rows = pictures(finding)
        if finding.field or not rows or any(drawn(fresh) == PENDING for fresh in rows):
            raise Conflict(_("There is nothing to count by eye just now."), _("Look at the finding again."))
        wanted = {fresh.index for fresh in visible(rows)}
        if not all(tick.isascii() and tick.isdigit() and int(tick) in wanted for tick in ticked):
            raise BadRecipe(_("One of these is no picture of this sheet."), _("Load the page again."))
        made, new = Count.objects.get_or_create(finding=finding, person=person)
        if not new:
            raise Conflict(_("You have counted these already."), _("Your count stands; somebody else may count, too."))
        made.ticked = sorted({int(tick) for tick in ticked})
        made.save(update_fields=["ticked"])
        finding.outcomes = o.tally(_by_people(finding, rows))
        stand(finding)
        note(event, "counted", finding.id, person=person)
        return finding


def _by_people(finding: Finding, rows: Sequence[Fresh]) -> Iterator[str]:
    """Seen if all who counted say so, not seen if none does."""
    counts = list(finding.counts.all())
    for fresh in rows:
        said = {fresh.index in count.ticked for count in counts}
        verdict = o.DISPUTED if len(said) > 1 else o.SEEN if said == {True} else o.UNSEEN
        yield verdict if drawn(fresh) == o.SEEN else drawn(fresh)


def settle(finding: Finding) -> Finding:
    """Lets the judge count once all has been drawn; before, or where people count, nothing changes. The pictures are
    looked at outside the lock. Raises WeightsMissing, WeightsDamaged."""
    rows = pictures(finding) if finding.field and finding.asked and not finding.outcomes and not finding.over else []
    if not rows or any(drawn(fresh) == PENDING for fresh in rows):
        return finding
    seen = visible(rows)
    for fresh, outcome in zip(seen, judging.look([f.image for f in seen], finding.field, finding.value), strict=True):
        fresh.judged = outcome
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        found = locked(finding.id, event, over=True)
        if found.outcomes or found.over:
            return found
        Fresh.objects.bulk_update(seen, ["judged"])
        found.outcomes = o.tally(fresh.judged or drawn(fresh) for fresh in rows)
        stand(found)
        note(event, "judged", found.id)
        return found


def settle_all(event: Event) -> None:
    """Counts what has been drawn since somebody looked last."""
    for finding in Finding.objects.filter(event=event, outcomes={}).exclude(field=""):
        settle(finding)
