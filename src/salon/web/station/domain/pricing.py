"""What a request costs: the work that it makes, in ordinary requests. A line that counts requests can be filled with
sixteen pictures of a hundred steps as quickly as with one of four."""

from collections.abc import Iterable

from salon.core.recipe import DiffusionOptions, Recipe, StageOptions

#: milliseconds of one core's time that a picture takes, by stage: for each pass through the network, and once
#: (measured by scripts/prices.py with the house's models, nine pictures together)
PASS = {"diffusion": 13, "base": 8, "decoder": 8, "prior": 3, "super_resolution": 28}
ONCE = {"tokens": 290, "upscale": 35}
#: stages that the house does not know: as the dearest that it does
UNKNOWN_PASS, UNKNOWN_ONCE = max(PASS.values()), max(ONCE.values())
#: what nine pictures take of the dearest of the house's models with its own settings, rounded up
ORDINARY = 3_200


def price_of(recipes: Iterable[Recipe]) -> int:
    """In ordinary requests, at least one: a request is a row, a line and a few files, however small its pictures."""
    return max(1, -(-sum(map(work_of, recipes)) // ORDINARY))


def work_of(recipe: Recipe) -> int:
    """Milliseconds of one core's time, about."""
    return sum(_stage(name, options) for name, options in recipe.stages.items())


def _stage(name: str, options: StageOptions) -> int:
    """Steps away from the prompt (guidance) go through the network twice: with the words and without."""
    if not isinstance(options, DiffusionOptions):
        return ONCE.get(name, 0 if name in PASS else UNKNOWN_ONCE)
    passes = options.num_inference_steps * (1 if options.guidance_scale == 1.0 else 2)
    return passes * PASS.get(name, UNKNOWN_PASS) + ONCE.get(name, 0)
