"""Few steps: a student learns where its teacher's guided way leads, a long step at a time.

The teacher draws from noise in many small guided steps. The student starts where each long step starts and learns the
straight way to where the teacher is at its end: as progressive distillation (Salimans and Ho 2022, arXiv 2202.00512)
and guidance distillation (Meng et al. 2023, arXiv 2210.03142), in one go and on the teacher's own ways."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from salon.core.errors import TrainingError
from salon.diffusion.schedules import FlowSchedule
from salon.train.base import tile
from salon.train.tasks import TASKS, TransformerTask
from salon.train.weights import load_net

#: held-out scenes whose teacher's pictures are compared
HELD = 48


class FewStepsTask(TransformerTask):
    """Batches are (noise, embeddings, mask); a picture counts once, though each of its long steps is learnt."""

    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        options = self.options
        if not options["base"] or self.net.prediction_type != "flow":
            raise TrainingError("A student needs a teacher that predicts the flow.", "Set task.base to its weights.")
        self.teacher = load_net(Path(options["base"]), "transformer").to(device)
        self.long = FlowSchedule(options["shift"]).sigmas(options["steps"]).tolist()
        self.held_ways: tuple[Tensor, Tensor, Tensor] | None = None

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        indices, picks = self.choose(count, generator).unbind(1)
        dropped = torch.rand(count, generator=generator) < self.options["caption_drop"]
        embeds, mask = self.captions(self.scenes, indices.tolist(), picks.masked_fill(dropped, -1).tolist())
        return self.normal(self.shape(count), generator), embeds, mask

    def shape(self, count: int) -> tuple[int, int, int, int]:
        side = self.net.grid * self.net.patch
        return count, self.net.channels, side, side

    @torch.no_grad()
    def ways(self, noise: Tensor, embeds: Tensor, mask: Tensor) -> Tensor:
        """[steps+1,B,...]: the teacher's sample at the borders of the long steps, by `substeps` guided Euler steps
        each."""
        states, sample = [noise], noise
        embeds, mask = torch.cat([embeds, embeds]), torch.cat([mask, mask * 0])
        for start, end in pairwise(self.long):
            small = np.linspace(start, end, self.options["substeps"] + 1).tolist()
            for now, following in pairwise(small):
                level = torch.full((len(embeds),), now, device=self.device)
                flow, without = self.teacher(sample.repeat(2, 1, 1, 1), level, embeds, mask).float().chunk(2)
                flow = without + self.options["guidance"] * (flow - without)
                sample = sample + (following - now) * flow
            states.append(sample)
        return torch.stack(states)

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        noise, embeds, mask = batch
        states, steps = self.ways(noise, embeds, mask), self.options["steps"]
        levels = torch.tensor(self.long, device=self.device)
        gaps = (levels[:-1] - levels[1:]).view(-1, 1, 1, 1, 1)
        target = ((states[:-1] - states[1:]) / gaps).flatten(0, 1)
        timestep = levels[:-1].repeat_interleave(len(noise))
        flow = self.net(states[:-1].flatten(0, 1), timestep, embeds.repeat(steps, 1, 1), mask.repeat(steps, 1))
        each = (flow - target).square().mean((1, 2, 3)).unflatten(0, (steps, -1)).mean(1)
        return {"loss": each.mean()} | {f"step_{i}": part.detach() for i, part in enumerate(each)}

    @torch.no_grad()
    def follow(self, net: nn.Module, noise: Tensor, embeds: Tensor, mask: Tensor) -> Tensor:
        """x0 by the long steps alone, without guidance."""
        sample = noise
        for start, end in pairwise(self.long):
            level = torch.full((len(sample),), start, device=self.device)
            sample = sample + (end - start) * net(sample, level, embeds, mask)
        return sample

    def held_way(self) -> tuple[Tensor, Tensor, Tensor]:
        """Noise, and the teacher's x0, of held-out captions; with the captions' own numbers. Drawn once."""
        indices = self.held_indices[:HELD]
        embeds, mask = self.captions(self.held, indices, [0] * len(indices))
        if self.held_ways is None:
            noise = self.normal(self.shape(len(indices)), Generator().manual_seed(7))
            plain = torch.stack(
                [noise, self.ways(noise, embeds, mask)[-1], self.follow(self.teacher, noise, embeds, mask)]
            )
            self.held_ways = tuple(plain.unbind(0))
        return self.held_ways

    def held_loss(self, net: nn.Module) -> float:
        """Squared error of x0 against the teacher's, from the same noise."""
        noise, wanted, _ = self.held_way()
        embeds, mask = self.captions(self.held, self.held_indices[:HELD], [0] * len(noise))
        return float((self.follow(net.eval(), noise, embeds, mask) - wanted).square().mean())

    def measures(self, net: nn.Module) -> dict[str, float]:
        """What the teacher itself misses when it takes the long steps without guidance."""
        _, wanted, plain = self.held_way()
        return {"teacher_in_long_steps": float((plain - wanted).square().mean())}

    @torch.no_grad()
    def sheet(self, net: nn.Module) -> np.ndarray:
        """Rows of the teacher's pictures, and under each row the student's from the same noise."""
        noise = self.normal(self.shape(len(self.prompts[0])), Generator().manual_seed(1))
        taught = self.show(self.ways(noise, *self.prompts)[-1])
        drawn = self.show(self.follow(net.eval(), noise, *self.prompts))
        rows = [part for pair in zip(taught.split(8), drawn.split(8)) for part in pair]
        return tile(torch.cat(rows), 8, 3)


TASKS["few-steps"] = FewStepsTask
