"""Schedules: which noise levels a sampler visits, and what `timestep` a network is told at each."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from salon.diffusion.predictions import Alpha, preserving, straight

Floats = NDArray[np.float32]


class Schedule(Protocol):
    """`sigmas(n)` are the n+1 levels of n steps, falling to 0; `timesteps(sigma)` is what the network is told."""

    @property
    def alpha(self) -> Alpha: ...
    def sigmas(self, num_inference_steps: int) -> Floats: ...
    def timesteps(self, sigma: Floats) -> Floats: ...


@dataclass(frozen=True)
class FlowSchedule:
    """Rectified flow: sigma is the timestep, from 1 to 0. `shift` > 1 spends more steps near the noise
    (Esser et al. 2024, arXiv 2403.03206, equation 23)."""

    shift: float = 1.0
    alpha: Alpha = field(default=straight, repr=False)

    def sigmas(self, num_inference_steps: int) -> Floats:
        """n+1 levels from 1 to 0."""
        even = np.linspace(1, 0, num_inference_steps + 1)
        return np.asarray(self.shift * even / (1 + (self.shift - 1) * even), np.float32)

    def timesteps(self, sigma: Floats) -> Floats:
        """sigma itself, in [0, 1]."""
        return sigma


@dataclass(frozen=True)
class DiscreteSchedule:
    """Variance-preserving diffusion trained on T discrete timesteps (Ho et al. 2020, arXiv 2006.11239).

    `alphas_cumprod` [T] as in diffusers; steps are spaced "trailing" (Lin et al. 2023, arXiv 2305.08891).
    """

    alphas_cumprod: NDArray[np.float64]
    alpha: Alpha = field(default=preserving, repr=False)

    def sigmas(self, num_inference_steps: int) -> Floats:
        """n+1 levels: the trained sigma at each visited timestep, then 0."""
        count = len(self.alphas_cumprod)
        visited = np.round(np.arange(num_inference_steps, 0, -1) * count / num_inference_steps).astype(int) - 1
        return np.asarray([*np.sqrt(1 - self.alphas_cumprod[visited]), 0], np.float32)

    def timesteps(self, sigma: Floats) -> Floats:
        """The timestep in [0, T-1] whose sigma this is, between two by interpolation."""
        trained = np.sqrt(1 - self.alphas_cumprod)
        return np.asarray(np.interp(sigma, trained, np.arange(len(trained))), np.float32)


@dataclass(frozen=True)
class CosineSchedule:
    """Continuous variance-preserving cosine schedule (Nichol and Dhariwal 2021, arXiv 2102.09672): t in [0, 1]."""

    start: float = 0.999
    alpha: Alpha = field(default=preserving, repr=False)

    def sigmas(self, num_inference_steps: int) -> Floats:
        """n+1 levels sin(t pi/2), t from `start` (alpha > 0 there) to 0."""
        return np.asarray(np.sin(np.linspace(self.start, 0, num_inference_steps + 1) * np.pi / 2), np.float32)

    def timesteps(self, sigma: Floats) -> Floats:
        """t in [0, 1]."""
        return np.asarray(np.arcsin(np.clip(sigma, 0, 1)) * 2 / np.pi, np.float32)


def linear_betas(start: float = 1e-4, end: float = 0.02, count: int = 1000) -> DiscreteSchedule:
    """DDPM's schedule: betas rising linearly."""
    return DiscreteSchedule(np.cumprod(1 - np.linspace(start, end, count), dtype=np.float64))


def scaled_linear_betas(start: float = 0.00085, end: float = 0.012, count: int = 1000) -> DiscreteSchedule:
    """Latent diffusion's schedule: square roots of betas rising linearly."""
    betas = np.linspace(start**0.5, end**0.5, count, dtype=np.float64) ** 2
    return DiscreteSchedule(np.cumprod(1 - betas, dtype=np.float64))
