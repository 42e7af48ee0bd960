"""Recipe: all that made one image. Request: the recipes that one person asks for together."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from salon.core.errors import BadRecipe
from salon.core.hashing import NAME_DIGITS, content_hash

#: Raised only when the arithmetic changes, so that the same recipe would give another image. Never by a release.
NUMERICS = 1

MAX_PROMPT = 1_000
MAX_SEED = 2**32 - 1
MAX_STEPS = 100
MAX_GUIDANCE = 20.0
MAX_IMAGES = 16
MAX_SIDE = 4_096
#: bytes of one input of a request: a 64 x 64 RGB picture, with room
MAX_INPUT = 65_536

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Side = Annotated[int, Meta(ge=8, le=MAX_SIDE)]


class DiffusionOptions(
    Struct, frozen=True, kw_only=True, tag="diffusion", forbid_unknown_fields=True, omit_defaults=True
):
    """Options of a stage that removes noise step by step. `dynamic_threshold` is the percentile of dynamic thresholding
    where samples are pixels (0: plain clipping); None, the model's own, is left out of the recipe and of its hash."""

    num_inference_steps: Annotated[int, Meta(ge=1, le=MAX_STEPS)]
    guidance_scale: Annotated[float, Meta(ge=0.0, le=MAX_GUIDANCE)]
    sampler: Name
    dynamic_threshold: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None


class TokenOptions(Struct, frozen=True, kw_only=True, tag="tokens", forbid_unknown_fields=True):
    """Options of a stage that draws one token after the other."""

    guidance_scale: Annotated[float, Meta(ge=0.0, le=MAX_GUIDANCE)]
    temperature: Annotated[float, Meta(ge=0.0, le=10.0)]
    top_k: Annotated[int, Meta(ge=0, le=65_536)]
    top_p: Annotated[float, Meta(gt=0.0, le=1.0)]


class PlainOptions(Struct, frozen=True, kw_only=True, tag="plain", forbid_unknown_fields=True):
    """Options of a stage that has nothing to choose (a decoder, a plain upscaler)."""


class BlendOptions(Struct, frozen=True, kw_only=True, tag="blend", forbid_unknown_fields=True):
    """Options of a prior that moves a given picture's embedding from what `source` says towards what the prompt says,
    by `amount` of the way (the text diffs of arXiv 2204.06125, 3.3)."""

    source: Annotated[str, Meta(max_length=MAX_PROMPT)]
    amount: Annotated[float, Meta(ge=0.0, le=1.0)]


StageOptions = DiffusionOptions | TokenOptions | PlainOptions | BlendOptions


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that made one image. Equal recipes make equal images on any worker of one execution profile.

    `weights` and `adapter` are SHA-256 of the files used; `inputs` maps a role ("image") to the SHA-256 of the bytes
    given, which travel in the request; `stages` maps a stage's name to its typed options.
    """

    model: Name
    weights: Digest
    prompt: Annotated[str, Meta(max_length=MAX_PROMPT)]
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED)]
    stages: dict[str, StageOptions]
    negative_prompt: Annotated[str, Meta(max_length=MAX_PROMPT)] = ""
    adapter: Digest | None = None
    width: Side = 256
    height: Side = 256
    inputs: dict[str, Digest] = {}
    numerics: int = NUMERICS

    @property
    def id(self) -> str:
        """The image's name: the first 32 hex digits of the SHA-256 of the recipe."""
        return content_hash(self)[:NAME_DIGITS]

    def to_json(self) -> str:
        """The recipe as canonical JSON, as it travels in PNG, database and exports."""
        return msgspec.json.encode(self, order="deterministic").decode()


def parse_recipe(text: str | bytes) -> Recipe:
    """Recipe from JSON. Raises BadRecipe with the field that does not fit."""
    try:
        return msgspec.json.decode(text, type=Recipe)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRecipe(f"This is not a recipe: {error}.", "Check the field it names.") from error


def check_recipe(recipe: Recipe) -> Recipe:
    """The recipe itself if every field is in range (constructors do not check). Raises BadRecipe otherwise."""
    try:
        return msgspec.convert(msgspec.to_builtins(recipe), type=Recipe)
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadRecipe(f"This recipe cannot be drawn: {error}.", "Change the field it names.") from error


class Request(Struct, frozen=True, kw_only=True):
    """What one person asks for at once. `visitor` is the key by which turns are taken; `audience` tells
    people at the station ("visitor") from machines that must not slow them down ("background"). `inputs` holds the
    bytes that recipes name, by their SHA-256."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    visitor: str
    recipes: Annotated[tuple[Recipe, ...], Meta(min_length=1, max_length=MAX_IMAGES)]
    audience: str = "visitor"
    previews: bool = True
    trace: bool = False
    inputs: dict[Digest, Annotated[bytes, Meta(max_length=MAX_INPUT)]] = {}
