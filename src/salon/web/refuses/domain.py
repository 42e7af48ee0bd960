"""Rules of reports: one a visitor and image (a second one replaces it), a few an hour, never lost."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.engine.recipes import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.refuses.models import Failure, Report, Target
from salon.web.station.domain.intake import TooManyWaiting
from salon.web.station.models import Image

MOST_TEXT = 500


def read_report(form: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The form's values, and what is wrong with them by field."""
    values = {"failure": str(form.get("failure", "")), "target": str(form.get("target", ""))}
    values["text"] = tidy(str(form.get("text", "")))
    wrong = {}
    if values["failure"] not in Failure.values:
        wrong["failure"] = _("Say what is wrong.")
    if values["target"] not in Target.values:
        wrong["target"] = _("Say whom it concerns; “nobody in particular” is an answer.")
    if len(values["text"]) > MOST_TEXT:
        wrong["text"] = _("At most %(most)d characters, please.") % {"most": MOST_TEXT}
    return values, wrong


def report(visitor: str, image: Image, values: Mapping[str, str]) -> Report:
    """Keep it; this visitor's earlier one of the same image is replaced. Raises TooManyWaiting."""
    with transaction.atomic():
        event = lock_current_event()
        hour = timezone.now() - datetime.timedelta(hours=1)
        recent = Report.objects.filter(visitor=visitor, created_at__gt=hour).exclude(image=image).count()
        if recent >= settings.SALON_REPORTS_PER_HOUR:
            raise TooManyWaiting(
                _("You have reported %(count)d images within the hour; thank you.") % {"count": recent},
                _("Tell a volunteer about the rest, or come back later."),
            )
        found, _new = Report.objects.update_or_create(visitor=visitor, image=image, defaults={**values, "event": event})
        note(event, "reported", found.id, visitor=visitor)
        return found


def recent(event: Event, most: int = 40) -> list[Report]:
    """The newest reports."""
    return list(Report.objects.filter(event=event).select_related("image")[:most])
