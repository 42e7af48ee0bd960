"""python -m salon.train.export --run DIR --out DIR: a trained network as ONNX, as the engine wants it.

Weights are stored under their own names (`salon.train.storage`) and become float32 in the graph, so that the same
file serves the engine and is read back for further training. See docs/architecture.md, contract 3."""

import argparse
import contextlib
import copy
import io
import json
import lzma
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.numpy import save as save_numpy
from safetensors.torch import load_file
from torch import Tensor, nn

from salon.core.errors import SalonError, TrainingError
from salon.core.hashing import file_hash
from salon.train.cards import adapter_card, write_card, write_judge
from salon.train.pieces import PIECES, Piece, axes_of
from salon.train.storage import read, save, store, to_int8
from salon.train.weights import ADAPTER, SCALE_SUFFIX, find, load_net, read_about, read_weights, save_adapter

OPSET = 17
#: largest difference between torch and ONNX Runtime that is let pass, both with weights rounded as they are stored
TOLERANCE = 2e-3


def as_stored(piece: Piece, proto: onnx.ModelProto) -> None:
    """Give the piece's module the weights that are stored of it. Raises TrainingError on overflow."""
    about = {entry.key: entry.value for entry in proto.metadata_props}
    arrays = read(proto.graph, set(json.loads(about["salon.parameters"])))
    with torch.no_grad():
        for name, parameter in piece.module.named_parameters():
            own = name.removeprefix("net.")
            if piece.holds(own):
                parameter.copy_(torch.from_numpy(arrays[piece.prefix + own]))
                if not torch.isfinite(parameter).all():
                    raise TrainingError(f"{own} does not fit into float16.", "Train with weight decay.")


def to_onnx(piece: Piece, about: dict[str, Any], model: str = "", levels: float = 0) -> onnx.ModelProto:
    """A piece of the network `model` as ONNX with dynamic batch (and prompt length); parameters keep their names behind
    the piece's prefix. `levels`: see `salon.train.storage`."""
    net, inputs, outputs, prefix = piece.module, piece.inputs(2), list(piece.outputs), piece.prefix
    axes = axes_of(piece, inputs)
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
    parameters = {name.removeprefix("net.") for name, _ in net.named_parameters()}
    parameters = {f"{prefix}{name}" for name in parameters if piece.holds(name)}
    held = {item.name for item in proto.graph.initializer}
    if lost := sorted(parameters - held):
        raise TrainingError(f"The export lost {', '.join(lost[:5])}.", "Use the torch version of the lock file.")
    values = {f"{prefix}{name.removeprefix('net.')}": tensor for name, tensor in net.state_dict().items()}
    for item in proto.graph.initializer:
        if item.name in values:
            item.CopyFrom(numpy_helper.from_array(values[item.name].numpy(), item.name))
    store(proto.graph, parameters, model, levels)
    metadata = about | {"salon.outputs": str(piece.main), "salon.parameters": json.dumps(sorted(values.keys() & held))}
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
    return max(difference(a.numpy(), b) for a, b in zip(wanted, found, strict=True))


def difference(wanted: np.ndarray, found: np.ndarray) -> float:
    """The largest; of codes, which differ or do not, the share of those that do."""
    if np.issubdtype(wanted.dtype, np.integer):
        return float((wanted != found).mean())
    return float(np.abs(wanted - found).max())


def misfit(run: Path, base: Path, adapter: dict[str, Tensor]) -> float:
    """The largest difference between the weights of the run and those of `base` with the adapter added."""
    whole, built = read_weights(run, "transformer")[0], read_weights(base, "transformer")[0]
    for name, up in adapter.items():
        if name.endswith(".lora_B.weight"):
            down = adapter[name.replace(".lora_B.", ".lora_A.")]
            built[name.replace(".lora_B.", ".")] += up.float() @ down.float()
    return max(float((whole[name] - built[name]).abs().max()) for name in built if name in whole)


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
        "minutes": about.get("minutes", 0),
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


