"""Classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598) and what keeps it from burning the image."""

from salon.diffusion.arrays import Array, expand, namespace


def guide(cond: Array, uncond: Array, scale: Array) -> Array:
    """uncond + scale * (cond - uncond) for each sample with scale > 1, cond for the others: [B, ...], scale [B]."""
    xp = namespace(cond)
    w = expand(xp.where(scale > 1, scale, 1.0), cond)
    # exactly `cond` where guidance is off, not `cond` up to rounding
    return xp.where(w > 1, uncond + w * (cond - uncond), cond)


def within(scale: Array, sigma: Array, interval: tuple[float, float] | None) -> Array:
    """`scale` [B] where low <= sigma <= high, 1 elsewhere (Kynkäänniemi et al. 2024, arXiv 2404.07724)."""
    if interval is None:
        return scale
    return namespace(scale).where((sigma >= interval[0]) & (sigma <= interval[1]), scale, 1.0)


def threshold(denoised: Array, percentile: float = 0.995, limit: float = 1.0) -> Array:
    """Dynamic thresholding (Saharia et al. 2022, arXiv 2205.11487): clip each sample at the given percentile of its
    magnitudes, if that exceeds `limit`, and scale it back to [-limit, limit]. For pixels, [B, ...]."""
    xp = namespace(denoised)
    flat = xp.abs(denoised.reshape((denoised.shape[0], -1)))
    most = expand(xp.quantile(flat, percentile, 1).clip(limit), denoised)
    return xp.maximum(xp.minimum(denoised, most), -most) / most * limit
