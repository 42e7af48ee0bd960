"""Looking for a name at the door: when the code is not at hand. A volunteer sees names, what they are for and whether
they are in; no addresses, and never the whole list."""

import unicodedata
from typing import Any

from salon.core.text import tidy
from salon.web.doors.domain.answering import came
from salon.web.doors.domain.hands import pools
from salon.web.doors.models import CheckIn, Door
from salon.web.seats.models import Place

MOST = 8
#: letters that must be typed; one is enough in scripts where one letter says a syllable or a word
LEAST = 2


def folded(text: str) -> str:
    """Without case, accents and width: what is compared."""
    apart = unicodedata.normalize("NFKD", tidy(text).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _enough(wanted: str) -> bool:
    return len(wanted) >= LEAST or any(ord(letter) >= 0x1100 for letter in wanted)


def find(door: Door, typed: str) -> dict[str, Any]:
    """`found`: at most MOST places whose guest's name has every word that was typed; `more`: that there are others."""
    words = folded(typed[:80]).split()
    if not words or not _enough("".join(words)):
        return {"found": [], "more": False}
    there = Place.objects.filter(pool__in=pools(door), guest__erased_at=None).exclude(
        state__in=(Place.State.CANCELLED, Place.State.DECLINED, Place.State.EXPIRED)
    )
    rows = there.order_by().values_list("id", "guest__name")
    hits = sorted((name, place) for place, name in rows if all(word in folded(name) for word in words))
    chosen = [place for _name, place in hits[:MOST]]
    places = Place.objects.select_related("guest", "pool").in_bulk(chosen)
    entries = CheckIn.objects.select_related("door__event").filter(place__in=chosen, undone_at=None)
    ins = {entry.place_id: entry for entry in entries}
    return {"found": [_shown(places[one], ins.get(one)) for one in chosen], "more": len(hits) > MOST}


def _shown(place: Place, entry: CheckIn | None) -> dict[str, Any]:
    return {
        "place": place.id,
        "name": place.guest.name,
        "pool": place.pool.name,
        "state": came(entry) if entry else place.get_state_display(),
        "inside": entry is not None,
    }
