"""Visitors have no account: a signed ticket, given at the first request, says which requests are theirs.

A ticket is given to whoever asks, so a thousand of them prove nothing. One for which a browser has done a small sum
(`prove`) is *known*: its visitor has shares of their own of whatever there is only so much of. All others are
strangers, who have one small share together: of the line, of reports, of the arena's votes. Whoever stands at a booth
is known, since booths have limits of their own.
"""

import secrets
from typing import NamedTuple

from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from salon.core.errors import Forbidden
from salon.web import cookies
from salon.web.events import sums, tries
from salon.web.events.models import Device, Event
from salon.web.sources import source_of

COOKIE = cookies.personal("salon_ticket")
_SALT = "salon.visitor"
#: seconds; a day in the world and the morning after
_LIFETIME = 60 * 60 * 24 * 14
#: known tickets in an hour: for one network (a venue may be one), and in all
MOST_A_SOURCE, MOST = 300, 3000


def _signed(request: HttpRequest) -> str:
    """The ticket as sent: by header (programs; never lent by a browser), else by cookie."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else request.COOKIES.get(COOKIE, "")


class Ticket(NamedTuple):
    """A visitor's key, and whether a sum was done for it."""

    visitor: str
    known: bool = False


class Standing(NamedTuple):
    """How whoever asks stands with the house: known or a stranger, and from which network (sources.py)."""

    known: bool = True
    source: str = ""


#: somebody of whom nothing needs to be asked
KNOWN = Standing()


def ticket_of(request: HttpRequest) -> Ticket | None:
    """The ticket that comes along, or None without one of ours."""
    try:
        told = signing.loads(_signed(request), salt=_SALT, max_age=_LIFETIME)
    except signing.BadSignature:
        return None
    return Ticket(*told) if isinstance(told, list) else Ticket(told)


def visitor_of(request: HttpRequest) -> str | None:
    """The visitor's key, or None without a ticket of ours."""
    ticket = ticket_of(request)
    return ticket.visitor if ticket else None


def is_stranger(request: HttpRequest) -> bool:
    """Whether a sum would make this browser known."""
    ticket = ticket_of(request)
    return ticket is None or not ticket.known


def standing_of(request: HttpRequest, booth: Device | None = None) -> Standing:
    """How the sender stands; `booth` is the one that they stand at, if any."""
    return Standing(booth is not None or not is_stranger(request), source_of(request))


def prove(request: HttpRequest, solved: str) -> None:
    """Takes the sum for a ticket. Raises Forbidden if it is none, Conflict if it was used, tries.TooManyTries if
    very many tickets were asked for from one network, or at all."""
    proof = sums.proof_of(solved)
    if proof is None:
        raise Forbidden(_("This sum is not right, or too old."), _("Ask for another one: /sum."))
    with transaction.atomic():
        tries.once_more("ticket", source_of(request), tries.HOUR, MOST_A_SOURCE, MOST)
        sums.spend(proof)


def take_share(event: Event, kind: str, standing: Standing, strangers: int, a_source: int, most: int) -> None:
    """Counts one of what there is only so much of in an hour; the event must be locked. All strangers together have
    `strangers`, one network `a_source`, everybody `most`. Raises tries.TooManyTries."""
    if not standing.source:
        return
    if not standing.known:
        if not tries.has_room(f"{kind}/s", "", "", (tries.Limit(strangers, tries.HOUR),)):
            raise tries.TooManyTries(
                _("Visitors without a ticket of their own have had what they may together in an hour."),
                _("A browser with scripts gets a ticket by itself: load the page again. Or tell a volunteer."),
            )
        tries.add(f"{kind}/s")
    limits = (tries.Limit(a_source, tries.HOUR, source=True), tries.Limit(most, tries.HOUR))
    if not tries.has_room(kind, "", standing.source, limits):
        raise tries.TooManyTries(
            _("Very much of this was sent within the hour."), _("Try again later, or tell a volunteer.")
        )
    tries.add(kind, source=standing.source)


def new_visitor() -> str:
    return secrets.token_hex(16)


def give_ticket(request: HttpRequest, response: HttpResponse, visitor: str, known: bool = False) -> None:
    """Sets the ticket's cookie. Who was known stays so."""
    ticket = ticket_of(request)
    known = known or (ticket is not None and ticket == (visitor, True))
    cookies.keep(response, COOKIE, signing.dumps([visitor, True] if known else visitor, salt=_SALT), _LIFETIME)
