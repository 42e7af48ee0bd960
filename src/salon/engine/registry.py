"""Which models are installed, whether they are whole, and loading them. One damaged model stops no other."""

import os
from functools import partial
from pathlib import Path

import msgspec

from salon.core.errors import SalonError, UnknownModel, WeightsDamaged, WeightsMissing
from salon.core.home import home
from salon.diffusion.samplers import SAMPLERS
from salon.engine.families import FAMILIES, NEEDED
from salon.engine.families.clip import Clip, towers
from salon.engine.models import DEFAULTS, ModelCard, ModelInfo, NetworkFile, ranges_of, weights_hash
from salon.engine.runtime import Network, check_file
from salon.engine.stage import Model
from salon.engine.text import EncoderFacts, TextEncoder, read_facts

BUILT_IN = Path(__file__).parents[1] / "weights"
REPAIR = "Put the original back (git checkout, or install again)."


def weights_folders() -> list[Path]:
    """The user's folder (SALON_WEIGHTS), the house's (`weights` in SALON_HOME, where mended models go), the built-in
    one; of two models of one name the first counts."""
    own = os.environ.get("SALON_WEIGHTS")
    return [*([Path(own)] if own else []), home() / "weights", BUILT_IN]


class Registry:
    """The installed models, checked once (call `refresh` to look again) and loaded when first asked for."""

    def __init__(self, folders: list[Path] | None = None, cache: Path | None = None, threads: int = 2) -> None:
        self.folders = folders or weights_folders()
        self.cache, self.threads = cache, threads
        self._models: dict[str, Model] = {}
        self._encoders: dict[Path, TextEncoder] = {}
        self._clips: dict[str, Clip] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look at the folders again; models that are loaded stay as they are."""
        found = {f.parent.name: f.parent for d in reversed(self.folders) for f in sorted(d.glob("*/model.json"))}
        self._folders = found
        examined = [self._examine(folder) for _, folder in sorted(found.items())]
        # where nobody names a model the first that is ready is taken
        order = sorted(examined, key=lambda pair: (not pair[1], pair[0].name))
        self._infos = {info.name: info for info, _ in order}

    def infos(self) -> list[ModelInfo]:
        """Every model found, ready or not."""
        return list(self._infos.values())

    def info(self, name: str) -> ModelInfo:
        """One model. Raises UnknownModel, or WeightsDamaged if it is there but not ready."""
        if name not in self._infos:
            others = ", ".join(self._infos) or "none"
            raise UnknownModel(f"No model named {name!r} is installed.", f"Installed: {others}.")
        info = self._infos[name]
        if not info.ready:
            raise WeightsDamaged(f"The model {name} cannot be used.", info.problem)
        return info

    def folder(self, name: str) -> Path:
        """Where a model that is ready lies. Raises UnknownModel, WeightsDamaged."""
        self.info(name)
        return self._folders[name]

    def load(self, name: str) -> Model:
        """The model's networks, loaded once. Raises UnknownModel, WeightsMissing, WeightsDamaged."""
        if name not in self._models:
            info, folder = self.info(name), self._folders[name]
            card = read_card(folder)
            text = self.text_encoder(card.text_encoder)
            stages = FAMILIES[card.family](card, partial(self._network, card, folder), text)
            self._models[name] = Model(name, info.weights_sha256, stages)
        return self._models[name]

    def clip(self, name: str = "clip") -> Clip:
        """A model of the family clip, loaded once. Raises UnknownModel, WeightsMissing, WeightsDamaged."""
        if name not in self._clips:
            self.info(name)
            folder = self._folders[name]
            card = read_card(folder)
            text = self.text_encoder(card.text_encoder)
            self._clips[name] = towers(card, partial(self._network, card, folder), text)
        return self._clips[name]

    def _network(self, card: ModelCard, folder: Path, name: str) -> Network | None:
        """One of the model's networks, or None. Raises WeightsMissing, WeightsDamaged."""
        facts = card.networks.get(name)
        if facts is None:
            return None
        path, adapter = self._files(folder, facts)
        return Network(path, facts, self.cache, self.threads, adapter)

    def _files(self, folder: Path, facts: NetworkFile) -> tuple[Path, Path | None]:
        """Where a network and its adapter lie. Raises WeightsMissing if the model they are borrowed of is missing."""
        if facts.of and facts.of not in self._folders:
            raise WeightsMissing(f"{folder.name} builds on the model {facts.of}, which is missing.", "Install it.")
        place = self._folders[facts.of] if facts.of else folder
        return place / facts.file, folder / facts.adapter.file if facts.adapter else None

    def text_encoder(self, name: str = "minilm") -> TextEncoder:
        """A text encoder, loaded once and shared. Raises WeightsMissing, WeightsDamaged."""
        folder = self._encoder_folder(name)
        if folder not in self._encoders:
            self._encoders[folder] = TextEncoder(folder, self.threads)
        return self._encoders[folder]

    def _encoder_folder(self, name: str) -> Path:
        here = [f / name for f in self.folders if (f / name / "encoder.json").is_file()]
        return here[0] if here else BUILT_IN / name

    def _examine(self, folder: Path) -> tuple[ModelInfo, bool]:
        """What is to be known of the model in a folder, and whether it is preferred to others."""
        try:
            card = read_card(folder)
            for facts in card.networks.values():
                path, adapter = self._files(folder, facts)
                check_file(path, facts.sha256, card.name if facts.of else "")
                if adapter and facts.adapter:
                    check_file(adapter, facts.adapter.sha256)
            return describe(card, read_facts(self._encoder_folder(card.text_encoder))), card.preferred
        except SalonError as error:
            return ModelInfo(name=folder.name, problem=str(error)), False


