"""Make weights smaller, and say by how much they changed: what keeps everything tracked under 50 MB.

    python scripts/pack_weights.py text src/salon/weights/minilm --data WORLD64 [--levels 2]
    python scripts/pack_weights.py model src/salon/weights/latent --networks transformer [--levels 0]
    python scripts/pack_weights.py adapter src/salon/weights/latent-fast --levels 16

`text`: the embeddings of word pieces that no caption of the data has are stored with few levels; those that captions
have, and the layers, stay as they are to the last bit. `model`: with 0 levels packed without loss, else stored anew.
Files are packed (.xz) and the card is brought up to date; other cards that borrow the file, too."""

import argparse
import json
import lzma
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import load, save

from salon.core.hashing import file_hash
from salon.engine.files import unpacked
from salon.engine.text import TextEncoder
from salon.train.storage import SCALE, to_int8
from salon.train.storage import load as load_graph
from salon.train.storage import save as save_graph


def said(data: list[Path], encoder: TextEncoder) -> set[int]:
    """Ids of the word pieces of every caption of the folders."""
    found: set[int] = set()
    for path in (p for folder in data for p in sorted(folder.glob("shard-*.json"))):
        captions = {caption for captions in json.loads(path.read_text("utf-8")) for caption in captions}
        found |= set(np.unique(encoder.tokens(sorted(captions)).ids).tolist())
    return found


def rows_with(array: np.ndarray, scale: np.ndarray, rows: np.ndarray, levels: float) -> tuple[np.ndarray, np.ndarray]:
    """int8 values and scales with `rows` stored anew in few levels."""
    values, scales = array.copy(), scale.copy()
    values[rows], scales[rows] = to_int8(array[rows].astype(np.float32) * scale[rows], levels)
    return values, scales


def pack_text(folder: Path, data: list[Path], levels: float) -> None:
    encoder = TextEncoder(folder)
    known = said(data, encoder)
    path, card = folder / encoder.facts.file, json.loads((folder / "encoder.json").read_text("utf-8"))
    proto = load_graph(path)
    tensors = {item.name: item for item in proto.graph.initializer}
    name, table = max(tensors.items(), key=lambda pair: int(np.prod(pair[1].dims)))
    scale_name = next(n for n, t in tensors.items() if list(t.dims) == [table.dims[0], 1])
    rows = np.array([i for i in range(table.dims[0]) if i not in known])
    values, scales = rows_with(numpy_helper.to_array(table), numpy_helper.to_array(tensors[scale_name]), rows, levels)
    vocabulary = json.loads(unpacked(folder / encoder.facts.tokenizer.file))["model"]["vocab"]
    values[[number for piece, number in vocabulary.items() if piece.startswith("[unused")]] = 0  # no text has them
    table.CopyFrom(numpy_helper.from_array(values, name))
    tensors[scale_name].CopyFrom(numpy_helper.from_array(scales, scale_name))
    out = folder / "text.onnx.xz"
    save_graph(proto, out)
    card |= {"file": out.name, "sha256": file_hash(out)}
    (folder / "encoder.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    if path != out:
        path.unlink()
    print(f"{len(known)} word pieces as they were, {len(rows)} in {levels:g} levels: {out.stat().st_size / 1e6:.2f} MB")


def again(proto: onnx.ModelProto, levels: float) -> onnx.ModelProto:
    """The graph with its float16 weights as int8 of so many levels. Names and arithmetic stay; weights that are int8
    already stay."""
    about = {entry.key: entry.value for entry in proto.metadata_props}
    names, graph = set(json.loads(about["salon.parameters"])), proto.graph
    scales, first = [], []
    for item in graph.initializer:
        array = numpy_helper.to_array(item)
        large = array.ndim in (2, 4) and array.size >= 4096
        if item.name not in names or array.dtype != np.float16 or not large:
            continue
        values, scale = to_int8(array.astype(np.float32), levels)
        name = item.name
        item.CopyFrom(numpy_helper.from_array(values, name))
        scales.append(numpy_helper.from_array(scale, name + SCALE))
        [cast] = [node for node in graph.node if node.op_type == "Cast" and node.input[0] == name]
        wide = cast.output[0]
        cast.output[0] = f"{name}/cast"
        first.append((cast, onnx.helper.make_node("Mul", [f"{name}/cast", name + SCALE], [wide], f"scale/{name}")))
    graph.initializer.extend(scales)
    after = {cast.name: mul for cast, mul in first}
    nodes = [onnx.NodeProto.FromString(n.SerializeToString()) for n in graph.node]
    del graph.node[:]
    for node in nodes:
        graph.node.append(node)
        if node.name in after:
            graph.node.append(after[node.name])
    onnx.checker.check_model(proto, full_check=True)
    return proto


def tell(folder: Path, network: str, old: str, **facts: object) -> None:
    """Bring the card of `folder`, and those that borrow the file, up to date."""
    for path in folder.parent.glob("*/model.json"):
        card = json.loads(path.read_text("utf-8"))
        for entry in card["networks"].values():
            own = path.parent == folder and not entry.get("of")
            if entry["file"] == old and (own or entry.get("of") == folder.name):
                entry |= facts
        path.write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    print(f"{folder.name}/{facts['file']}: {network}, {(folder / str(facts['file'])).stat().st_size / 1e6:.2f} MB")


def pack_model(folder: Path, networks: list[str], levels: float) -> None:
    for network in networks:
        old = json.loads((folder / "model.json").read_text("utf-8"))["networks"][network]["file"]
        proto = load_graph(folder / old)
        out = folder / f"{network}.onnx.xz"
        save_graph(again(proto, levels) if levels else proto, out)
        if (folder / old) != out:
            (folder / old).unlink()
        tell(folder, network, old, file=out.name, sha256=file_hash(out))


def pack_adapter(folder: Path, levels: float) -> None:
    path = folder / "adapter.safetensors"
    packed: dict[str, np.ndarray] = {}
    for name, tensor in load(path.read_bytes()).items():
        packed[name], packed[f"{name}.scale"] = to_int8(tensor.astype(np.float32), levels)
    out = folder / "adapter.safetensors.xz"
    out.write_bytes(lzma.compress(save(packed), preset=9 | lzma.PRESET_EXTREME))
    card = json.loads((folder / "model.json").read_text("utf-8"))
    for entry in card["networks"].values():
        if "adapter" in entry:
            entry["adapter"] |= {"file": out.name, "sha256": file_hash(out)}
    (folder / "model.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    path.unlink()
    print(f"{folder.name}/{out.name}: {out.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("text", "model", "adapter"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, nargs="+", default=[], help="folders of `salon world build`")
    parser.add_argument("--networks", nargs="+", default=[])
    parser.add_argument("--levels", type=float, default=0)
    options = parser.parse_args()
    if options.what == "text":
        pack_text(options.folder, options.data, options.levels or 2)
    elif options.what == "model":
        pack_model(options.folder, options.networks, options.levels)
    else:
        pack_adapter(options.folder, options.levels or 16)


if __name__ == "__main__":
    main()
