"""`salon clip`: what CLIP makes of pictures and words: searching a training set, and the matrix of similarities."""

import argparse
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from salon.cli.arguments import number
from salon.core.errors import BadRecipe, WorldError
from salon.core.recipe import MAX_PROMPT

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

ABOUT = """CLIP puts pictures and words in one place: two networks, trained here on the sandbox world alone. It knows
that world's things, places, colours, styles and hands; of anything else it says something, too, and that is a guess."""
ABOUT_SEARCH = """Search a training set (a folder of `salon world build`) by words or by a picture. What CLIP sees in a
shard is kept beside it (cache/), under the hash of CLIP's weights: the first search takes its time, the next do not."""
ABOUT_MATRIX = """Print how near each picture is to each text (the cosine), and how likely each text is for a picture
if one of them is right."""
ABOUT_MEASURE = """Measure CLIP on scenes whose pairs training never saw: of a caption its picture among all (R@1,
R@5) and of a picture its caption; the noun and the place of scenes of one thing by nothing but the names of all nouns
and places (zero-shot). Intervals are Wilson's, 95%."""
REBUILD = "Build the data with `salon world build`."
AT_ONCE = 256


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon clip search` and `salon clip matrix`."""
    text = "search pictures by words or by a picture, and see how near they are"
    group = commands.add_parser("clip", help=text, description=ABOUT)
    kinds = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = kinds.add_parser("search", help="search a training set by words or by a picture", description=ABOUT_SEARCH)
    add.add_argument("words", nargs="?", help="what the pictures shall show")
    add.add_argument("--image", type=Path, metavar="FILE", help="search by this picture instead of words")
    add.add_argument("--data", type=Path, default=Path("data"), metavar="FOLDER", help="the set (default: data)")
    add.add_argument("--limit", type=number(1, 10_000), default=10, metavar="N", help="how many (default 10)")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(command=search)
    add = kinds.add_parser("matrix", help="how near each picture is to each text", description=ABOUT_MATRIX)
    add.add_argument("--images", required=True, nargs="+", type=Path, metavar="FILE", help="pictures")
    add.add_argument("--texts", required=True, nargs="+", metavar="TEXT", help="texts, or labels to choose among")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(command=matrix)
    add = kinds.add_parser("measure", help="how well it knows scenes it never saw", description=ABOUT_MEASURE)
    add.add_argument("--among", type=number(10, 10_000), default=1000, metavar="N", help="scenes (default 1000)")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(command=measure)


def search(arguments: argparse.Namespace) -> None:
    """Print scene, cosine and first caption of the nearest scenes."""
    import numpy as np  # lazy, as below: `salon --help` answers at once

    from salon.judge import clip

    if (arguments.words is None) == (arguments.image is None):
        raise BadRecipe("Search by words or by a picture, one of the two.", 'Write salon clip search "a red fox".')
    if arguments.image:
        vector = clip.see([picture(arguments.image)])[0].astype(np.float32)
    else:
        vector = clip.load_clip().encode_text([said(arguments.words)])[0]
    paths = shards(arguments.data)
    weights = clip.installed_clip().weights
    cosines = np.concatenate([embeddings(path, weights) for path in progress(paths)]).astype(np.float32) @ vector
    best = np.argsort(-cosines, kind="stable")[: arguments.limit]
    first = [texts[0] if texts else "" for path in paths for texts in captions(path)]
    if len(first) != len(cosines):
        raise WorldError(f"The set in {arguments.data} holds unequal numbers of pictures and captions.", REBUILD)
    rows = [{"scene": int(i), "cosine": round(float(cosines[i]), 4), "caption": first[i]} for i in best]
    if arguments.json:
        print(json.dumps({"weights_sha256": weights, "scenes": len(cosines), "results": rows}, ensure_ascii=False))
        return
    for row in rows:
        print(f"{row['scene']:>8}  {row['cosine']:+.3f}  {row['caption']}")


def matrix(arguments: argparse.Namespace) -> None:
    """Print cosines and zero-shot probabilities [pictures, texts]."""
    from salon.judge import clip

    texts = [said(text) for text in arguments.texts]
    pixels = clip.pixels([picture(path) for path in arguments.images])
    model = clip.load_clip()
    tables = {"cosine": model.similarity(pixels, texts), "probability": model.zero_shot(pixels, texts)}
    if arguments.json:
        facts = {"weights_sha256": clip.installed_clip().weights, "images": [str(path) for path in arguments.images]}
        rounded = {name: [[round(float(x), 6) for x in row] for row in table] for name, table in tables.items()}
        print(json.dumps({**facts, "texts": texts, **rounded}, ensure_ascii=False))
        return
    width = max(12, *(len(path.name) for path in arguments.images))
    for name, table in tables.items():
        print(f"{name:<{width}}" + "".join(f"{i:>8}" for i in range(1, len(texts) + 1)))
        for path, row in zip(arguments.images, table):
            print(f"{path.name:<{width}}" + "".join(f"{x:>8.3f}" for x in row))
        print()
    for i, text in enumerate(texts, 1):
        print(f"{i:>3}  {text}")


def measure(arguments: argparse.Namespace) -> None:
    """Print retrieval and zero-shot accuracy with intervals."""
    from salon.judge import clip, retrieval

    shares = {name: share.told() for name, share in retrieval.measure(clip.load_clip(), arguments.among).items()}
    if arguments.json:
        facts = {"weights_sha256": clip.installed_clip().weights, "among": arguments.among}
        print(json.dumps(facts | shares))
        return
    for name, share in shares.items():
        print(f"{name:<24}{share['rate']:.3f}  ({share['low']:.3f} to {share['high']:.3f}, n {share['n']})")


def said(text: str) -> str:
    """Words fit to be read. Raises BadRecipe if there are none, or too many."""
    from salon.core.text import tidy  # lazy: as above

    clean = tidy(text)
    if not clean:
        raise BadRecipe("A text is empty.", "Describe a picture in words.")
    if len(clean) > MAX_PROMPT:
        raise BadRecipe(
            f"A text has {len(clean)} characters; at most {MAX_PROMPT} can be read.", "Say it more briefly."
        )
    return clean


def picture(path: Path) -> "Image.Image":
    """The picture in a file. Raises OSError, BadRecipe."""
    from salon.engine.pictures import read  # lazy: as above

    return read(path)


def shards(folder: Path) -> list[Path]:
    """The set's shards in the order of its scenes. Raises WorldError."""
    try:
        meta = json.loads((folder / "meta.json").read_text("utf-8"))
        found = [folder / entry["file"] for entry in meta["shards"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorldError(f"There is no training set in {folder}.", f"{REBUILD} Name its folder with --data.") from error
    if not found:
        raise WorldError(f"The training set in {folder} holds no scenes yet.", REBUILD)
    return found


def captions(shard: Path) -> list[list[str]]:
    """Each scene's captions. Raises WorldError."""
    try:
        return msgspec.json.decode(shard.with_suffix(".json").read_bytes(), type=list[list[str]])
    except (OSError, msgspec.DecodeError, UnicodeError) as error:
        raise WorldError(f"The captions of {shard} cannot be read.", REBUILD) from error


def progress(paths: Sequence[Path]) -> Iterator[Path]:
    """The paths, with a bar on a terminal while it takes long."""
    from tqdm import tqdm  # lazy: as above

    yield from tqdm(paths, unit="shard", desc="looking", delay=2, disable=None)


def embeddings(shard: Path, weights: str) -> "np.ndarray":
    """What CLIP sees in a shard, [N,256] float16: kept in cache/ beside it, made anew when the shard is newer."""
    import numpy as np  # lazy: as above

    kept = shard.parent / "cache" / f"{shard.stem}.clip-{weights[:16]}.npy"
    try:
        if kept.stat().st_mtime_ns >= shard.stat().st_mtime_ns:
            found = np.load(kept)
            if found.dtype == np.float16 and found.ndim == 2 and found.shape[1] == 256:
                return found
    except (OSError, ValueError, EOFError):
        pass  # not there, or damaged: it can be made again
    made = look(images(shard))
    keep(made, kept)
    return made


def images(shard: Path) -> "np.ndarray":
    """Pictures uint8 [N,S,S,3]. Raises WorldError."""
    import numpy as np  # lazy: as above

    try:
        with np.load(shard) as arrays:
            found = arrays["images"]
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise WorldError(f"The shard {shard} cannot be read.", REBUILD) from error
    if found.ndim != 4 or found.dtype != np.uint8 or found.shape[3] != 3:
        raise WorldError(f"The shard {shard} holds no pictures.", REBUILD)
    return found


def look(pictures: "np.ndarray") -> "np.ndarray":
    """Embeddings [N,256] float16 of pictures uint8 [N,S,S,3]."""
    import numpy as np  # lazy: as above
    from PIL import Image

    from salon.judge import clip

    parts = [pictures[i : i + AT_ONCE] for i in range(0, len(pictures), AT_ONCE)]
    return np.concatenate([np.zeros((0, 256), np.float16), *(clip.see(map(Image.fromarray, part)) for part in parts)])


def keep(array: Any, path: Path) -> None:
    """Written whole or not at all; a folder that cannot be written costs time at the next search, nothing else."""
    import numpy as np  # lazy: as above

    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        with part.open("wb") as file:
            np.save(file, array)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
