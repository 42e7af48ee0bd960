"""What unCLIP does with a picture: variations, text diffs, and the way from one prompt to another (arXiv 2204.06125,
sections 3.1 to 3.3), as recipes with the picture that they begin with."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from PIL import Image

from salon.core.errors import BadRecipe, UnknownModel
from salon.core.hashing import bytes_hash
from salon.core.recipe import BlendOptions, Recipe
from salon.engine.models import ModelInfo
from salon.engine.pictures import small
from salon.engine.recipes import make_recipe, words

#: the role under which a recipe names its picture, as in families/unclip.py (which brings the runtime)
IMAGE = "image"
#: how far a text diff goes where nobody says
HALF = (0.5,)


class Begun(NamedTuple):
    """Recipes that begin with pictures, and those pictures' bytes (64 x 64 RGB8) by their SHA-256."""

    recipes: list[Recipe]
    inputs: dict[str, bytes]


def series(count: int) -> tuple[float, ...]:
    """`count` amounts from 0 to 1, both included, in equal steps. Raises BadRecipe for fewer than two."""
    if count < 2:
        raise BadRecipe("A series has at least two pictures.", "Ask for more, or for one amount.")
    return tuple(round(place / (count - 1), 6) for place in range(count))


def varying(models: list[ModelInfo], name: str | None) -> ModelInfo:
    """The model of that name, or the first that can vary pictures. Raises UnknownModel, BadRecipe."""
    able = [model for model in models if "prior" in model.stages and model.purpose == "public"]
    found = [model for model in (models if name else able) if name in (None, model.name)]
    if not found:
        problems = " ".join(model.problem for model in models if model.problem)
        wanted = f"named {name!r} is installed" if name else "that varies pictures is ready"
        raise UnknownModel(f"No model {wanted}.", problems or "Install unclip.")
    if found[0].ready and found[0] not in able:
        raise BadRecipe(f"The model {found[0].name} draws from words only.", "Ask unclip to vary a picture.")
    return found[0]


def variations(
    model: ModelInfo,
    picture: Image.Image,
    prompt: str,
    seeds: Iterable[int],
    was: str,
    amounts: Iterable[float],
    **options: Any,
) -> Begun:
    """Without a prompt, one variation for each seed. With one, text diffs: for each seed and each of `amounts` (0 to 1)
    the picture moved that far from what `was` says (nothing: from no words) towards the prompt. Raises BadRecipe."""
    data = small(picture).tobytes()
    inputs = {bytes_hash(data): data}
    source = words(was, "text of what it was")
    priors: list[bool | BlendOptions] = [False]
    if words(prompt, "prompt"):
        priors = [BlendOptions(source=source, amount=checked(amount)) for amount in amounts]
    elif source:
        raise BadRecipe("It is said what the picture was, but not what it shall become.", "Give a prompt as well.")
    options |= {"inputs": {IMAGE: next(iter(inputs))}}
    return Begun([make_recipe(model, prompt, s, prior=prior, **options) for s in seeds for prior in priors], inputs)


def checked(amount: Any) -> float:
    """A finite number from 0 to 1. Raises BadRecipe."""
    if isinstance(amount, bool) or not isinstance(amount, int | float) or math.isnan(amount) or not 0 <= amount <= 1:
        raise BadRecipe("An amount must be a number from 0 (the picture) to 1.", "Choose one in that range.")
    return float(amount)
