"""What super-resolution learns: to take the noise off a large picture, told a small one with noise of its own."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from salon.nets.autoencoder import gradient_l1
from salon.train.base import SIDE, tile
from salon.train.data import Scenes
from salon.train.lessons import CaptionTask
from salon.train.tasks import TASKS
from salon.train.weights import read_weights

HELD = 32


class SuperResolutionTask(CaptionTask):
    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        if path := self.options["upscaler"]:
            tensors, _ = read_weights(Path(path), "upscaler")
            mine = self.net.state_dict()
            self.net.load_state_dict(mine | {k: v for k, v in tensors.items() if k in mine})
        self.net = self.net.to(memory_format=torch.channels_last)
        kernel = torch.tensor([1.0, 2.0, 1.0], device=device)
        self.kernel = (kernel[:, None] * kernel / 16).expand(3, 1, 3, 3).contiguous()
        self.refresh()

    def prompts_of(self, scenes: Scenes, indices: list[int], picks: list[int]) -> Tensor:
        """Mean token embedding [B,384] of each caption; zeros for none."""
        embeds, mask = self.captions(scenes, indices, picks)
        return (embeds * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        indices, picks = self.choose(count, generator).unbind(1)
        dropped = torch.rand(count, generator=generator) < self.options["caption_drop"]
        told = self.prompts_of(self.scenes, indices.tolist(), picks.masked_fill(dropped, -1).tolist())
        large = self.pixels(self.scenes, indices.tolist(), 4 * SIDE)
        small, crop = F.avg_pool2d(large, 4), self.options["crop"]
        soft = F.conv2d(F.pad(small, (1, 1, 1, 1), mode="replicate"), self.kernel, groups=3)
        blurred = (self.uniform((count, 1, 1, 1), generator) < self.options["blur"]).float()
        small = torch.lerp(small, soft, blurred * self.uniform((count, 1, 1, 1), generator))
        y, x = torch.randint(0, SIDE - crop + 1, (2,), generator=generator).tolist()
        small = small[..., y : y + crop, x : x + crop]
        large = large[..., 4 * y : 4 * (y + crop), 4 * x : 4 * (x + crop)]
        normal = torch.randn(count, generator=generator) * self.options["time_std"] + self.options["time_mean"]
        level = torch.sigmoid(normal).to(self.device)
        aug = self.uniform((count,), generator) * self.options["aug_max"]
        return (
            large.contiguous(memory_format=torch.channels_last),
            self.normal(large.shape, generator),
            level,
            torch.lerp(small, self.normal(small.shape, generator), aug[:, None, None, None]),
            aug,
            told,
        )

    def distance(self, found: Tensor, truth: Tensor) -> Tensor:
        found = found.float()
        return (found - truth).square().mean() + self.options["gradient_weight"] * gradient_l1(found, truth)

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        large, noise, level, *told = batch
        found = self.net(torch.lerp(large, noise, level[:, None, None, None]), level, *told)
        return {"loss": self.distance(found, large), "mse": (found.detach() - large).square().mean()}

    @torch.no_grad()
    def enlarge(self, net: nn.Module, small: Tensor, told: Tensor, aug: float, steps: int) -> Tensor:
        """256 px of small pictures by Euler steps, with noise of level `aug` put on them first."""
        fixed = Generator().manual_seed(3)
        small = torch.lerp(small, self.normal(small.shape, fixed), aug)
        sample = self.normal((len(small), 3, 4 * SIDE, 4 * SIDE), fixed)
        augs = torch.full((len(small),), aug, device=self.device)
        for now, after in pairwise(torch.linspace(1, 0, steps + 1).tolist()):
            level = torch.full((len(small),), now, device=self.device)
            clean = net(sample, level, small, augs, told)
            sample = clean + (sample - clean) * (after / now)
        return sample.clamp(-1, 1)

    def held_pictures(self) -> tuple[Tensor, Tensor]:
        indices = self.held_indices[:HELD]
        return self.pixels(self.held, indices, 4 * SIDE), self.prompts_of(self.held, indices, [0] * len(indices))

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        """Of x0 from pure noise, the small picture clean: what it is asked for first when it draws."""
        large, told = self.held_pictures()
        return float(self.distance(self.enlarge(net.eval(), F.avg_pool2d(large, 4), told, 0.0, 1), large))

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        """Squared error in four steps, and that of bicubic enlargement."""
        large, told = self.held_pictures()
        small = F.avg_pool2d(large, 4)
        bicubic = F.interpolate(small, scale_factor=4, mode="bicubic").clamp(-1, 1)
        made = self.enlarge(net.eval(), small, told, 0.1, 4)
        return {
            "mse_4_steps": float((made - large).square().mean()),
            "bicubic_mse": float((bicubic - large).square().mean()),
        }

    @torch.no_grad()
    def sheet(self, net: nn.Module) -> np.ndarray:
        large, told = (part[:6] for part in self.held_pictures())
        small = F.avg_pool2d(large, 4)
        plain = F.interpolate(small, scale_factor=4, mode="nearest")
        return tile(torch.stack([plain, self.enlarge(net.eval(), small, told, 0.1, 4), large], 1).flatten(0, 1), 6)


TASKS["superres"] = SuperResolutionTask
