"""What the tokenizer learns: pictures from few codes, and from their rough codes alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from salon.core.errors import TrainingError
from salon.nets.autoencoder import gradient_l1
from salon.nets.critic import Critic
from salon.train.base import Task, tile
from salon.train.tasks import TASKS
from salon.train.weights import load_net

#: layers of CLIP's image tower behind which pictures are compared
PERCEIVED = 3


class TokenizerTask(Task):
    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        if path := self.options["autoencoder"]:
            self.borrow(load_net(Path(path), "autoencoder"))
        self.net = self.net.to(memory_format=torch.channels_last)
        if self.options["decoder_only"]:
            self.net.encoder.requires_grad_(False)
        self.eye: nn.Module | None = None
        if self.options["perceptual_weight"]:
            if not self.options["clip_model"]:
                raise TrainingError("A perceptual distance needs CLIP.", "Set task.clip_model to its weights folder.")
            self.eye = load_net(Path(self.options["clip_model"]), "clip").image.to(device)
        self.critic: nn.Module | None = None
        if self.options["critic_weight"]:
            self.critic = Critic().to(device, memory_format=torch.channels_last)
            self.critics_optimiser = torch.optim.AdamW(
                self.critic.parameters(), self.options["critic_lr"], (0.5, 0.99), weight_decay=0.0
            )

    def borrow(self, codec: nn.Module) -> None:
        """Take the outer layers of an autoencoder whose 16x16 latents lie one halving before our cells."""
        self.net.encoder.body.load_state_dict(
            {name: tensor for name, tensor in codec.encoder.body.state_dict().items() if int(name.split(".")[0]) < 6}
        )
        moved = {
            f"{int(name.split('.')[0]) - 1}.{name.partition('.')[2]}": tensor
            for name, tensor in codec.decoder.body.state_dict().items()
            if not name.startswith("0.")
        }
        self.net.decoder.body.load_state_dict(moved)

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        images = self.pixels(self.scenes, self.draw(count, generator))
        keep = torch.ones(count, self.net.levels)
        keep[torch.rand(count, generator=generator) < self.options["rough_share"], 1:] = 0
        return images, keep.to(self.device)

    def distance(self, decoded: Tensor, images: Tensor) -> Tensor:
        return (decoded - images).abs().mean() + self.options["gradient_weight"] * gradient_l1(decoded, images)

    def perceived(self, decoded: Tensor, images: Tensor) -> Tensor:
        """Squared distance of what CLIP's image tower sees half way up (a perceptual loss, arXiv 1603.08155, with eyes
        of our own instead of VGG's)."""
        seen = self.eye.features(torch.cat([decoded.float(), images]), PERCEIVED)
        return F.mse_loss(*F.layer_norm(seen, seen.shape[-1:]).chunk(2))

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        images, keep = batch
        if self.options["decoder_only"]:  # what the codes mean stays as it is
            self.net.encoder.eval()
            self.net.books.eval()
        decoded, commitment, picks = self.net(images, keep)
        distance = self.distance(decoded, images)
        total = distance + self.options["commitment"] * commitment
        used = torch.stack([level.unique().numel() / torch.tensor(float(level.numel())) for level in picks]).mean()
        parts = {"distance": distance.detach(), "commitment": commitment.detach(), "used": used}
        if self.eye is not None:
            parts["perceived"] = (perceived := self.perceived(decoded, images)).detach()
            total = total + self.options["perceptual_weight"] * perceived
        if self.critic is not None:
            self.criticise(decoded.detach(), images)
            self.critic.requires_grad_(False)
            total = total - self.options["critic_weight"] * self.critic(decoded, F.avg_pool2d(images, 4)).mean()
        return {"loss": total} | parts

    def criticise(self, made: Tensor, images: Tensor) -> None:
        """One step of the critic (hinge loss), told the picture at a quarter of its size."""
        small = F.avg_pool2d(images, 4)
        self.critic.requires_grad_(True)
        loss = F.relu(1 - self.critic(images, small)).mean() + F.relu(1 + self.critic(made, small)).mean()
        self.critics_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.critics_optimiser.step()

    def state(self) -> dict[str, Any]:
        books = self.net.books
        state: dict[str, Any] = {"counts": books.counts, "sums": books.sums}
        if self.critic is not None:
            state |= {"critic": self.critic.state_dict(), "optimiser": self.critics_optimiser.state_dict()}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        self.net.books.counts.copy_(state["counts"])
        self.net.books.sums.copy_(state["sums"])
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])
            self.critics_optimiser.load_state_dict(state["optimiser"])

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        images = self.pixels(self.held, self.held_indices)
        return float(self.distance(net.eval()(images)[0], images))

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        """Squared errors of pictures from all codes and from the rough ones; how many codes a level are in use."""
        images = self.pixels(self.held, self.held_indices)
        rough = torch.zeros(len(images), net.levels)
        rough[:, 0] = 1
        whole, _, picks = net.eval()(images)
        found = {"mse": float((whole.clamp(-1, 1) - images).square().mean())}
        found["rough_mse"] = float((net(images, rough.to(self.device))[0].clamp(-1, 1) - images).square().mean())
        return found | {f"codes_{i}": float(level.unique().numel()) for i, level in enumerate(picks)}

    @torch.no_grad()
    def sheet(self, net: nn.Module) -> np.ndarray:
        """Rows of three: the picture, from its rough codes, from all."""
        images = self.pixels(self.held, self.held_indices[:32])
        rough = torch.zeros(len(images), net.levels)
        rough[:, 0] = 1
        whole, small = net.eval()(images)[0], net(images, rough.to(self.device))[0]
        return tile(torch.stack([images, small, whole], 1).flatten(0, 1), 12, 3)


TASKS["tokenizer"] = TokenizerTask
