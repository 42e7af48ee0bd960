"""From what a person asks to a Recipe: defaults filled in, words put in order, everything else refused clearly."""

import unicodedata
from typing import Any

from salon.core.errors import BadRecipe, WeightsDamaged
from salon.core.recipe import (
    MAX_PROMPT,
    DiffusionOptions,
    PlainOptions,
    Recipe,
    StageOptions,
    check_recipe,
)
from salon.engine.models import ModelInfo

NAMES = {
    "num_inference_steps": "The number of steps",
    "guidance_scale": "The guidance",
    "seed": "The seed",
    "count": "The number of images",
}
#: joiners belong to emoji and to several scripts; every other control or format character is dropped
JOINERS = "\u200c\u200d"


def tidy(text: str) -> str:
    """NFC, white space to single blanks, control characters, lone surrogates and bidi overrides away."""
    kept = (c if c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs") else " " for c in text)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def make_recipe(
    model: ModelInfo,
    prompt: str,
    seed: int,
    num_inference_steps: int | None = None,
    guidance_scale: float | None = None,
    sampler: str | None = None,
    negative_prompt: str = "",
) -> Recipe:
    """The recipe of one image; None takes the model's default. Raises BadRecipe, or WeightsDamaged if the model
    is not ready. The same question gives the same recipe, whatever its white space or Unicode form."""
    if not model.ready:
        raise WeightsDamaged(f"The model {model.name} cannot be used.", model.problem)
    asked = {"num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale, "sampler": sampler}
    chosen = model.defaults | {name: value for name, value in asked.items() if value is not None}
    options = DiffusionOptions(
        num_inference_steps=whole(model, "num_inference_steps", chosen["num_inference_steps"]),
        guidance_scale=number(model, "guidance_scale", chosen["guidance_scale"]),
        sampler=known_sampler(model, chosen["sampler"]),
    )
    stages: dict[str, StageOptions] = {
        name: options if kind == "diffusion" else PlainOptions() for name, kind in model.stages.items()
    }
    return check_recipe(
        Recipe(
            model=model.name,
            weights=model.weights_sha256,
            prompt=words(prompt, "prompt"),
            seed=whole(model, "seed", seed),
            stages=stages,
            negative_prompt=words(negative_prompt, "negative prompt"),
            width=model.width,
            height=model.height,
        )
    )


def words(text: Any, name: str) -> str:
    """A prompt fit to be drawn. Raises BadRecipe if it is not text, empty (the prompt only) or too long."""
    if not isinstance(text, str):
        raise BadRecipe(f"The {name} must be text.", "Describe a picture in words.")
    clean = tidy(text)
    if len(clean) > MAX_PROMPT:
        raise BadRecipe(
            f"The {name} has {len(clean)} characters; at most {MAX_PROMPT} can be read.", "Say it more briefly."
        )
    if not clean and name == "prompt":
        raise BadRecipe("The prompt is empty.", "Describe a picture in words, for example: a red fox in the snow.")
    return clean


def number(model: ModelInfo, name: str, value: Any) -> float:
    """A finite number inside the model's range. Raises BadRecipe. True and False are no numbers."""
    return float(within(model, name, value, int | float, "a number"))


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
