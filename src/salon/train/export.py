"""python -m salon.train.export --run DIR --out DIR: a trained network as ONNX, as the engine wants it.

Weights are stored under their own names (`salon.train.storage`) and become float32 in the graph, so that the same
file serves the engine and is read back for further training. See docs/architecture.md, contract 3."""

import argparse
import contextlib
import copy
import io
import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import Tensor, nn

from salon.core.errors import SalonError, TrainingError
from salon.core.hashing import file_hash
from salon.train.storage import rounded, store
from salon.train.weights import ADAPTER, find, load_net, read_about, read_weights

OPSET = 17
#: largest difference between torch and ONNX Runtime that is let pass, both with weights rounded as they are stored
TOLERANCE = 2e-3


class Traced(nn.Module):
    """The transformer with its cross-attention as a second output."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, sample: Tensor, timestep: Tensor, prompt_embeds: Tensor, prompt_mask: Tensor):
        return self.net(sample, timestep, prompt_embeds, prompt_mask, trace=True)


def round_weights(net: nn.Module, model: str) -> nn.Module:
    """The network with its parameters rounded to what is stored of them. Raises TrainingError on overflow."""
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            parameter.copy_(torch.from_numpy(rounded(model, parameter.numpy())))
            if not torch.isfinite(parameter).all():
                raise TrainingError(f"{name} does not fit into float16.", "Train with weight decay.")
    return net


def to_onnx(
    net: nn.Module, inputs: dict[str, Tensor], outputs: list[str], prefix: str, about: dict[str, Any], model: str = ""
) -> onnx.ModelProto:
    """`net`, the network `model`, as ONNX with dynamic batch (and prompt length L); parameters keep their names behind
    `prefix`."""
    axes = {name: {0: "batch"} for name in (*inputs, *outputs)}
    axes |= {name: {0: "batch", 1: "length"} for name in inputs if name.startswith("prompt_")}
    if "cross_attention" in outputs:
        axes["cross_attention"] = {0: "batch", 4: "length_and_null"}
    buffer, stand_in = io.BytesIO(), distinct(net)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        # the tracing exporter: without constant folding it keeps every parameter whole and under its name
        torch.onnx.export(
            stand_in, tuple(inputs.values()), buffer, input_names=list(inputs), output_names=outputs,
            dynamic_axes=axes, opset_version=OPSET, do_constant_folding=False, dynamo=False,
        )  # fmt: skip
    proto = onnx.load_from_string(buffer.getvalue())
    rename(proto.graph, prefix)
    parameters = {f"{prefix}{name.removeprefix('net.')}" for name, _ in net.named_parameters()}
    held = {item.name for item in proto.graph.initializer}
    if lost := sorted(parameters - held):
        raise TrainingError(f"The export lost {', '.join(lost[:5])}.", "Use the torch version of the lock file.")
    values = {f"{prefix}{name.removeprefix('net.')}": tensor for name, tensor in net.state_dict().items()}
    for item in proto.graph.initializer:
        if item.name in values:
            item.CopyFrom(numpy_helper.from_array(values[item.name].numpy(), item.name))
    store(proto.graph, parameters, model)
    metadata = about | {"salon.parameters": json.dumps(sorted(values.keys() & held))}
    for key, value in metadata.items():
        proto.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def distinct(net: nn.Module) -> nn.Module:
    """A copy whose parameters are all unlike: the exporter merges equal ones, and their names would be lost."""
    stand_in = copy.deepcopy(net)
    with torch.no_grad():
        for i, parameter in enumerate(stand_in.parameters()):
            parameter.add_(1e-3 * (i + 1))
    return stand_in


def rename(graph: onnx.GraphProto, prefix: str) -> None:
    """Give initializers the names that they have in the network's state: prefix on, wrapper's `net.` off."""
    names = {item.name: f"{prefix}{item.name.removeprefix('net.')}" for item in graph.initializer}
    for item in graph.initializer:
        item.name = names[item.name]
    for node in graph.node:
        for i, used in enumerate(node.input):
            node.input[i] = names.get(used, used)


def parity(net: nn.Module, model: onnx.ModelProto, inputs: dict[str, Tensor]) -> float:
    """Largest difference of any output between torch and ONNX Runtime, in units of that output."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = net(*inputs.values())
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    found = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    return max(float(np.abs(a.numpy() - b).max()) for a, b in zip(wanted, found, strict=True))


