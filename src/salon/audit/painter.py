"""Drawing for an audit: behind everybody else. In this process, or by the engine of a running house."""

import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from PIL import Image

from salon.audit.folder import Outcome
from salon.core import guard
from salon.core.errors import EngineUnavailable, SalonError
from salon.core.home import home, socket_address
from salon.core.recipe import MAX_IMAGES, Recipe, Request
from salon.core.update import Failed, Finished, RefusedUpdate
from salon.engine.client import Engine, LocalEngine, RemoteEngine
from salon.engine.drawing import choose, to_image
from salon.engine.messages import error_of
from salon.engine.recipes import make_recipe
from salon.engine.registry import Registry

#: requests that wait at the engine at once
AHEAD = 2
#: images by which a model is timed
TIMED = 3


class Drawn(NamedTuple):
    """What became of a recipe; there is no image of what was withheld or refused."""

    recipe: Recipe
    outcome: Outcome
    image: Image.Image | None


class Painter:
    """Draws with one model, in the background. Raises UnknownModel, WeightsDamaged, BadRecipe."""

    def __init__(
        self, model: str | None, options: Mapping[str, Any], engine: Engine | None = None, whole: bool = False
    ) -> None:
        """`whole`: with all cores of this machine, not half of them."""
        threads = max(1, (os.cpu_count() or 2) // (1 if whole else 2))
        self.engine: Engine = engine or LocalEngine(Registry(threads=threads), rules=False)
        self.info = choose(self.engine.models(), model)
        self.options = dict(options)
        # a house's; who audits in a process of their own must see what is drawn
        self.rules = not isinstance(self.engine, LocalEngine)
        self.recipe("a cat", 0)  # what cannot be asked fails here

    def of(self, model: str) -> "Painter":
        """The same engine with another model."""
        other = copy(self)
        other.info = choose(self.engine.models(), model)
        other.recipe("a cat", 0)
        return other

    def recipe(self, text: str, seed: int) -> Recipe:
        """One prompt at one seed."""
        return make_recipe(self.info, text, seed, **self.options)

    def draw(self, recipes: Sequence[Recipe]) -> Iterator[Drawn]:
        """What becomes of each, in order. Raises EngineUnavailable, and what the engine says went wrong."""
        allowed = [recipe for recipe in recipes if not self._refused(recipe)]
        drawn = {one.recipe.id: one for one in self._asked(allowed)}
        return (drawn.get(recipe.id, Drawn(recipe, "refused", None)) for recipe in recipes)

    def _refused(self, recipe: Recipe) -> bool:
        """One by one: a request of several recipes is refused as a whole. The rule about minors holds for all."""
        found = guard.judge_recipes([recipe])
        return found is not None and (found.minor or self.rules)

    def _asked(self, recipes: Sequence[Recipe]) -> Iterator[Drawn]:
        requests = {}
        for start in range(0, len(recipes), MAX_IMAGES):
            part = tuple(recipes[start : start + MAX_IMAGES])
            request = Request(id=uuid.uuid4().hex, visitor="audit", recipes=part, audience="background", previews=False)
            requests[request.id] = request
            self.engine.submit(request)
        for update in self.engine.updates():
            if isinstance(update, Finished | RefusedUpdate | Failed):
                yield from _ended(requests[update.request], update)

    def pace(self) -> float:
        """Seconds an image: as recorded on this machine, or timed on three images now."""
        return _recorded().get(self.info.weights_sha256) or self.timed()

    def timed(self) -> float:
        """Seconds an image, after the networks are loaded; recorded."""
        list(self.draw([self.recipe("a cat", 0)]))
        started = time.monotonic()
        list(self.draw([self.recipe("a cat", seed) for seed in range(1, TIMED + 1)]))
        return self.record((time.monotonic() - started) / TIMED)

    def record(self, seconds: float) -> float:
        """Keep a pace for the next estimate."""
        path = home() / "audit" / "pace.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(_recorded() | {self.info.weights_sha256: round(seconds, 4)}))
        return seconds


def _ended(request: Request, update: Finished | RefusedUpdate | Failed) -> Iterator[Drawn]:
    """A refusal of the words is an outcome; whatever else stands in the way is an error."""
    if isinstance(update, Failed) or (isinstance(update, RefusedUpdate) and update.code != "refused"):
        raise error_of(update.code, update.why)
    pictures = {p.index: p for p in update.images} if isinstance(update, Finished) else {}
    for index, recipe in enumerate(request.recipes):
        if isinstance(update, RefusedUpdate):
            yield Drawn(recipe, "refused", None)
        elif index in update.withheld or index not in pictures:
            yield Drawn(recipe, "withheld", None)
        else:
            yield Drawn(recipe, "drawn", to_image(pictures[index]))


def _recorded() -> dict[str, float]:
    try:
        return msgspec.json.decode((home() / "audit" / "pace.json").read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError):
        return {}


def house_engine() -> Engine:
    """The engine of the house that runs from this state folder. Raises EngineUnavailable if there is none."""
    address = socket_address(home(), "engine")
    if not Path(address.removeprefix("ipc://")).exists():
        raise EngineUnavailable(f"No house is running from {home()}.", "Start it, or leave out --house.")
    engine = RemoteEngine(address)
    try:
        engine.models()
    except SalonError as error:
        engine.close()
        raise EngineUnavailable("The house's engine does not answer.", "Start it, or leave out --house.") from error
    return engine


def batches(recipes: Iterable[Recipe]) -> Iterator[list[Recipe]]:
    """As many as wait at the engine at once."""
    batch: list[Recipe] = []
    for recipe in recipes:
        batch.append(recipe)
        if len(batch) == AHEAD * MAX_IMAGES:
            yield batch
            batch = []
    if batch:
        yield batch
