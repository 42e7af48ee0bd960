"""`Salon`: text to images in one call, with the engine in this process or through a running house."""

import http.client
import io
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import warnings
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from salon.core import errors
from salon.core.errors import BadRecipe, EngineUnavailable, SalonError
from salon.core.recipe import MAX_IMAGES, Recipe, Request
from salon.core.unused import UnusedWarning, unused
from salon.core.update import Cancelled, Failed, Finished, Picture, RefusedUpdate
from salon.engine.client import Engine, LocalEngine
from salon.engine.messages import error_of
from salon.engine.models import ModelInfo
from salon.engine.pictures import read
from salon.engine.recipes import make_recipe
from salon.engine.varying import HALF, Begun, variations, varying


class Salon:
    """Draws. `Salon()` holds an engine in this process; `Salon(url="http://...")` asks a running house.

    from salon import Salon
    images = Salon().draw("three red foxes in the snow", seeds=range(9))

    `scores=True`: CLIP looks at each image, and `image.info["score"]` says how near it is to the prompt (a cosine); a
    running house tells it unasked. Without CLIP there is none. `rules=False`: of the rules for prompts (docs/guard.md)
    only the one about minors is left, which nothing switches off. What of a prompt changes nothing (words beyond what
    the models read, a negative prompt at guidance 1) is told as an `UnusedWarning`.
    """

    def __init__(
        self, url: str | None = None, engine: Engine | None = None, scores: bool = False, rules: bool = True
    ) -> None:
        """Raises BadRecipe for what only an engine in this process can be told."""
        if not rules and (url or engine):
            raise BadRecipe("A running house has rules of its own.", "Switch them off here only: Salon(rules=False).")
        self._house = House(url) if url else None
        self._engine, self._scores, self._rules = engine, scores, rules

    @property
    def engine(self) -> Engine:
        """The engine in this process, loaded when first needed."""
        if self._engine is None:
            self._engine = LocalEngine(scores=self._scores, rules=self._rules)
        return self._engine

    def models(self) -> list[ModelInfo]:
        """The models of the engine in this process."""
        return self.engine.models()

    def recipes(self, prompt: str, seeds: Iterable[int], model: str | None = None, **options: Any) -> list[Recipe]:
        """One recipe for each seed; `options` as in `make_recipe`. Raises SalonError."""
        info = choose(self.engine.models(), model)
        made = [make_recipe(info, prompt, seed, **options) for seed in seeds]
        tell_unused(made)
        return made

    def draw(
        self, prompt: str, seeds: Iterable[int] = range(1), model: str | None = None, **options: Any
    ) -> list[Image.Image]:
        """Images in the order of the seeds, 256 x 256 RGB. `options`: num_inference_steps, guidance_scale, sampler,
        negative_prompt; in this process also the others of `make_recipe`, such as prior=False and dynamic_threshold.
        Raises SalonError with what happened and what to do."""
        wanted = list(seeds)
        if self._house:
            return self._house.draw(prompt, wanted, model, options)
        return self.draw_recipes(self.recipes(prompt, wanted, model, **options))

    def vary(
        self,
        picture: Image.Image | Path | str,
        prompt: str = "",
        seeds: Iterable[int] = range(1),
        was: str = "",
        amounts: Iterable[float] = HALF,
        model: str | None = None,
        **options: Any,
    ) -> list[Image.Image]:
        """Variations of a picture (Pillow's, or a file's path), one for each seed. With a prompt, text diffs: for each
        seed and each of `amounts`, the picture moved that far (0 to 1) from what `was` says towards the prompt. The
        picture's middle square is made 64 px. Raises SalonError, OSError."""
        return self.draw_recipes(*self.variations(picture, prompt, seeds, was, amounts, model, **options))

    def between(
        self,
        was: str,
        prompt: str,
        seeds: Iterable[int] = range(1),
        amounts: Iterable[float] = HALF,
        model: str | None = None,
        **options: Any,
    ) -> list[Image.Image]:
        """From one prompt to another: for each seed the picture of `was` is drawn, then moved by each of `amounts`
        towards `prompt`, as by `vary`. Raises SalonError."""
        return self.draw_recipes(*self.ways(was, prompt, seeds, amounts, model, **options))

    def variations(
        self,
        picture: Image.Image | Path | str,
        prompt: str = "",
        seeds: Iterable[int] = range(1),
        was: str = "",
        amounts: Iterable[float] = HALF,
        model: str | None = None,
        **options: Any,
    ) -> Begun:
        """What `vary` draws, as recipes and inputs for `draw_recipes`. Raises SalonError, OSError."""
        info = self._varying(model)
        found = picture if isinstance(picture, Image.Image) else read(Path(picture))
        begun = variations(info, found, prompt, seeds, was, amounts, **options)
        tell_unused(begun.recipes)
        return begun

    def ways(
        self,
        was: str,
        prompt: str,
        seeds: Iterable[int] = range(1),
        amounts: Iterable[float] = HALF,
        model: str | None = None,
        **options: Any,
    ) -> Begun:
        """What `between` draws, as recipes and inputs; the pictures that they begin with are drawn now. Raises
        SalonError."""
        info, wanted, steps = self._varying(model), list(seeds), list(amounts)
        starts = self.draw(was, wanted, info.name, **options)
        begun = [variations(info, start, prompt, [s], was, steps, **options) for start, s in zip(starts, wanted)]
        inputs = {name: data for part in begun for name, data in part.inputs.items()}
        return Begun([recipe for part in begun for recipe in part.recipes], inputs)

    def _varying(self, model: str | None) -> ModelInfo:
        if self._house:
            raise BadRecipe("A running house draws from words only.", "Vary pictures without an address: Salon().")
        return varying(self.engine.models(), model)

    def draw_recipes(self, recipes: list[Recipe], inputs: Mapping[str, bytes] | None = None) -> list[Image.Image]:
        """The images of recipes, in their order, by the engine in this process; `inputs` holds the bytes that recipes
        name, by their SHA-256. Raises SalonError."""
        return [image for done in self._finished(recipes, inputs or {}) for image in images_of(done)]

    def pictures(self, recipes: list[Recipe], inputs: Mapping[str, bytes] | None = None) -> list[Picture]:
        """The same as raw pictures."""
        return [picture for done in self._finished(recipes, inputs or {}) for picture in done.images]

    def _finished(self, recipes: list[Recipe], inputs: Mapping[str, bytes]) -> list[Finished]:
        requests = [request_of(recipes[i : i + MAX_IMAGES], inputs) for i in range(0, len(recipes), MAX_IMAGES)]
        for request in requests:
            self.engine.submit(request)
        drawn: dict[str, Finished] = {}
        for update in self.engine.updates():
            if isinstance(update, Finished):
                drawn[update.request] = update  # this engine has no filter: all images are there
            elif isinstance(update, RefusedUpdate | Failed):
                raise error_of(update.code, update.why)
            elif isinstance(update, Cancelled):
                raise SalonError("The drawing was cancelled.")
        return [drawn[request.id] for request in requests]


