"""The installed models, as the station needs them: defaults, ranges, and recipes made from what a visitor asks."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from salon.core.errors import UnknownModel, WeightsMissing
from salon.core.hashing import content_hash
from salon.core.recipe import MAX_GUIDANCE, MAX_IMAGES, MAX_PROMPT, MAX_SEED, MAX_STEPS


class Card(Struct, frozen=True):
    """What the station knows of a model."""

    name: str
    family: str
    licence: str
    weights: str
    num_inference_steps: int
    guidance_scale: float
    sampler: str
    samplers: tuple[str, ...]
    width: int = 256
    height: int = 256


def _folder() -> Path:
    return Path(os.environ.get("SALON_WEIGHTS") or Path(__file__).parents[3] / "weights")


def cards() -> list[Card]:
    found = []
    for path in sorted(_folder().glob("*/model.json")):
        facts = msgspec.json.decode(path.read_bytes())
        defaults = facts["defaults"]
        hashes = {name: net["sha256"] for name, net in facts["networks"].items()}
        found.append(
            Card(
                name=facts["name"],
                family=facts["family"],
                licence=facts["licence"],
                weights=content_hash(hashes),
                num_inference_steps=defaults["num_inference_steps"],
                guidance_scale=defaults["guidance_scale"],
                sampler=defaults["sampler"],
                samplers=(defaults["sampler"],),
            )
        )
    return found


def card(name: str | None) -> Card:
    """The model of that name, or the house's first. Raises WeightsMissing when none is installed, UnknownModel."""
    installed = cards()
    if not installed:
        raise WeightsMissing("No model is installed here yet.", "Put its weights in place, then start again.")
    for found in installed:
        if name in (None, found.name):
            return found
    raise UnknownModel(
        f"No model called “{name}” is installed.", "Installed: " + ", ".join(found.name for found in installed) + "."
    )


def listing() -> dict[str, object]:
    """The answer of `GET /api/models`."""
    return {
        "models": [
            {
                "name": found.name,
                "family": found.family,
                "licence": found.licence,
                "weights_sha256": found.weights,
                "width": found.width,
                "height": found.height,
                "samplers": list(found.samplers),
                "defaults": {
                    "num_inference_steps": found.num_inference_steps,
                    "guidance_scale": found.guidance_scale,
                    "sampler": found.sampler,
                    "count": 9,
                },
            }
            for found in cards()
        ],
        "ranges": {
            "prompt": {"max_length": MAX_PROMPT},
            "seed": {"min": 0, "max": MAX_SEED},
            "num_inference_steps": {"min": 1, "max": MAX_STEPS},
            "guidance_scale": {"min": 0.0, "max": MAX_GUIDANCE},
            "count": {"min": 1, "max": MAX_IMAGES},
        },
    }
