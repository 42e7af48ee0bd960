"""Who a place's link belongs to, and when an address counts.

Nobody may take two places with one address, and nobody may learn from us whether an address is known. Both hold because
an address counts only once its mailbox has answered: taking a place never compares addresses, so a known address and an
unknown one are answered alike, with a hold (or a wait) and "we have written to you". What the letter says differs; the
hold becomes a place only by the link in the letter, and there, where nobody but the address's owner reads it, a second
place is refused. Until then a hold is a hold: it ends by itself. Whoever will not wait for the mail takes the place
without an address. A house that cannot send mail asks for none.
"""

from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from salon.core.errors import Conflict, Forbidden
from salon.web.people.models import Guest
from salon.web.seats.models import Place

_BROWSER, _LETTER = (signing.Signer(salt=f"salon.seats.{way}") for way in ("browser", "letter"))


class Unproven(Forbidden):
    """The letter's link is needed."""


class Claim(NamedTuple):
    """What a place's private link says: which place, for which edition of its guest's own link, and whether a letter
    brought it."""

    place_id: str
    edition: int
    by_letter: bool

    def holds(self, place: Place) -> bool:
        """Whether it still leads to this place: a guest who had a new private link made has shut out the old ones."""
        return (self.place_id, self.edition) == (place.id, place.guest.link_edition)


def token_of(place: Place, letter: bool = False) -> str:
    """What the private link of a place carries; a letter's also proves the mailbox."""
    edition = place.guest.link_edition
    return (_LETTER if letter else _BROWSER).sign(f"{place.id}.{edition}" if edition else place.id)


def read(token: str) -> Claim:
    """What a private link claims. Raises Forbidden."""
    for signer in (_BROWSER, _LETTER):
        try:
            place_id, _dot, edition = signer.unsign(token).partition(".")
            return Claim(place_id, int(edition or 0), signer is _LETTER)
        except signing.BadSignature:
            pass
    raise Forbidden(_("This private link is not whole."), _("Copy all of it, or look into your letter again."))


def held_by(claim: Claim, place: Place) -> Place:
    """The place itself. Raises Forbidden if its guest has shut this link out."""
    if claim.holds(place):
        return place
    raise Forbidden(
        _("A new private link was made since: this one opens nothing any more."),
        _("Open your page by the new link; your place is named there."),
    )


def mailbox(address: str) -> str:
    """The address's keyed hash: the same for each way of writing it in large or small letters."""
    return salted_hmac("salon.seats.mailbox", address.strip().casefold(), algorithm="sha256").hexdigest()


def asked_of(guest: Guest) -> bool:
    """Whether this guest's address has to answer before a place is theirs."""
    return bool(settings.EMAIL_CONFIGURED and guest.email)


def holds_one(place: Place) -> Place | None:
    """Another live place of the pool whose mailbox is this guest's."""
    if not place.guest.email:
        return None
    others = Place.objects.filter(pool=place.pool_id, mailbox=mailbox(place.guest.email), state__in=Place.LIVE)
    return others.exclude(id=place.id).first()


def settle(place: Place, proven: bool) -> None:
    """Notes the mailbox on the place, inside the pool's lock. Raises Unproven, or Conflict for a second place."""
    if not proven and place.mailbox is None and asked_of(place.guest):
        raise Unproven(
            _("We have written to your address: the link in that letter makes the place yours."),
            _("No letter? Take the place without an address."),
        )
    if proven and place.guest.email:
        if holds_one(place):
            raise Conflict(
                _("There is a place for this address already; it stays as it is."), _("Look for the earlier letter.")
            )
        place.mailbox = mailbox(place.guest.email)
