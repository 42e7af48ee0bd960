"""The states of an application: which deed leads from where to where, and whose deed it is."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from salon.core.errors import Conflict
from salon.web.call.models import Submission

State = Submission.State


class Deed(NamedTuple):
    """A transition. `artist`: it is the artist's own; else it is the house's."""

    starts: tuple[str, ...]
    leads_to: str
    artist: bool


DEEDS: dict[str, Deed] = {
    "sent": Deed((State.DRAFT,), State.SUBMITTED, artist=True),
    "withdrawn": Deed((State.DRAFT, State.SUBMITTED, State.ACCEPTED, State.CONFIRMED), State.WITHDRAWN, artist=True),
    "taken up": Deed((State.WITHDRAWN,), State.DRAFT, artist=True),
    "confirmed": Deed((State.ACCEPTED,), State.CONFIRMED, artist=True),
    "accepted": Deed((State.SUBMITTED, State.REJECTED, State.CANCELLED), State.ACCEPTED, artist=False),
    "rejected": Deed((State.SUBMITTED,), State.REJECTED, artist=False),
    "cancelled": Deed((State.ACCEPTED, State.CONFIRMED), State.CANCELLED, artist=False),
}
#: deeds of the house that wait to be applied together; named as the state they lead to
PENDING = tuple(deed.leads_to for deed in DEEDS.values() if not deed.artist)
#: an artist may still write
WRITABLE = (State.DRAFT, State.SUBMITTED)


def may(state: str, deed: str) -> bool:
    """Whether the deed starts from this state."""
    return state in DEEDS[deed].starts


def do(submission: Submission, deed: str) -> None:
    """Sets the state that the deed leads to; the caller saves. Raises Conflict, naming the present state."""
    if not may(submission.state, deed):
        raise Conflict(
            _("This application is %(state)s by now.") % {"state": submission.get_state_display()},
            _("Something changed meanwhile; look at it again."),
        )
    submission.state = DEEDS[deed].leads_to


def choices(submission: Submission) -> list[str]:
    """Decisions of the house that fit this application."""
    return [state for state in PENDING if may(submission.state, state)]
