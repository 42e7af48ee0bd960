"""How weights lie in an ONNX file: as float16, the matrices of large networks as int8 with one scale a row. Either
way they keep their names and become float32 in the graph: no activation is ever quantised.

With `levels` the integers are few: so many to a row's root mean square. Packed (.xz) such a file needs about
log2(4.13 * levels) bits a weight: 4.6 for 6 levels, which leave 4.8% rms of a weight behind, 5.0 for 8, which leave
3.6%."""

import lzma
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

#: networks whose matrices are stored as int8: half the size of float16, 0.7% rms in what they compute
INT8 = frozenset({"transformer"})
#: numbers from which on a matrix is worth a scale a row
LARGE = 4096
SCALE = "/scale"


def to_int8(weight: np.ndarray, levels: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """(int8 of the weight's shape, scale float32 [rows, 1 ...]), a row being what shares the first index. The largest
    entry of each row lies at +-127, or, with `levels`, the root mean square at that many, if all then fit."""
    rows = weight.reshape(len(weight), -1)
    scale = np.maximum(np.abs(rows).max(1, keepdims=True), 1e-12) / 127
    if levels:
        scale = np.maximum(scale, np.sqrt(np.square(rows).mean(1, keepdims=True)) / levels)
    values = np.clip(np.rint(rows / scale), -127, 127).astype(np.int8).reshape(weight.shape)
    return values, scale.astype(np.float32).reshape(-1, *[1] * (weight.ndim - 1))


def is_int8(model: str, array: np.ndarray, levels: float = 0) -> bool:
    """Whether `array` of the network `model` is stored as int8."""
    if levels:
        return array.ndim in (2, 4) and array.size >= LARGE
    return model in INT8 and array.ndim == 2 and array.size >= LARGE


def rounded(model: str, array: np.ndarray, levels: float = 0) -> np.ndarray:
    """What is left of float32 `array` after storing and reading it; infinite where float16 overflows."""
    if not is_int8(model, array, levels):
        with np.errstate(over="ignore"):
            return array.astype(np.float16).astype(np.float32)
    values, scale = to_int8(array, levels)
    return values.astype(np.float32) * scale


def save(proto: onnx.ModelProto, path: Path) -> None:
    """Write the graph, packed if the name ends in .xz; whole or not at all."""
    data = proto.SerializeToString()
    unfinished = path.with_suffix(".tmp")
    unfinished.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME) if path.suffix == ".xz" else data)
    unfinished.replace(path)


def load(path: Path) -> onnx.ModelProto:
    """A graph that `save` wrote."""
    data = path.read_bytes()
    return onnx.load_from_string(lzma.decompress(data) if path.suffix == ".xz" else data)


def store(graph: onnx.GraphProto, names: set[str], model: str, levels: float = 0) -> None:
    """Store the initializers `names`, and bring them back to float32 before anything uses them."""
    nodes: list[onnx.NodeProto] = []
    scales: list[onnx.TensorProto] = []
    for item in graph.initializer:
        if item.name not in names:
            continue
        name, array, wide = item.name, numpy_helper.to_array(item), f"{item.name}/float32"
        if is_int8(model, array, levels):
            values, scale = to_int8(array, levels)
            scales.append(numpy_helper.from_array(scale, name + SCALE))
            nodes.append(helper.make_node("Cast", [name], [f"{name}/cast"], f"cast/{name}", to=TensorProto.FLOAT))
            nodes.append(helper.make_node("Mul", [f"{name}/cast", name + SCALE], [wide], f"scale/{name}"))
        else:
            values = array.astype(np.float16)
            nodes.append(helper.make_node("Cast", [name], [wide], f"cast/{name}", to=TensorProto.FLOAT))
        item.CopyFrom(numpy_helper.from_array(values, name))
    for node in graph.node:
        for i, used in enumerate(node.input):
            if used in names:
                node.input[i] = f"{used}/float32"
    graph.initializer.extend(scales)
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)


def read(graph: onnx.GraphProto, names: set[str]) -> dict[str, np.ndarray]:
    """The initializers `names` as float32, however they are stored."""
    held = {item.name: item for item in graph.initializer}
    arrays = {name: numpy_helper.to_array(held[name]).astype(np.float32) for name in names & held.keys()}
    for name in arrays:
        if name + SCALE in held:
            arrays[name] = arrays[name] * numpy_helper.to_array(held[name + SCALE])
    return arrays
