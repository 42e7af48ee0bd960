"""Where a request came from, as far as the house wants to know: enough to see that much comes from one place."""

import ipaddress

from django.http import HttpRequest
from django.utils.crypto import salted_hmac


def source_of(request: HttpRequest) -> str:
    """The sender's network, keyed and hashed (64 hex digits): the same for one address, and for all of an IPv6 network
    of 64 bits, since whoever has one of its addresses has all of them. What a proxy on this very machine says it was
    called from counts instead of the proxy; it writes last. A venue may share one, so a source is never refused what it
    asks for the first time; it only cannot have everything."""
    address = request.META.get("REMOTE_ADDR", "")
    said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    network = _network(said if said and _is_here(address) else address)
    return salted_hmac("salon.source", network, algorithm="sha256").hexdigest()


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a socket of this machine, a test
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