def export(run: Path, out: Path, levels: float = 0) -> dict[str, float]:
    """Write the network of the run folder `run` into the weights folder `out` with its card; the largest
    difference to torch a file. With `levels` weights are few (`salon.train.storage`) and the file is packed. Raises
    TrainingError if a difference is above TOLERANCE, and then writes nothing of it."""
    run = Path(run)
    about = read_about(run)
    model = about["model"]
    if (run / ADAPTER).exists() and model != "unclip_decoder":
        return export_adapter(run, out)
    net = load_net(find(run, model), model)
    net = net.folded() if model == "detector" else net
    if model == "transformer":
        net.label_head = None
    out.mkdir(parents=True, exist_ok=True)
    differences, networks = {}, {}
    for piece in PIECES[model](net):
        file, found = export_piece(piece, net, model, out, about, levels)
        differences[file] = found.pop("difference")
        networks[piece.name] = found
    if model == "detector":
        write_judge(out, networks, about, net.config["names"])
        return differences
    write_card(out, networks, about, net, model)
    if model == "unclip_decoder":
        differences |= borrow_decoder(run, out, levels)
    return differences


def export_piece(
    piece: Piece, net: nn.Module, model: str, out: Path, about: dict[str, Any], levels: float
) -> tuple[str, dict[str, Any]]:
    """Write one ONNX file; its name, and what the card says of it. Raises TrainingError."""
    file, module = f"{piece.name}.onnx" + (".xz" if levels else ""), piece.module.eval()
    config = json.dumps(net.config | ({"labels": 0} if model == "transformer" else {}))
    proto = to_onnx(piece, {"salon.config": config}, model, levels)
    as_stored(piece, proto)
    worst = max(parity(module, proto, piece.inputs(batch)) for batch in (1, 3))
    if not worst < TOLERANCE:
        raise TrainingError(f"{file} differs from torch by {worst:.2g}.", "Use the pinned torch version.")
    save(proto, out / file)
    count = sum(p.numel() for n, p in module.named_parameters() if piece.holds(n.removeprefix("net.")))
    facts = {"file": file, "sha256": file_hash(out / file), "parameters": count}
    facts |= {"images_seen": about.get("images", 0), "minutes": about.get("minutes", 0)}
    return file, facts | {"difference": worst}


def borrow_decoder(run: Path, out: Path, levels: float) -> dict[str, float]:
    """unclip's decoder is the cascade's base with an adapter: write that, and name whose networks it borrows. Raises
    TrainingError if the adapter belongs to other weights."""
    about, tensors = read_about(run / ADAPTER), load_file(run / ADAPTER)
    base = Path(about["base"])
    worst = misfit(run, base, tensors)
    if not worst < TOLERANCE:
        raise TrainingError(f"The adapter in {run} belongs to other weights than those in {base}.", "Train it again.")
    name = write_adapter(tensors, out, levels)
    path = out / "model.json"
    card, theirs = json.loads(path.read_text("utf-8")), json.loads((base / "model.json").read_text("utf-8"))
    facts = {"file": name, "sha256": file_hash(out / name)}
    facts |= {"images_seen": about.get("images", 0), "minutes": about.get("minutes", 0)}
    facts["parameters"] = sum(tensor.numel() for tensor in tensors.values())
    lent = {
        n: theirs["networks"][n] | {"of": theirs["name"]}
        for n in ("transformer", "superres")
        if n in theirs["networks"]
    }
    lent["transformer"] |= {"adapter": facts}
    card["networks"] |= lent
    path.write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return {name: worst}


def write_adapter(tensors: dict[str, Tensor], out: Path, levels: float) -> str:
    """An adapter's tensors as float16, or with `levels` as int8 with a scale a row, packed. Returns the file's name."""
    if not levels:
        save_adapter(tensors, out / ADAPTER)
        return ADAPTER
    packed: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        packed[name], packed[name + SCALE_SUFFIX] = to_int8(tensor.float().numpy(), levels)
    name = ADAPTER + ".xz"
    (out / name).write_bytes(lzma.compress(save_numpy(packed), preset=9 | lzma.PRESET_EXTREME))
    return name


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("salon.train.export", description="Export a trained network to ONNX.")
    parser.add_argument("--run", required=True, type=Path, help="the run's folder")
    parser.add_argument("--out", required=True, type=Path, help="the weights folder, as src/salon/weights/latent")
    parser.add_argument(
        "--levels", type=float, default=0, help="so many integers to a weight's rms, packed; 0: float16"
    )
    options = parser.parse_args(arguments)
    try:
        differences = export(options.run, options.out, options.levels)
    except SalonError as error:
        print(error, file=sys.stderr)
        return 2
    for name, difference in differences.items():
        print(f"{options.out / name}: within {difference:.1e} of torch", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
