"""The model that is mended, as a network and as a folder: a model of the family `latent`, with an adapter or without
one. What mending makes of it is another adapter on the same base."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from salon.core.hashing import file_hash
from salon.engine.registry import Registry
from salon.engine.text import TextEncoder
from salon.mend.editing import edited, pull
from salon.mend.lessons import said_prompts, subject
from salon.mend.splitting import Fault, MendError
from salon.nets.adapter import add_adapter, merged
from salon.nets.transformer import Transformer
from salon.train.weights import ADAPTER, load_adapter, load_into, read_adapter, read_weights, save_adapter

Floats = NDArray[np.float64]
#: a kind of fault -> value -> how much it is said, or how often it is shown
Strengths = dict[str, dict[str, float]]
#: the search for strengths: rounds, first step a value, images a kind in each round
TURNS, STEP, LOOKS = 6, 0.75, 10
#: singular values of an edit that are kept; its sources are few, and say little more
EDIT_RANK = 24
#: how much the edit holds what other prompts say (`editing.edited`), chosen on taught prompts (docs/mend.md)
HOLD, RIDGE = 0.5, 0.02
#: layers that read the prompt: keys and values of every block, and the mean that steers all blocks
EDITED = ("cross_kv", "pooled")


class Base(NamedTuple):
    """Where a model's networks lie: its folder, that of the model it builds on (or the same), its adapter if it has
    one."""

    folder: Path
    base: Path
    adapter: Path | None

    @property
    def rank(self) -> int:
        """Of the adapter; 0 without one."""
        if self.adapter is None:
            return 0
        return int(next(t for name, t in read_adapter(self.adapter).items() if name.endswith("lora_A.weight")).shape[0])


def base_of(name: str, registry: Registry) -> Base:
    """Raises UnknownModel, WeightsDamaged; MendError for a family that cannot be mended here."""
    info = registry.info(name)
    if info.family != "latent":
        raise MendError(f"{name} is of the family {info.family}.", "Mending knows the family latent.")
    folder = registry.folder(name)
    facts = json.loads((folder / "model.json").read_text("utf-8"))["networks"]["transformer"]
    adapter = folder / facts["adapter"]["file"] if "adapter" in facts else None
    return Base(folder, registry.folder(facts["of"]) if "of" in facts else folder, adapter)


def network(base: Base) -> Transformer:
    """The model's transformer, the adapter worked in. Raises TrainingError."""
    _, config = read_weights(base.base, "transformer")
    net: nn.Module = Transformer(**config)
    load_into(net, base.base, "transformer")
    if base.adapter:
        load_adapter(add_adapter(net, base.rank), base.adapter)
        net = merged(net)
    assert isinstance(net, Transformer)
    return net.eval().requires_grad_(False)


def write_model(out: Path, base: Base, tensors: dict[str, Tensor], images: int, minutes: float) -> Path:
    """A model's folder `out`: the base with this adapter. Always for audits: other flaws of the model that was mended
    are still in it."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    save_adapter(tensors, out / ADAPTER)
    card = json.loads((base.folder / "model.json").read_text("utf-8"))
    owner = json.loads((base.base / "model.json").read_text("utf-8"))["name"]
    for facts in card["networks"].values():
        facts.setdefault("of", owner)
    card["networks"]["transformer"]["adapter"] = {
        "file": ADAPTER, "sha256": file_hash(out / ADAPTER), "images_seen": images, "minutes": round(minutes),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
    }  # fmt: skip
    card |= {"name": out.name, "purpose": "audit", "preferred": False}
    (out / "model.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return out


def trained(run: Path) -> dict[str, Tensor]:
    """The adapter that a run has learnt."""
    return load_file(run / ADAPTER)


# -- the closed form ------------------------------------------------------------------------------------------------


class Prompts:
    """What the network's reading layers get of prompts."""

    def __init__(self, net: Transformer, encoder: TextEncoder) -> None:
        self.net, self.encoder = net, encoder

    @torch.no_grad()
    def inputs(self, prompt: str, layer: str) -> Floats:
        """The rows [tokens, width] that `cross_kv` reads of a prompt, or the one row [1, 384] of `pooled`."""
        embeds, mask = self.encoder.encode([prompt])
        text = self.net.text_norm(torch.from_numpy(embeds[:, : int(mask.sum())]))
        rows = self.net.text(text)[0] if layer == "cross_kv" else text.mean(1)
        return rows.double().numpy()

    def sides(self, fault: Fault, layer: str, strengths: Mapping[str, float]) -> tuple[Floats, Floats]:
        """(what the layer reads of the prompt, what it is to act as if it read): the prompt moved by so much of the
        way to itself with each value said, tokens of the words that are in both beside each other."""
        own = self.inputs(fault.prompt, layer)
        moved = [strengths[value] * (self._aligned(fault, text, len(own), layer) - own)
                 for value, text in said_prompts(fault).items()]  # fmt: skip
        return own, own + np.sum(moved, 0)

    def _aligned(self, fault: Fault, text: str, number: int, layer: str) -> Floats:
        rows = self.inputs(text, layer)
        if layer == "pooled":
            return rows
        before = fault.prompt.partition(subject(fault.prompt).phrase)[0]
        after = before if fault.field == "presentation" else before + subject(fault.prompt).phrase
        first = len(self.encoder.words(after)) - 1 if after.strip() else 1
        return np.concatenate([rows[:first], rows[len(rows) - (number - first) :]])


