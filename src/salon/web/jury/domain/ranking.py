"""A round's ranking: totals, jurors' severity out, how sure one may be of it, and how far jurors agree."""

from collections import defaultdict
from typing import NamedTuple

from salon.stats.agreement import Agreement, agreement
from salon.stats.ranking import Placed, rank
from salon.web.call.models import Submission
from salon.web.jury.domain.applications import judged
from salon.web.jury.domain.scoring import total
from salon.web.jury.models import Assignment, Category, Juror, Phase, Review

LEVEL = 0.95


class Row(NamedTuple):
    """An application and its place; `categories` are plain means by the category's key."""

    submission: Submission
    placed: Placed
    categories: dict[int, float]
    abstained: int
    open: int

    @property
    def place(self) -> str:
        return str(self.placed.place)

    @property
    def places(self) -> str:
        """The places that it may as well have: "2–5"."""
        best, worst = self.placed.best, self.placed.worst
        return str(best) if best == worst else f"{best}–{worst}"


class Standing(NamedTuple):
    """All of a round. `runs` are stretches (first, last), counted from 1, inside of which no two are told apart.
    `severity` holds jurors and by how much they lie above the jury's mean, `unjudged` applications without a score that
    counts, `lacking` is how many reviews lack a category that was added since."""

    rows: list[Row]
    runs: list[tuple[int, int]]
    severity: list[tuple[Juror, float, int]]
    unjudged: list[Submission]
    categories: list[Category]
    agreement: Agreement
    agreements: list[tuple[Category, Agreement]]
    reviews: int
    lacking: int
    weightless: bool

    def across(self, line: int) -> tuple[int, int] | None:
        """The widest stretch that a line after place number `line` would cut."""
        cut = [(first, last) for first, last in self.runs if first <= line < last]
        return (min(first for first, _ in cut), max(last for _, last in cut)) if cut else None


def counted(phase: Phase) -> list[Review]:
    """Reviews that count: of jurors who count, of applications that are still in, and without a conflict."""
    found = Review.objects.filter(phase=phase, juror__counted=True, submission__in=judged(phase.event))
    found = found.select_related("juror__user").prefetch_related("scores__category")
    found = found.order_by("submission__title", "submission_id", "juror_id")
    barred = set(phase.event.jurors.values_list("conflicts__submission_id", "pk"))
    return [one for one in found if (one.submission_id, one.juror_id) not in barred]


def standing(phase: Phase) -> Standing:
    """The ranking as it is now. The same reviews give the same ranking."""
    reviews, categories = counted(phase), list(phase.categories.all())
    scored = [(one, points) for one in reviews if (points := total(one)) is not None]
    found = rank([(one.submission_id, one.juror_id, points) for one, points in scored], LEVEL)
    submissions = {one.pk: one for one in judged(phase.event)}
    abstained, means, asked = _counts(reviews), _means(reviews), _open(phase)
    rows = [
        Row(submissions[one.key], one, means[one.key], abstained[one.key], asked[one.key]) for one in found.placed
    ]
    ranked = {one.key for one in found.placed}
    given = [one.juror_id for one, _ in scored]
    jurors = {one.juror_id: one.juror for one, _ in scored}
    needed = {one.pk for one in categories if not one.optional}
    return Standing(
        rows=rows,
        runs=[(first + 1, last + 1) for first, last in found.runs],
        severity=sorted(((jurors[key], value, given.count(key)) for key, value in found.severity.items()),
                        key=lambda three: three[0].number),
        unjudged=[one for key, one in submissions.items() if key not in ranked and one.state == one.State.SUBMITTED],
        categories=categories,
        agreement=_agreement([(one.submission_id, points) for one, points in scored]),
        agreements=[(category, _agreement(_points(reviews, category))) for category in categories],
        reviews=len(scored),
        lacking=sum(bool(needed - {s.category_id for s in one.scores.all()}) for one in reviews if not one.abstained),
        weightless=not any(one.weight > 0 and not one.independent for one in categories),
    )  # fmt: skip


def _counts(reviews: list[Review]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for one in reviews:
        counts[one.submission_id] += one.abstained
    return counts


def _open(phase: Phase) -> dict[str, int]:
    """Jurors who were asked and have not answered, by application."""
    answered = set(phase.reviews.values_list("submission_id", "juror_id"))
    counts: dict[str, int] = defaultdict(int)
    for pair in Assignment.objects.filter(phase=phase).values_list("submission_id", "juror_id"):
        counts[pair[0]] += pair not in answered
    return counts


def _means(reviews: list[Review]) -> dict[str, dict[int, float]]:
    points: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for one in reviews:
        for score in one.scores.all():
            points[one.submission_id][score.category_id].append(score.value)
    means = {key: {category: sum(n) / len(n) for category, n in own.items()} for key, own in points.items()}
    return defaultdict(dict, means)


def _points(reviews: list[Review], category: Category) -> list[tuple[str, float]]:
    scores = ((one.submission_id, score) for one in reviews for score in one.scores.all())
    return [(key, float(score.value)) for key, score in scores if score.category_id == category.pk]


def _agreement(points: list[tuple[str, float]]) -> Agreement:
    units: dict[str, list[float]] = defaultdict(list)
    for key, value in points:
        units[key].append(value)
    return agreement(list(units.values()), "interval")
