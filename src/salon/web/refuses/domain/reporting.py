"""A visitor's side: reports, one a visitor and image (a second one corrects it), a few an hour; credit; withdrawal."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe
from salon.core.text import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Device, Entry, Event
from salon.web.events.trail import again, note
from salon.web.people.personal import press_out
from salon.web.refuses.domain.erasing import empty
from salon.web.refuses.models import Failure, Finding, Report, Target
from salon.web.station.domain.erasing import erase_orphans
from salon.web.station.domain.intake import TooManyWaiting
from salon.web.station.domain.visitors import KNOWN, Standing, take_share
from salon.web.station.models import Image

LENGTHS = {"text": 500, "credit": 80}
#: times that a report may be corrected; what was said before is kept
MOST_CORRECTIONS = 5
HOUR = datetime.timedelta(hours=1)
WITHDRAWN, NAME_SEEN = "report withdrawn", "name seen"
#: new reports in an hour: of all strangers together, from one network, in all
STRANGERS, MOST_A_SOURCE, MOST = 30, 120, 600


def read_report(form: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The form's values, and what is wrong with them by field."""
    values = {"failure": str(form.get("failure", "")), "target": str(form.get("target", ""))}
    values |= {name: tidy(str(form.get(name, ""))) for name in LENGTHS}
    wrong = {}
    if values["failure"] not in Failure.values:
        wrong["failure"] = _("Say what is wrong.")
    if values["target"] not in Target.values:
        wrong["target"] = _("Say whom it concerns; “nobody in particular” is an answer.")
    for name, most in LENGTHS.items():
        if len(values[name]) > most:
            wrong[name] = _("At most %(most)d characters, please.") % {"most": most}
    return values, wrong


def report(
    visitor: str, image: Image, values: Mapping[str, str], device: Device | None = None, standing: Standing = KNOWN
) -> Report:
    """Keep it; this visitor's earlier one of the same image is corrected. Raises TooManyWaiting."""
    with transaction.atomic():
        event = lock_current_event()
        if mine := Report.objects.filter(visitor=visitor, image=image).first():
            _correct(mine, values)
        else:
            _check_hour(event, visitor, device)
            take_share(event, "report", standing, STRANGERS, MOST_A_SOURCE, MOST)
            mine = Report.objects.create(event=event, visitor=visitor, image=image, device=device, **values)
        again(event, "reported", mine.id, visitor=visitor)
        return mine


def _correct(mine: Report, values: Mapping[str, str]) -> None:
    """The last word counts; what this person said before stays, for the reviewers. Raises TooManyWaiting."""
    before = {name: getattr(mine, name) for name in ("failure", "target", "text")}
    if all(before[name] == values[name] for name in before):
        return _name(mine, values.get("credit", ""))
    if len(mine.earlier) >= MOST_CORRECTIONS:
        raise TooManyWaiting(
            _("You have corrected this report %(count)d times.") % {"count": MOST_CORRECTIONS},
            _("Tell a volunteer what you mean."),
        )
    mine.earlier = [*mine.earlier, before]
    for name in before:
        setattr(mine, name, values[name])
    mine.save(update_fields=["earlier", *before])
    return _name(mine, values.get("credit", ""))


def _check_hour(event: Event, visitor: str, device: Device | None) -> None:
    """Counts rows, withdrawn ones by the trail; true while the event is locked. A booth begins anew as often as it
    likes, so it has a limit of its own. Raises TooManyWaiting."""
    since = timezone.now() - HOUR
    gone = Entry.objects.filter(event=event, deed=WITHDRAWN, visitor=visitor, at__gt=since).count()
    mine = Report.objects.filter(visitor=visitor, created_at__gt=since).count() + gone
    if mine >= settings.SALON_REPORTS_PER_HOUR:
        raise TooManyWaiting(
            _("You have reported %(count)d images within the hour; thank you.") % {"count": mine},
            _("Tell a volunteer about the rest, or come back later."),
        )
    there = Report.objects.filter(device=device, created_at__gt=since).count() if device else 0
    if there >= settings.SALON_REPORTS_PER_STATION:
        raise TooManyWaiting(
            _("%(count)d images were reported at this booth within the hour.") % {"count": there},
            _("Tell a volunteer about the rest, or report it from your phone."),
        )


def recent(event: Event, most: int = 40) -> list[Report]:
    """The newest reports."""
    return list(Report.objects.filter(event=event).select_related("image", "finding")[:most])


def reports_of(visitor: str | None) -> list[Report]:
    """Everything this visitor reported and did not withdraw, newest first."""
    return list(Report.objects.filter(visitor=visitor).select_related("image", "finding")) if visitor else []


def _own(visitor: str, report_id: str) -> Report:
    found = Report.objects.select_for_update().filter(id=report_id, visitor=visitor).first() if visitor else None
    if found is None:
        raise BadRecipe(_("There is no report of yours by that name."), _("Look at what is yours."))
    return found


def _name(mine: Report, credit: str) -> None:
    """A new name is shown only after somebody of the house has seen it; none at once."""
    if mine.credit != credit:
        mine.credit, mine.credit_seen = credit, False
        mine.save(update_fields=["credit", "credit_seen"])
        _unname([mine.id])


def _unname(reports: Iterable[str]) -> None:
    """A name that is no longer wanted leaves the trail, too; that somebody has read it stays."""
    Entry.objects.filter(deed=NAME_SEEN, subject__in=reports).update(text="")
    transaction.on_commit(press_out, robust=True)


def set_credit(visitor: str, report_id: str, credit: str) -> Report:
    """Be named with what you found, or anonymous (""). Raises BadRecipe."""
    clean = tidy(credit)
    if len(clean) > LENGTHS["credit"]:
        raise BadRecipe(_("A name has at most %(most)d characters.") % {"most": LENGTHS["credit"]}, _("Shorten it."))
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        mine = _own(visitor, report_id)
        _name(mine, clean)
        again(event, "credit", mine.id, visitor=visitor)
        return mine


def withdraw(visitor: str, report_id: str) -> list[str]:
    """Takes one's own report back, at any time: it is erased. If nobody else reported the same, the finding leaves room
    and exports at once, and keeps only counts. Names of requests that were being drawn for it. Raises BadRecipe."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        mine = _own(visitor, report_id)
        finding, image = mine.finding, mine.image_id
        mine.delete()
        _unname([report_id])
        note(event, WITHDRAWN, report_id, visitor=visitor)
        stopped: list[str] = []
        if finding and not finding.reports.exists() and finding.state != Finding.State.WITHDRAWN:
            stopped = empty(finding)
            note(event, "finding withdrawn", finding.id)
        erase_orphans([image])
        return stopped


def forget(visitor: str) -> None:
    """Inside a transaction: this visitor's reports stay as what was ticked, without name, without their words and
    without a way back."""
    reports = list(Report.objects.filter(visitor=visitor))
    for mine in reports:
        mine.visitor, mine.credit, mine.credit_seen, mine.text = f"forgotten-{mine.id}", "", False, ""
        mine.earlier = [{**said, "text": ""} for said in mine.earlier]
        mine.save(update_fields=["visitor", "credit", "credit_seen", "text", "earlier"])
    _unname([mine.id for mine in reports])  # once: each pressing out may have to wait