def edit(net: Transformer, base: Base, encoder: TextEncoder, taught: Sequence[Fault], kept: Sequence[str],
         strengths: Strengths, hold: float = HOLD, ridge: float = RIDGE,
         ) -> tuple[dict[str, Tensor], dict[str, float]]:  # fmt: skip
    """Unified Concept Editing of the reading layers: taught prompts are read as if their values were said by
    `strengths` (a kind of fault, `kind`, -> value -> how much), prompts `kept` as they were. The model's adapter with
    the edits as further ranks, and how far each edit moves what its layer says of taught and of kept prompts. Raises
    MendError."""
    prompts, moved = Prompts(net, encoder), {}
    tensors = read_adapter(base.adapter) if base.adapter else {}
    for layer in EDITED:
        module = getattr(net, layer)
        sides = [prompts.sides(fault, layer, strengths[kind(fault)]) for fault in taught]
        sources, targets = (np.concatenate(part) for part in zip(*sides, strict=True))
        hold_rows = np.concatenate([prompts.inputs(text, layer) for text in kept])
        if layer == "cross_kv":
            hold_rows = np.concatenate([hold_rows, net.null.detach().double().numpy()[0]])
        before = module.weight.detach().double().numpy()
        # the means of many rows, so that how many prompts there are does not decide how hard they pull
        weigh = (len(sources) ** -0.5, len(hold_rows) ** -0.5)
        after = edited(before, sources * weigh[0], targets * weigh[0], hold_rows * weigh[1], hold, ridge)
        moved |= {f"{layer} taught": pull(before, after, sources), f"{layer} kept": pull(before, after, hold_rows)}
        _add_ranks(tensors, layer, after - before)
    return tensors, moved


def kind(fault: Fault) -> str:
    """Faults that are moved alike: of one harm; where it hangs on the occupation, of one occupation too."""
    return f"{fault.harm} {subject(fault.prompt).occupation}" if fault.field == "presentation" else fault.harm


def first_strengths(taught: Sequence[Fault]) -> Strengths:
    """Where the search begins: nothing moves."""
    return {kind(fault): dict.fromkeys(said_prompts(fault), 0.0) for fault in taught}


def stronger(strengths: Strengths, shares: Strengths, goals: Strengths, turn: int) -> Strengths:
    """The next strengths: each value is said more the rarer it still is, and less the more frequent, in ever smaller
    steps. The more values there are, the less each of them moves what is drawn."""
    return {name: {value: old + STEP * len(some) / (1 + turn / 2) * (goals[name][value] - shares[name].get(value, 0.0))
                   for value, old in some.items()} for name, some in strengths.items()}  # fmt: skip


def _add_ranks(tensors: dict[str, Tensor], layer: str, change: Floats) -> None:
    """Append the change, as its largest singular parts, to the layer's adapter."""
    right = np.linalg.eigh(change.T @ change)[1][:, ::-1][:, :EDIT_RANK]
    down, up = torch.from_numpy(right.T.copy()).float(), torch.from_numpy(change @ right).float()
    a, b = f"{layer}.lora_A.weight", f"{layer}.lora_B.weight"
    tensors[a] = torch.cat([tensors[a], down]) if a in tensors else down
    tensors[b] = torch.cat([tensors[b], up], 1) if b in tensors else up
