"""Lessons that begin with words: which captions of a scene may be learnt, and their embeddings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from salon.core.errors import TrainingError
from salon.train import text
from salon.train.base import Task
from salon.train.data import Scenes, Shard
from salon.world.scene import Scene
from salon.world.vocabulary import BY_NAME, HANDS, NOUNS


def says_hand(shard: Shard, default: str, scenes: list[Scene] | None = None) -> list[list[int]]:
    """For each scene the captions that may be learnt: all, or, if a thing in it is not by the hand `default`, those
    that say whose hand it is by. `scenes` is the shard's ground truth, where it is at hand already."""
    if not default:
        return [list(range(len(captions))) for captions in shard.captions]
    out = []
    for scene, captions in zip(scenes or shard.scenes(), shard.captions):
        said = {HANDS[thing.hand][1] for thing in scene.things if thing.hand != default}
        out.append([pick for pick, text in enumerate(captions) if said <= set(text.replace(",", " ").split())])
    return out


def left_first(scene: Scene, caption: str) -> bool:
    """False where two things stand side by side and the caption, which does not say which stands where ("next to",
    "and"), names the right one first."""
    if scene.kind != "pair" or scene.relation != "next to":
        return True
    by_place = sorted(scene.things, key=lambda thing: thing.box[0])
    names = [(thing.noun, *BY_NAME[thing.noun].also) for thing in by_place]
    left, right = (min((at for name in some if (at := caption.find(name)) >= 0), default=-1) for some in names)
    return left <= right


class CaptionTask(Task):
    """A task whose network reads captions: `choose` says which scenes and captions a batch is of."""

    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        self.texts: dict[Path, text.ShardText] = {}

    def refresh(self) -> None:
        """Take in new shards, and list the (scene, caption) pairs that may be learnt."""
        super().refresh()
        self.pairs, self.default_pairs = self._pairs()
        for shard in self.shards():
            if shard.path not in self.texts:
                self.texts[shard.path] = text.ShardText(shard)

    def shards(self) -> list[Shard]:
        """Those that are learnt from and those that are held out, each once."""
        return list({id(s): s for s in (*self.scenes.shards, *self.held.shards)}.values())

    def _pairs(self) -> tuple[Tensor, Tensor]:
        """[P,2] int64 of scene and caption: all, and those of things by the default hand. With `default_hand`, a
        caption that does not say by which hand a thing is drawn stands only beside scenes by that hand: a plain
        prompt then means one drawing, not four at once."""
        hand, forms, found, default = self.options["default_hand"], self.options["forms"], [], []
        known = {noun.name for noun in NOUNS[: self.options["nouns"]]} if self.options["nouns"] else None
        for start, shard in zip(self.scenes.starts, self.scenes.shards):
            ordered = self.options["left_first"]
            scenes = shard.scenes() if hand or known or ordered else None
            for row, picks in enumerate(says_hand(shard, hand, scenes)):
                things = scenes[row].things if scenes else ()
                if int(start) + row < self.first or (known and not {thing.noun for thing in things} <= known):
                    continue
                if ordered and scenes:
                    picks = [pick for pick in picks if left_first(scenes[row], shard.captions[row][pick])]
                pairs = [(int(start) + row, pick) for pick in picks if pick < forms or not forms]
                found += pairs
                if things and all(thing.hand == hand for thing in things):
                    default += pairs
        if not found:
            hint = "Set task.default_hand to a hand of the world; look at task.nouns and task.forms."
            raise TrainingError("No caption is left to learn.", hint)
        return torch.tensor(found), torch.tensor(default).reshape(-1, 2)

    def choose(self, count: int, generator: Generator) -> Tensor:
        """[B,2] of scene and caption; about `default_share` of them beyond chance of things by the default hand."""
        chosen = self.pairs[torch.randint(0, len(self.pairs), (count,), generator=generator)]
        if not self.options["default_share"] or not len(self.default_pairs):
            return chosen
        own = self.default_pairs[torch.randint(0, len(self.default_pairs), (count,), generator=generator)]
        prefer = torch.rand(count, generator=generator) < self.options["default_share"]
        return torch.where(prefer[:, None], own, chosen)

    def captions(self, scenes: Scenes, indices: list[int], picks: list[int]) -> tuple[Tensor, Tensor]:
        """Embeddings and mask of one caption a scene; pick -1 is no caption at all."""
        rows = []
        for index, pick in zip(indices, picks):
            shard, row = scenes.locate(index)
            found = self.texts[scenes.shards[shard].path][row, pick]
            rows.append(found if pick >= 0 else found[:0])
        embeds, mask = text.pad(rows)
        return embeds.to(self.device), mask.to(self.device)
