"""How well CLIP tells unseen scenes of its world apart: retrieval among many, and naming without having learnt to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from salon.judge.clip import SIDE, Clip
from salon.stats.intervals import wilson
from salon.world.build import picture
from salon.world.captions import named
from salon.world.scene import Scene
from salon.world.vocabulary import NOUNS, PLACES

Floats = NDArray[np.float32]
#: among how many scenes retrieval searches
AMONG = 1000


@dataclass(frozen=True)
class Share:
    """So many of n, with its 95% interval (Wilson)."""

    seen: int
    of: int

    def told(self) -> dict[str, float]:
        """For JSON: rate, low, high, n."""
        low, high = wilson(self.seen, self.of)
        found = {"rate": self.seen / max(self.of, 1), "low": low, "high": high}
        return {name: round(value, 4) for name, value in found.items()} | {"n": self.of}


@dataclass(frozen=True)
class Unseen:
    """Scenes whose pairs training never saw: pictures [N,3,64,64] in [-1,1], first captions, ground truth."""

    images: Floats
    captions: list[str]
    scenes: list[Scene]


def unseen(count: int) -> Unseen:
    """The first `count` seeds of the held-out split."""
    drawn = [picture(seed, SIDE, "heldout", 1) for seed in range(count)]
    pixels = np.stack([pixels for pixels, _, _, _ in drawn]).astype(np.float32)
    images = np.ascontiguousarray((pixels / 127.5 - 1).transpose(0, 3, 1, 2))
    return Unseen(images, [words[0] for _, _, words, _ in drawn], [scene for *_, scene in drawn])


def hits(cosines: Floats, best: int, right: Sequence[int]) -> Share:
    """Rows of [N,M] whose right column is among the `best` highest. Of equals the right one counts as the last, so that
    captions that say the same do no good."""
    wanted = cosines[np.arange(len(cosines)), list(right)]
    before = (cosines >= wanted[:, None]).sum(1) - 1
    return Share(int((before < best).sum()), len(cosines))


def retrieval(clip: Clip, found: Unseen) -> dict[str, Share]:
    """R@1 and R@5 both ways: of the first caption its picture among all, of the picture its first caption."""
    cosines = np.asarray(clip.encode_image(found.images) @ clip.encode_text(found.captions).T)
    own = range(len(cosines))
    tables = {"text_to_image": np.ascontiguousarray(cosines.T), "image_to_text": cosines}
    return {f"{way}_r{best}": hits(table, best, own) for way, table in tables.items() for best in (1, 5)}


def naming(clip: Clip, found: Unseen) -> dict[str, Share]:
    """Zero-shot: the noun of scenes of one thing among all nouns of the world, and the place among all places, by
    nothing but their names."""
    shares: dict[str, Share] = {}
    nouns, places = [noun.name for noun in NOUNS], list(PLACES)
    single = [i for i, scene in enumerate(found.scenes) if scene.kind == "single"]
    placed = [i for i in single if found.scenes[i].place in PLACES and not found.scenes[i].ground]
    tasks = (
        ("noun", single, [named(n) for n in nouns], [nouns.index(found.scenes[i].things[0].noun) for i in single]),
        ("place", placed, [PLACES[p][0] for p in places], [places.index(found.scenes[i].place) for i in placed]),
    )
    for what, chosen, labels, right in tasks:
        cosines = clip.similarity(found.images[chosen], labels)
        shares |= {f"zero_shot_{what}_top{best}": hits(cosines, best, right) for best in (1, 5)}
    return shares


def measure(clip: Clip, among: int = AMONG) -> dict[str, Share]:
    """Everything, over the first `among` held-out scenes."""
    found = unseen(among)
    return retrieval(clip, found) | naming(clip, found)
