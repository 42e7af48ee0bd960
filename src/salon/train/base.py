"""What every lesson shares: a network, its scenes, where chance comes from, and what it must be able to say of itself.

All chance comes from the generator that the loop hands in, so that a resumed run goes on as if never stopped."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from salon.train.data import Scenes
from salon.train.weights import NETS

SIDE = 64
HELD_OUT = 256


def tile(images: Tensor, columns: int, enlarge: int = 1) -> np.ndarray:
    """Pictures [B,3,S,S] in [-1,1] as one uint8 picture of `columns` columns, rows filled up with the last."""
    images = images[: len(images) // columns * columns] if len(images) >= columns else images
    columns = min(columns, len(images))
    rows, side = len(images) // columns, images.shape[-1]
    grid = images.reshape(rows, columns, 3, side, side).permute(0, 3, 1, 4, 2)
    grid = ((grid.clamp(-1, 1) + 1) * 127.5).round().byte().cpu().numpy().reshape(rows * side, columns * side, 3)
    return grid.repeat(enlarge, 0).repeat(enlarge, 1)


class Task(ABC):
    """A network and its lessons. Subclasses say `batch`, `loss`, `held_loss`,
    `measures` and `sheet`."""

    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        self.options, self.device = recipe["task"], device
        self.model = recipe["model"]
        self.scenes = Scenes(data)
        held = self.options["held_out"]
        self.held = Scenes(Path(held)) if held else self.scenes
        #: scenes of the first shard that are kept out of training when there is no other held-out folder
        self.first = 0 if held else max(1, min(HELD_OUT, len(self.scenes.shards[0]) // 8))
        self.held_indices = list(range(min(HELD_OUT, len(self.held)) if held else self.first))
        torch.manual_seed(recipe["seed"])
        self.net: nn.Module = NETS[self.model](**recipe["net"]).to(device)

    def refresh(self) -> None:
        """Take in shards that were added since."""
        self.scenes.refresh()

    def draw(self, count: int, generator: Generator) -> list[int]:
        """Random training scenes."""
        return torch.randint(self.first, len(self.scenes), (count,), generator=generator).tolist()

    def pixels(self, scenes: Scenes, indices: list[int], size: int = SIDE) -> Tensor:
        """Pictures [B,3,size,size] in [-1,1] on the device."""
        images = torch.from_numpy(scenes.images(indices, size)).permute(0, 3, 1, 2)
        return images.contiguous(memory_format=torch.channels_last).to(self.device)

    def uniform(self, shape: tuple[int, ...], generator: Generator) -> Tensor:
        return torch.rand(shape, generator=generator).to(self.device)

    def normal(self, shape: Any, generator: Generator) -> Tensor:
        return torch.randn(tuple(shape), generator=generator).to(self.device)

    @abstractmethod
    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]: ...

    @abstractmethod
    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """`loss`, which is followed downhill, and its parts."""

    def state(self) -> dict[str, Any]:
        """What a resumed run needs beside the network: nothing for most."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:  # noqa: B027 (most keep nothing)
        """Take `state` back. Raises KeyError or RuntimeError if it is another's."""

    def settle(self, net: nn.Module) -> None:  # noqa: B027 (nothing for most)
        """What is left to do to the averaged network at the end of a run: nothing for most."""

    @abstractmethod
    def held_loss(self, net: nn.Module) -> float:
        """Loss on held-out scenes, always the same ones and the same noise: averages are compared by it."""

    @abstractmethod
    def measures(self, net: nn.Module) -> dict[str, float]:
        """Further measures on held-out scenes."""

    @abstractmethod
    def sheet(self, net: nn.Module) -> np.ndarray:
        """A picture of samples, uint8 [H,W,3]."""
