"""The house's own first draws: what hangs on the home page before a visitor has drawn anything."""

from collections.abc import Iterable

from django.db import transaction

from salon.engine.recipes import make_recipe
from salon.web.events.domain import lock_current_event
from salon.web.line import EngineState
from salon.web.station.domain.catalogue import model_of
from salon.web.station.domain.inspiration import HANG
from salon.web.station.domain.intake import existing, store
from salon.web.station.models import Image, Request

#: a visitor's key is 32 hex digits: nobody can hold this one
HOUSE = "house"
#: the same for every prompt, said on the page: first draws, not picked
SEED = 1


def hang_first(engine: EngineState) -> bool:
    """Ask for the first draws of the present model, as background work, once; whether it was new.

    Raises UnknownModel, WeightsMissing, WeightsDamaged, EngineUnavailable."""
    model = model_of(engine, None)
    key = f"first-draws-{model.weights_sha256[:16]}"
    with transaction.atomic():
        event = lock_current_event()
        if found := existing(HOUSE, key):
            # refused while the image filter was missing: now it may be there
            again = Request.objects.filter(id=found.id, state=Request.State.REFUSED)
            return bool(again.update(state=Request.State.WAITING, code="", why="", ended_at=None))
        recipes = tuple(make_recipe(model, prompt, SEED) for prompt in HANG)
        store(event, HOUSE, key, recipes, audience="background")
        return True


def first_draws() -> Iterable[Image]:
    """The newest finished first draws, in their order."""
    request = Request.objects.filter(visitor=HOUSE, state=Request.State.FINISHED).order_by("-created_at").first()
    return [drawing.image for drawing in request.drawings.select_related("image")] if request else []
