"""Guests: made when somebody applies or takes a place, known again by their private link or by the cookie it leaves."""

import re
import secrets

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Forbidden
from salon.core.hashing import bytes_hash
from salon.core.text import tidy
from salon.web import cookies
from salon.web.people.models import Guest

COOKIE = cookies.personal("salon_guest")
#: seconds that a browser remembers its guest: from a call's opening to the day
LIFETIME = 60 * 60 * 24 * 200
_LINK = re.compile(r"//|\bwww[.．]", re.IGNORECASE)


def name_of(typed: str) -> str:
    """A name as it is kept: one line, and no link, since it stands in letters. Raises BadRecipe."""
    clean = tidy(typed)[:200]
    if not clean:
        raise BadRecipe(_("Please say your name, or what you want to be called."), "")
    if _LINK.search(clean):
        raise BadRecipe(_("A name has no link in it."), _("Write only what you want to be called."))
    return clean


def make(event_id: int, name: str, email: str = "", language: str = "", visitor: str = "") -> tuple[Guest, str]:
    """A new guest and the token of their private link, which is told once. The same address may be several guests:
    whoever types an address learns nothing of others who did. Raises BadRecipe without a name, or with a link for
    one."""
    clean = name_of(name)
    token = secrets.token_urlsafe(24)
    guest = Guest.objects.create(
        event_id=event_id, name=clean, email=tidy(email)[:254], language=language[:10], visitor=visitor,
        token_hash=bytes_hash(token.encode()),
    )  # fmt: skip
    return guest, token


def link_token(guest: Guest) -> str:
    """Another token of the guest's private link, for letters: signed, so that nothing of it is kept. It is good as long
    as the first one."""
    return f"{guest.id}.{_signature(guest)}"


def _signature(guest: Guest) -> str:
    return salted_hmac("salon.guest_link", f"{guest.id}:{guest.token_hash}", algorithm="sha256").hexdigest()


def renew(guest: Guest) -> str:
    """A new token; whatever led to the guest's pages before, link or cookie, leads there no more."""
    token = secrets.token_urlsafe(24)
    guest.token_hash = bytes_hash(token.encode())
    Guest.objects.filter(id=guest.id).update(token_hash=guest.token_hash, link_edition=F("link_edition") + 1)
    guest.refresh_from_db(fields=["link_edition"])
    return token


def find(token: str) -> Guest | None:
    """The guest whose token this is, the first one's or a letter's."""
    guest_id, dot, signature = token.partition(".")
    if not dot:
        return Guest.objects.filter(token_hash=bytes_hash(token.encode()), erased_at=None).first() if token else None
    found = Guest.objects.filter(id=guest_id, erased_at=None).first() if guest_id.isalnum() else None
    return found if found and constant_time_compare(signature, _signature(found)) else None


def guest_of_token(token: str) -> Guest:
    """The guest whose private link this is. Raises Forbidden."""
    found = find(token)
    if found is None:
        message = _("This private link is not (or no longer) known here.")
        raise Forbidden(message, _("Look for a newer one, or apply again."))
    return found


def guest_of(request: HttpRequest) -> Guest | None:
    """The guest that this browser is, by its cookie; None for everybody else."""
    return find(request.COOKIES.get(COOKIE, ""))


def remember(response: HttpResponse, token: str, seconds: int = LIFETIME) -> None:
    """Makes this browser that guest."""
    cookies.keep(response, COOKIE, token, seconds)
