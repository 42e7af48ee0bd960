"""What a model says of itself: its card (`model.json`), and the ModelInfo that everyone else reads."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from salon.core.errors import WeightsDamaged
from salon.core.hashing import content_hash
from salon.core.recipe import MAX_GUIDANCE, MAX_IMAGES, MAX_SEED, MAX_STEPS, Digest, Name

Number = int | float


FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class AdapterFile(Struct, frozen=True):
    """A low-rank adapter (.safetensors), its SHA-256, and how many parameters it holds."""

    file: FileName
    sha256: Digest
    parameters: int = 0


class NetworkFile(Struct, frozen=True):
    """One ONNX file of a model, its SHA-256, and how many parameters it holds. `of` names another model in whose folder
    the file lies; `adapter`, in the model's own folder, is added to its weights."""

    file: FileName
    sha256: Digest
    parameters: int = 0
    of: Name | None = None
    adapter: AdapterFile | None = None

    @property
    def all_parameters(self) -> int:
        """The network's and its adapter's."""
        return self.parameters + (self.adapter.parameters if self.adapter else 0)


class ModelCard(Struct, frozen=True):
    """`model.json` (docs/architecture.md, contract 3). `schedule` may hold `shift`; `guidance` may hold `interval`
    [low, high] of sigma and `percentile` of dynamic thresholding. Fields that we do not know are left alone."""

    name: Name
    family: str
    licence: str
    text_encoder: Name
    sample_shape: tuple[int, int, int]
    prediction_type: Literal["epsilon", "sample", "v", "flow"]
    defaults: dict[str, Any]
    networks: dict[str, NetworkFile]
    world: str = ""
    world_version: str = ""
    schedule: dict[str, float] = {}
    guidance: dict[str, Any] = {}
    size: int | None = None
    #: settings of single stages that no recipe says (`level` of super-resolution, shapes), by the stage's name
    stage_settings: dict[str, dict[str, Number]] = {}
    #: what a recipe takes for the stages that nobody asks about, by the stage's name
    stage_defaults: dict[str, dict[str, Any]] = {}
    #: numbers of a CLIP embedding, where the family has one
    embed: int = 256
    #: "audit": for workshop and audits, never offered to visitors
    purpose: Literal["public", "audit"] = "public"
    #: which of several is taken where nobody names one
    preferred: bool = False

    @property
    def shift(self) -> float:
        """The schedule's shift: more than 1 spends more steps near the noise."""
        return float(self.schedule.get("shift", self.defaults.get("shift", 1.0)))

    @property
    def side(self) -> int:
        """Width and height of the finished image, in pixels."""
        if self.size:
            return self.size
        if {"upscaler", "superres"} & self.networks.keys():
            return 256
        return 64 if "decoder" in self.networks else self.sample_shape[-1]

    @property
    def stages(self) -> dict[str, str]:
        """Each stage's name and the kind of its options, in the order of drawing; none of a family that draws not."""
        last = {"upscale": "plain"} if "upscaler" in self.networks else {}
        return {
            "latent": {"diffusion": "diffusion"} | last,
            "vq": {"tokens": "tokens"} | last,
            "cascade": {"base": "diffusion", "super_resolution": "diffusion"},
            "unclip": {"prior": "prior", "decoder": "diffusion", "super_resolution": "diffusion"},
        }.get(self.family, {})

    @property
    def main(self) -> str:
        """The stage that a person's steps, guidance, temperature are for."""
        return {"latent": "diffusion", "vq": "tokens", "cascade": "base", "unclip": "decoder"}.get(self.family, "")


def needed(card: ModelCard, network: Callable[[str], Any], name: str) -> Any:
    """The network of that name. Raises WeightsDamaged if the card names none; WeightsMissing."""
    found = network(name)
    if found is None:
        raise WeightsDamaged(f"The card of {card.name} names no network {name!r}.", "Put the original back.")
    return found


class ModelInfo(Struct, frozen=True, kw_only=True):
    """One installed model. Not `ready`: `problem` says why and what to do, and nothing can be drawn with it."""

    name: str
    family: str = ""
    ready: bool = False
    problem: str = ""
    parameters: int = 0
    licence: str = ""
    weights_sha256: str = ""
    defaults: dict[str, Any] = {}
    ranges: dict[str, tuple[Number, Number]] = {}
    samplers: tuple[str, ...] = ()
    stages: dict[str, str] = {}
    #: the stage that `defaults` are of, and those of the others
    main: str = ""
    stage_defaults: dict[str, dict[str, Any]] = {}
    width: int = 256
    height: int = 256
    world: str = ""
    world_version: str = ""
    purpose: str = "public"


#: what may be asked of any model that draws, both ends included
RANGES: dict[str, tuple[Number, Number]] = {
    "num_inference_steps": (1, MAX_STEPS),
    "guidance_scale": (0.0, MAX_GUIDANCE),
    "seed": (0, MAX_SEED),
    "count": (1, MAX_IMAGES),
}
#: what each kind of options takes where neither person nor card says anything
DEFAULTS: dict[str, dict[str, Any]] = {
    "diffusion": {"num_inference_steps": 12, "guidance_scale": 3.0, "sampler": "euler"},
    "tokens": {"guidance_scale": 4.0, "temperature": 1.0, "top_k": 256, "top_p": 1.0},
}
DEFAULTS["prior"] = DEFAULTS["diffusion"]


def ranges_of(card: ModelCard) -> dict[str, tuple[Number, Number]]:
    """What may be asked of this model."""
    if card.stages.get(card.main) != "tokens":
        return RANGES | ({"dynamic_threshold": (0.0, 1.0)} if "percentile" in card.guidance else {})
    codes = card.stage_settings["tokens"]["codes"]
    asked = {name: RANGES[name] for name in ("guidance_scale", "seed", "count")}
    return asked | {"temperature": (0.0, 10.0), "top_k": (0, codes), "top_p": (0.001, 1.0)}


def weights_hash(card: ModelCard, text_encoder: str) -> str:
    """`Recipe.weights`: the content hash of all of a model that no recipe says: the SHA-256 of each network, its
    adapter and the text encoder, and the card's settings that change the arithmetic."""
    digests = {name: facts.sha256 for name, facts in card.networks.items()}
    digests |= {f"{name}+adapter": facts.adapter.sha256 for name, facts in card.networks.items() if facts.adapter}
    settings: list[Any] = [card.family, card.sample_shape, card.prediction_type, card.shift, card.guidance]
    if card.stage_settings:
        settings += [card.stage_settings, card.embed]
    return content_hash({"networks": digests, "text_encoder": text_encoder, "settings": settings})
