"""What CLIP learns: which caption of a batch belongs to which picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from salon.train.base import tile
from salon.train.lessons import CaptionTask
from salon.train.tasks import TASKS

#: held-out pictures among which each caption looks for its own
CHOICE = 1000


class ClipTask(CaptionTask):
    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        self.refresh()

    def refresh(self) -> None:
        """Take in new shards and captions, and list which pairs are of one ground."""
        super().refresh()
        self.grounds: list[Tensor] = []
        if self.options["same_ground"]:
            scenes = [scene for shard in self.scenes.shards for scene in shard.scenes()]
            names = [f"{scene.place} {scene.ground}" for scene in scenes]
            number = {name: i for i, name in enumerate(sorted(set(names)))}
            ground = torch.tensor([number[name] for name in names])[self.pairs[:, 0]]
            self.grounds = [found for i in number.values() if len(found := (ground == i).nonzero()[:, 0])]

    def alike(self, count: int, generator: Generator) -> Tensor:
        """[B,2] of scenes on one ground, so that they can be told apart by what else they show (hard negatives)."""
        sizes = torch.tensor([float(len(ground)) for ground in self.grounds])
        ground = self.grounds[int(torch.multinomial(sizes, 1, generator=generator))]
        return self.pairs[ground[torch.randint(0, len(ground), (count,), generator=generator)]]

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        hard = bool(self.grounds) and float(torch.rand(1, generator=generator)) < self.options["same_ground"]
        indices, picks = (self.alike if hard else self.choose)(count, generator).unbind(1)
        captions = self.captions(self.scenes, indices.tolist(), picks.tolist())
        return self.pixels(self.scenes, indices.tolist()), *captions

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        images, texts = self.net(*batch)
        logits = self.net.scale * images @ texts.T
        truth = torch.arange(len(logits), device=logits.device)
        loss = (F.cross_entropy(logits, truth) + F.cross_entropy(logits.T, truth)) / 2
        right = (logits.argmax(1) == truth).float().mean()
        return {"loss": loss, "right": right.detach(), "scale": self.net.scale.detach()}

    @torch.no_grad()
    def embeddings(self, net: nn.Module, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Of held-out pictures and of their first captions, [N,embed] each."""
        net.eval()
        found = []
        for start in range(0, len(indices), 100):
            part = indices[start : start + 100]
            found.append(net(self.pixels(self.held, part), *self.captions(self.held, part, [0] * len(part))))
        images, texts = zip(*found)
        return torch.cat(images), torch.cat(texts)

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        images, texts = self.embeddings(net, self.held_indices)
        logits = net.scale * images @ texts.T
        truth = torch.arange(len(logits), device=logits.device)
        return float((F.cross_entropy(logits, truth) + F.cross_entropy(logits.T, truth)) / 2)

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        """How often a caption finds its picture first, or among five, of CHOICE held-out ones; and the way back."""
        images, texts = self.embeddings(net, list(range(min(CHOICE, len(self.held)))))
        out = {}
        for name, scores in (("text", texts @ images.T), ("image", images @ texts.T)):
            better = (scores > scores.diagonal()[:, None]).sum(1)
            out |= {f"{name}_r1": float((better < 1).float().mean()), f"{name}_r5": float((better < 5).float().mean())}
        return out

    @torch.no_grad()
    def sheet(self, net: nn.Module) -> np.ndarray:
        """A row for each of twelve captions: its own picture, then the five that the towers think nearest."""
        count = min(CHOICE, len(self.held))
        images, texts = self.embeddings(net, list(range(count)))
        order = (texts[:12] @ images.T).topk(min(5, count)).indices.tolist()
        rows = [[i, *found] for i, found in enumerate(order)]
        return tile(self.pixels(self.held, [i for row in rows for i in row]), len(rows[0]), 2)


TASKS["clip"] = ClipTask
