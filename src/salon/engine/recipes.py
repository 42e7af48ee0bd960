"""From what a person asks to a Recipe: defaults filled in, words put in order, everything else refused clearly."""

from collections.abc import Mapping
from typing import Any

from salon.core.errors import BadRecipe, WeightsDamaged
from salon.core.recipe import (
    MAX_PROMPT,
    BlendOptions,
    DiffusionOptions,
    PlainOptions,
    Recipe,
    StageOptions,
    TokenOptions,
    check_recipe,
)
from salon.core.text import tidy
from salon.engine.models import ModelInfo

NAMES = {
    "num_inference_steps": "The number of steps",
    "guidance_scale": "The guidance",
    "seed": "The seed",
    "count": "The number of images",
    "sampler": "The sampler",
    "temperature": "The temperature",
    "top_k": "Top-k",
    "top_p": "Top-p",
    "dynamic_threshold": "The percentile of dynamic thresholding",
}


def make_recipe(
    model: ModelInfo,
    prompt: str,
    seed: int,
    num_inference_steps: int | None = None,
    guidance_scale: float | None = None,
    sampler: str | None = None,
    negative_prompt: str = "",
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    dynamic_threshold: float | None = None,
    prior: bool | BlendOptions = True,
    stages: Mapping[str, Mapping[str, Any]] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Recipe:
    """The recipe of one image; None takes the model's default. The named options are for the model's main stage;
    `stages` says others' by the stage's name. `prior=False` leaves unclip's prior away, `BlendOptions` move a picture's
    embedding; `inputs` names that picture (role -> SHA-256), which needs no words. Raises BadRecipe, or WeightsDamaged
    if the model is not ready. The same question gives the same recipe, whatever its white space or Unicode form."""
    if not model.ready:
        raise WeightsDamaged(f"The model {model.name} cannot be used.", model.problem)
    if not model.stages:
        raise BadRecipe(f"The model {model.name} draws nothing.", "Choose one that draws.")
    asked = {
        "num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale, "sampler": sampler,
        "temperature": temperature, "top_k": top_k, "top_p": top_p, "dynamic_threshold": dynamic_threshold,
    }  # fmt: skip
    said: dict[str, dict[str, Any]] = {name: dict(options) for name, options in (stages or {}).items()}
    said[model.main] = said.get(model.main, {}) | {name: value for name, value in asked.items() if value is not None}
    if unknown := said.keys() - model.stages.keys():
        raise BadRecipe(f"The model has no stage {min(unknown)}.", f"Its stages: {', '.join(model.stages)}.")
    if prior is not True and "prior" not in model.stages:
        raise BadRecipe(f"The model {model.name} has no prior.", "Ask unclip.")
    return check_recipe(
        Recipe(
            model=model.name,
            weights=model.weights_sha256,
            prompt=words(prompt, "prompt", needed=not (inputs and prior is False)),
            seed=whole(model, "seed", seed),
            stages={name: options_of(model, name, said.get(name, {}), prior) for name in model.stages},
            negative_prompt=words(negative_prompt, "negative prompt"),
            width=model.width,
            height=model.height,
            inputs=dict(inputs or {}),
        )
    )


def options_of(model: ModelInfo, stage: str, asked: Mapping[str, Any], prior: bool | BlendOptions) -> StageOptions:
    """The typed options of one stage. Raises BadRecipe for what it has not, or not so much of."""
    kind = model.stages[stage]
    known = model.defaults if stage == model.main else model.stage_defaults.get(stage, {})
    if stage == model.main and "dynamic_threshold" in model.ranges:
        known = {**known, "dynamic_threshold": None}
    if strange := asked.keys() - known.keys():
        name = NAMES.get(min(strange), min(strange))
        raise BadRecipe(f"{name} is nothing that {model.name} can be told here.", f"It takes: {', '.join(known)}.")
    if kind == "plain" or (kind == "prior" and prior is False):
        return PlainOptions()
    if kind == "prior" and isinstance(prior, BlendOptions):
        return prior
    chosen = {**known, **asked}
    guidance = number(model, "guidance_scale", chosen["guidance_scale"])
    if kind == "tokens":
        return TokenOptions(
            guidance_scale=guidance,
            temperature=number(model, "temperature", chosen["temperature"]),
            top_k=whole(model, "top_k", chosen["top_k"]),
            top_p=number(model, "top_p", chosen["top_p"]),
        )
    return DiffusionOptions(
        num_inference_steps=whole(model, "num_inference_steps", chosen["num_inference_steps"]),
        guidance_scale=guidance,
        sampler=known_sampler(model, chosen["sampler"]),
        dynamic_threshold=maybe(model, "dynamic_threshold", chosen.get("dynamic_threshold")),
    )


def words(text: Any, name: str, needed: bool = False) -> str:
    """A prompt fit to be drawn. Raises BadRecipe if it is not text, too long, or empty though it is `needed`."""
    if not isinstance(text, str):
        raise BadRecipe(f"The {name} must be text.", "Describe a picture in words.")
    clean = tidy(text)
    if len(clean) > MAX_PROMPT:
        raise BadRecipe(
            f"The {name} has {len(clean)} characters; at most {MAX_PROMPT} can be read.", "Say it more briefly."
        )
    if not clean and needed:
        raise BadRecipe("The prompt is empty.", "Describe a picture in words, for example: a red fox in the snow.")
    return clean


def number(model: ModelInfo, name: str, value: Any) -> float:
    """A finite number inside the model's range. Raises BadRecipe. True and False are no numbers."""
    return float(within(model, name, value, int | float, "a number"))


def maybe(model: ModelInfo, name: str, value: Any) -> float | None:
    """The same, or nothing at all. Raises BadRecipe."""
    return None if value is None else number(model, name, value)


def whole(model: ModelInfo, name: str, value: Any) -> int:
    """A whole number inside the model's range. Raises BadRecipe."""
    return int(within(model, name, value, int, "a whole number"))


def within(model: ModelInfo, name: str, value: Any, kind: Any, said: str) -> int | float:
    """The value, if it is of the kind and in the range (NaN never is). Raises BadRecipe, without repeating it."""
    low, high = model.ranges[name]
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        raise BadRecipe(f"{NAMES[name]} must be {said} from {low} to {high}.", "Choose one in that range.")
    found: int | float = value
    return found


def known_sampler(model: ModelInfo, name: Any) -> str:
    """One of the model's samplers. Raises BadRecipe."""
    if not isinstance(name, str) or name not in model.samplers:
        raise BadRecipe("This sampler is unknown.", f"Choose one of: {', '.join(model.samplers)}.")
    return name
