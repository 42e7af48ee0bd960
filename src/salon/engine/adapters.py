"""Low-rank adapters (LoRA, arXiv 2106.09685) on exported networks: W + lora_B @ lora_A, added when a graph is loaded.

A file holds `<module>.lora_A.weight` [rank, in] and `<module>.lora_B.weight` [out, rank], as PEFT names them."""

import lzma
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from safetensors import SafetensorError
from safetensors.numpy import load

from salon.core.errors import WeightsDamaged
from salon.engine.files import unpacked

A, B = ".lora_A.weight", ".lora_B.weight"
SCALE_SUFFIX = ".scale"
#: what the export calls a stored weight once it is float32
WIDE = "{}/float32"


def widened(tensors: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Tensors that are stored as integers with a scale a row, as numbers."""
    whole = {name: tensor for name, tensor in tensors.items() if not name.endswith(SCALE_SUFFIX)}
    scaled = {
        n: t.astype(np.float32) * tensors[n + SCALE_SUFFIX] for n, t in whole.items() if n + SCALE_SUFFIX in tensors
    }
    return whole | scaled


def read_adapter(path: Path) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """(lora_A, lora_B) of each weight by its name. Raises WeightsDamaged."""
    try:
        tensors = widened(load(unpacked(path)))
        modules = {name.removesuffix(A) for name in tensors if name.endswith(A)}
        found = {
            f"{module}.weight": (tensors[module + A].astype(np.float32), tensors[module + B].astype(np.float32))
            for module in sorted(modules)
        }
    except (OSError, lzma.LZMAError, SafetensorError, KeyError, ValueError, TypeError) as error:
        hint = "Put the original back (git checkout, or install again)."
        raise WeightsDamaged(
            f"{path.parent.name}/{path.name} is no adapter that we can read: {error}.", hint
        ) from error
    if len(tensors) != 2 * len(found) or not found:
        hint = "It must hold pairs of lora_A and lora_B only."
        raise WeightsDamaged(f"{path.parent.name}/{path.name} holds other tensors than an adapter's.", hint)
    return found


def with_adapter(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    """`model` with the adapter in `path` added to its weights; ONNX Runtime folds the sums into constants when it loads
    the graph. Raises WeightsDamaged if the adapter does not fit."""
    made_by = {output: node for node in model.graph.node for output in node.output}
    shapes = {item.name: tuple(item.dims) for item in model.graph.initializer}
    added: dict[int, list[onnx.NodeProto]] = {}
    for name, (down, up) in read_adapter(path).items():
        wide = WIDE.format(name)
        if wide not in made_by or shapes.get(name) != (len(up), down.shape[1]) or up.shape[1] != len(down):
            hint = "It belongs to another network."
            raise WeightsDamaged(f"{path.parent.name}/{path.name} does not fit {name}.", hint)
        node = made_by[wide]
        node.output[:] = [f"{name}/base"]
        model.graph.initializer.append(numpy_helper.from_array(down, f"{name}/lora_A"))
        model.graph.initializer.append(numpy_helper.from_array(up, f"{name}/lora_B"))
        added[id(node)] = [
            helper.make_node("MatMul", [f"{name}/lora_B", f"{name}/lora_A"], [f"{name}/low_rank"], f"low_rank/{name}"),
            helper.make_node("Add", [f"{name}/base", f"{name}/low_rank"], [wide], f"adapt/{name}"),
        ]
    nodes = [new for node in model.graph.node for new in (node, *added.get(id(node), ()))]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    return model
