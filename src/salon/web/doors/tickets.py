"""Tickets: what stands in the QR code, the short code to be typed, the link; and a ticket made anew.

QR text (51 characters, all of QR's alphanumeric set, so that the code is small: version 3 at level M):

    SALON: + Crockford base32 of  place id (16 bytes) | serial (2 bytes) | HMAC-SHA-256 cut to 10 bytes

The HMAC's key is the installation's; its message holds the event, too. Whoever has no key cannot make one; `serial`
says which edition of the ticket it is, older ones are revoked. The code to be typed is random, nine characters and one
that finds slips of the hand: any one wrong, any two neighbours swapped (a check over GF(32), x^5 + x^2 + 1).
"""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from salon.core.errors import Conflict, Forbidden
from salon.web.doors.models import Ticket
from salon.web.events.trail import again, note
from salon.web.people.models import Guest, User
from salon.web.seats.domain import proof
from salon.web.seats.models import Place

PREFIX = "SALON:"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: what is read for a character that Crockford's alphabet leaves out because it looks like another
LOOKALIKES = str.maketrans("OIL", "011")
CODE_LENGTH = 10
_QR_LENGTH = 45
_SIGNED, _MAC = 18, 10
#: tries to find a code that is nobody's; one collides once in 10^10
_TRIES = 4


class Named(NamedTuple):
    """What a genuine ticket says: a place, and which edition of its ticket; and where that place is now."""

    place_id: str
    serial: int
    pool_id: str


def _base32(data: bytes, length: int) -> str:
    number = int.from_bytes(data, "big")
    return "".join(ALPHABET[number >> 5 * at & 31] for at in reversed(range(length)))


def _bytes(text: str, length: int) -> bytes:
    number = 0
    for character in text:
        number = number << 5 | ALPHABET.index(character)
    return number.to_bytes(length, "big")


def _mac(event_id: int, signed: bytes, purpose: str = "code") -> bytes:
    message = f"{event_id}:{signed.hex()}"
    return salted_hmac(f"salon.doors.{purpose}", message, algorithm="sha256").digest()[:_MAC]


def _signed(place: Place) -> bytes:
    return bytes.fromhex(place.id) + place.serial.to_bytes(2, "big")


def ticket_of(place: Place) -> str:
    """The signed text of the place's QR code."""
    signed = _signed(place)
    return PREFIX + _base32(signed + _mac(place.pool.event_id, signed), _QR_LENGTH)


def tidied(text: str) -> str:
    """As typed or scanned, in capitals, without blanks and hyphens, with lookalikes read as what they look like."""
    packed = "".join(text.split()).replace("-", "").upper()
    head = PREFIX if packed.startswith(PREFIX) else ""
    return head + packed.removeprefix(PREFIX).translate(LOOKALIKES)


def named_by(text: str) -> Named | None:
    """The place and edition that a code of either kind names; None for one that is unknown, torn or forged."""
    clean = tidied(text)
    body = clean.removeprefix(PREFIX)
    if set(body) - set(ALPHABET):
        return None
    if clean.startswith(PREFIX) and len(body) == _QR_LENGTH:
        return _named_by_qr(body)
    if len(clean) == CODE_LENGTH and not _check(clean):
        found = Ticket.objects.filter(code=clean).values_list("place_id", "serial", "place__pool_id").first()
        return Named(*found) if found else None
    return None


def _named_by_qr(body: str) -> Named | None:
    try:
        data = _bytes(body, _SIGNED + _MAC)
    except OverflowError:  # 45 characters hold one bit more than 28 bytes
        return None
    signed, mac = data[:_SIGNED], data[_SIGNED:]
    place_id = signed[:16].hex()
    found = Place.objects.filter(id=place_id).order_by().values_list("pool__event_id", "pool_id").first()
    if found is None or not secrets.compare_digest(mac, _mac(found[0], signed)):
        return None
    return Named(place_id, int.from_bytes(signed[16:], "big"), found[1])


def _check(characters: str) -> int:
    """The sum of characters times powers of 2 in GF(32); 0 for a whole code."""
    total = 0
    for character in characters:
        total <<= 1
        total = (total ^ 0b100101 if total & 32 else total) ^ ALPHABET.index(character)
    return total


def _new_code() -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH - 1))
    return body + next(last for last in ALPHABET if not _check(body + last))


def edition(place: Place) -> Ticket:
    """The row of the place's present ticket, made when first asked for."""
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                fresh = {"code": _new_code()}
                return Ticket.objects.get_or_create(place=place, serial=place.serial, defaults=fresh)[0]
        except IntegrityError:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def editions(places: Iterable[Place]) -> dict[str, str]:
    """The code of each place's present ticket; those that nobody has asked for yet are made, all at once."""
    serials = {place.id: place.serial for place in places}
    for left in reversed(range(_TRIES)):
        rows = Ticket.objects.filter(place__in=serials).values_list("place_id", "serial", "code")
        codes = {place: code for place, serial, code in rows if serial == serials[place]}
        there = Place.objects.filter(id__in=serials.keys() - codes.keys()).values_list("id", flat=True)
        fresh = [Ticket(place_id=place, serial=serials[place], code=_new_code()) for place in there]
        if not fresh or not left:
            return codes
        with (
            suppress(IntegrityError),
            transaction.atomic(),
        ):  # a place went meanwhile; codes that are taken are tried anew
            Ticket.objects.bulk_create(fresh, ignore_conflicts=True)
    raise AssertionError("the last try returns")


def spelled(code: str) -> str:
    """As it is shown, to be read aloud in two breaths: K7QF2-M9X4T."""
    return f"{code[:5]}-{code[5:]}"


def _key(place: Place) -> str:
    edition = place.guest.link_edition
    signed = _signed(place) + (edition.to_bytes(4, "big") if edition else b"")
    return _base32(_mac(place.pool.event_id, signed, "link"), 16)


def link(place: Place) -> str:
    """The path of the ticket's page for whoever holds this link. A ticket made anew has another one, and so has that of
    a guest whose private link was."""
    return f"{reverse('doors:ticket', args=[place.id])}?key={_key(place)}"


def _private(place: Place, key: str) -> bool:
    """Whether the key is that of the place's own private page (`seats`), which leads here."""
    try:
        return proof.read(key).holds(place)
    except Forbidden:
        return False


def opened(place_id: str, guest: Guest | None, key: str) -> Place:
    """The place, for its own guest, or for the holder of its link or of its private page's. Raises Forbidden, in the
    same words whether there is such a place or not."""
    place = Place.objects.select_related("pool__event", "pool__room", "guest").filter(id=place_id).first()
    if place and not place.guest.erased_at:
        if guest and guest.id == place.guest_id:
            return place
        if key and (constant_time_compare(key.upper(), _key(place)) or _private(place, key)):
            return place
    raise Forbidden(
        _("This ticket opens with its own link, or in the browser that took the place."),
        _("Look for the link in your mail. A ticket that was made anew has a new one."),
    )


def renew(place_id: str, person: User | None = None) -> Place:
    """Makes the ticket anew: the older one, its code and its link are worth nothing from now on. Raises Conflict."""
    with transaction.atomic():
        place = Place.objects.select_for_update().get(id=place_id)
        if place.state != Place.State.BOOKED or place.came_at:
            message = _("There is no ticket to be made anew here.")
            raise Conflict(message, _("Only a booked place has one, and only until somebody came in with it."))
        place.serial += 1
        place.save(update_fields=["serial", "changed_at"])
        if person:
            note(place.pool.event, "ticket made anew", place.id, person=person)
        else:
            again(place.pool.event, "ticket made anew", place.id)
    return place
