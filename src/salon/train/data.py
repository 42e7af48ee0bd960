"""The training set on disk: shards of scenes as `salon world build` writes them, and arrays cached beside them.

    meta.json            {world, world_version, size, captions_per_scene, shards: [{file, scenes}]}
    shard-00000.npz      images uint8 [N,S,S,3], labels uint16 [N,8,8] (noun id of each cell, 0: background)
    shard-00000.json     N lists of captions
    shard-00000.scenes.jsonl  ground truth, a scene a line
    cache/...            what training derives from a shard (text, latents), named by the hash of what made it

Shards may be added while training runs: `refresh` reads meta.json again.
"""

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from salon.core.errors import TrainingError
from salon.world.scene import Scene

REBUILD = "Build the data again with `salon world build`."


def map_npz(path: Path, name: str) -> np.ndarray:
    """Array `name` of an uncompressed .npz as a read-only memory map; a compressed one is read into memory."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{name}.npy")
        if entry.compress_type != zipfile.ZIP_STORED:
            return np.load(path)[name]
        with archive.open(entry) as member:
            version = np.lib.format.read_magic(member)
            reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = reader(member)
            header = member.tell()
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        local = file.read(30)
    start = entry.header_offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    order = "F" if fortran else "C"
    return np.memmap(path, dtype=dtype, mode="r", offset=start + header, shape=shape, order=order)


class Shard:
    """One shard: images [N,S,S,3], labels [N,8,8] and captions (N lists), images and labels mapped, not read."""

    def __init__(self, path: Path) -> None:
        self.path, self.cache = path, path.parent / "cache"
        try:
            self.images, self.labels = map_npz(path, "images"), map_npz(path, "labels")
            self.captions: list[list[str]] = json.loads(path.with_suffix(".json").read_text("utf-8"))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise TrainingError(f"The shard {path} cannot be read: {error}.", REBUILD) from error
        if not len(self.images) == len(self.labels) == len(self.captions):
            raise TrainingError(f"The shard {path} holds unequal numbers of images, labels, captions.", REBUILD)

    def __len__(self) -> int:
        return len(self.images)

    def scenes(self) -> list[Scene]:
        """The ground truth of every scene. Raises TrainingError if it is missing or damaged."""
        try:
            lines = self.path.with_suffix(".scenes.jsonl").read_bytes().splitlines()
            return [msgspec.json.decode(line, type=Scene) for line in lines]
        except (OSError, msgspec.DecodeError) as error:
            raise TrainingError(f"The ground truth of {self.path} cannot be read: {error}.", REBUILD) from error

    def cached(self, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The array `cache/<shard>.<name>.npy`, made and written (whole or not at all) if it is not there."""
        path = self.cache / f"{self.path.stem}.{name}.npy"
        if not path.exists():
            self.cache.mkdir(exist_ok=True)
            unfinished = path.with_suffix(f".{os.getpid()}.tmp")
            with unfinished.open("wb") as file:
                np.save(file, make())
            os.replace(unfinished, path)
        return np.load(path, mmap_mode="r")


class Scenes:
    """All shards of one or more folders as one row of scenes. Raises TrainingError if they hold none, or worlds that
    differ."""

    def __init__(self, folders: Path | str | Sequence[Path | str]) -> None:
        several = [folders] if isinstance(folders, Path | str) else folders
        self.folders = [Path(folder) for folder in several]
        self.opened: dict[Path, Shard] = {}
        self.refresh()

    def refresh(self) -> list[Shard]:
        """Read each meta.json again and open what is new; returns the new shards."""
        metas, paths = [], []
        for folder in self.folders:
            try:
                metas.append(json.loads((folder / "meta.json").read_text("utf-8")))
                paths += [folder / entry["file"] for entry in metas[-1]["shards"]]
            except (OSError, ValueError, KeyError) as error:
                raise TrainingError(f"There is no training set in {folder}: {error}.", REBUILD) from error
        self.meta = metas[0]
        if not paths:
            hint = "Wait for the first."
            raise TrainingError(f"The training set in {self.folders[0]} holds no shards yet.", hint)
        if len({(meta.get("world"), meta.get("size")) for meta in metas}) > 1:
            raise TrainingError("The training sets are of different worlds or sizes.", REBUILD)
        new = [Shard(path) for path in paths if path not in self.opened]
        self.opened |= {shard.path: shard for shard in new}
        self.shards = [self.opened[path] for path in paths]
        self.starts = np.cumsum([0] + [len(shard) for shard in self.shards])
        return new

    def __len__(self) -> int:
        return int(self.starts[-1])

    def locate(self, index: int) -> tuple[int, int]:
        """(shard, row) of scene `index`."""
        shard = int(np.searchsorted(self.starts, index, "right")) - 1
        return shard, index - int(self.starts[shard])

    def gather(self, arrays: list[np.ndarray], indices: list[int]) -> np.ndarray:
        """Rows `indices` of one array a shard, stacked."""
        return np.stack([arrays[shard][row] for shard, row in map(self.locate, indices)])

    def images(self, indices: list[int], size: int) -> np.ndarray:
        """Pictures [B,size,size,3] float32 in [-1,1], averaged over squares where the shard is larger."""
        pixels = self.gather([shard.images for shard in self.shards], indices)
        factor, rest = divmod(pixels.shape[1], size)
        if rest or not factor:
            raise TrainingError(f"The pictures are {pixels.shape[1]} px wide, {size} px are needed.", REBUILD)
        pixels = pixels.astype(np.float32) / 127.5 - 1
        return pixels.reshape(len(indices), size, factor, size, factor, 3).mean((2, 4))

    def labels(self, indices: list[int]) -> np.ndarray:
        """Noun ids [B,64] int64 of the 8x8 cells."""
        return self.gather([shard.labels for shard in self.shards], indices).reshape(len(indices), -1).astype(np.int64)
