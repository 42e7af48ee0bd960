"""Unified Concept Editing: a linear layer rewritten in closed form, without training (Gandikota et al. 2024, arXiv
2308.14761, equation 7)."""

import numpy as np
from numpy.typing import NDArray

from salon.mend.splitting import MendError

Floats = NDArray[np.float64]


def edited(
    weight: Floats, sources: Floats, targets: Floats, kept: Floats, hold: float = 1.0, ridge: float = 0.1
) -> Floats:
    """The layer [out,in] that gives for each source [n,in] what `weight` gives for its target [n,in], as well as may be
    while inputs `kept` [m,in] (weighted by `hold`) and all others (by `ridge`) give what they gave:

        W = (sum W0 t s' + hold sum W0 k k' + ridge W0) (sum s s' + hold sum k k' + ridge I)^-1

    Raises ValueError for unlike shapes, MendError for anything that is not finite."""
    weight, sources, targets, kept = (np.asarray(part, float) for part in (weight, sources, targets, kept))
    size = weight.shape[1]
    kept = kept.reshape(-1, size)
    if sources.shape != targets.shape or sources.ndim != 2 or sources.shape[1] != size:
        raise ValueError(f"Sources {sources.shape} and targets {targets.shape} do not fit a layer {weight.shape}.")
    if hold < 0 or not ridge > 0:
        raise ValueError("hold is not negative, and ridge is more than 0.")
    if not all(np.isfinite(part).all() for part in (weight, sources, targets, kept)):
        raise MendError("What is to be edited is not finite.", "Look at the weights and the prompts.")
    before = kept.T @ kept * hold + np.eye(size) * ridge
    return np.asarray(weight @ (targets.T @ sources + before) @ np.linalg.inv(sources.T @ sources + before), float)


def pull(before: Floats, after: Floats, inputs: Floats) -> float:
    """How far an edit moves what the layer says of inputs [n,in]: rms of the change by rms of what it said."""
    said, now = inputs @ before.T, inputs @ after.T
    return float(np.sqrt(np.square(now - said).mean() / np.square(said).mean()))
