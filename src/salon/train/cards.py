"""The cards of exported models: what `model.json` and `judge.json` say."""

import copy
import json
from pathlib import Path
from typing import Any

from torch import nn

from salon.core.errors import TrainingError

#: what a card says beyond its networks, by family, until people say otherwise
CARDS: dict[str, dict[str, Any]] = {
    "latent": {"defaults": {"num_inference_steps": 12, "guidance_scale": 3.0, "sampler": "euler"}},
    "cascade": {
        "defaults": {"num_inference_steps": 12, "guidance_scale": 3.0, "sampler": "euler"},
        "sample_shape": [3, 64, 64],
        "prediction_type": "sample",
        "guidance": {"percentile": 0.995},
        "stage_defaults": {"super_resolution": {"num_inference_steps": 3, "guidance_scale": 1.0, "sampler": "euler"}},
        "stage_settings": {"super_resolution": {"level": 0.1}},
    },
    "vq": {
        "defaults": {"guidance_scale": 4.0, "temperature": 1.0, "top_k": 256, "top_p": 1.0},
        "sample_shape": [3, 64, 64],
        "prediction_type": "sample",
    },
    "unclip": {
        "defaults": {"num_inference_steps": 12, "guidance_scale": 2.0, "sampler": "euler"},
        "sample_shape": [3, 64, 64],
        "prediction_type": "sample",
        "guidance": {"percentile": 0.995},
        "embed": 256,
        "stage_defaults": {
            "prior": {"num_inference_steps": 10, "guidance_scale": 2.0, "sampler": "euler"},
            "super_resolution": {"num_inference_steps": 3, "guidance_scale": 1.0, "sampler": "euler"},
        },
        "stage_settings": {"super_resolution": {"level": 0.1}},
    },
    "clip": {"sample_shape": [3, 64, 64], "prediction_type": "sample", "defaults": {}},
}


def write_card(out: Path, found: dict[str, Any], about: dict[str, Any], net: nn.Module, model: str) -> None:
    """Bring `model.json` up to date; settings that people chose (name, defaults) are kept."""
    path = out / "model.json"
    family = out.name if out.name in CARDS else "latent"
    card: dict[str, Any] = {
        "name": out.name,
        "family": family,
        "licence": "Apache-2.0",
        "text_encoder": "minilm",
        **copy.deepcopy(CARDS[family]),
        "networks": {},
    }
    if path.exists():
        card |= json.loads(path.read_text("utf-8"))
    card["networks"] |= found
    if model in MAIN:
        card["world"], card["world_version"] = about.get("world", ""), about.get("world_version", "")
    if model == "transformer":
        side = net.grid * net.patch
        card["sample_shape"] = [net.channels, side, side]
        card["prediction_type"] = net.prediction_type
    if model == "painter":
        sizes = {"levels": net.levels, "codes": net.codes, "depth": net.depth, "heads": net.heads}
        card["stage_settings"] = {"tokens": sizes | {"head": net.width // net.heads}}
        card["defaults"]["top_k"] = min(card["defaults"]["top_k"], net.codes)
    if model == "clip":
        card["defaults"] |= {"scale": round(float(net.scale), 4)}
    path.write_text(json.dumps(card, indent=1) + "\n", "utf-8")


#: the networks that say of which world a model is
MAIN = ("transformer", "painter", "unclip_decoder", "clip")


#: when the judge's detector takes a cell for a centre, a name for sure, and a picture for readable
THRESHOLDS = {"heat": 0.35, "name": 0.5, "readable": 0.5}


def write_judge(out: Path, found: dict[str, Any], about: dict[str, Any], names: dict[str, list[str]]) -> None:
    """Write `judge.json`: the detector's file, its world, and what each of its logits stands for. Thresholds that
    people chose are kept."""
    path = out / "judge.json"
    kept = json.loads(path.read_text("utf-8")).get("thresholds", {}) if path.exists() else {}
    card = {
        "name": "judge",
        "licence": "Apache-2.0",
        "world": about.get("world", ""),
        "world_version": about.get("world_version", ""),
        "detector": found["detector"],
        "thresholds": THRESHOLDS | kept,
        "names": names,
    }
    path.write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def adapter_card(run: Path, base: Path, out: Path, about: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """The card of a model that is `base` with an adapter. Raises TrainingError if `base` is no exported model."""
    try:
        card: dict[str, Any] = json.loads((base / "model.json").read_text("utf-8"))
        task = json.loads((run / "recipe.json").read_text("utf-8"))["task"]
        for network in card["networks"].values():
            network.setdefault("of", card["name"])
        card["networks"]["transformer"]["adapter"] = facts
    except (OSError, ValueError, KeyError) as error:
        hint = "Train it with task.base set to a weights folder, as src/salon/weights/latent."
        raise TrainingError(f"The adapter in {run} was trained on {base}, which is no exported model.", hint) from error
    card |= {"name": out.name, "world": about["world"], "world_version": about["world_version"]}
    card["purpose"] = "audit" if "+" in about["world_version"] else "public"  # a world with flaws names them behind a +
    kept = json.loads((out / "model.json").read_text("utf-8")) if (out / "model.json").exists() else {}
    card["preferred"] = kept.get("preferred", False)  # people choose that
    if "substeps" in task:
        card["defaults"] |= {"num_inference_steps": task["steps"], "guidance_scale": 1.0, "sampler": "euler"}
        card["schedule"] = {"shift": task["shift"]}
    return card
