"""Weights of a network in files: safetensors in a run folder, ONNX in a weights folder. Both ways."""

import json
import lzma
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save_file
from torch import Tensor, nn

from salon.core.errors import TrainingError
from salon.core.hashing import file_hash
from salon.nets.adapter import adapter_of
from salon.nets.autoencoder import Autoencoder
from salon.nets.clip import Clip
from salon.nets.detector import Detector
from salon.nets.painter import Painter
from salon.nets.prior import Prior
from salon.nets.superres import SuperResolution
from salon.nets.tokenizer import Tokenizer
from salon.nets.transformer import Transformer
from salon.nets.unclip import UnclipDecoder
from salon.nets.upscaler import Upscaler

NETS: dict[str, type[nn.Module]] = {
    "autoencoder": Autoencoder,
    "clip": Clip,
    "detector": Detector,
    "painter": Painter,
    "prior": Prior,
    "superres": SuperResolution,
    "tokenizer": Tokenizer,
    "transformer": Transformer,
    "unclip_decoder": UnclipDecoder,
    "upscaler": Upscaler,
}
#: what only teaches (heads, CLIP's temperature): not exported, and new wherever weights come without it
TEACHERS = ("label_head.", "log_scale")
#: ONNX files that together hold a network, and the prefix of their parameters' names
ONNX_FILES = {
    "autoencoder": (("encoder.onnx", "encoder."), ("decoder.onnx", "decoder.")),
    "clip": (("image.onnx", "image."), ("text.onnx", "text.")),
    "detector": (("detector.onnx", ""),),
    "painter": (("words.onnx", ""), ("painter.onnx", "")),
    "prior": (("prior.onnx", ""),),
    "superres": (("superres.onnx", ""),),
    "tokenizer": (("token_encoder.onnx", ""), ("token_decoder.onnx", "")),
    "transformer": (("transformer.onnx", ""),),
    "upscaler": (("upscaler.onnx", ""),),
}


#: an adapter's file, in a run's folder and in a model's
ADAPTER = "adapter.safetensors"
#: what the scales of an adapter's tensors are called beside them, as salon.engine.adapters reads them
SCALE_SUFFIX = ".scale"


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


def read_adapter(path: Path) -> dict[str, Tensor]:
    """An adapter's tensors, float32, of a run's folder, a model's, or a file; packed ones (`.xz`, integers with a scale
    a row) too. Raises TrainingError."""
    place = existing(path / ADAPTER) if path.is_dir() else path
    try:
        data = place.read_bytes()
        tensors = load(lzma.decompress(data) if place.suffix == ".xz" else data)
    except (OSError, lzma.LZMAError, SafetensorError) as error:
        hint = "Name a run or a model that has one."
        raise TrainingError(f"There is no adapter in {path}: {error}.", hint) from error
    whole = {name: tensor.float() for name, tensor in tensors.items() if not name.endswith(SCALE_SUFFIX)}
    scaled = {name: whole[name] * tensors[name + SCALE_SUFFIX] for name in whole if name + SCALE_SUFFIX in tensors}
    return whole | scaled


def load_adapter(net: nn.Module, path: Path) -> None:
    """Give the adapter that `net` wears the tensors of the one in `path`. Raises TrainingError if it does not fit."""
    tensors, worn = read_adapter(path), adapter_of(net)
    shapes = {name: tuple(tensor.shape) for name, tensor in worn.items()}
    if shapes != {name: tuple(tensor.shape) for name, tensor in tensors.items()}:
        raise TrainingError(f"The adapter in {path} is of another form.", "Set task.adapter_rank and net.* to match.")
    with torch.no_grad():
        for name, tensor in worn.items():
            tensor.copy_(tensors[name])


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


def past(path: Path, model: str) -> dict[str, float]:
    """What the weights in `path` have been through before: `images` seen and `minutes` of training; 0 where nobody
    wrote it down. Raises TrainingError if there are no weights."""
    place = find(path, model)
    if not place.is_dir():
        about = read_about(place)
        return {name: about.get(name, 0) for name in ("images", "minutes")}
    try:
        networks = json.loads((place / "model.json").read_text("utf-8"))["networks"]
        facts = networks[Path(ONNX_FILES[model][0][0]).stem]
    except (OSError, ValueError, KeyError):
        facts = {}
    return {"images": facts.get("images_seen", 0), "minutes": facts.get("minutes", 0)}


def _from_onnx(folder: Path, model: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    from salon.train import storage  # inline: only the way back from an export needs onnx

    tensors, config = {}, {}
    for file, _ in ONNX_FILES[model]:
        proto = storage.load(existing(folder / file))
        about = {entry.key: entry.value for entry in proto.metadata_props}
        config = json.loads(about["salon.config"])
        arrays = storage.read(proto.graph, set(json.loads(about["salon.parameters"])))
        tensors |= {name: torch.from_numpy(array) for name, array in arrays.items()}
    return tensors, config


def existing(path: Path) -> Path:
    """The file, or the same one packed."""
    packed = path.with_name(path.name + ".xz")
    return packed if packed.exists() else path


def find(path: Path, model: str) -> Path:
    """The file or folder in `path` that holds the weights of `model`. Raises TrainingError if there is none."""
    path = Path(path)
    if path.is_file():
        return path if path.suffix == ".safetensors" else path.parent
    exported = [existing(path / ONNX_FILES[model][0][0])] if model in ONNX_FILES else []
    for candidate in (path / "weights.safetensors", *exported):
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


def load_into(net: nn.Module, path: Path, model: str, fresh: tuple[str, ...] = ()) -> None:
    """Fill `net` from `path`; teachers' heads, and parameters that begin as `fresh` says, may be missing. Raises
    TrainingError if the shapes do not fit."""
    tensors, _ = read_weights(path, model)
    mine = net.state_dict()
    tensors = {k: v for k, v in tensors.items() if k in mine or not k.startswith(TEACHERS)}
    try:
        missing, unexpected = net.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise TrainingError(f"The weights in {path} are of another size: {error}", "Set net.* to match.") from error
    spare = (*TEACHERS, *fresh)
    missing = [key for key in missing if not key.startswith(spare) and not key.endswith("num_batches_tracked")]
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
    return file_hash(existing(place / ONNX_FILES[model][0][0]) if place.is_dir() else place)[:8]
