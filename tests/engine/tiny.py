"""A tiny model with random weights that keeps contract 3: attention over the prompt, decoder, upscaler."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from salon.core.hashing import file_hash

CHANNELS, SIDE, WIDTH, TEXT = 4, 16, 32, 384
TOKENS = SIDE * SIDE


class Graph:
    """Nodes and float16 weights, cast to float32 in the graph as the contract asks."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def op(self, kind, *inputs, out=None, **attributes):
        name = out or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def const(self, value):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weight(self, *shape, scale=None):
        value = self.random.standard_normal(shape) * (scale or shape[-2] ** -0.5)
        return self.op("Cast", self.const(value.astype(np.float16)), to=TensorProto.FLOAT)

    def save(self, path, inputs, outputs):
        value = lambda spec: helper.make_tensor_value_info(*spec)  # noqa: E731
        graph = helper.make_graph(self.nodes, "tiny", [*map(value, inputs)], [*map(value, outputs)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def transformer(path: Path, channels: int = CHANNELS, side: int = SIDE, seed: int = 0, layers: int = 0) -> None:
    """sample, timestep, prompt_embeds, prompt_mask -> prediction, cross_attention [B, 1, 1, tokens, L+1].

    `layers` more make it slow: about 1.2 GFLOP each for nine images and a step.
    """
    g, f, tokens = Graph(seed), TensorProto.FLOAT, side * side
    flat = g.op("Transpose", g.op("Reshape", "sample", g.const(np.array([0, channels, tokens]))), perm=[0, 2, 1])
    time = g.op("Reshape", "timestep", g.const(np.array([-1, 1, 1])))
    x = g.op("Add", g.op("MatMul", flat, g.weight(channels, WIDTH)), g.op("Mul", time, g.weight(1, WIDTH)))
    # a null token in front of the prompt: what the unconditional branch looks at
    batch = g.op("Concat", g.op("Shape", "timestep"), g.const(np.array([1, TEXT])), axis=0)
    keys = g.op("Concat", g.op("Expand", g.weight(1, TEXT, scale=1), batch), "prompt_embeds", axis=1)
    ones = g.op(
        "Unsqueeze", g.op("Cast", g.op("Mul", "timestep", g.const(np.float32(0))), to=7), g.const(np.array([1]))
    )
    mask = g.op("Concat", g.op("Add", ones, g.const(np.int64(1))), "prompt_mask", axis=1)
    bias = g.op("Mul", g.op("Sub", g.op("Cast", mask, to=f), g.const(np.float32(1))), g.const(np.float32(1e9)))
    key = g.op("Transpose", g.op("MatMul", keys, g.weight(TEXT, WIDTH)), perm=[0, 2, 1])
    scores = g.op("Add", g.op("MatMul", x, key), g.op("Unsqueeze", bias, g.const(np.array([1]))))
    attention = g.op("Softmax", scores, axis=-1)
    seen = g.op("MatMul", attention, g.op("MatMul", keys, g.weight(TEXT, WIDTH, scale=0.3)))
    hidden = g.op("Gelu", g.op("Add", x, seen))
    for _ in range(layers):
        wide = g.op("Gelu", g.op("MatMul", hidden, g.weight(WIDTH, 64 * WIDTH)))
        hidden = g.op("Add", hidden, g.op("MatMul", wide, g.weight(64 * WIDTH, WIDTH)))
    out = g.op("Transpose", g.op("MatMul", hidden, g.weight(WIDTH, channels)), perm=[0, 2, 1])
    g.op("Reshape", out, g.const(np.array([-1, channels, side, side])), out="prediction")
    g.op("Unsqueeze", attention, g.const(np.array([1, 2])), out="cross_attention")
    shape = ["B", channels, side, side]
    inputs = [("sample", f, shape), ("timestep", f, ["B"]), ("prompt_embeds", f, ["B", "L", TEXT])]
    inputs.append(("prompt_mask", TensorProto.INT64, ["B", "L"]))
    g.save(path, inputs, [("prediction", f, shape), ("cross_attention", f, ["B", 1, 1, tokens, "M"])])


def decoder(path: Path, channels: int = CHANNELS, side: int = SIDE) -> None:
    """latents -> image [B, 3, 64, 64] in [-1, 1]."""
    g, f = Graph(1), TensorProto.FLOAT
    rgb = g.op("Conv", "latents", g.weight(3, channels, 3, 3, scale=0.3), pads=[1, 1, 1, 1])
    scale = np.array([1, 1, 64 / side, 64 / side], np.float32)
    g.op("Tanh", g.op("Resize", rgb, "", g.const(scale), mode="linear"), out="image")
    g.save(path, [("latents", f, ["B", channels, side, side])], [("image", f, ["B", 3, 64, 64])])


def upscaler(path: Path) -> None:
    """image [B, 3, 64, 64] -> image [B, 3, 256, 256]; its input must not be called as its output."""
    g, f = Graph(2), TensorProto.FLOAT
    g.op("Resize", "image", "", g.const(np.array([1, 1, 4, 4], np.float32)), mode="linear", out="large")
    g.save(path, [("image", f, ["B", 3, 64, 64])], [("large", f, ["B", 3, 256, 256])])


def model(folder: Path, name: str = "tiny", pixels: bool = False, layers: int = 0, **card: object) -> Path:
    """A model's folder under `folder`; `pixels`: samples are images and there is neither decoder nor upscaler."""
    here = folder / name
    here.mkdir(parents=True)
    shape = (3, 64, 64) if pixels else (CHANNELS, SIDE, SIDE)
    transformer(here / "transformer.onnx", shape[0], shape[1], layers=layers)
    if not pixels:
        decoder(here / "decoder.onnx")
        upscaler(here / "upscaler.onnx")
    networks = {p.stem: {"file": p.name, "sha256": file_hash(p), "parameters": 1000} for p in here.glob("*.onnx")}
    facts = {
        "name": name,
        "family": "latent",
        "licence": "Apache-2.0",
        "text_encoder": "minilm",
        "sample_shape": shape,
        "prediction_type": "flow",
        "defaults": {"num_inference_steps": 4, "guidance_scale": 3.0, "sampler": "euler"},
        "networks": networks,
    }
    (here / "model.json").write_text(json.dumps(facts | card))
    return here
