"""What the house writes about places. Each letter is written in the transaction of the deed that it tells of."""

import datetime
from typing import Any

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from salon.web.codes import house_address
from salon.web.events import times
from salon.web.mail import letters
from salon.web.people.models import Guest
from salon.web.seats.domain import proof
from salon.web.seats.models import Place, Pool

#: known in every letter about a place: what it is, when and where, and the way to it
ABOUT = ("what", "when", "where", "link")
#: those that ask an address to answer: nobody knows whose it is
UNPROVEN = ("place_held", "place_waiting", "place_again")


def register() -> None:
    """Tells the mail room of these letters."""
    for kind, subject, text, more, by_itself in _LETTERS:
        letters.register(kind, subject, text, (*ABOUT, *more), by_itself, unproven=kind in UNPROVEN)


_LETTERS = (
    (
        "place_held",
        gettext_lazy("Held for you: {what}"),
        gettext_lazy(
            "Hello {name},\n\na place is held for you until {until}:\n\n{what}\n{when}\n{where}\n\n"
            "It becomes yours when you confirm it here:\n{link}\n\n"
            "If you did not ask for it, do nothing: it goes to somebody else."
        ),
        ("until",),
        True,
    ),
    (
        "place_waiting",
        gettext_lazy("On the waiting list: {what}"),
        gettext_lazy(
            "Hello {name},\n\nall places are taken; you are on the waiting list:\n\n{what}\n{when}\n{where}\n\n"
            "When one is free we write to you. Where you stand, and how to leave the list:\n{link}"
        ),
        (),
        True,
    ),
    (
        "place_again",
        gettext_lazy("You have this already: {what}"),
        gettext_lazy(
            "Hello {name},\n\nsomebody, you perhaps, asked for a place with your address. You have one already, and it "
            "stays yours:\n\n{what}\n{when}\n{where}\n{link}\n\nYou need not do anything."
        ),
        (),
        True,
    ),
    (
        "place_booked",
        gettext_lazy("Yours: {what}"),
        gettext_lazy(
            "Hello {name},\n\nthis place is yours:\n\n{what}\n{when}\n{where}\n\n"
            "Your place, with the ticket, and how to give it back if you cannot come:\n{link}"
        ),
        (),
        True,
    ),
    (
        "place_offered",
        gettext_lazy("A place is free: {what}"),
        gettext_lazy(
            "Hello {name},\n\na place has come free, and you are next:\n\n{what}\n{when}\n{where}\n\n"
            "It is kept for you until {until}. Take it, or let it go to the next:\n{link}"
        ),
        ("until",),
        True,
    ),
    (
        "place_given_back",
        gettext_lazy("Given back: {what}"),
        gettext_lazy(
            "Hello {name},\n\nthis place is not yours any more:\n\n{what}\n{when}\n{where}\n\n"
            "If that was a mistake, see what is left:\n{link}"
        ),
        (),
        True,
    ),
    (
        "place_invited",
        gettext_lazy("You first: {what}"),
        gettext_lazy(
            "Hello {name},\n\nyou are invited:\n\n{what}\n{when}\n{where}\n\n{kept}\n\n"
            "This link is yours alone; one press there, and the place is yours:\n{link}\n\n"
            "Your code, should you be asked for it: {code}"
        ),
        ("until", "code", "kept"),
        False,
    ),
)


def taken(place: Place) -> None:
    """Asks the address to answer. One that has a place is told that it has; on the page nobody is (proof.py)."""
    if not proof.asked_of(place.guest):
        return
    other = proof.holds_one(place)
    if other:
        _write("place_again", other, f"place-again-{place.id}", place.guest)
    elif place.state == Place.State.HELD:
        _write("place_held", place, f"place-held-{place.id}", place.guest, until=place.expires_at)
    else:
        _write("place_waiting", place, f"place-waiting-{place.id}", place.guest)


def booked(place: Place, again: str = "") -> None:
    """It is theirs. `again`: any word that has not been given before writes the letter once more."""
    _write("place_booked", place, f"place-booked-{place.id}-{place.serial}{again and '-' + again}", place.guest)


def offered(place: Place) -> None:
    """Their turn has come."""
    at = int(place.expires_at.timestamp()) if place.expires_at else 0
    _write("place_offered", place, f"place-offered-{place.id}-{at}", place.guest, until=place.expires_at)


def given_back(place: Place) -> None:
    """It was theirs."""
    key = f"place-back-{place.id}-{int(place.changed_at.timestamp())}"
    _write("place_given_back", place, key, place.guest, link=house_address(reverse("seats:pool", args=[place.pool_id])))


def invited(pool: Pool, guest: Guest, code: str, keeps_until: datetime.datetime | None) -> None:
    """They are invited, and whether a place is kept for them."""
    link = f"{house_address(reverse('seats:pool', args=[pool.id]))}?code={code}"
    with translation.override(letters.language_of(pool.event, guest)):
        ends = keeps_until or pool.invited_until or pool.closes_at or pool.starts_at
        until = times.words(pool.event, ends) if ends else _("the end of the event")
        kept = (
            _("A place is kept for you until %(until)s.") % {"until": until}
            if keeps_until
            else _("No place could be kept for you, since all are taken or promised: come soon.")
        )
        values = _about(pool) | {"link": link, "code": code, "until": until, "kept": kept}
    letters.write(pool.event, guest, "place_invited", f"place-invited-{pool.id}-{guest.id}", **values)


def _write(kind: str, place: Place, key: str, guest: Guest, link: str = "", **at: Any) -> None:
    if not guest.email:
        return
    pool = place.pool
    with translation.override(letters.language_of(pool.event, guest)):
        values = _about(pool) | {name: _when(pool, moment) for name, moment in at.items()}
    way = link or house_address(reverse("seats:mine", args=[proof.token_of(place, letter=True)]))
    letters.write(pool.event, guest, kind, key, link=way, **values)


def _about(pool: Pool) -> dict[str, str]:
    event = pool.event
    where = ", ".join(filter(None, (pool.room.name if pool.room else "", event.place)))
    return {"what": pool.name, "when": _when(pool, pool.starts_at), "where": where or event.name}


def _when(pool: Pool, moment: Any) -> str:
    return times.words(pool.event, moment) if moment else _("the whole day")
