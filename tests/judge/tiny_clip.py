"""A tiny CLIP in the real form: random towers, except that a few words for colours are taught by least squares, so that
"red" is near to red pictures."""

import json
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto

from salon.core.hashing import file_hash
from salon.engine.text import TextEncoder

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import TEXT, Graph

WIDTH, CELLS = 256, 4
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 220), "yellow": (230, 220, 40)}


def image_tower(path: Path, seed: int) -> None:
    """image -> [B,256]: the colours of 16 cells, mixed at random."""
    g, f = Graph(seed), TensorProto.FLOAT
    cells = g.op("Flatten", g.op("AveragePool", "image", kernel_shape=[16, 16], strides=[16, 16]))
    mixed = g.op("Add", g.op("MatMul", cells, g.weight(3 * CELLS**2, WIDTH)), g.weight(1, WIDTH, scale=0.1))
    g.op("LpNormalization", mixed, axis=1, p=2, out="embedding")
    g.save(path, [("image", f, ["B", 3, 64, 64])], [("embedding", f, ["B", WIDTH])])


def text_tower(path: Path, weight: np.ndarray) -> None:
    """prompt_embeds, prompt_mask -> [B,256]: the mean of the tokens by `weight` [384,256]."""
    g, f = Graph(0), TensorProto.FLOAT
    mask = g.op("Unsqueeze", g.op("Cast", "prompt_mask", to=f), g.const(np.array([2])))
    axis = g.const(np.array([1]))
    total = g.op("ReduceSum", g.op("Mul", "prompt_embeds", mask), axis, keepdims=0)
    mean = g.op("Div", total, g.op("ReduceSum", mask, axis, keepdims=0))
    known = g.op("Cast", g.const(weight.astype(np.float16)), to=f)
    g.op("LpNormalization", g.op("MatMul", mean, known), axis=1, p=2, out="embedding")
    inputs = [("prompt_embeds", f, ["B", "L", TEXT]), ("prompt_mask", TensorProto.INT64, ["B", "L"])]
    g.save(path, inputs, [("embedding", f, ["B", WIDTH])])


def flat(colour: tuple[int, int, int]) -> np.ndarray:
    """A picture [3,64,64] of one colour."""
    return np.tile(np.float32(colour)[:, None, None] / 127.5 - 1, (1, 64, 64))


def taught(image: Path) -> np.ndarray:
    """A weight [384,256] that puts the words of COLOURS where the image tower puts the colours."""
    import onnxruntime as ort

    seen = ort.InferenceSession(str(image)).run(None, {"image": np.stack([flat(c) for c in COLOURS.values()])})[0]
    embeds, mask = TextEncoder().encode(list(COLOURS))
    means = (embeds * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return np.linalg.pinv(means) @ seen


def card(here: Path, **changed: object) -> None:
    """Writes the folder's model.json."""
    networks = {p.stem: {"file": p.name, "sha256": file_hash(p), "parameters": 1000} for p in here.glob("*.onnx")}
    facts = {
        "name": here.name, "family": "clip", "licence": "Apache-2.0", "text_encoder": "minilm",
        "sample_shape": [3, 64, 64], "prediction_type": "sample", "defaults": {"scale": 20.0}, "networks": networks,
    }  # fmt: skip
    (here / "model.json").write_text(json.dumps(facts | changed))


def clip(folder: Path, name: str = "clip", seed: int = 0) -> Path:
    """The model's folder under `folder`."""
    here = folder / name
    here.mkdir(parents=True, exist_ok=True)
    image_tower(here / "image.onnx", seed)
    text_tower(here / "text.onnx", taught(here / "image.onnx"))
    card(here)
    return here
