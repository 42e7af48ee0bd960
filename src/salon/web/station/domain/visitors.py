"""Visitors have no account: a signed ticket, given at the first request, says which requests are theirs."""

import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse

from salon.web import cookies

COOKIE = cookies.personal("salon_ticket")
_SALT = "salon.visitor"
#: seconds; a day in the world and the morning after
_LIFETIME = 60 * 60 * 24 * 14


def _signed(request: HttpRequest) -> str:
    """The ticket as sent: by header (programs; never lent by a browser), else by cookie."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else request.COOKIES.get(COOKIE, "")


def visitor_of(request: HttpRequest) -> str | None:
    """The visitor's key, or None without a ticket of ours."""
    try:
        return signing.loads(_signed(request), salt=_SALT, max_age=_LIFETIME)
    except signing.BadSignature:
        return None


def new_visitor() -> str:
    return secrets.token_hex(16)


def give_ticket(response: HttpResponse, visitor: str) -> None:
    """Sets the ticket's cookie."""
    cookies.keep(response, COOKIE, signing.dumps(visitor, salt=_SALT), _LIFETIME)
