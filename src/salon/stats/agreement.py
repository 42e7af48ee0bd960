"""How far people agree who label the same things."""

from collections.abc import Sequence
from typing import Any, Literal

import krippendorff

Level = Literal["nominal", "ordinal", "interval"]


def alpha(units: Sequence[Sequence[Any]], level: Level = "nominal") -> float | None:
    """Krippendorff's alpha: 1 when all agree, 0 as if by chance, below 0 when they agree less than that.

    `units` holds one row a thing, its labels in it, None where somebody gave none; `level` is "nominal", "ordinal" or
    "interval" (labels of the last two are numbers). None where fewer than two labels were given to any one thing, or
    all labels are the same: then nothing can be told. Krippendorff 2011, repository.upenn.edu/asc_papers/43.
    """
    pairable = [row for row in units if sum(label is not None for label in row) > 1]
    given = {label for row in pairable for label in row if label is not None}
    if len(given) < 2:
        return None
    columns = max(map(len, pairable))
    codes = {label: place for place, label in enumerate(sorted(given))}
    ranked = codes if level == "nominal" else {label: float(label) for label in given}
    data = [
        [float("nan") if at >= len(row) or row[at] is None else float(ranked[row[at]]) for row in pairable]
        for at in range(columns)
    ]
    return float(krippendorff.alpha(reliability_data=data, level_of_measurement=level))
