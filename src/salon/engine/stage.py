"""The contract of HOUSE.md: a family is a list of stages; a stage holds networks and no request's state."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from salon.core.recipe import Recipe

Floats = NDArray[np.float32]


class State(Protocol):
    """One sample inside one stage: `step` of `steps` are done. Everything else is the stage's own business."""

    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int: ...


class Stage(Protocol):
    """Samples of different requests share every call; none can tell. Images are float32 [3, H, W] in [-1, 1]."""

    name: str

    def begin(self, recipes: Sequence[Recipe], inputs: Sequence[Any]) -> list[Any]:
        """One state for each recipe; `inputs` is what the stage before handed on (None for the first)."""

    def step(self, states: Sequence[Any], trace: dict[str, Floats] | None = None) -> list[Any]:
        """The states one step on: ONE network call for all. Fills `trace` with inner tensors [B, ...] if given."""

    def preview(self, states: Sequence[Any]) -> list[Floats]:
        """What the images would be if they stopped now, one call."""

    def finish(self, states: Sequence[Any]) -> list[Any]:
        """Images, or the inputs of the next stage, one call; only for states with step == steps."""


class Model(NamedTuple):
    """A loaded model: its stages in the order of drawing, and the weights hash its recipes must carry."""

    name: str
    weights: str
    stages: list[Stage]
