"""Who comes to the demo event: places that people took, some who wait, and the door that they come in by. All are
invented."""

import datetime

from django.utils.translation import gettext as _

from salon.web.doors.domain import hands
from salon.web.events.models import Event
from salon.web.ids import new_id
from salon.web.people import guests
from salon.web.people.models import User
from salon.web.seats.domain import places
from salon.web.seats.models import Place, Pool

FIRST = ("Ada", "Bilal", "Chiara", "Dao", "Emeka", "Fatma", "Goran", "Hana", "Ines", "Jun", "Katya", "Luca", "Mei")
LAST = ("Abara", "Berg", "Castro", "Demir", "Eze", "Fischer", "García", "Haddad", "Ito", "Jensen", "Kowalska")
#: taken and then waited for, of the demo's pools in the order of their beginnings
WISHES = (9, 4, 11, 7, 31)


def make(event: Event, person: User) -> None:
    """Inside the demo's transaction, after its programme made its pools."""
    number = 0
    for pool, wished in zip(Pool.objects.filter(event=event).order_by("starts_at", "id"), WISHES, strict=False):
        for _turn in range(wished):
            name = f"{FIRST[number % len(FIRST)]} {LAST[number % len(LAST)]}"
            guest, _token = guests.make(event.id, name, "", event.languages[0] if event.languages else "en")
            place = places.take(pool.id, guest, new_id())
            if place.state == Place.State.HELD:
                places.confirm(place.id, guest)
            number += 1
    opens = datetime.datetime.combine(event.starts_on or datetime.date.today(), datetime.time(9, 30))
    door = {"name": _("Main door"), "opens_at": opens.isoformat(timespec="minutes")}
    hands.set_door(person, "", door, ())
