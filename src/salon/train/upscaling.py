"""What the upscaler learns: 256 px from 64 px pictures made worse on purpose, with or without a critic."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from salon.nets.autoencoder import gradient_l1
from salon.nets.critic import Critic
from salon.train.base import SIDE, Task, tile
from salon.train.tasks import TASKS
from salon.train.weights import load_net


class UpscalerTask(Task):
    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        self.net = self.net.to(memory_format=torch.channels_last)
        path = self.options["autoencoder"]
        self.codec = load_net(Path(path), "autoencoder").to(device) if path else None
        self.critic: Critic | None = None
        if self.options["critic_weight"]:
            self.critic = Critic().to(device, memory_format=torch.channels_last)
            self.critics_optimiser = torch.optim.AdamW(
                self.critic.parameters(), self.options["critic_lr"], (0.5, 0.99), weight_decay=0.0
            )
        kernel = torch.tensor([1.0, 2.0, 1.0], device=device)
        self.kernel = (kernel[:, None] * kernel / 16).expand(3, 1, 3, 3).contiguous()

    @torch.no_grad()
    def worsen(self, images: Tensor, generator: Generator) -> Tensor:
        """64 px pictures as a generator might leave them: through the autoencoder, soft, grainy."""
        count, options = len(images), self.options

        def chosen(share: float) -> Tensor:
            return (self.uniform((count, 1, 1, 1), generator) < share).float()

        if self.codec is not None:
            latents = self.codec.encode(images)
            strength = self.uniform((count, 1, 1, 1), generator) * options["latent_noise"]
            decoded = self.codec.decode(latents + strength * self.normal(latents.shape, generator))
            images = torch.lerp(images, decoded.clamp(-1, 1), chosen(options["round_trip"]))
        soft = F.conv2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), self.kernel, groups=3)
        amount = chosen(options["blur"]) * self.uniform((count, 1, 1, 1), generator)
        strength = options["noise"] * self.uniform((count, 1, 1, 1), generator)
        return torch.lerp(images, soft, amount) + strength * self.normal(images.shape, generator)

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        large = self.pixels(self.scenes, self.draw(count, generator), 4 * SIDE)
        small = self.worsen(F.avg_pool2d(large, 4), generator)
        crop = self.options["crop"]
        y, x = torch.randint(0, SIDE - crop + 1, (2,), generator=generator).tolist()
        return (
            small[..., y : y + crop, x : x + crop],
            large[..., 4 * y : 4 * (y + crop), 4 * x : 4 * (x + crop)],
        )

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        small, large = batch
        made = self.net(small)
        distance = self.distance(made, large)
        if self.critic is None:
            return {"loss": distance}
        critic = self.criticise(made.detach(), small, large)
        self.critic.requires_grad_(False)
        finished = -self.critic(made, small).mean()
        total = self.options["distance_weight"] * distance + self.options["critic_weight"] * finished
        return {"loss": total, "distance": distance.detach(), "critic": critic}

    def criticise(self, made: Tensor, small: Tensor, large: Tensor) -> Tensor:
        """One step of the critic (hinge loss, arXiv 1705.02894); in a crew each trains a critic of its own. The
        critic's loss: 2 means that it cannot tell."""
        self.critic.requires_grad_(True)
        loss = F.relu(1 - self.critic(large, small)).mean() + F.relu(1 + self.critic(made, small)).mean()
        self.critics_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.critics_optimiser.step()
        return loss.detach()

    def state(self) -> dict[str, Any]:
        if self.critic is None:
            return {}
        return {"critic": self.critic.state_dict(), "optimiser": self.critics_optimiser.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])
            self.critics_optimiser.load_state_dict(state["optimiser"])

    def distance(self, made: Tensor, truth: Tensor) -> Tensor:
        return (made - truth).abs().mean() + self.options["gradient_weight"] * gradient_l1(made, truth)

    def _held(self, count: int) -> tuple[Tensor, Tensor]:
        large = self.pixels(self.held, self.held_indices[:count], 4 * SIDE)
        small = F.avg_pool2d(large, 4)
        return (self.codec(small).clamp(-1, 1) if self.codec is not None else small), large

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        small, large = self._held(32)
        return float(self.distance(net.eval()(small), large))

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        """Squared error, and the loss that bicubic enlargement has."""
        small, large = self._held(32)
        bicubic = F.interpolate(small, scale_factor=4, mode="bicubic")
        mse = float((net.eval()(small).clamp(-1, 1) - large).square().mean())
        return {"mse": mse, "bicubic_loss": float(self.distance(bicubic, large))}

    @torch.no_grad()
    def sheet(self, net: nn.Module) -> np.ndarray:
        small, large = self._held(6)
        plain = F.interpolate(small, scale_factor=4, mode="nearest")
        return tile(torch.stack([plain, net.eval()(small), large], 1).flatten(0, 1), 6)


TASKS["upscaler"] = UpscalerTask
