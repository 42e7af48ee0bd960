"""A report becomes a finding; duplicates are joined to it, and parted again; findings are closed and reopened."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Conflict
from salon.core.text import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Entry, Event
from salon.web.events.trail import note
from salon.web.people.models import User
from salon.web.refuses.domain import outcomes
from salon.web.refuses.domain.reporting import NAME_SEEN
from salon.web.refuses.models import Finding, Report, Review

State = Finding.State
#: reviews of a finding
REVIEWERS = 2


def standing(finding: Finding) -> str:
    """The state that a finding has by its rows, unless somebody closed or withdrew it."""
    reviews = list(Review.objects.filter(finding=finding))
    if len(reviews) >= REVIEWERS:
        return State.SHOWN if all(review.may_show for review in reviews) else State.REVIEWED
    if finding.outcomes:
        return State.REPRODUCED if finding.outcomes.get(outcomes.SEEN) else State.NOT_REPRODUCED
    return State.REPRODUCING if finding.asked else State.OPEN


def stand(finding: Finding) -> None:
    """Saves the state that it has by its rows."""
    finding.state = standing(finding)
    finding.shown_at = (finding.shown_at or timezone.now()) if finding.state == State.SHOWN else None
    finding.save()


def locked(finding_id: str, event: Event, over: bool = False) -> Finding:
    """The finding, its row locked. Raises Conflict if there is none, or, unless `over`, it is closed or withdrawn."""
    found = Finding.objects.select_for_update().filter(id=finding_id, event=event).first()
    if found is None or (found.over and not over):
        said = _("This finding is %(state)s by now.") % {"state": found.get_state_display()} if found else ""
        raise Conflict(said or _("There is no such finding."), _("Look at the list again."))
    return found


def _report(report_id: str, event: Event) -> Report:
    found = Report.objects.select_for_update().filter(id=report_id, event=event).first()
    if found is None:
        raise Conflict(_("This report was withdrawn."), _("Look at the list again."))
    return found


def open_finding(person: User, report_id: str) -> Finding:
    """A report becomes a finding. Raises Conflict if it belongs to one already."""
    with transaction.atomic():
        event = lock_current_event()
        report = _report(report_id, event)
        if report.finding_id:
            raise Conflict(_("This report belongs to a finding already."), _("Somebody was quicker; look at it."))
        recipe = report.image.recipe
        labels = {"failure": report.failure, "target": report.target}
        report.finding = Finding.objects.create(
            event=event, image=report.image, prompt=recipe.prompt, model=recipe.model, weights=recipe.weights, **labels
        )
        report.save(update_fields=["finding"])
        note(event, "finding opened", report.finding.id, person=person, text=f"report {report.id}")
        return report.finding


def duplicates(report: Report) -> QuerySet[Finding]:
    """Findings of the same image, or of the same words, model and failure."""
    recipe = report.image.recipe
    same = Q(image_id=report.image_id) | Q(prompt=recipe.prompt, model=recipe.model, failure=report.failure)
    return Finding.objects.filter(same, event_id=report.event_id).exclude(state=State.WITHDRAWN)


def join(person: User, report_id: str, finding_id: str) -> Finding:
    """The report is of the same as that finding. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        report, finding = _report(report_id, event), locked(finding_id, event)
        if report.finding_id:
            raise Conflict(_("This report belongs to a finding already."), _("Part it from that one first."))
        if not duplicates(report).filter(id=finding.id).exists():
            raise Conflict(_("These two are of different things."), _("Make a finding of its own from it."))
        report.finding = finding
        report.save(update_fields=["finding"])
        note(event, "joined", finding.id, person=person, text=f"report {report.id}")
        return finding


def part(person: User, report_id: str) -> Finding:
    """Undoes a join: the report waits again. The last report of a finding stays. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        report = _report(report_id, event)
        finding = report.finding
        if finding is None:
            raise Conflict(_("This report belongs to no finding."), _("Look at the list again."))
        if finding.reports.count() == 1:
            raise Conflict(_("A finding keeps its last report."), _("Close the finding instead."))
        report.finding, report.credit_seen = None, False
        report.save(update_fields=["finding", "credit_seen"])
        note(event, "parted", finding.id, person=person, text=f"report {report.id}")
        return finding


def close(person: User, finding_id: str, reason: str = "") -> Finding:
    """Nothing more is done about it, and it leaves the room at once. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        finding = locked(finding_id, event)
        finding.state, finding.reason, finding.shown_at = State.CLOSED, tidy(reason)[:300], None
        finding.save(update_fields=["state", "reason", "shown_at"])
        note(event, "finding closed", finding.id, person=person, text=finding.reason)
        return finding


def reopen(person: User, finding_id: str) -> Finding:
    """Undoes closing: it stands again as its rows say. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        finding = locked(finding_id, event, over=True)
        if finding.state != State.CLOSED:
            raise Conflict(_("This finding is not closed."), _("Look at it again."))
        finding.reason = ""
        stand(finding)
        note(event, "finding reopened", finding.id, person=person)
        return finding


def see_credit(person: User, report_id: str) -> Report:
    """Somebody of the house has read the name: it may be shown. Raises Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        report = _report(report_id, event)
        report.credit_seen = True
        report.save(update_fields=["credit_seen"])
        note(event, NAME_SEEN, report.id, person=person, text=report.credit)
        return report


def unsorted(event: Event, most: int = 100) -> list[tuple[Report, list[Finding]]]:
    """Reports that belong to no finding yet, oldest first, each with the findings that it may be a duplicate of."""
    reports = Report.objects.filter(event=event, finding=None).select_related("image").order_by("created_at", "id")
    return [(report, list(duplicates(report).exclude(state=State.CLOSED)[:3])) for report in reports[:most]]


def history(finding: Finding) -> list[Entry]:
    """The trail's lines about it, oldest first."""
    return list(Entry.objects.filter(subject=finding.id).select_related("person").order_by("at", "id"))
