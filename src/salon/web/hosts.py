"""Whom a request takes this house for. Anybody can write anything there, and even the page that says so is made by
what is here."""

from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest


def named(request: HttpRequest) -> str:
    """The host, with its port; "" if it is none of this house's."""
    try:
        return request.get_host()
    except DisallowedHost:
        return ""


def is_here(request: HttpRequest, address: str) -> bool:
    """Whether an address is one of the host that the request names. What is no address is nowhere."""
    try:
        host = urlsplit(address).netloc
    except ValueError:
        return False
    return bool(host) and host == named(request)