def read_card(folder: Path) -> ModelCard:
    """The folder's `model.json`. Raises WeightsMissing, WeightsDamaged."""
    try:
        card = msgspec.json.decode((folder / "model.json").read_bytes(), type=ModelCard)
    except OSError as error:
        raise WeightsMissing(f"{folder.name}/model.json cannot be read ({error.strerror}).", REPAIR) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise WeightsDamaged(f"{folder.name}/model.json is not a model's card: {error}.", REPAIR) from error
    if card.name != folder.name:
        raise WeightsDamaged(f"{folder.name}/model.json is the card of {card.name}.", "Rename the folder.")
    if card.family not in FAMILIES:
        raise WeightsDamaged(f"The family {card.family!r} of {card.name} is unknown.", f"Known: {', '.join(FAMILIES)}.")
    if card.defaults.get("sampler", "euler") not in SAMPLERS or not NEEDED[card.family] <= card.networks.keys():
        raise WeightsDamaged(f"{folder.name}/model.json names no sampler or network that we know.", REPAIR)
    return card


def describe(card: ModelCard, text: EncoderFacts) -> ModelInfo:
    """What everyone may know of a whole model."""
    kinds = card.stages
    main = DEFAULTS.get(kinds.get(card.main, ""), {})
    others = {s: DEFAULTS[k] | card.stage_defaults.get(s, {}) for s, k in kinds.items() if k in DEFAULTS}
    others.pop(card.main, None)
    return ModelInfo(
        name=card.name,
        family=card.family,
        ready=True,
        parameters=text.parameters + sum(facts.all_parameters for facts in card.networks.values()),
        licence=card.licence,
        weights_sha256=weights_hash(card, text.sha256),
        defaults={name: card.defaults.get(name, value) for name, value in main.items()},
        ranges=ranges_of(card),
        samplers=tuple(SAMPLERS) if "sampler" in main else (),
        main=card.main,
        stage_defaults=others,
        stages=card.stages,
        width=card.side,
        height=card.side,
        world=card.world,
        world_version=card.world_version,
        purpose=card.purpose,
    )