def tell_unused(recipes: list[Recipe]) -> None:
    """Warns, before anything is drawn, of what changes nothing; recipes of one press differ in their seeds only."""
    for one in unused(recipes[0]) if recipes else ():
        warnings.warn(one.message, UnusedWarning, stacklevel=3)


def request_of(recipes: list[Recipe], inputs: Mapping[str, bytes]) -> Request:
    """A request of at most MAX_IMAGES recipes, with what they begin with."""
    named = {digest for recipe in recipes for digest in recipe.inputs.values()}
    given = {digest: inputs[digest] for digest in named if digest in inputs}
    return Request(id=uuid.uuid4().hex, visitor="python", recipes=tuple(recipes), previews=False, inputs=given)


def choose(models: list[ModelInfo], name: str | None) -> ModelInfo:
    """The model of that name, or the first that is ready. Raises UnknownModel."""
    if name is None:
        ready = [model for model in models if model.ready and model.purpose == "public"]
        problems = " ".join(model.problem for model in models)
        if not ready:
            raise errors.UnknownModel(
                "No model is ready.", problems or "Install one, or train one: salon train latent."
            )
        return ready[0]
    found = [model for model in models if model.name == name]
    if not found:
        raise errors.UnknownModel(
            f"No model named {name!r} is installed.", f"Installed: {', '.join(m.name for m in models) or 'none'}."
        )
    return found[0]


def to_image(picture: Picture) -> Image.Image:
    """A Pillow RGB image."""
    return Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)


def images_of(done: Finished) -> list[Image.Image]:
    """The images of a request, with their scores if it has any."""
    images = [to_image(picture) for picture in done.images]
    for image, score in zip(images, done.scores):
        image.info["score"] = score
    return images


#: what a house says when it takes no more for now
FULL = ("too_many_waiting", "busy")


