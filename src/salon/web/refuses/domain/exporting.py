"""The register as flat rows, without anything that leads to a person who did not want to be named."""

from typing import Any

from salon.audit.findings import FindingRow
from salon.web.events.models import Event
from salon.web.refuses.domain import outcomes, reproducing, room
from salon.web.refuses.domain.reviewing import LABELS, agreed
from salon.web.refuses.models import Finding, Review


def rows(event: Event) -> list[FindingRow]:
    """Every finding but the withdrawn ones, oldest first; what has been drawn is counted before."""
    reproducing.settle_all(event)
    found = Finding.objects.filter(event=event).exclude(state=Finding.State.WITHDRAWN).exclude(image=None)
    found = found.select_related("image").prefetch_related("reports", "reviews", "fresh")
    return [row(finding) for finding in found.order_by("created_at", "id")]


def row(finding: Finding) -> FindingRow:
    """One finding. Notes are left out: people write names into them."""
    recipe, reviews = finding.image.recipe, list(finding.reviews.all())
    public, rate = room.words_public(finding.image), outcomes.rate(finding.outcomes)
    counts = {name: finding.outcomes.get(name, 0) for name in outcomes.ALL}
    labels = {name: agreed([getattr(one, name) for one in reviews]) if reviews else None for name in LABELS}
    return FindingRow(
        id=finding.id, created=finding.created_at.isoformat(timespec="seconds"), state=finding.state,
        model=recipe.model, weights=recipe.weights, image=recipe.id, seed=recipe.seed,
        prompt=recipe.prompt if public else "", negative_prompt=recipe.negative_prompt if public else "",
        failure=labels["failure"] or finding.failure, target=labels["target"] or finding.target,
        harm=finding.harm, severity=finding.severity,
        reports=len(finding.reports.all()), reported=sorted(f"{r.failure}/{r.target}" for r in finding.reports.all()),
        outcome=f"{finding.field}={finding.value}" if finding.field else "",
        counted_by=("judge" if finding.field else "people") if rate else "",
        of=rate.of if rate else 0, low=rate.low if rate else None, high=rate.high if rate else None, **counts,
        fresh=[fresh.image_id for fresh in finding.fresh.all()],
        reviewers=len(reviews), **_labels(reviews),
        credit=", ".join(room.credits(finding)[0]),
    )  # fmt: skip


def _labels(reviews: list[Review]) -> dict[str, Any]:
    """`failure_1` ... `severity_2`: reviewers are numbered, not named."""
    return {f"{name}_{at}": getattr(one, name) for at, one in enumerate(reviews, 1) for name in LABELS}
