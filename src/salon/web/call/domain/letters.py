"""The letters of the call. Those about the artist's own act go by themselves, decisions wait for a person."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from salon.web.call.models import Submission
from salon.web.events import times
from salon.web.mail import letters

KINDS: dict[str, tuple[Any, Any, tuple[str, ...], bool]] = {
    "call-received": (
        _("We have your application: {title}"),
        _(
            "Dear {name},\n\nyour application “{title}” for {event} has arrived. {until}\n\nYour own page, with "
            "everything you sent:\n{private_link}\n\nKeep this link to yourself: whoever has it can change your "
            "application."
        ),
        ("title", "until"),
        True,
    ),
    "call-accepted": (
        _("Accepted: {title}"),
        _(
            "Dear {name},\n\nwe are glad to tell you that “{title}” has been accepted for {event}.\n\nPlease confirm "
            "on your page that you take part:\n{private_link}"
        ),
        ("title",),
        False,
    ),
    "call-rejected": (
        _("About your application: {title}"),
        _(
            "Dear {name},\n\nthank you for sending us “{title}”. We could not take everything, and this time it is not "
            "among the works of {event}. We would be happy to see you there.\n\nYour page:\n{private_link}"
        ),
        ("title",),
        False,
    ),
    "call-cancelled": (
        _("“{title}” will not be shown"),
        _(
            "Dear {name},\n\nwe are sorry: “{title}” cannot be part of {event} after all. Please write to us if you "
            "have questions.\n\nYour page:\n{private_link}"
        ),
        ("title",),
        False,
    ),
    "call-confirmed": (
        _("You take part: {title}"),
        _("Dear {name},\n\nthank you for confirming: “{title}” is part of {event}.\n\nYour page:\n{private_link}"),
        ("title",),
        True,
    ),
}


def register() -> None:
    """Called once, when the app is ready."""
    for kind, (subject, text, variables, by_itself) in KINDS.items():
        typed = tuple(name for name in variables if name == "title")
        letters.register(kind, subject, text, variables, by_itself, typed, unproven=kind == "call-received")


def tell(kind: str, submission: Submission, until: datetime.datetime | None = None) -> None:
    """Writes the letter of a deed that has just been done, in its transaction. The key names the deed: a state may be
    reached twice."""
    variables: dict[str, Any] = {"title": submission.title}
    if kind == "call-received":
        end = times.words(submission.event, until) if until else ""
        variables["until"] = str(_("You can change it until {time}.")).replace("{time}", end) if end else ""
    moment = submission.decided_at or submission.submitted_at
    key = f"{kind}-{submission.id}-{moment:%Y%m%d%H%M%S%f}" if moment else f"{kind}-{submission.id}"
    letters.write(submission.event, submission.guest, kind, key, **variables)
