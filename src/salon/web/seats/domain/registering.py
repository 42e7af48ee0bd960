"""Taking a place by the form: who is it, and was this press sent before?"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.core.text import tidy
from salon.web.events import sums
from salon.web.mail.letters import whole
from salon.web.people import guests
from salon.web.people.models import Guest
from salon.web.seats.domain import invitations, locking, places, proof, showing
from salon.web.seats.models import Place

KEY = re.compile(r"[0-9a-f]{32}")


class Asked(NamedTuple):
    """What the form says."""

    key: str
    name: str
    email: str
    code: str
    agreed: bool


def read(form: Mapping[str, Any]) -> tuple[Asked, dict[str, str]]:
    """The form's values, and what is wrong with them by field."""
    asked = Asked(
        str(form.get("key", "")),
        tidy(str(form.get("name", ""))),
        tidy(str(form.get("email", ""))) if settings.EMAIL_CONFIGURED else "",
        str(form.get("code", "")).strip()[:64],
        bool(form.get("agreed")),
    )
    wrong = {}
    if not KEY.fullmatch(asked.key):
        wrong["key"] = _("This form is not whole: open the page anew.")
    if len(asked.name) > 200:
        wrong["name"] = _("At most %(most)d characters, please.") % {"most": 200}
    else:
        try:
            guests.name_of(asked.name)
        except BadRecipe as error:
            wrong["name"] = str(error)
    if asked.email and not whole(asked.email):
        wrong["email"] = _("Mail cannot go to this address: look at it again, or leave it empty.")
    if not asked.agreed:
        wrong["agreed"] = _("Without your agreement we cannot keep your name.")
    return asked, wrong


def needs_proof(asked: Asked, known: Guest | None) -> bool:
    """Whether the form makes the house write to an address that has never answered: then its sender does a sum."""
    if not asked.email:
        return False
    answered = Place.objects.filter(guest=known, mailbox=proof.mailbox(asked.email)) if known else Place.objects.none()
    return not answered.exists()


def register(
    pool_id: str, asked: Asked, known: Guest | None, language: str, visitor: str = "", done: sums.Proof | None = None
) -> Place:
    """The place of whoever sent this form; `known` is whom the browser was before. A press that comes twice, with or
    without the cookie that its first answer brought, is one: its key is known to that page alone. `done` is the sum
    that is spent with it. Raises as `take`."""
    with locking.locked(pool_id) as families:
        family = families[pool_id]
        if not (family.root.event.current and showing.is_open(family.root.event)):
            raise Conflict(_("The event is not open, or it is over."), _("Come back when it opens."))
        if sent := Place.objects.filter(pool=pool_id, key=asked.key).select_related("guest").first():
            return places.take_in(family, pool_id, sent.guest, asked.key, "")
        if done:
            sums.spend(done)
        if guest := _known(asked, known) or invitations.named_by(family.pools[pool_id], asked.code):
            return places.take_in(family, pool_id, guest, asked.key, asked.code)
        guest, _token = guests.make(family.root.event_id, asked.name, asked.email, language, visitor)
        places.sweep_in(family)
        return places.enter(family, pool_id, guest, asked.key, asked.code)


def _known(asked: Asked, known: Guest | None) -> Guest | None:
    """The guest whom the browser remembers, if the form names nobody else: a phone may serve a whole family."""
    if known and known.name == asked.name and asked.email.casefold() in ("", known.email.casefold()):
        return known
    return None


def without_address(place_id: str, guest: Guest) -> Place:
    """The mail does not come: the place becomes that of somebody of the same name without an address. Raises as
    `confirm` and `accept`."""
    pool = Place.objects.values_list("pool", flat=True).get(id=place_id)
    with locking.locked(pool):
        place = Place.objects.get(id=place_id)
        if place.guest_id != guest.pk:
            raise BadRecipe(_("There is no place of yours by that name."), _("Open your private link."))
        if place.state == Place.State.BOOKED:
            return place
        plain, _token = guests.make(guest.event_id, guest.name, "", guest.language, guest.visitor)
        Guest.objects.filter(id=plain.id).update(link_edition=guest.link_edition)  # the place's link leads there still
        Place.objects.filter(id=place.id).update(guest=plain)
        deed = places.accept if place.state == Place.State.OFFERED else places.confirm
        return deed(place.id, plain)
