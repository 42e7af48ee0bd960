"""From points to one number."""

from salon.web.jury.models import Review

#: what a review gives at most
FULL = 100


def total(review: Review) -> float | None:
    """The weighted mean of a review's scores, each from 0 (the least of its category) to 100 (the most).
    Categories that are independent or weigh nothing are left out, and optional ones that were not scored. None if
    nothing counts."""
    scores = [score for score in review.scores.all() if not score.category.independent]
    weight = sum(score.category.weight for score in scores)
    if review.abstained or weight <= 0:
        return None
    points = ((s.value - s.category.low) / (s.category.high - s.category.low) * s.category.weight for s in scores)
    return FULL * sum(points) / weight
