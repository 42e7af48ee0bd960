"""A real model folder with tiny random graphs, so that desk, engine and web can be tried whole in seconds.

`work` makes the transformer slow on purpose: a test that kills an engine in the middle needs a middle.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64


def _value(name: str, kind: int, *shape: object) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _constant(name: str, array: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(array, name)


def _save(path: Path, nodes: list, inputs: list, output: onnx.ValueInfoProto, constants: list) -> str:
    graph = helper.make_graph(nodes, "tiny", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _transformer(path: Path, work: int) -> str:
    """prediction = tanh(sample + words) - sample / 2, after `work` idle products of 512 x 512 for each sample."""
    rng = np.random.default_rng(5)
    mix = rng.standard_normal((384, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["prompt_mask"], ["mask"], to=FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["prompt_embeds", "mask3"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "second"], ["summed"], keepdims=0),
        helper.make_node("MatMul", ["summed", "mix"], ["words"]),
        helper.make_node("Unsqueeze", ["words", "plane"], ["words4"]),
        helper.make_node("Add", ["sample", "words4"], ["both"]),
        helper.make_node("Tanh", ["both"], ["bent"]),
        helper.make_node("Mul", ["sample", "half"], ["halved"]),
        helper.make_node("Sub", ["bent", "halved"], ["plain"]),
    ]
    constants = [
        _constant("mix", mix),
        _constant("last", np.array([2])),
        _constant("second", np.array([1])),
        _constant("plane", np.array([2, 3])),
        _constant("half", np.array(0.5, np.float32)),
    ]
    nodes += _idle_work(work, constants)
    inputs = [
        _value("sample", FLOAT, "B", 3, 8, 8),
        _value("timestep", FLOAT, "B"),
        _value("prompt_embeds", FLOAT, "B", "L", 384),
        _value("prompt_mask", INT, "B", "L"),
    ]
    return _save(path, nodes, inputs, _value("prediction", FLOAT, "B", 3, 8, 8), constants)


def _idle_work(work: int, constants: list) -> list:
    """Nodes that take time and add exactly nothing (a factor of zero that no optimiser can see through)."""
    constants += [
        _constant("zero", np.array(0.0, np.float32)),
        _constant("one_row", np.ones((1, 512), np.float32)),
        _constant("square", (np.random.default_rng(1).standard_normal((512, 512)) / 23).astype(np.float32)),
        _constant("all", np.array([0, 1])),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["timestep"], ["mean_t"], keepdims=0),
        helper.make_node("Mul", ["mean_t", "one_row"], ["row"]),
        helper.make_node("Add", ["square", "row"], ["work0"]),
    ]
    for i in range(work):
        nodes += [
            helper.make_node("MatMul", [f"work{i}", "square"], [f"product{i}"]),
            helper.make_node("Tanh", [f"product{i}"], [f"work{i + 1}"]),
        ]
    return [
        *nodes,
        helper.make_node("ReduceSum", [f"work{work}", "all"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["plain", "nothing"], ["prediction"]),
    ]


def _resize(path: Path, source: str, side: int, times: int, bend: bool) -> str:
    """image = (tanh of) the input, each pixel `times` as large."""
    constants = [_constant("scales", np.array([1, 1, times, times], np.float32))]
    nodes = [
        helper.make_node("Resize", [source, "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Tanh" if bend else "Identity", ["large"], ["image"]),
    ]
    after = side * times
    inputs = [_value(source, FLOAT, "B", 3, side, side)]
    return _save(path, nodes, inputs, _value("image", FLOAT, "B", 3, after, after), constants)


def make(folder: Path, work: int = 0, name: str = "latent") -> Path:
    """A folder for SALON_WEIGHTS that holds one model."""
    model = folder / name
    model.mkdir(parents=True)
    networks = {
        "transformer": {"file": "transformer.onnx", "sha256": _transformer(model / "transformer.onnx", work)},
        "decoder": {"file": "decoder.onnx", "sha256": _resize(model / "decoder.onnx", "latents", 8, 8, True)},
    }
    card = {
        "name": name,
        "family": "latent",
        "licence": "Apache-2.0",
        "world": "tiny",
        "world_version": "tiny",
        "text_encoder": "minilm",
        "sample_shape": [3, 8, 8],
        "prediction_type": "flow",
        "defaults": {"num_inference_steps": 12, "guidance_scale": 3.0, "sampler": "euler"},
        "networks": {key: {**value, "parameters": 1} for key, value in networks.items()},
    }
    (model / "model.json").write_text(json.dumps(card))
    return folder
