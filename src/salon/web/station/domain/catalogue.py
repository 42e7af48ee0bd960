"""The installed models, as the engine told them, and the words for when there is none."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from salon.core.errors import EngineUnavailable, SalonError, UnknownModel, WeightsDamaged, WeightsMissing
from salon.core.recipe import MAX_GUIDANCE, MAX_IMAGES, MAX_PROMPT, MAX_SEED, MAX_STEPS
from salon.engine.client import ModelInfo
from salon.web.line import EngineState
from salon.web.sentences import spoken


def _told(models: Sequence[ModelInfo]) -> list[ModelInfo]:
    """Those that visitors are told of: models with planted flaws are for workshop and audits."""
    return [model for model in models if model.purpose == "public"]


def drawable(model: ModelInfo) -> bool:
    """Whether pictures can be drawn with it now: CLIP has no stages, it only looks."""
    return model.ready and bool(model.stages)


def public(models: Sequence[ModelInfo]) -> list[ModelInfo]:
    """Those that visitors may draw with, or could were they whole: a damaged one does not say its stages."""
    return [model for model in _told(models) if model.stages or not model.ready]


def model_of(engine: EngineState, name: str | None) -> ModelInfo:
    """The model of that name, or the house's first that is ready. Raises UnknownModel, WeightsMissing,
    WeightsDamaged, or EngineUnavailable while nothing is known yet."""
    models = public(engine.models)
    if not models:
        raise _nothing(engine)
    if name is None:
        return next((model for model in models if model.ready), models[0])
    for model in models:
        if model.name == name:
            return model
    installed = ", ".join(model.name for model in models)
    raise UnknownModel(
        _("No model called “%(name)s” is installed.") % {"name": name[:40]},
        _("Installed here: %(installed)s.") % {"installed": installed},
    )


def _nothing(engine: EngineState) -> SalonError:
    if engine.state == "missing":
        return WeightsMissing(engine.why, engine.hint)
    return EngineUnavailable(
        _("The engine is still waking up."), _("It takes a few seconds; then press the button again.")
    )


def door(engine: EngineState) -> dict[str, str] | None:
    """What the page says while nothing can be drawn: `{code, message, hint}`, or None when all is well."""
    if engine.state == "ready":
        return None
    if engine.state == "missing":
        kind = WeightsDamaged.code if engine.models else WeightsMissing.code
        return {"code": kind, "message": spoken(engine.why), "hint": spoken(engine.hint)}
    return {
        "code": EngineUnavailable.code,
        "message": _("The engine is waking up."),
        "hint": _("What you ask for now is drawn as soon as it is there."),
    }


def _shown(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": model.name,
        "family": model.family,
        "ready": model.ready,
        "problem": spoken(model.problem),
        "drawable": drawable(model),
        "stages": model.stages,
        "parameters": model.parameters,
        "licence": model.licence,
        "weights_sha256": model.weights_sha256,
        "width": model.width,
        "height": model.height,
        "samplers": model.samplers,
        "defaults": {**model.defaults, "count": 9},
    }


RANGES = {
    "prompt": {"max_length": MAX_PROMPT},
    "seed": {"min": 0, "max": MAX_SEED},
    "num_inference_steps": {"min": 1, "max": MAX_STEPS},
    "guidance_scale": {"min": 0.0, "max": MAX_GUIDANCE},
    "count": {"min": 1, "max": MAX_IMAGES},
}


def listing(models: Sequence[ModelInfo]) -> dict[str, Any]:
    """The answer of `GET /api/models`. Models that draw nothing are named too, as not `drawable`."""
    return {"models": [_shown(model) for model in _told(models)], "ranges": RANGES}
