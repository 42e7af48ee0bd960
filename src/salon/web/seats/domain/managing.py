"""An organiser's side: making pools and changing them, places given, moved and cancelled by hand. Each deed is a line
of the trail in its own transaction."""

import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from salon.core.errors import BadRecipe, Conflict
from salon.core.text import tidy
from salon.web.events import times
from salon.web.events.domain import lock_event, not_archived
from salon.web.events.models import Event, Room
from salon.web.events.trail import note
from salon.web.ids import new_id
from salon.web.mail.letters import many_lines, whole
from salon.web.people import guests
from salon.web.people.models import User
from salon.web.seats.domain import counts, letters, locking, places, proof
from salon.web.seats.models import Invitation, Place, Pool

State = Place.State
MOST, MOST_SLOTS = 100_000, 200
NUMBERS = {"capacity": (0, MOST), "reserve": (0, MOST), "hold_minutes": (1, 24 * 60), "offer_hours": (1, 24 * 14)}
MOMENTS = ("starts_at", "ends_at", "opens_at", "closes_at", "invited_until")


class Fewer(Conflict):
    """That would be fewer than are taken, and nobody said that it should be."""


@contextmanager
def deed(person: User, pool_id: str, name: str, text: str = "") -> Iterator[Pool]:
    """The pool under its lock, and a line of the trail. Raises BadRecipe, Conflict."""
    with locking.locked(pool_id) as families:
        pool = families[pool_id].pools[pool_id]
        not_archived(pool.event)
        yield pool
        note(pool.event, name, pool.id, person=person, text=text[:300])


