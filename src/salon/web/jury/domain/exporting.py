"""The ranking and every review as plain rows."""

from collections.abc import Iterator
from typing import Any

from salon.web.jury.domain.ranking import standing
from salon.web.jury.domain.scoring import total
from salon.web.jury.models import Phase, Review

Rows = Iterator[dict[str, Any]]


def ranking(phase: Phase) -> Rows:
    """One row an application that has a place, the first first."""
    found = standing(phase)
    for row in found.rows:
        placed = row.placed
        yield {
            "place": placed.place, "best_place": placed.best, "worst_place": placed.worst,
            "application": row.submission.pk, "title": row.submission.title,
            "artist": row.submission.artist or row.submission.guest.name,
            "state": row.submission.state, "pending": row.submission.pending,
            "mean": _rounded(placed.mean), "corrected": _rounded(placed.corrected),
            "low": _rounded(placed.low), "high": _rounded(placed.high),
            "spread": _rounded(placed.spread), "reviews": placed.reviews,
            "abstained": row.abstained, "open": row.open,
            **{f"mean: {one.name}": _rounded(row.categories.get(one.pk)) for one in found.categories},
        }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    """Two places; None for what is not known (an interval without ends, too: JSON has no infinity)."""
    return None if value is None or abs(value) == float("inf") else round(value, 2)


def reviews(phase: Phase) -> Rows:
    """One row a review, those that do not count as well, and why."""
    barred = set(phase.event.jurors.values_list("conflicts__submission_id", "pk"))
    categories = list(phase.categories.all())
    found = Review.objects.filter(phase=phase).select_related("submission", "juror__user")
    for one in found.prefetch_related("scores__category"):
        scores = {score.category_id: score.value for score in one.scores.all()}
        yield {
            "phase": phase.name, "application": one.submission_id, "title": one.submission.title,
            "juror": one.juror.number, "name": str(one.juror),
            "conflict": (one.submission_id, one.juror_id) in barred, "counted": one.juror.counted,
            "abstained": one.abstained, "total": _rounded(total(one)),
            **{f"score: {category.name}": scores.get(category.pk) for category in categories},
            "for_the_jury": one.text, "for_the_artist": one.note,
            "changed": one.changed_at.isoformat(timespec="seconds"),
        }  # fmt: skip
