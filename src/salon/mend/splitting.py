"""Which findings teach and which test. Findings that say nearly the same are put together first: a paraphrase of what
was taught proves nothing. The split comes before any method sees anything."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from salon.core.errors import SalonError

Floats = NDArray[np.floating]
#: cosine from which two prompts count as paraphrases
ALIKE = 0.85
#: random splits among which the most even one is taken
TRIES = 500
#: clusters that are held out where there are as many: below that nothing is decided (`verdict`)
HELD = 5


class MendError(SalonError):
    """Mending that cannot be done, or must not be."""

    code = "mend"


class Fault(Struct, frozen=True):
    """What mending works on: of prompts such as this one a model shows this outcome too often."""

    id: str
    prompt: str
    field: str
    outcome: str

    @property
    def harm(self) -> str:
        """What faults of one kind share."""
        return f"{self.field}={self.outcome}"


class Split(Struct, frozen=True):
    """Clusters of faults: some are taught from, the others are only ever measured."""

    taught: list[list[Fault]]
    held: list[list[Fault]]


def clusters(prompts: Sequence[str], embeddings: Floats, alike: float = ALIKE) -> list[list[int]]:
    """Places of prompts that say nearly the same, by the cosine of their embeddings [N,D]: every two of a cluster are
    at least `alike` (complete linkage); equal prompts are always together. In the order of their first. Raises
    ValueError if there are not as many embeddings as prompts."""
    if len(prompts) != len(embeddings):
        raise ValueError(f"{len(prompts)} prompts and {len(embeddings)} embeddings.")
    if len(prompts) < 2:
        return [[i] for i in range(len(prompts))]
    unit = np.asarray(embeddings, float)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    far = np.clip(1 - unit @ unit.T, 0, 2)
    folded = [" ".join(prompt.casefold().split()) for prompt in prompts]
    far[np.array([[a == b for b in folded] for a in folded])] = 0
    near = linkage(far[np.triu_indices(len(prompts), 1)], "complete")
    found: dict[int, list[int]] = {}
    for place, label in enumerate(fcluster(near, 1 - alike, "distance")):
        found.setdefault(int(label), []).append(place)
    return sorted(found.values())


def split(faults: Sequence[Fault], embeddings: Floats, seed: int, share: float = 0.5, alike: float = ALIKE) -> Split:
    """Whole clusters to teach from and to hold out, of every harm at least one each; about `share` are taught, fewer
    where else not `HELD` would be held out. A prompt is on one side only, whatever harms it has: its lessons would
    teach of the others, too. Of many random splits it is the one that divides every harm most nearly so. Raises
    MendError if there are no faults, or if those of one harm are all in one cluster: then nothing could be proven."""
    if not faults:
        raise MendError("There are no findings to mend.", "Report pictures, or run an audit first.")
    if not 0 < share < 1:
        raise MendError(f"A share of {share} leaves nothing on one side.", "Choose one between 0 and 1.")
    groups = [[faults[i] for i in group] for group in clusters([f.prompt for f in faults], embeddings, alike)]
    harms = sorted({fault.harm for fault in faults})
    has = np.array([[any(fault.harm == harm for fault in group) for harm in harms] for group in groups])
    for harm, number in zip(harms, has.sum(0), strict=True):
        if number < 2:
            message = f"All findings of {harm} say nearly the same: nothing would be left to hold out."
            raise MendError(message, "Collect findings of other prompts, too, then mend.")
    taught = _side(has, seed, share)
    return Split([g for g, mine in zip(groups, taught) if mine], [g for g, mine in zip(groups, taught) if not mine])


def _side(has: NDArray[np.bool_], seed: int, share: float) -> NDArray[np.bool_]:
    """Which groups [G] are taught, by which harms [G,H] they hold. Raises MendError."""
    taught = max(1, round(share * len(has)))
    fewer = min(taught, len(has) - HELD) if len(has) > HELD else taught
    for number in dict.fromkeys((fewer, taught)):
        if (best := _most_even(has, seed, share, number)) is not None:
            return best
    raise MendError("The findings cannot be divided so that every harm is on both sides.",
                    "Collect findings of other prompts, too, then mend.")  # fmt: skip


def _most_even(has: NDArray[np.bool_], seed: int, share: float, number: int) -> NDArray[np.bool_] | None:
    """Of many splits that teach `number` groups the one that divides every harm most nearly as `share` says; None where
    each leaves a harm on one side."""
    rng, best, least = np.random.default_rng(seed), None, 1.0
    for _ in range(TRIES):
        side = rng.permutation(len(has)) < number
        parts = has[side].sum(0) / has.sum(0)
        off = float(np.abs(parts - share).max())
        if ((parts > 0) & (parts < 1)).all() and (best is None or off < least):
            best, least = side, off
    return best
