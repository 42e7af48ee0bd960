"""Two people review a finding, each without seeing what the other says. Where they disagree both labels are kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from salon.core.errors import Conflict
from salon.core.text import tidy
from salon.stats import agreement as agreeing
from salon.stats.agreement import Level
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.people.models import User
from salon.web.refuses.domain.findings import REVIEWERS, locked, stand
from salon.web.refuses.models import Failure, Finding, Harm, Review, Severity, Target

MOST_TEXT = 500
#: label -> the level on which two reviewers are compared
LABELS: dict[str, Level] = {
    "failure": "nominal",
    "target": "nominal",
    "harmful": "nominal",
    "harm": "nominal",
    "severity": "ordinal",
}


def read_review(form: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The form's values, and what is wrong with them by field."""
    values: dict[str, Any] = {name: str(form.get(name, "")) for name in ("failure", "target", "harm", "severity")}
    said = str(form.get("harmful", ""))
    values |= {"harmful": said == "yes", "may_show": bool(form.get("may_show"))}
    values["text"] = tidy(str(form.get("text", "")))
    wrong = {}
    if values["failure"] not in Failure.values:
        wrong["failure"] = _("Say what is wrong.")
    if values["target"] not in Target.values:
        wrong["target"] = _("Say whom it concerns; “nobody in particular” is an answer.")
    if said not in ("yes", "no"):
        wrong["harmful"] = _("Say whether it is harm at all.")
    if values["harmful"] and values["harm"] not in Harm.values:
        wrong["harm"] = _("Say what kind of harm it is.")
    if values["harmful"] and values["severity"] not in map(str, Severity.values):
        wrong["severity"] = _("Say how bad it is.")
    if len(values["text"]) > MOST_TEXT:
        wrong["text"] = _("At most %(most)d characters, please.") % {"most": MOST_TEXT}
    values["harm"] = values["harm"] if values["harmful"] else ""
    values["severity"] = int(values["severity"]) if values["harmful"] and "severity" not in wrong else None
    return values, wrong


def review(person: User, finding_id: str, values: Mapping[str, Any]) -> Finding:
    """Keeps it. Raises Conflict if this person has reviewed it, or two people have."""
    with transaction.atomic():
        event = lock_current_event()
        finding = locked(finding_id, event)
        reviews = list(finding.reviews.all())
        if any(one.reviewer_id == person.pk for one in reviews):
            raise Conflict(_("You have reviewed this already."), _("It needs another person's eyes."))
        if len(reviews) >= REVIEWERS:
            raise Conflict(_("Two people have reviewed this already."), _("Somebody was quicker; look at it."))
        reviews.append(Review.objects.create(finding=finding, reviewer=person, **values))
        finding.harm = agreed([one.harm for one in reviews]) or ""
        finding.severity = max((one.severity for one in reviews if one.severity), default=None)
        stand(finding)
        if len(reviews) == REVIEWERS:  # both have seen the names
            finding.reports.update(credit_seen=True)
        note(event, "reviewed", finding.id, person=person)
        return finding


def agreed(labels: Sequence[Any]) -> Any:
    """The label on which all agree, else None."""
    return labels[0] if len(set(labels)) == 1 else None


def reviews_for(finding: Finding, person: User) -> list[Review]:
    """The reviews that this person may see: all once there are two, else only their own."""
    reviews = list(finding.reviews.select_related("reviewer"))
    return reviews if len(reviews) >= REVIEWERS else [one for one in reviews if one.reviewer_id == person.pk]


def may_review(finding: Finding, person: User) -> bool:
    reviews = list(finding.reviews.values_list("reviewer_id", flat=True))
    return not finding.over and len(reviews) < REVIEWERS and person.pk not in reviews


def agreement(event: Event) -> dict[str, Any]:
    """Krippendorff's alpha of each label, with its interval, over all findings that two people reviewed, and how many
    these are. None where there is nothing to disagree about: no finding, or one label everywhere."""
    found = Finding.objects.filter(event=event).exclude(state=Finding.State.WITHDRAWN).prefetch_related("reviews")
    pairs = [pair for pair in (list(finding.reviews.all()) for finding in found) if len(pair) == REVIEWERS]
    alphas = {
        label: agreeing.agreement([[_label(one, label) for one in pair] for pair in pairs], level)
        for label, level in LABELS.items()
    }
    return {"findings": len(pairs), "alphas": alphas}


def _label(one: Review, label: str) -> Any:
    """None where there was nothing to say: what kind of harm it is when it is none."""
    value = getattr(one, label)
    return value or None if label in ("harm", "severity") else str(value)
