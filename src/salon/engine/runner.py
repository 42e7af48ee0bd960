"""The engine's heart: schedule -> run -> update."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from salon.core.errors import BadRecipe, Busy, SalonError, UnknownModel
from salon.core.guard import check_recipes
from salon.core.hashing import bytes_hash
from salon.core.recipe import (
    NUMERICS,
    BlendOptions,
    DiffusionOptions,
    PlainOptions,
    Recipe,
    Request,
    TokenOptions,
    check_recipe,
)
from salon.core.update import (
    Cancelled,
    Failed,
    Finished,
    Picture,
    Preview,
    Queued,
    RefusedUpdate,
    StageDone,
    Started,
    Tensor,
    Trace,
    Update,
)
from salon.diffusion.samplers import SAMPLERS
from salon.engine.guard import Guard
from salon.engine.models import ModelInfo
from salon.engine.registry import Registry
from salon.engine.scheduler import Sample, Scheduler, Turn
from salon.engine.scoring import Scorer
from salon.engine.stage import Floats, Model

#: about so many previews a stage: of 128 codes each row of cells, and no call for each code
MOST_PREVIEWS = 16
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """A request on its way."""

    request: Request
    started: float = 0.0  # seconds, monotonic; 0: not yet
    position: int = -1
    pictures: dict[int, Picture] = field(default_factory=dict)


class Runner:
    """Draws requests turn by turn. Not thread-safe: one process, one loop."""

    def __init__(
        self,
        registry: Registry,
        scheduler: Scheduler | None = None,
        preview_every: int = 2,
        most_waiting: int = 1000,
        guard: Guard | None = None,
        scorer: Scorer | None = None,
        rules: bool = True,
    ) -> None:
        """`guard` looks at every finished picture; None: they are handed out as drawn (research, the command line).
        `scorer` says how near each is to its prompt; None: nobody asks. Without `rules` only the rule about minors is
        left of those for prompts."""
        self.registry, self.scheduler, self.guard = registry, scheduler or Scheduler(), guard
        self.scorer, self.rules = scorer, rules
        self.preview_every, self.most_waiting = preview_every, most_waiting
        self.jobs: dict[str, Job] = {}
        self.sample_steps = 0

    @property
    def idle(self) -> bool:
        """Nothing to draw."""
        return not self.jobs

    def submit(self, request: Request) -> list[Update]:
        """Take a request in. What cannot be drawn is refused here, with the reason. Asking twice draws once."""
        if request.id in self.jobs:
            return []
        try:
            if len(self.jobs) >= self.most_waiting:
                raise Busy("Too many images are waiting already.", "Try again in a few minutes.")
            for recipe in request.recipes:
                info = self.registry.info(recipe.model)
                if self.guard:
                    self.guard.check(info)
                check(recipe, info)
            check_inputs(request)
            check_recipes(request.recipes, self.rules)
        except SalonError as error:
            return [RefusedUpdate(request=request.id, code=error.code, why=str(error))]
        self.jobs[request.id] = Job(request)
        background = request.audience != "visitor"
        self.scheduler.add(
            [Sample(request.id, i, request.visitor, r.model, background) for i, r in enumerate(request.recipes)]
        )
        return self._queue()

    def cancel(self, request: str) -> list[Update]:
        """Forget a request; nothing is said of one that is unknown or done."""
        if self.jobs.pop(request, None) is None:
            return []
        self.scheduler.drop(request)
        return [Cancelled(request=request), *self._queue()]

    def turn(self) -> Iterator[Update]:
        """One network call for whoever's turn it is, and what there is to say about it, as it happens."""
        turn = self.scheduler.next()
        if turn is None:
            return
        try:
            yield from self._start(turn)
            yield from self._run(turn)
        except Exception as error:  # whatever it is, it must not end the engine
            yield from self._isolate(turn, error)

    def _start(self, turn: Turn) -> Iterator[Update]:
        for name in dict.fromkeys(sample.request for sample in turn.samples):
            if not self.jobs[name].started:
                self.jobs[name].started = time.monotonic()
                yield Started(request=name)

    def _run(self, turn: Turn) -> Iterator[Update]:
        model = self.registry.load(turn.model)
        fresh = [s for s in turn.samples if s.state is None]
        self._begin(model, 0, fresh, [self._inputs(s) for s in fresh])
        if turn.finish:
            yield from self._finish(model, turn)
        elif moving := [s for s in turn.samples if s.left]:  # of a stage without steps there is only a finish
            yield from self._step(model, turn._replace(samples=moving))

    def _recipe(self, sample: Sample) -> Recipe:
        return self.jobs[sample.request].request.recipes[sample.index]

    def _inputs(self, sample: Sample) -> dict[str, bytes] | None:
        """What the sample's recipe begins with, by its role."""
        given = self.jobs[sample.request].request.inputs
        return {role: given[digest] for role, digest in self._recipe(sample).inputs.items()} or None

    def _begin(self, model: Model, stage: int, samples: list[Sample], inputs: list[Any]) -> None:
        if samples:
            self._place(samples, model.stages[stage].begin([self._recipe(s) for s in samples], inputs))

    def _place(self, samples: list[Sample], states: list[Any]) -> None:
        for sample, state in zip(samples, states, strict=True):
            sample.state, sample.left = state, state.steps - state.step

    def _step(self, model: Model, turn: Turn) -> Iterator[Update]:
        stage = model.stages[turn.stage]
        wanted = [s for s in turn.samples if self.jobs[s.request].request.trace]
        inner: dict[str, Floats] | None = {} if wanted else None
        self._place(turn.samples, stage.step([s.state for s in turn.samples], inner))
        self.sample_steps += len(turn.samples)
        yield from self._previews(model, turn)
        if inner:
            yield from self._traces(stage.name, turn, wanted, inner)

    def _previews(self, model: Model, turn: Turn) -> Iterator[Update]:
        """After the first step, then every second one; the last is left to the finish."""
        shown = [s for s in turn.samples if self.jobs[s.request].request.previews and self._showable(s)]
        if not shown:
            return
        stage = model.stages[turn.stage]
        try:
            images = {s: picture(s.index, i) for s, i in zip(shown, stage.preview([s.state for s in shown]))}
        except Exception as error:  # a preview is a courtesy: the finish says whether something is wrong
            log.error("no preview", exc_info=error)
            return
        for name, samples in by_request(shown).items():
            step, steps = min((s.state.step, s.state.steps) for s in samples)
            pictures = tuple(images[s] for s in samples)
            yield Preview(request=name, stage=stage.name, step=step, steps=steps, images=pictures)

    def _showable(self, sample: Sample) -> bool:
        step, every = sample.state.step, max(self.preview_every, sample.state.steps // MOST_PREVIEWS)
        return sample.left > 0 and (step == 1 or step % every == 0)

    def _traces(self, stage: str, turn: Turn, wanted: list[Sample], inner: dict[str, Floats]) -> Iterator[Update]:
        row = {sample: i for i, sample in enumerate(turn.samples)}
        for name, samples in by_request(wanted).items():
            tensors = tuple(tensor(key, s.index, value[row[s]]) for s in samples for key, value in inner.items())
            yield Trace(request=name, stage=stage, step=min(s.state.step for s in samples), tensors=tensors)

    def _finish(self, model: Model, turn: Turn) -> Iterator[Update]:
        outputs = model.stages[turn.stage].finish([s.state for s in turn.samples])
        last = turn.stage + 1 == len(model.stages)
        # everything that may go wrong comes before the first change, so that a turn can be taken again
        if last:
            drawn = [picture(s.index, output) for s, output in zip(turn.samples, outputs, strict=True)]
            for sample, done in zip(turn.samples, drawn):
                self.jobs[sample.request].pictures[sample.index] = done
        else:
            self._begin(model, turn.stage + 1, turn.samples, outputs)
        for sample in turn.samples:
            sample.stage += 1
        for name in by_request(turn.samples):
            if all(s.stage > turn.stage for s in self.scheduler.samples(name)):
                yield StageDone(request=name, stage=model.stages[turn.stage].name)
        if last:
            yield from self._complete(turn.samples)

    def _complete(self, samples: list[Sample]) -> Iterator[Update]:
        for sample in samples:
            if self.scheduler.done(sample):
                job = self.jobs.pop(sample.request)
                yield self._last_word(sample.request, job)
                yield from self._queue()

    def _last_word(self, name: str, job: Job) -> Update:
        """The pictures that may be shown; without the filter's word on all of them, none."""
        pictures = [job.pictures[index] for index in sorted(job.pictures)]
        try:
            withheld = self.guard.withheld(pictures) if self.guard else set()
        except Exception as error:  # its pictures wait for no second turn: this is said of it, or nothing ever is
            return failed(name, error)
        shown = tuple(picture for picture in pictures if picture.index not in withheld)
        scores = self._scores(job, shown)
        seconds = time.monotonic() - job.started
        return Finished(request=name, images=shown, seconds=seconds, withheld=tuple(sorted(withheld)), scores=scores)

    def _scores(self, job: Job, shown: tuple[Picture, ...]) -> tuple[float, ...]:
        prompts = [job.request.recipes[picture.index].prompt for picture in shown]
        try:
            return self.scorer.scores(shown, prompts) if self.scorer else ()
        except Exception as error:  # a courtesy: the pictures are handed out without
            log.error("no scores for request %s", job.request.id, exc_info=error)
            return ()

    def _isolate(self, turn: Turn, error: Exception) -> Iterator[Update]:
        """A call failed: of several requests each gets it alone, so that only the one at fault fails."""
        groups = by_request([s for s in turn.samples if s.request in self.jobs])
        for sample in turn.samples:
            if sample.request not in self.jobs:
                self.scheduler.drop(sample.request)  # nobody's: it would lead every further turn
        if len(groups) == 1:
            yield self._fail(next(iter(groups)), error)
            return
        for name, samples in groups.items():
            try:
                yield from self._run(turn._replace(samples=samples))
            except Exception as own:  # as above
                yield self._fail(name, own)

    def _fail(self, name: str, error: Exception) -> Update:
        self.jobs.pop(name, None)
        self.scheduler.drop(name)
        return failed(name, error)

    def _queue(self) -> list[Update]:
        """Queued for every request that has not started and whose position has changed."""
        updates: list[Update] = []
        for name, position in self.scheduler.positions().items():
            job = self.jobs[name]
            if not job.started and job.position != position:
                job.position = position
                updates.append(Queued(request=name, position=position))
        return updates


def failed(name: str, error: Exception) -> Failed:
    """What is said of a request that could not be drawn, and where the log says more."""
    log.error("request %s failed", name, exc_info=error)
    if isinstance(error, SalonError):
        return Failed(request=name, code=error.code, why=str(error))
    why = f"The engine could not draw this ({type(error).__name__}). Try again; the log says more."
    return Failed(request=name, code="error", why=why)


def check(recipe: Recipe, info: ModelInfo) -> None:
    """Raises BadRecipe or UnknownModel if this engine cannot draw exactly this."""
    check_recipe(recipe)
    if recipe.weights != info.weights_sha256:
        raise UnknownModel(
            f"This image was made with other weights of {info.name} ({recipe.weights[:8]}) than are installed here.",
            "Install those weights, or draw the prompt again with the present model.",
        )
    if recipe.numerics != NUMERICS:
        raise BadRecipe("This recipe was made for another version of the arithmetic.", "Draw the prompt again.")
    if recipe.adapter or (recipe.inputs and info.family != "unclip"):
        raise BadRecipe("This model takes no adapter and no initial image.", "Leave them out.")
    if (recipe.width, recipe.height) != (info.width, info.height):
        raise BadRecipe(f"This model draws {info.width} x {info.height} pixels only.", "Ask for that size.")
    if not info.stages:
        raise BadRecipe(f"The model {info.name} draws nothing.", "Choose one that draws.")
    if recipe.stages.keys() != info.stages.keys() or not all(
        isinstance(options, KINDS[info.stages[name]]) for name, options in recipe.stages.items()
    ):
        raise BadRecipe(f"The model {info.name} has the stages {', '.join(info.stages)}.", "Give options for those.")
    for name, options in recipe.stages.items():
        if isinstance(options, DiffusionOptions) and options.sampler not in SAMPLERS:
            raise BadRecipe("This sampler is unknown.", f"Choose one of: {', '.join(SAMPLERS)}.")
        pixels = name == info.main and "dynamic_threshold" in info.ranges
        if isinstance(options, DiffusionOptions) and options.dynamic_threshold is not None and not pixels:
            raise BadRecipe(f"The stage {name} has no thresholding.", "Leave dynamic_threshold out.")
        if isinstance(options, TokenOptions) and options.top_k > info.ranges["top_k"][1]:
            most = info.ranges["top_k"][1]
            raise BadRecipe(f"This model has only {most} codes to choose from.", f"Choose top-k from 0 to {most}.")


#: what each kind of stage may be told; a prior may be switched off, or asked to blend
KINDS: dict[str, tuple[type, ...]] = {
    "diffusion": (DiffusionOptions,),
    "plain": (PlainOptions,),
    "tokens": (TokenOptions,),
    "prior": (DiffusionOptions, PlainOptions, BlendOptions),
}


def check_inputs(request: Request) -> None:
    """Raises BadRecipe unless the request carries exactly the bytes that its recipes name."""
    named = {digest for recipe in request.recipes for digest in recipe.inputs.values()}
    if named != request.inputs.keys() or any(bytes_hash(data) != name for name, data in request.inputs.items()):
        raise BadRecipe("The picture that this recipe begins with did not come along.", "Send it with the request.")


def by_request(samples: list[Sample]) -> dict[str, list[Sample]]:
    """The samples of each request, in order."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.request, []).append(sample)
    return groups


def picture(index: int, image: Floats) -> Picture:
    """[3, H, W] in [-1, 1] -> Picture. Raises ValueError if it is not finite: better no image than a false one."""
    if not np.isfinite(image).all():
        raise ValueError("the image is not finite")
    rgb = np.rint((image.clip(-1, 1) + 1) * 127.5).astype(np.uint8).transpose(1, 2, 0)
    return Picture(index=index, width=rgb.shape[1], height=rgb.shape[0], rgb=rgb.tobytes())


def tensor(name: str, index: int, value: Floats) -> Tensor:
    """An inner tensor as float16: half the size, and enough to look at."""
    half = value.astype(np.float16)
    return Tensor(name=name, index=index, shape=half.shape, dtype="float16", data=half.tobytes())