class House:
    """A running Latent Salon by its URL (docs/architecture.md, the station's API)."""

    def __init__(self, url: str, patience: float = 600.0) -> None:
        self.url, self.patience = url.rstrip("/"), patience
        if urllib.parse.urlsplit(self.url).scheme not in ("http", "https"):
            raise BadRecipe(f"This is not the address of a house: {url!r}.", "It looks like http://127.0.0.1:8000.")
        #: the house knows its visitors by a ticket: only who asked may look. It comes as a cookie and goes back in a
        #: header: a cookie is what browsers lend to other sites' pages, so the house takes no orders from one alone
        self._ticket = ""

    def draw(self, prompt: str, seeds: list[int], model: str | None, options: dict[str, Any]) -> list[Image.Image]:
        """Images in the order of the seeds; runs of seeds that follow each other travel as one request."""
        asked = {"prompt": prompt, "model": model, **options}
        common = {name: value for name, value in asked.items() if value is not None}
        waiting, images = deque[tuple[str, int]](), list[Image.Image]()
        for seed, count in runs(seeds):
            while not (request := self._ask(common | {"seed": seed, "count": count}, patient=bool(waiting))):
                images += self._fetch(*waiting.popleft())
            waiting.append((request, count))
        return images + [image for request, count in waiting for image in self._fetch(request, count)]

    def _ask(self, body: dict[str, Any], patient: bool) -> str:
        """The id of the request; "" where the house has enough of ours waiting and we are `patient`."""
        try:
            answer = self._json("/api/requests", json.dumps(body).encode())
        except SalonError as error:
            if patient and error.code in FULL:
                return ""
            raise
        for one in answer.get("unused", ()):
            warnings.warn(str(one["message"]), UnusedWarning, stacklevel=4)
        if not answer.get("id"):
            raise self._no_house()
        return str(answer["id"])

    def _fetch(self, request: str, count: int) -> list[Image.Image]:
        """The images of a request when they are there. Raises what the house says went wrong."""
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            answer = self._json(f"/api/requests/{request}")
            state = answer.get("state")
            if state == "finished":
                images = sorted(answer["images"], key=lambda image: int(image["index"]))
                return [self._image(image) for image in unfiltered(images[:count])]
            if state in ("refused", "failed", "cancelled"):
                said = str(answer.get("why") or answer.get("message") or f"The request was {state}.")
                raise error_of(str(answer.get("code", "")), said, str(answer.get("hint", "")))
            time.sleep(0.2)
        raise EngineUnavailable(
            "The house did not finish the images in time.", "They may still come: look again later."
        )

    def _image(self, told: dict[str, Any]) -> Image.Image:
        image = Image.open(io.BytesIO(self._read(f"/images/{told['id']}.png"))).convert("RGB")
        if told.get("score") is not None:
            image.info["score"] = told["score"]
        return image

    def _json(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        try:
            answer = json.loads(self._read(path, body))
        except ValueError as error:
            raise self._no_house() from error
        return answer if isinstance(answer, dict) else {}

    def _no_house(self) -> EngineUnavailable:
        return EngineUnavailable(f"What answers at {self.url} is no Latent Salon.", "Check the address.")

    def _read(self, path: str, body: bytes | None = None) -> bytes:
        asked = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"} if body else {})
        if self._ticket:
            asked.add_unredirected_header("Authorization", f"Bearer {self._ticket}")
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                self._ticket = ticket_in(answer.headers.get_all("Set-Cookie") or []) or self._ticket
                data: bytes = answer.read()
                return data
        except urllib.error.HTTPError as error:
            raise said_by(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise EngineUnavailable(
                f"The house at {self.url} cannot be reached ({error}).", "Is it running?"
            ) from error


def ticket_in(cookies: Iterable[str]) -> str:
    """The ticket among the cookies that a house sets, or ""."""
    found = (cookie.partition(";")[0].partition("=") for cookie in cookies)
    return next((value for name, _, value in found if name == "salon_ticket"), "")


def unfiltered(images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The images themselves, if all may be shown. Raises Refused with the seeds of those that were kept back."""
    kept_back = [str(image.get("seed")) for image in images if image.get("withheld")]
    if kept_back:
        raise errors.Refused(
            f"The image filter of this house kept back the pictures of these seeds: {', '.join(kept_back)}.",
            "Leave them out, or draw them with an engine of your own: Salon().",
        )
    return images


def said_by(error: urllib.error.HTTPError) -> SalonError:
    """The house's own words {code, message, hint}, or the status if it gave none."""
    try:
        said = json.loads(error.read())
        return error_of(said["code"], said["message"], said.get("hint", ""))
    except (ValueError, KeyError, TypeError, OSError):
        return EngineUnavailable(f"The house answered {error.code} {error.reason}.", "Try again, or look at its log.")


def runs(seeds: list[int]) -> list[tuple[int, int]]:
    """(first, count) of each run of seeds in a row, at most MAX_IMAGES long: [3, 4, 9] -> (3, 2), (9, 1)."""
    found: list[tuple[int, int]] = []
    for seed in seeds:
        first, count = found[-1] if found else (0, 0)
        if count and seed == first + count and count < MAX_IMAGES:
            found[-1] = (first, count + 1)
        else:
            found.append((seed, 1))
    return found