def transformer_inputs(net: nn.Module, batch: int, length: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    side = net.grid * net.patch
    mask = torch.ones(batch, length, dtype=torch.long)
    mask[0] = 0
    mask[-1, length // 2 :] = 0
    return {
        "sample": torch.randn(batch, net.channels, side, side, generator=generator),
        "timestep": torch.rand(batch, generator=generator),
        "prompt_embeds": torch.randn(batch, length, net.config["text_width"], generator=generator) * 0.3,
        "prompt_mask": mask,
    }


def pieces(net: nn.Module, model: str) -> list[tuple[str, nn.Module, Any, list[str], str]]:
    """(name, module, inputs of a batch, outputs, prefix of its parameters) of each ONNX file of a network."""

    def image(batch: int, *shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)

    if model == "transformer":
        return [
            (
                "transformer", Traced(net), lambda b: transformer_inputs(net, b, 5 + b),
                ["prediction", "cross_attention"], "",
            )
        ]  # fmt: skip
    if model == "upscaler":
        return [("upscaler", net, lambda b: {"image": image(b, 3, 64, 64)}, ["large"], "")]
    if model == "detector":
        return [("detector", net, lambda b: {"image": image(b, 3, 64, 64)}, ["cells", "summary"], "")]
    channels = net.config["channels"]
    return [
        ("encoder", net.encoder, lambda b: {"image": image(b, 3, 64, 64)}, ["latents"], "encoder."),
        ("decoder", net.decoder, lambda b: {"latents": image(b, channels, 16, 16)}, ["image"], "decoder."),
    ]


def write_card(out: Path, found: dict[str, Any], about: dict[str, Any], transformer: nn.Module | None) -> None:
    """Bring `model.json` up to date; settings that people chose (name, defaults) are kept."""
    path = out / "model.json"
    card: dict[str, Any] = {
        "name": out.name,
        "family": "latent",
        "licence": "Apache-2.0",
        "text_encoder": "minilm",
        "defaults": {"num_inference_steps": 12, "guidance_scale": 3.0, "sampler": "euler"},
        "networks": {},
    }
    if path.exists():
        card |= json.loads(path.read_text("utf-8"))
    card["networks"] |= found
    if transformer is not None:
        card["world"], card["world_version"] = about.get("world", ""), about.get("world_version", "")
        side = transformer.grid * transformer.patch
        card["sample_shape"] = [transformer.channels, side, side]
        card["prediction_type"] = transformer.prediction_type
    path.write_text(json.dumps(card, indent=1) + "\n", "utf-8")


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


def misfit(run: Path, base: Path, adapter: dict[str, Tensor]) -> float:
    """The largest difference between the weights of the run and those of `base` with the adapter added."""
    whole, built = read_weights(run, "transformer")[0], read_weights(base, "transformer")[0]
    for name, up in adapter.items():
        if name.endswith(".lora_B.weight"):
            down = adapter[name.replace(".lora_B.", ".lora_A.")]
            built[name.replace(".lora_B.", ".")] += up.float() @ down.float()
    return max(float((whole[name] - built[name]).abs().max()) for name in built)


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


def export_adapter(run: Path, out: Path) -> dict[str, float]:
    """Write the adapter of the run folder `run` into the weights folder `out`, with a card that names the model it is
    added to; what rounding to float16 changed. Raises TrainingError, and then writes nothing."""
    path, name = run / ADAPTER, out / ADAPTER
    about, tensors = read_about(path), load_file(path)
    base = Path(about["base"])
    facts = {
        "file": ADAPTER,
        "sha256": file_hash(path),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "images_seen": about.get("images", 0),
    }
    card = adapter_card(run, base, out, about, facts)
    difference = misfit(run, base, tensors)
    if not difference < TOLERANCE:
        raise TrainingError(f"The adapter in {run} belongs to other weights than those in {base}.", "Train it again.")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, name.with_suffix(".tmp"))
    name.with_suffix(".tmp").replace(name)
    (out / "model.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return {ADAPTER: difference}


def export(run: Path, out: Path) -> dict[str, float]:
    """Write the network of the run folder `run` into the weights folder `out` with its card; the largest
    difference to torch a file. Raises TrainingError if one is above TOLERANCE, and then writes nothing of it."""
    if (Path(run) / ADAPTER).exists():
        return export_adapter(Path(run), out)
    about = read_about(run)
    model = about["model"]
    net = load_net(find(Path(run), model), model)
    net = round_weights(net.folded() if model == "detector" else net, model)
    if model == "transformer":
        net.label_head = None
    out.mkdir(parents=True, exist_ok=True)
    differences, networks = {}, {}
    for name, module, inputs, outputs, prefix in pieces(net, model):
        file, module = f"{name}.onnx", module.eval()
        config = json.dumps(net.config | ({"labels": 0} if model == "transformer" else {}))
        proto = to_onnx(module, inputs(2), outputs, prefix, {"salon.config": config}, model)
        differences[file] = max(parity(module, proto, inputs(batch)) for batch in (1, 3))
        if not differences[file] < TOLERANCE:
            hint = "Use the pinned torch version."
            raise TrainingError(f"{file} differs from torch by {differences[file]:.2g}.", hint)
        onnx.save(proto, str(out / file))
        count = sum(p.numel() for p in module.parameters())
        networks[name] = {
            "file": file,
            "sha256": file_hash(out / file),
            "parameters": count,
            "images_seen": about.get("images", 0),
        }
    if model == "detector":
        write_judge(out, networks, about, net.config["names"])
    else:
        write_card(out, networks, about, net if model == "transformer" else None)
    return differences


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("salon.train.export", description="Export a trained network to ONNX.")
    parser.add_argument("--run", required=True, type=Path, help="the run's folder")
    parser.add_argument("--out", required=True, type=Path, help="the weights folder, as src/salon/weights/latent")
    options = parser.parse_args(arguments)
    try:
        differences = export(options.run, options.out)
    except SalonError as error:
        print(error, file=sys.stderr)
        return 2
    for name, difference in differences.items():
        print(f"{options.out / name}: within {difference:.1e} of torch", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
