"""Samplers: pure functions `(state, sigma, sigma_next, denoised, noise, alpha) -> state`, one network call a step.

`sigma` and `sigma_next` are [B]: every sample of a batch may stand elsewhere, and one that has just begun may share
the step with one that is nearly done. All of them end exactly at `denoised` where `sigma_next` is 0.
"""

from typing import NamedTuple, Protocol

from salon.diffusion.arrays import Array, expand, namespace
from salon.diffusion.predictions import Alpha, straight


class SamplerState(NamedTuple):
    """`sample` [B, ...] now; `before` [B, ...] what the last step left behind, at `sigma_before` [B] (0: nothing)."""

    sample: Array
    before: Array
    sigma_before: Array


class Sampler(Protocol):
    """One step of every sample, from `sigma` to `sigma_next`; `noise` [B, ...] is read by stochastic ones only."""

    def __call__(
        self,
        state: SamplerState,
        sigma: Array,
        sigma_next: Array,
        denoised: Array,
        noise: Array | None = None,
        alpha: Alpha = straight,
    ) -> SamplerState: ...


def begin(sample: Array) -> SamplerState:
    """The state before the first step, from pure noise already scaled to the first level: [B, ...]."""
    return SamplerState(sample, sample * 0, sample.reshape((sample.shape[0], -1))[:, 0] * 0)


def euler(
    state: SamplerState,
    sigma: Array,
    sigma_next: Array,
    denoised: Array,
    noise: Array | None = None,
    alpha: Alpha = straight,
) -> SamplerState:
    """Euler's method; the same as DDIM with eta 0 (Song et al. 2020, arXiv 2010.02502) for any alpha."""
    keep = sigma_next / sigma
    gain = alpha(sigma_next) - alpha(sigma) * keep
    sample = expand(keep, denoised) * state.sample + expand(gain, denoised) * denoised
    return SamplerState(sample, denoised, sigma)


def dpmpp_2m(
    state: SamplerState,
    sigma: Array,
    sigma_next: Array,
    denoised: Array,
    noise: Array | None = None,
    alpha: Alpha = straight,
) -> SamplerState:
    """DPM-Solver++(2M), midpoint (Lu et al. 2022, arXiv 2211.01095): the last two `denoised` make one better."""
    xp = namespace(denoised)
    a, a_next, a_before = alpha(sigma), alpha(sigma_next), alpha(state.sigma_before)
    second = (state.sigma_before > 0) & (a_before > 0) & (sigma_next > 0) & (a > 0)
    # where a level has no logarithm the step is of first order, and 1 stands in for what is not used
    level = xp.log(xp.where(second, a / sigma, 1.0))
    ahead = xp.log(xp.where(second, a_next / xp.where(second, sigma_next, 1.0), 1.0)) - level
    behind = level - xp.log(xp.where(second, a_before / xp.where(second, state.sigma_before, 1.0), 0.5))
    weight = expand(xp.where(second, 0.5 * ahead / behind, 0.0), denoised)
    better = (1 + weight) * denoised - weight * state.before
    sample = euler(state, sigma, sigma_next, better, noise, alpha).sample
    return SamplerState(sample, denoised, sigma)


def adams(
    state: SamplerState,
    sigma: Array,
    sigma_next: Array,
    denoised: Array,
    noise: Array | None = None,
    alpha: Alpha = straight,
) -> SamplerState:
    """Adams-Bashforth of second order on the direction of travel, for uneven steps (Hairer et al. 1993, III.5).

    For straight paths (rectified flow) only. Of second order from the second step on, where dpmpp_2m, working in
    the logarithm of alpha/sigma, gains nothing from a step that left pure noise. `before` holds the last slope.
    """
    if alpha is not straight:
        raise ValueError("adams knows straight paths only.")
    xp = namespace(denoised)
    slope = (state.sample - denoised) / expand(sigma, denoised)
    second = (state.sigma_before > 0) & (sigma_next > 0)
    gap = xp.where(second, state.sigma_before - sigma, 1.0)
    weight = expand(xp.where(second, 0.5 * (sigma - sigma_next) / gap, 0.0), denoised)
    better = slope + weight * (slope - state.before)
    sample = state.sample + expand(sigma_next - sigma, denoised) * better
    return SamplerState(sample, slope, sigma)


def euler_ancestral(
    state: SamplerState,
    sigma: Array,
    sigma_next: Array,
    denoised: Array,
    noise: Array | None = None,
    alpha: Alpha = straight,
) -> SamplerState:
    """Ancestral sampling: goes too far and comes back with fresh `noise` [B, ...]; DDIM with eta 1.

    The same as SDE-DPM-Solver++(1) (arXiv 2211.01095) and, for alpha = 1, as Euler ancestral of Karras et al.'s family.
    """
    if noise is None:
        raise ValueError("euler_ancestral needs noise.")
    ratio = sigma_next * alpha(sigma) / (alpha(sigma_next) * sigma)
    fresh = sigma_next * (1 - ratio**2).clip(0) ** 0.5
    sample = (
        expand(ratio * sigma_next / sigma, denoised) * state.sample
        + expand(alpha(sigma_next) * (1 - ratio**2), denoised) * denoised
        + expand(fresh, denoised) * noise
    )
    return SamplerState(sample, denoised, sigma)


SAMPLERS: dict[str, Sampler] = {
    "euler": euler,
    "dpmpp_2m": dpmpp_2m,
    "adams": adams,
    "euler_ancestral": euler_ancestral,
}
#: those that read `noise`
STOCHASTIC = frozenset({"euler_ancestral"})
