"""What visitors are shown of pools and places, in words."""

import datetime
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from salon.web.events import times
from salon.web.events.models import Event
from salon.web.ids import new_id
from salon.web.people.models import Guest
from salon.web.seats.domain import counts, places, proof
from salon.web.seats.domain.counts import Counts
from salon.web.seats.models import Invitation, Place, Pool

State = Place.State
#: the kinds in the order of the page, and their headings
KINDS = {
    Pool.Kind.MEETING: gettext_lazy("Meet & greet"),
    Pool.Kind.WORKSHOP: gettext_lazy("Workshops"),
    Pool.Kind.SLOT: gettext_lazy("Hours at the station"),
    Pool.Kind.LAPTOP: gettext_lazy("Laptops"),
    Pool.Kind.OTHER: gettext_lazy("And more"),
}
MOST_DOTS = 60


class Told(NamedTuple):
    """A pool as a visitor reads it. `mood`: open, waiting, shut; `until`: when booking closes, "" if never or closed;
    `dots`: one for each place taken, one for each free."""

    pool: Pool
    when: str
    short: str
    left: str
    mood: str
    until: str
    mine: Place | None
    dots: tuple[str, str] | None


def is_open(event: Event) -> bool:
    """Whether visitors' pages of the event show places."""
    return event.opened_at is not None and event.archived_at is None


def when(pool: Pool, form: str = "") -> str:
    """Day and hours, by the event's clock."""
    if pool.starts_at is None:
        return ""
    if pool.ends_at is None:
        return times.words(pool.event, pool.starts_at, form)
    return times.span(pool.event, pool.starts_at, pool.ends_at, form)


def left(pool: Pool, count: Counts, now: datetime.datetime) -> tuple[str, str]:
    """(what is left in words, mood)."""
    if pool.opens_at and now < pool.opens_at:
        return _("opens on %(time)s") % {"time": times.words(pool.event, pool.opens_at)}, "shut"
    if (ends := places.closes(pool)) and ends <= now:
        return _("closed"), "shut"
    if count.left:
        said = ngettext("%(n)d left", "%(n)d left", count.left) % {"n": count.left}
        if pool.invited_until and now < pool.invited_until:
            until = times.words(pool.event, pool.invited_until)
            return _("%(left)s, until %(time)s for invited guests") % {"left": said, "time": until}, "open"
        return said, "open"
    lacks = count.lacking and pool.needs
    full = _("%(what)s: none left") % {"what": pool.needs.name} if lacks else _("full")
    if not pool.waiting_list:
        return full, "shut"
    if not count.waiting:
        return _("%(full)s, nobody waits") % {"full": full}, "waiting"
    waiting = ngettext("%(full)s, waiting list of %(n)d", "%(full)s, waiting list of %(n)d", count.waiting)
    return waiting % {"full": full, "n": count.waiting}, "waiting"


def until(pool: Pool, now: datetime.datetime) -> str:
    """Until when somebody may take a place or join the waiting list; "" where that is not so now, or has no end."""
    ends = places.closes(pool)
    if ends is None or not places.takes_people(pool, now):
        return ""
    return times.words(pool.event, ends)


def told(pools: Iterable[Pool], guest: Guest | None) -> list[Told]:
    """These pools, with the guest's own live places in them."""
    found, now = list(pools), timezone.now()
    count = counts.all_of(found, now)
    own = Place.objects.filter(pool__in=found, guest=guest, state__in=Place.LIVE).select_related("guest")
    mine = {place.pool_id: place for place in own} if guest else {}
    clock = pgettext("format of a time", "H:i")
    return [
        Told(
            one, when(one), when(one, clock), *left(one, count[one.id], now), until(one, now), mine.get(one.id),
            dots(count[one.id]),
        )
        for one in found
    ]  # fmt: skip


def dots(count: Counts) -> tuple[str, str] | None:
    """What is taken and what is free, to be seen at a glance; None where there are too many for that."""
    return ("●" * count.taken, "○" * count.left) if 1 <= count.taken + count.left <= MOST_DOTS else None


def groups(event: Event, guest: Guest | None) -> list[dict[str, Any]]:
    """Everything that visitors may take of, by kind; slots of one name together as a row of hours for each day."""
    pools = Pool.objects.filter(event=event, listed=True).select_related("event", "room", "needs")
    rows = told(pools, guest)
    found = []
    for kind, name in KINDS.items():
        own = [row for row in rows if row.pool.kind == kind]
        if own and kind == Pool.Kind.SLOT:
            found.append({"kind": kind, "name": name, "series": _series(own)})
        elif own:
            found.append({"kind": kind, "name": name, "rows": own})
    return found


def _series(rows: list[Told]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        start = row.pool.starts_at
        day = times.day_words(times.local(row.pool.event, start).date()) if start else ""
        series = found.setdefault((row.pool.name, day), {"name": row.pool.name, "day": day, "slots": [], "first": row})
        series["slots"].append(row)
    return list(found.values())


def invited(guest: Guest) -> list[dict[str, Any]]:
    """Invitations of this guest that wait for an answer: the pool, until when a place is kept (in words, "" for none),
    and a key for the one press that takes it."""
    now = timezone.now()
    rows = Invitation.objects.filter(guest=guest, used_at=None, pool__listed=True).select_related("pool__event")
    return [
        {"pool": row.pool, "when": when(row.pool), "kept_until": kept_until(row.pool, row.keeps_until), "key": new_id()}
        for row in rows.order_by("pool__starts_at", "pool__name")
        if places.takes_people(row.pool, now)
    ]


def kept_until(pool: Pool, ends: datetime.datetime | None) -> str:
    """Until when a place is kept for somebody invited, by the event's clock; "" where none is."""
    return times.words(pool.event, ends) if ends and ends > timezone.now() else ""


def due(place: Place) -> bool:
    """Whether time has ended something that this place's page must know, and no row says so yet."""
    if place.state in (State.HELD, State.OFFERED):
        return seconds(place) == 0
    if place.state != State.WAITING:
        return False
    root = place.pool.needs_id or place.pool_id
    family = Q(pool=root) | Q(pool__needs=root)
    over = Place.objects.filter(family, state__in=(State.HELD, State.OFFERED), expires_at__lte=timezone.now())
    return over.exists()


def state(place: Place) -> dict[str, Any]:
    """What a place's page looks at again: if one of these changes, so does the page."""
    waits = place.state == State.WAITING
    return {"state": place.state, "rank": places.rank(place) if waits else 0, "seconds": seconds(place)}


def seconds(place: Place) -> int:
    """Until a hold or an offer ends."""
    if place.expires_at is None or place.state not in (State.HELD, State.OFFERED):
        return 0
    return max(0, round((place.expires_at - timezone.now()).total_seconds()))


def page(place: Place, by_letter: bool) -> dict[str, Any]:
    """Everything that a place's own page says."""
    pool = place.pool
    started = pool.starts_at is not None and pool.starts_at <= timezone.now()
    ends, clock = place.expires_at, pgettext("format of a time", "H:i")
    return state(place) | {
        "place": place,
        "pool": pool,
        "when": when(pool),
        "expires": times.words(pool.event, ends) if ends else "",
        "clock": times.words(pool.event, ends, clock) if ends else "",
        "letter": not by_letter and place.mailbox is None and proof.asked_of(place.guest),
        "by_letter": by_letter,
        "we_write": bool(settings.EMAIL_CONFIGURED and place.guest.email),
        "started": started,
        "token": proof.token_of(place, letter=by_letter),
    }
