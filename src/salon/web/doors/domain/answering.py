"""What is said at the door: a word to be read at arm's length, a sentence, and what to do next."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from salon.web.doors.domain.hands import Hand
from salon.web.doors.domain.redeeming import Shown, window
from salon.web.doors.models import CheckIn, Door, Reason, Refusal
from salon.web.events import times
from salon.web.seats.models import Place

#: of each reason: how grave, the word, the sentence, what to do
WORDS = {
    Reason.UNKNOWN: (
        "red", gettext_lazy("Not valid"), gettext_lazy("This is no ticket of this house, or a forged one."),
        gettext_lazy("Look for the name. Without a place: give one at the door, if there is one left."),
    ),
    Reason.OTHER_EVENT: (
        "red", gettext_lazy("Another event"), gettext_lazy("This ticket is for another event."),
        gettext_lazy("Look for the name, or give a place at the door."),
    ),
    Reason.REVOKED: (
        "red", gettext_lazy("Replaced"), gettext_lazy("This ticket was made anew: an older one is worth nothing."),
        gettext_lazy("Ask for the newer ticket, or look for the name and ask who they are."),
    ),
    Reason.ERASED: (
        "red", gettext_lazy("Erased"), gettext_lazy("Its holder had their data erased, and the place with it."),
        gettext_lazy("Give a place at the door, if there is one left."),
    ),
    Reason.NOT_BOOKED: (
        "amber", gettext_lazy("No place"), gettext_lazy("This place is not booked."),
        gettext_lazy("Give a place at the door, if there is one left."),
    ),
    Reason.WRONG_DOOR: (
        "amber", gettext_lazy("Another door"), gettext_lazy("This ticket is good, but not at this door."),
        gettext_lazy("Send them to the door of what their place is for."),
    ),
    Reason.ALREADY_IN: (
        "amber", gettext_lazy("Already in"), gettext_lazy("Somebody came in with this ticket."),
        gettext_lazy("Ask. If they only stepped out, let them in; else call somebody of the house."),
    ),
    Reason.TOO_EARLY: (
        "amber", gettext_lazy("Too early"), gettext_lazy("This ticket is good, but not yet."),
        gettext_lazy("Ask them to come back then, or let them in anyway."),
    ),
    Reason.TOO_LATE: (
        "amber", gettext_lazy("Too late"), gettext_lazy("This ticket was good, and is not any more."),
        gettext_lazy("Call somebody of the house if that is wrong."),
    ),
}  # fmt: skip


def answer(hand: Hand, said: Shown) -> dict[str, Any]:
    """For the door's page, in its language. The same row gives the same answer."""
    place = said.place
    told: dict[str, Any] = {
        "nonce": said.nonce,
        "name": "" if place is None or place.guest.erased_at else place.guest.name,
        "pool": place.pool.name if place and place.pool.event_id == hand.door.event_id else "",
        "at": times.words(hand.door.event, said.at, pgettext("format of an hour", "H:i")),
        "offline": said.offline,
    }
    if isinstance(said, CheckIn):
        return told | _entry(said)
    tone, word, message, hint = WORDS[Reason(said.reason)]
    sentences = " ".join([str(message), *_more(hand, said)])
    told |= {"answer": str(said.reason), "tone": tone, "word": str(word), "message": sentences, "hint": str(hint)}
    return told


def _entry(said: CheckIn) -> dict[str, Any]:
    told = {"answer": "in", "tone": "green", "word": _("Come in"), "message": "", "hint": "", "undone": False}
    if said.undone_at:
        hint = _("This entry was undone. Scan the ticket again to let them in.")
        return told | {"undone": True, "tone": "amber", "word": _("Undone"), "hint": hint}
    return told


def _more(hand: Hand, said: Refusal) -> list[str]:
    """The one thing more that helps: where and when, which state, from when."""
    if said.reason == Reason.ALREADY_IN and said.prior:
        return [came(said.prior)]
    if said.reason == Reason.NOT_BOOKED:
        return [_("It says: %(state)s.") % {"state": Place.State(said.state).label}]
    if said.reason == Reason.WRONG_DOOR and (names := _doors_of(said)):
        return [_("It opens: %(doors)s.") % {"doors": ", ".join(names)}]
    if said.reason in (Reason.TOO_EARLY, Reason.TOO_LATE) and said.place:
        opens, closes = window(hand, said.place)
        at = opens if said.reason == Reason.TOO_EARLY else closes
        words = _("Entry begins: %(time)s.") if said.reason == Reason.TOO_EARLY else _("Entry ended: %(time)s.")
        return [words % {"time": times.words(hand.door.event, at)}] if at else []
    return []


def came(entry: CheckIn) -> str:
    """Where and when somebody came in."""
    hour = times.words(entry.door.event, entry.at, pgettext("format of an hour", "H:i"))
    return _("At %(time)s by “%(door)s”.") % {"time": hour, "door": entry.door.name}


def _doors_of(said: Refusal) -> list[str]:
    there = Door.objects.filter(event=said.door.event_id, removed_at=None)
    return [door.name for door in there.filter(pools=said.place.pool_id)[:3]] if said.place else []
