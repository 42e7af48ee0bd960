"""Letting people in. One lock decides: the place's (that of its family of pools), held while the rows are looked at and
written; so of two doors that scan a ticket at the same moment exactly one hears "in".

The same press sent twice (`nonce`) is answered as the first time and changes nothing. Unknown codes are counted a
device, and those past twenty a minute are not even kept; what is a ticket, or was found by name, is answered whatever
was held up before, so that nobody can shut a door with a picture of nonsense. That makes nothing easier to guess: of 45
random bits somebody who tries sixty a second, all that this house answers, finds one of 2,000 tickets in nine years.
"""

import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Busy, Conflict, Forbidden
from salon.web.doors import tickets
from salon.web.doors.domain.hands import Hand, leads, pools
from salon.web.doors.models import CheckIn, Reason, Refusal, Way
from salon.web.events.models import Device
from salon.web.events.trail import note
from salon.web.people import guests
from salon.web.seats.domain import locking, places
from salon.web.seats.models import Place

#: unknown codes that one device (or person) may show within PAUSE
MOST_WRONG, PAUSE = 20, datetime.timedelta(minutes=1)
#: how long after the moment at the door a scan may still be sent in
LATEST = datetime.timedelta(hours=48)
_NONCE = 64


class TooManyTries(Busy):
    """Too many unknown codes from this device, and this is another one."""

    code = "too_many_tries"


class Scan(NamedTuple):
    """What was held up: a code, or a place that was found by name. `at` and `offline`: it happened without a line.
    `anyway`: whoever stands at the door was told that it is too early, and lets them in."""

    nonce: str
    code: str = ""
    place_id: str = ""
    way: str = Way.SCAN
    at: datetime.datetime | None = None
    offline: bool = False
    anyway: bool = False


Shown = CheckIn | Refusal


def redeem(hand: Hand, scan: Scan) -> Shown:
    """In (a CheckIn), or not and why (a Refusal). Raises TooManyTries (for an unknown code only), BadRecipe (a nonce
    that is none), Conflict (a nonce that was another ticket's), Forbidden (the device was revoked)."""
    if not 16 <= len(scan.nonce) <= _NONCE or not scan.nonce.isascii() or scan.way not in Way.values:
        raise BadRecipe(_("This was not sent by the door's page."), _("Load the page anew."))
    with transaction.atomic():
        _hold(hand)
        named = _by_name(scan.place_id) if scan.place_id else tickets.named_by(scan.code)
        place = _locked_place(named)
        if said := _said_before(scan, place):
            return said
        if place is None:
            _check_tries(hand)
        return _decide(hand, scan, named, place, _moment(scan))


def walk_in(hand: Hand, pool_id: str, name: str, nonce: str) -> Shown:
    """A place out of what the door has, for somebody without one, who comes in with it at once. The name may be left
    away. Raises Full, Conflict, BadRecipe."""
    with transaction.atomic():
        _hold(hand)
        if said := CheckIn.objects.filter(nonce=nonce).first():
            return said
        if not pools(hand.door).filter(id=pool_id).exists():
            raise BadRecipe(_("This door does not lead there."), _("Choose one of those it shows."))
        guest, _token = guests.make(hand.door.event_id, name or _("A guest at the door"))
        place = places.at_door(pool_id, guest, key=nonce)
        said = redeem(hand, Scan(nonce, place_id=place.id, way=Way.WALK_IN))
        if isinstance(said, Refusal):
            raise Conflict(said.get_reason_display(), _("So no place was given."))
        note(hand.door.event, "place at the door", place.id, person=hand.person, text=_stands(hand))
        return said


def undo(hand: Hand, nonce: str) -> CheckIn:
    """They did not come in after all. Twice is once. A device undoes what was done at its own door, a person of the
    house at any. Raises Conflict."""
    found = CheckIn.objects.select_related("place").filter(nonce=nonce, door__event=hand.door.event_id).first()
    if found and hand.device and found.door_id != hand.door.id:
        found = None
    if found is None:
        raise Conflict(_("There is nothing of that kind to undo at this door."), _("Look for the name instead."))
    with transaction.atomic():
        _hold(hand)
        locking.hold([found.place.pool_id])
        found = CheckIn.objects.select_related("place").get(id=found.id)
        if found.undone_at is None:
            found.undone_at, found.undone_by, found.undone_on = timezone.now(), hand.person, hand.device
            found.save(update_fields=["undone_at", "undone_by", "undone_on"])
            places.unarrive(found.place_id)
            note(hand.door.event, "entry undone", found.place_id, person=hand.person, text=_stands(hand))
        return found


