"""What a network may predict, and x0 (`denoised`) from each. v: Salimans and Ho 2022, arXiv 2202.00512."""

from collections.abc import Callable
from typing import Literal

from salon.diffusion.arrays import Array, expand

PredictionType = Literal["epsilon", "sample", "v", "flow"]
#: alpha of a noise level [B] -> [B]; it names the family of the schedule
Alpha = Callable[[Array], Array]


def straight(sigma: Array) -> Array:
    """alpha of rectified flow (arXiv 2209.03003): a straight line from noise to x0."""
    return 1 - sigma


def preserving(sigma: Array) -> Array:
    """alpha of variance-preserving diffusion: alpha^2 + sigma^2 = 1."""
    return (1 - sigma**2).clip(0) ** 0.5


def exploding(sigma: Array) -> Array:
    """alpha of variance-exploding diffusion (Karras et al. 2022, arXiv 2206.00364): always 1."""
    return sigma * 0 + 1


def to_denoised(prediction: Array, sample: Array, sigma: Array, kind: PredictionType, alpha: Alpha = straight) -> Array:
    """x0 [B, ...] from a prediction [B, ...] at sigma [B].

    `epsilon` is the noise, `sample` x0 itself, `v` alpha*noise - sigma*x0, `flow` noise - x0. `epsilon` says nothing
    of x0 where alpha is 0, and `flow` where alpha + sigma is 0: do not start there.
    """
    a, s = expand(alpha(sigma), sample), expand(sigma, sample)
    if kind == "sample":
        return prediction
    if kind == "epsilon":
        return (sample - s * prediction) / a
    if kind == "v":
        return (a * sample - s * prediction) / (a * a + s * s)
    if kind == "flow":
        return (sample - s * prediction) / (a + s)
    raise ValueError(f"Unknown prediction type: {kind}.")


def from_denoised(denoised: Array, sample: Array, sigma: Array, kind: PredictionType, alpha: Alpha = straight) -> Array:
    """The prediction [B, ...] that means this x0: the inverse of `to_denoised`; sigma must not be 0."""
    a, s = expand(alpha(sigma), sample), expand(sigma, sample)
    noise = (sample - a * denoised) / s
    values = {"sample": denoised, "epsilon": noise, "v": a * noise - s * denoised, "flow": noise - denoised}
    if kind not in values:
        raise ValueError(f"Unknown prediction type: {kind}.")
    return values[kind]
