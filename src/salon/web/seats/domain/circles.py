"""Circles of guests whom an organiser invites with one press: those who finished a workshop, and whom later rooms name
(accepted artists). A room that knows a circle registers it in its `apps.py`."""

from collections.abc import Callable, Iterable

from django.utils import timezone

from salon.web.events.models import Event
from salon.web.people.models import Guest, User
from salon.web.seats.domain import invitations, managing
from salon.web.seats.models import Invitation, Place, Pool

Members = Callable[[Event], Iterable[Guest]]
_circles: dict[str, Members] = {}


def register(reason: str, members: Members) -> None:
    """`reason` is one of Invitation.Reason; `members` are asked for when somebody presses."""
    _circles[reason] = members


def names() -> list[tuple[str, str]]:
    """(reason, words) of every circle."""
    return [(reason, str(Invitation.Reason(reason).label)) for reason in sorted(_circles)]


def finishers(event: Event) -> Iterable[Guest]:
    """Whoever came to a workshop that is over."""
    came = Place.objects.filter(came_at__isnull=False, state=Place.State.BOOKED, pool__kind=Pool.Kind.WORKSHOP)
    over = came.filter(pool__event=event, pool__ends_at__lte=timezone.now())
    return Guest.objects.filter(id__in=over.values("guest"), erased_at=None)


def invite(person: User, pool_id: str, reason: str) -> int:
    """Everybody of a circle who is not invited yet; how many. Raises BadRecipe."""
    with managing.deed(person, pool_id, "circle invited", reason) as pool:
        before = pool.invitations.count()
        for guest in _circles[reason](pool.event):
            invitations.invite(pool, guest, reason)
        return pool.invitations.count() - before