def _stands(hand: Hand) -> str:
    return f"{hand.door.name}: {hand.device.name}" if hand.device else hand.door.name


def _hold(hand: Hand) -> None:
    """Tries of one device stand in a row, and a device that was revoked meanwhile opens nothing. Raises Forbidden."""
    if hand.device and not Device.objects.select_for_update().filter(id=hand.device.id, revoked_at=None).exists():
        raise Forbidden(_("This device is no longer known here."), _("Get a new link for it backstage."))


def _by_name(place_id: str) -> tickets.Named | None:
    """A place that was found by name; it stands for every edition of its ticket."""
    pool = Place.objects.filter(id=place_id).order_by().values_list("pool_id", flat=True).first()
    return tickets.Named(place_id, 0, pool) if pool else None


def _locked_place(named: tickets.Named | None) -> Place | None:
    if named is None:
        return None
    locking.hold([named.pool_id])
    return Place.objects.select_related("pool__event", "guest").get(id=named.place_id)


def _said_before(scan: Scan, place: Place | None) -> Shown | None:
    """What this press was answered. Raises Conflict if it was another ticket's."""
    for kind in (CheckIn, Refusal):
        if said := kind.objects.filter(nonce=scan.nonce).order_by().first():
            if said.place_id != (place and place.id):
                raise Conflict(_("This press was another ticket's."), _("Scan it again."))
            return said
    return None


def _check_tries(hand: Hand) -> None:
    wrong = Refusal.objects.filter(reason=Reason.UNKNOWN, created_at__gt=timezone.now() - PAUSE, **hand.who)
    if wrong.count() >= MOST_WRONG:
        raise TooManyTries(
            _("This is no ticket of this house either: after so many of them unknown codes rest for a minute."),
            _("Tickets and names go on. Look for the name, or give a place at the door."),
        )


def _moment(scan: Scan) -> datetime.datetime:
    """When it was held up; only a scan without a line may say so itself, and it cannot be of tomorrow."""
    now = timezone.now()
    return max(now - LATEST, min(now, scan.at)) if scan.offline and scan.at else now


def _decide(hand: Hand, scan: Scan, named: tickets.Named | None, place: Place | None, at: datetime.datetime) -> Shown:
    fields = {"nonce": scan.nonce, "door": hand.door, "way": scan.way, "at": at, "offline": scan.offline, **hand.who}
    if place is None or named is None:
        return Refusal.objects.create(reason=Reason.UNKNOWN, **fields)
    fields["place"] = place
    prior = CheckIn.objects.filter(place=place, undone_at=None).order_by().first()
    reason = _reason(hand, named, place, prior, at)
    early = reason == Reason.TOO_EARLY and scan.anyway
    if reason and not early:
        state = place.state if reason == Reason.NOT_BOOKED else ""
        return Refusal.objects.create(reason=reason, state=state, prior=prior, **fields)
    try:
        places.arrive(place.id)
    except Conflict:  # it was released, and others sit there now
        return Refusal.objects.create(reason=Reason.NOT_BOOKED, state=Place.State.NO_SHOW, **fields)
    if early:
        note(hand.door.event, "let in early", place.id, person=hand.person, text=_stands(hand))
    return CheckIn.objects.create(**fields)


def _reason(hand: Hand, named: tickets.Named, place: Place, prior: CheckIn | None, at: datetime.datetime) -> str | None:
    """Why not, or None. What concerns the ticket comes first, then what concerns this door and this hour."""
    if place.pool.event_id != hand.door.event_id:
        return Reason.OTHER_EVENT
    if named.serial and named.serial != place.serial:
        return Reason.REVOKED
    if place.guest.erased_at:
        return Reason.ERASED
    if place.state not in (Place.State.BOOKED, Place.State.NO_SHOW):
        return Reason.NOT_BOOKED
    if not leads(hand.door, place.pool):
        return Reason.WRONG_DOOR
    if prior:
        return Reason.ALREADY_IN
    return _untimely(hand, place, at)


def _untimely(hand: Hand, place: Place, at: datetime.datetime) -> str | None:
    opens, closes = window(hand, place)
    if opens and at < opens:
        return Reason.TOO_EARLY
    return Reason.TOO_LATE if closes and at >= closes else None


def window(hand: Hand, place: Place) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """From when until when this door lets this place's guest in: the door's own times, and those of what the place is
    for."""
    door, pool = hand.door, place.pool
    before = pool.starts_at and door.minutes_before is not None
    early = pool.starts_at - datetime.timedelta(minutes=door.minutes_before) if before else None
    opens = max((at for at in (door.opens_at, early) if at), default=None)
    closes = min((at for at in (door.closes_at, pool.ends_at) if at), default=None)
    return opens, closes
