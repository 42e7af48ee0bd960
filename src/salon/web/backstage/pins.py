"""A booth's PIN: four to eight digits that a curator sets, so that volunteers take a work off the screens at a booth
without an account's password. It works at the event's booths only, opens the screens only, and for a short while.

Ten thousand numbers are few: tries are limited at each booth, and at all of them together within a day. Whoever uses
them up shuts out the PIN, never an account; a new PIN begins to count anew."""

import datetime
import unicodedata
from itertools import pairwise
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.web.events import devices, tries
from salon.web.events.domain import current_event, lock_current_event
from salon.web.events.models import BoothPin, Device, Event, Try
from salon.web.events.trail import note
from salon.web.people.models import BOOTH, User
from salon.web.people.sessions import AT_BOOTH, View, allowed

KIND = "pin"
SHORTEST, LONGEST = 4, 8
PAUSE, DAY = datetime.timedelta(minutes=15), datetime.timedelta(days=1)
#: wrong PINs: at one booth within PAUSE, at all of them within a day
MOST_A_BOOTH, MOST = 5, 60
LIMITS = (tries.Limit(MOST_A_BOOTH, PAUSE, subject=True), tries.Limit(MOST, DAY))
#: for how long a booth stays unlocked
OPEN_FOR = datetime.timedelta(minutes=10)


def pin_of(event: Event) -> BoothPin | None:
    """The event's PIN, if it has one."""
    return BoothPin.objects.filter(event=event).first()


def has_pin(device: Device | None) -> bool:
    """Whether this browser is a booth that a PIN unlocks."""
    return is_booth(device) and pin_of(current_event()) is not None


def set_pin(doer: User, typed: str) -> None:
    """From now on it is this one; booths that the one before unlocked are unlocked for their ten minutes. Raises
    BadRecipe for one that is too short, too long, or the first that anybody tries."""
    digits = _digits(typed)
    if not SHORTEST <= len(digits) <= LONGEST or not digits.isascii() or not digits.isdigit():
        raise BadRecipe(_("A PIN has four to eight digits, and nothing else."), _("Choose another."))
    if _is_guessed_first(digits):
        raise BadRecipe(_("Whoever tries their luck begins with that one."), _("Choose digits without an order."))
    hashed = make_password(digits)
    with transaction.atomic():
        event = lock_current_event()
        BoothPin.objects.update_or_create(event=event, defaults={"pin_hash": hashed, "set_at": timezone.now()})
        Try.objects.filter(kind=KIND).delete()
        note(event, "booth PIN set", "", person=doer)


def _digits(typed: str) -> str:
    return "".join(unicodedata.normalize("NFKC", typed).split())


def _is_guessed_first(digits: str) -> bool:
    """All the same, or one after the other, forwards or backwards."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    return len(steps) == 1 and steps <= {0, 1, 9}


def take_away(doer: User) -> None:
    """Without a PIN a booth asks for a name and a password again."""
    with transaction.atomic():
        event = lock_current_event()
        if BoothPin.objects.filter(event=event).delete()[0]:
            note(event, "booth PIN taken away", "", person=doer)


def unlock(device: Device | None, typed: str) -> User:
    """The account of unlocked booths, if this browser is one of the event's booths and the PIN is right. Raises
    Forbidden elsewhere, Conflict without a PIN, TooManyTries, BadRecipe for a wrong one."""
    event = current_event()
    if device is None or not is_booth(device):
        raise Forbidden(_("A PIN unlocks the event's booths only."), _("Come in by your name and password."))
    kept = pin_of(event)
    if kept is None:
        raise Conflict(_("This event's booths have no PIN."), _("A curator sets one under “Booths and walls”."))
    tried = tries.begin(KIND, device.id, "", LIMITS)
    if tried is None:
        raise tries.TooManyTries(
            _("Too many wrong PINs: this booth takes none for a quarter of an hour, and all together sixty in a day."),
            _("A name and a password, or a link, open at once; so does a new PIN that a curator sets."),
        )
    if not check_password(_digits(typed)[: LONGEST + 1], kept.pin_hash):
        note(event, "wrong PIN", device.id, text=device.name)
        raise BadRecipe(_("This is not the PIN."), _("Ask whoever looks after the booths."))
    tries.forgive(tried)
    note(event, "booth unlocked", device.id, person=account(), text=device.name)
    return account()


def account() -> User:
    """Nobody's own: it has no password, no address, no role that could be given or taken."""
    made = {"is_staff": True, "first_name": "a booth"}
    return User.objects.get_or_create(username=BOOTH, defaults={**made, "password": make_password(None)})[0]


def at_the_screens(view: View) -> View:
    """As `allowed`, for curators, volunteers, and whoever has unlocked this booth, as long as it is the event's."""

    def wrapped(request: HttpRequest, *arguments: Any, **more: Any) -> HttpResponse:
        if request.user.at_booth and not is_booth(devices.booth(request)):
            raise Forbidden(_("This browser is no longer one of the event's booths."), "")
        return view(request, *arguments, **more)

    return allowed("curator", "volunteer", AT_BOOTH)(wrapped)


def is_booth(device: Device | None) -> bool:
    """Whether it is one of the current event's."""
    return device is not None and device.event_id == current_event().id
