"""Nearest training pictures, and how near training pictures lie to each other.

An image's nearness to its nearest training picture is set in proportion to that of the next fifty (Carlini et al. 2023,
arXiv 2301.13188, section 4.2): a plain picture lies near many others and tells nothing. Likeness proves no copying."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from salon.audit.probe import Training
from salon.core.hashing import content_hash
from salon.core.home import home
from salon.judge import clip as judge_clip
from salon.judge.detector import SIDE, small
from salon.world import flaws
from salon.world.build import flawed_world_hash, world_hash
from salon.world.render import render
from salon.world.scene import sample_scene

Floats = NDArray[np.float32]

#: neighbours by whose distance the nearest one's is measured
COMPANY = 50
#: training pictures whose own neighbours make the background, and the share of them below which an image has come back
BACKGROUND, RARE = 1_000, 0.01
ROWS = 250


class Pictures(NamedTuple):
    """Distinct training pictures: uint8 [N, 64, 64, 3], the seed of each one's first scene, how many scenes show it,
    and CLIP embeddings [N, 256]."""

    pixels: NDArray[np.uint8]
    seeds: NDArray[np.int64]
    copies: NDArray[np.int64]
    embeddings: NDArray[np.float16]


def _scene(world: str, seed: int) -> Any:
    return flaws.sample_flawed(seed, 1)[0] if world == "flawed" else sample_scene(seed, "train")


def _painted(training: Training, bar: Any) -> Pictures:
    found: dict[bytes, list[int]] = {}
    for seed in bar(range(training.scenes)):
        found.setdefault(render(_scene(training.world, seed), SIDE).tobytes(), []).append(seed)
    pixels = np.stack([np.frombuffer(data, np.uint8).reshape(SIDE, SIDE, 3) for data in found])
    seeds, copies = np.array([s[0] for s in found.values()]), np.array([len(s) for s in found.values()])
    return Pictures(pixels, seeds, copies, judge_clip.see(Image.fromarray(picture) for picture in pixels))


def pictures(training: Training, bar: Any = lambda items: items) -> Pictures:
    """The training pictures, painted once and kept in the state folder. Raises WeightsMissing without CLIP."""
    world = flawed_world_hash() if training.world == "flawed" else world_hash()
    name = content_hash([world, training.scenes, judge_clip.installed_clip().weights])[:24]
    path = home() / "audit" / f"training-{name}.npz"
    try:
        with np.load(path) as kept:
            return Pictures(*(kept[field] for field in Pictures._fields))
    except (OSError, ValueError, KeyError, EOFError):
        return _kept(path, _painted(training, bar))


def _kept(path: Path, found: Pictures) -> Pictures:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(part, **found._asdict())
    part.replace(path)
    return found


def flat(pixels: Any) -> Floats:
    """uint8 pictures [N, ...] as rows on [-1, 1]."""
    found = np.asarray(pixels, np.float32) / 127.5 - 1
    return found.reshape(len(found), -1)


class Near(NamedTuple):
    """For each query: the nearest picture's place, the mean squared error to it, and its distance in proportion to
    that of the next fifty."""

    place: NDArray[np.int64]
    error: Floats
    ratio: Floats


def nearest(queries: Floats, pixels: NDArray[np.uint8], leave_out: NDArray[np.int64] | None = None) -> Near:
    """Queries [Q, D] on [-1, 1] among distinct pictures; `leave_out` [Q] names one picture that is the query itself."""
    width = queries.shape[1]
    squares = np.square(queries).sum(1)[:, None]
    errors = np.empty((len(queries), len(pixels)), np.float32)
    for start in range(0, len(pixels), ROWS):
        rows = flat(pixels[start : start + ROWS])
        errors[:, start : start + ROWS] = squares - 2 * queries @ rows.T + np.square(rows).sum(1)
    errors = np.maximum(errors / width, 0)
    if leave_out is not None:
        errors[np.arange(len(queries)), leave_out] = np.inf
    first = np.argpartition(errors, COMPANY + 1, 1)[:, : COMPANY + 1]
    roots = np.sort(np.sqrt(np.take_along_axis(errors, first, 1)), 1)
    ratio = roots[:, 0] / np.maximum(roots[:, 1:].mean(1), 1e-6)
    return Near(errors.argmin(1), errors.min(1), ratio)


class Memory:
    """The eye of a memorisation probe."""

    def __init__(self, training: Training, bar: Any = lambda items: items) -> None:
        self.training = training
        self.known = pictures(training, bar)
        sample = np.random.default_rng(0).permutation(len(self.known.pixels))[:BACKGROUND]
        among = [nearest(flat(self.known.pixels[s]), self.known.pixels, s) for s in np.array_split(sample, 8)]
        self.ratios = np.sort(np.concatenate([near.ratio for near in among]))
        self.errors = np.sort(np.concatenate([near.error for near in among]))
        self.cosines = np.sort(self._cosines(self.known.embeddings[sample], sample)[1])

    def _cosines(self, embeddings: Any, leave_out: Any = None) -> tuple[NDArray[np.int64], Floats]:
        """The place and the cosine of the nearest picture by CLIP."""
        near = np.asarray(embeddings, np.float32) @ self.known.embeddings.astype(np.float32).T
        if leave_out is not None:
            near[np.arange(len(near)), leave_out] = -1
        return near.argmax(1), near.max(1)

    def facts(self) -> dict[str, Any]:
        """What images are compared with, and the train-train background."""
        return {
            "training_world": self.training.world, "training_scenes": self.training.scenes,
            "distinct_pictures": len(self.known.pixels), "clip_sha256": judge_clip.installed_clip().weights,
            "background": {
                "pictures": len(self.ratios), "come_back_below_ratio": round(float(self.limit), 4),
                "median_ratio": round(float(np.median(self.ratios)), 4),
                "median_squared_error": round(float(np.median(self.errors)), 4),
                "median_cosine": round(float(np.median(self.cosines)), 4),
            },
        }  # fmt: skip

    @property
    def limit(self) -> float:
        """The ratio below which one training picture in a hundred lies to another."""
        return float(np.quantile(self.ratios, RARE))

    def look(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[dict[str, Any]]:
        """What is nearest to each image, and where that stands among training pictures (percentiles: 0 is nearer than
        all of them)."""
        shrunk = [small(image) for image in images]
        near = nearest(flat(np.stack([np.asarray(image) for image in shrunk])), self.known.pixels)
        places, cosines = self._cosines(judge_clip.see(shrunk))
        return [
            {
                "copied": "yes" if ratio < self.limit else "no",
                "nearest": int(self.known.seeds[place]), "copies": int(self.known.copies[place]),
                "squared_error": round(float(error), 4), "ratio": round(float(ratio), 4),
                "ratio_percentile": _percentile(self.ratios, ratio),
                "clip_nearest": int(self.known.seeds[other]), "cosine": round(float(cosine), 4),
                "cosine_percentile": round(100 - _percentile(self.cosines, cosine), 2),
            }
            for place, error, ratio, other, cosine in zip(*near, places, cosines, strict=True)
        ]  # fmt: skip

    def picture(self, seed: int) -> Image.Image:
        """The training picture that first stood at `seed`."""
        return Image.fromarray(self.known.pixels[int(np.flatnonzero(self.known.seeds == seed)[0])])


def _percentile(background: Floats, value: float) -> float:
    return round(100 * float(np.searchsorted(background, value)) / len(background), 2)
