"""Weights of a network in files: safetensors in a run folder, ONNX in a weights folder. Both ways."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from salon.core.errors import TrainingError
from salon.core.hashing import file_hash
from salon.nets.autoencoder import Autoencoder
from salon.nets.detector import Detector
from salon.nets.transformer import Transformer
from salon.nets.upscaler import Upscaler

NETS: dict[str, type[nn.Module]] = {
    "autoencoder": Autoencoder,
    "detector": Detector,
    "transformer": Transformer,
    "upscaler": Upscaler,
}
#: heads that only teach: not exported, and new wherever weights come without them
TEACHERS = ("label_head.",)
#: ONNX files that together hold a network, and the prefix of their parameters' names
ONNX_FILES = {
    "autoencoder": (("encoder.onnx", "encoder."), ("decoder.onnx", "decoder.")),
    "detector": (("detector.onnx", ""),),
    "transformer": (("transformer.onnx", ""),),
    "upscaler": (("upscaler.onnx", ""),),
}


#: an adapter's file, in a run's folder and in a model's
ADAPTER = "adapter.safetensors"


def save_weights(net: nn.Module, path: Path, **about: Any) -> None:
    """Write the network's weights with its configuration; whole or not at all."""
    unfinished = path.with_suffix(".tmp")
    metadata = {"config": json.dumps(net.config)} | {k: json.dumps(v) for k, v in about.items()}
    save_file({k: v.contiguous().cpu() for k, v in net.state_dict().items()}, str(unfinished), metadata)
    unfinished.replace(path)


def save_adapter(tensors: dict[str, Tensor], path: Path, **about: Any) -> None:
    """Write an adapter's tensors as float16; whole or not at all."""
    unfinished = path.with_suffix(".tmp")
    metadata = {k: json.dumps(v) for k, v in about.items()}
    save_file({k: v.half().contiguous().cpu() for k, v in tensors.items()}, str(unfinished), metadata)
    unfinished.replace(path)


def _from_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(str(path), "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        return tensors, json.loads(file.metadata()["config"])


def read_about(run: Path) -> dict[str, Any]:
    """What a run's weights say of themselves: model, images, world, world_version. Raises TrainingError."""
    path = Path(run) if Path(run).is_file() else Path(run) / "weights.safetensors"
    try:
        with safe_open(str(path), "pt") as file:
            return {key: json.loads(value) for key, value in file.metadata().items()}
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"There are no weights of a run in {run}: {error}.", "Train first.") from error


def _from_onnx(folder: Path, model: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    import onnx  # inline: only the way back from an export needs it

    from salon.train import storage

    tensors, config = {}, {}
    for file, _ in ONNX_FILES[model]:
        proto = onnx.load(str(folder / file))
        about = {entry.key: entry.value for entry in proto.metadata_props}
        config = json.loads(about["salon.config"])
        arrays = storage.read(proto.graph, set(json.loads(about["salon.parameters"])))
        tensors |= {name: torch.from_numpy(array) for name, array in arrays.items()}
    return tensors, config


def find(path: Path, model: str) -> Path:
    """The file or folder in `path` that holds the weights of `model`. Raises TrainingError if there is none."""
    path = Path(path)
    if path.is_file():
        return path if path.suffix == ".safetensors" else path.parent
    for candidate in (path / "weights.safetensors", path / ONNX_FILES[model][0][0]):
        if candidate.exists():
            return candidate if candidate.suffix == ".safetensors" else path
    hint = "Name a run folder, a .safetensors file or a folder with the exported ONNX files."
    raise TrainingError(f"There are no weights of the {model} in {path}.", hint)


def read_weights(path: Path, model: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors by name, and the network's configuration, from a run folder, .safetensors or exported ONNX."""
    place = find(path, model)
    try:
        return _from_onnx(place, model) if place.is_dir() else _from_safetensors(place)
    except Exception as error:  # protobuf, safetensors and zip each raise their own
        if isinstance(error, OSError | SafetensorError | ValueError | KeyError) or "Decode" in type(error).__name__:
            hint = "Use another file, or train the network again."
            raise TrainingError(f"The weights in {place} are damaged: {error}.", hint) from error
        raise


def load_into(net: nn.Module, path: Path, model: str) -> None:
    """Fill `net` from `path`; teachers' heads may be missing. Raises TrainingError if the shapes do not fit."""
    tensors, _ = read_weights(path, model)
    mine = net.state_dict()
    tensors = {k: v for k, v in tensors.items() if k in mine or not k.startswith(TEACHERS)}
    try:
        missing, unexpected = net.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise TrainingError(f"The weights in {path} are of another size: {error}", "Set net.* to match.") from error
    missing = [key for key in missing if not key.startswith(TEACHERS) and not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        names = ", ".join([*missing, *unexpected][:5])
        raise TrainingError(f"The weights in {path} are of another network: {names}.", "Set net.* to match.")


def load_net(path: Path, model: str) -> nn.Module:
    """The network that `path` holds, as it was configured, ready for use (not for training)."""
    _, config = read_weights(path, model)
    net = NETS[model](**config)
    load_into(net, path, model)
    return net.eval().requires_grad_(False)


def weights_key(path: Path, model: str) -> str:
    """Eight digits that name the weights in `path`: of their file, or of the first of their ONNX files."""
    place = find(path, model)
    return file_hash(place / ONNX_FILES[model][0][0] if place.is_dir() else place)[:8]