def read(event: Event, form: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The form's values, fit for a Pool, and what is wrong with them by field."""
    values: dict[str, Any] = {"name": tidy(str(form.get("name", ""))), "about": many_lines(str(form.get("about", "")))}
    values |= {"kind": str(form.get("kind", "")), "waiting_list": bool(form.get("waiting_list"))}
    values["listed"] = bool(form.get("listed"))
    wrong: dict[str, str] = {}
    if not values["name"] or len(values["name"]) > 120:
        wrong["name"] = _("It needs a name of at most %(most)d characters.") % {"most": 120}
    if len(values["about"]) > 2000:
        wrong["about"] = _("At most %(most)d characters, please.") % {"most": 2000}
    if values["kind"] not in Pool.Kind.values:
        wrong["kind"] = _("Say what kind it is.")
    for field, (least, most) in NUMBERS.items():
        _number(form, field, least, most, values, wrong)
    if str(form.get("release_after", "")).strip():
        _number(form, "release_after", 0, 24 * 60, values, wrong)
    else:
        values["release_after"] = None
    for field in MOMENTS:
        _moment(event, form, field, values, wrong)
    values["room"] = Room.objects.filter(event=event, id=_digits(form.get("room"))).first()
    values["needs"] = Pool.objects.filter(event=event, id=str(form.get("needs", ""))[:32], needs=None).first()
    if not wrong:
        wrong |= _together(values)
    return values, wrong


def whole_number(text: str) -> int:
    """0 for what is none."""
    return _digits(text.strip()[:6])


def _digits(said: Any) -> int:
    text = str(said or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _number(form: Mapping[str, Any], field: str, least: int, most: int, values: dict, wrong: dict) -> None:
    text = str(form.get(field, "")).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 8 and least <= int(text) <= most):
        wrong[field] = _("A whole number from %(least)d to %(most)d is needed.") % {"least": least, "most": most}
        return
    values[field] = int(text)


def _moment(event: Event, form: Mapping[str, Any], field: str, values: dict, wrong: dict) -> None:
    text = str(form.get(field, "")).strip()
    values[field] = None
    if text:
        try:
            values[field] = times.parse_local(event, text)
        except BadRecipe as error:
            wrong[field] = str(error)


def _together(values: Mapping[str, Any]) -> dict[str, str]:
    start, end = values["starts_at"], values["ends_at"]
    if end and (start is None or end <= start):
        return {"ends_at": _("It must end after it begins.")}
    if values["reserve"] > values["capacity"]:
        return {"reserve": _("More are kept for the door than there are.")}
    if values["opens_at"] and values["closes_at"] and values["closes_at"] <= values["opens_at"]:
        return {"closes_at": _("It must close after it opens.")}
    return {}


def make(person: User, event_id: int, values: Mapping[str, Any]) -> Pool:
    """A new pool. Raises Conflict in an archived event."""
    with transaction.atomic():
        event = lock_event(event_id)
        pool = Pool.objects.create(event=event, **values)
        note(event, "places made", pool.id, person=person, text=f"{pool.name}: {pool.capacity}")
        return pool


def make_with_laptops(person: User, event_id: int, values: Mapping[str, Any], laptops: int) -> Pool:
    """A new pool, and so many new laptops that come with its seats; 0: none of its own. Raises BadRecipe, Conflict."""
    with transaction.atomic():
        if laptops:
            own = {
                "kind": Pool.Kind.LAPTOP, "capacity": min(laptops, MOST), "listed": False, "waiting_list": False,
                "name": _("Laptops: %(what)s") % {"what": values["name"][:100]},
            }  # fmt: skip
            values = {**values, "needs": make(person, event_id, own)}
        return make(person, event_id, values)


def make_series(person: User, event_id: int, values: Mapping[str, Any], minutes: int, count: int) -> list[Pool]:
    """So many slots one after the other, the first as `values` say. Raises BadRecipe, Conflict."""
    if not (1 <= minutes <= 24 * 60 and 1 <= count <= MOST_SLOTS) or values["starts_at"] is None:
        message = _("A series needs a start, minutes for each slot, and at most %(most)d slots.") % {"most": MOST_SLOTS}
        raise BadRecipe(message, "")
    step = datetime.timedelta(minutes=minutes)
    with transaction.atomic():
        starts = [values["starts_at"] + number * step for number in range(count)]
        return [make(person, event_id, {**values, "starts_at": at, "ends_at": at + step}) for at in starts]


def change(person: User, pool_id: str, values: Mapping[str, Any], anyway: bool = False) -> Pool:
    """Other values. Fewer places than are taken (here, or in pools that share what it needs) only `anyway`: nobody
    loses theirs then, there are more people than places. Raises Fewer, BadRecipe, Conflict."""
    needs = values["needs"]
    with locking.locked(*{pool_id, *([needs.id] if needs else [])}) as families:
        family = families[pool_id]
        pool = family.pools[pool_id]
        not_archived(pool.event)
        if needs and (needs.id == pool_id or pool.id in {one.needs_id for one in family.pools.values()}):
            raise BadRecipe(_("What others need cannot need something itself."), "")
        before = _short(family)
        for field, value in values.items():
            setattr(pool, field, value)
        pool.save()
        after = _short(locking.hold([pool_id])[pool_id])
        if after > max(before, 0) and not anyway:
            words = ngettext("That is %(n)d fewer than are taken.", "That is %(n)d fewer than are taken.", after)
            raise Fewer(words % {"n": after}, _("Nobody loses a place by it: tick the box if you mean it."))
        note(pool.event, "places changed", pool.id, person=person, text=f"{pool.name}: {pool.capacity}")
        for changed in (pool, family.root):
            places.sweep(changed)
        return pool


def _short(family: locking.Family) -> int:
    """How many more are taken than there are, where it is worst."""
    found = counts.tallies(family.pools.values(), family.now)
    return max(-counts.free(pool, family.pools, found, door=True) for pool in family.pools.values())


def close(person: User, pool_id: str) -> Pool:
    """Nobody takes a place or joins the waiting list from now on; what comes free still goes to those who wait."""
    with deed(person, pool_id, "places closed") as pool:
        pool.closes_at = timezone.now()
        pool.save(update_fields=["closes_at"])
        return pool


def reopen(person: User, pool_id: str) -> Pool:
    """Open again, until it begins."""
    with deed(person, pool_id, "places opened") as pool:
        pool.closes_at = None
        pool.save(update_fields=["closes_at"])
        return pool


def remove(person: User, pool_id: str) -> None:
    """A pool of which nobody ever had a place. Raises Conflict."""
    with deed(person, pool_id, "places removed") as pool:
        if pool.places.exists() or pool.needed_by.exists():
            raise Conflict(_("Somebody has, or had, a place here."), _("Close it instead."))
        pool.delete()


def give(person: User, pool_id: str, name: str, email: str, key: str, door: bool = False) -> Place:
    """A place by hand, booked at once; the door's reserve may be used. An address that has a place here gets no second
    one: who gives is told so. Raises Full, Conflict, BadRecipe."""
    if email and not whole(email):
        raise BadRecipe(_("Mail cannot go to this address."), _("Look at it again, or leave it empty."))
    with locking.locked(pool_id) as families:
        family = families[pool_id]
        pool = family.pools[pool_id]
        not_archived(pool.event)
        if sent := Place.objects.filter(pool=pool, key=key).first():
            return sent
        guest, _token = guests.make(pool.event_id, name, email)
        place = places.put(family, pool_id, guest, key, door)
        if email:
            proof.settle(place, proven=True)
            place.save(update_fields=["mailbox"])
        letters.booked(place)
        note(pool.event, "place at the door" if door else "place given", place.id, person=person, text=pool.name)
        return place


def cancel(person: User, place_id: str) -> Place:
    """The place, offer or wait ends; its guest is told. Raises Conflict."""
    with _place(person, place_id, "place cancelled") as place:
        if place.state not in Place.LIVE:
            raise Conflict(_("There is nothing to cancel any more."), _("Look at the list again."))
        return places.give_back(place.id, place.guest)


def move(person: User, place_id: str, to_id: str) -> Place:
    """A booked place becomes one of another pool, out of the door's reserve if need be; the ticket is made anew. Raises
    Full, Conflict, BadRecipe."""
    from_id = _pool_of(place_id)
    with locking.locked(from_id, to_id) as families:
        place = Place.objects.select_related("pool__event", "guest").get(id=place_id)
        there = families[to_id].pools[to_id]
        not_archived(there.event)
        if place.pool_id != from_id or place.state != State.BOOKED or there.event_id != place.pool.event_id:
            raise Conflict(_("Only a booked place can be moved, within its event."), _("Look at the list again."))
        _refuse_second(place, there)
        places.sweep(there)
        place.state, before = State.CANCELLED, place.pool
        place.save(update_fields=["state"])  # it must not count against what both pools need
        if places.room(families[to_id], there, door=True) <= 0:
            raise places.Full(_("Nothing is left there."), _("Choose another one."))
        place.at_door = places.room(families[to_id], there) <= 0
        place.pool, place.state, place.came_at, place.serial = there, State.BOOKED, None, place.serial + 1
        place.save()
        letters.booked(place)
        note(there.event, "place moved", place.id, person=person, text=f"{before.name} → {there.name}")
        places.sweep(before)
        return place


def _refuse_second(place: Place, there: Pool) -> None:
    live = Place.objects.filter(pool=there, state__in=Place.LIVE)
    if live.filter(guest=place.guest_id).exists() or (place.mailbox and live.filter(mailbox=place.mailbox).exists()):
        raise Conflict(_("They have a place there already."), "")


def resend(person: User, place_id: str) -> bool:
    """The letter about a booked place once more; whether there is an address to send it to."""
    with _place(person, place_id, "place's letter again") as place:
        if place.state != State.BOOKED:
            raise Conflict(_("Only a booked place has this letter."), "")
        letters.booked(place, again=new_id()[:8])
        return bool(place.guest.email)


def _pool_of(place_id: str) -> str:
    return Place.objects.filter(id=place_id).values_list("pool", flat=True).first() or ""


@contextmanager
def _place(person: User, place_id: str, name: str) -> Iterator[Place]:
    pool_id = _pool_of(place_id)
    with locking.locked(pool_id) as families:
        not_archived(families[pool_id].root.event)
        place = Place.objects.select_related("pool__event", "pool__room", "guest").get(id=place_id)
        yield place
        note(place.pool.event, name, place.id, person=person, text=place.pool.name)


def rows(pool: Pool) -> list[dict[str, Any]]:
    """Everybody with a place here or a wait for one, as the list backstage shows them: first who is in."""
    order = (State.BOOKED, State.HELD, State.OFFERED, State.WAITING)
    found = pool.places.select_related("guest").order_by("created_at", "id")
    ordered = sorted(found, key=lambda place: order.index(place.state) if place.state in order else len(order))
    return [{"place": place, "live": place.state in Place.LIVE} for place in ordered]


def invited(pool: Pool) -> dict[str, int]:
    """How many were invited, and how many of them have taken their place."""
    found = Invitation.objects.filter(pool=pool)
    return {"invited": found.count(), "used": found.exclude(used_at=None).count()}
