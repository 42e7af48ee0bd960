"""Addresses for others, and QR codes of them as SVG."""

import io
import ipaddress
from urllib.parse import urlsplit

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from salon.web import hosts


def public_address(request: HttpRequest, path: str) -> str:
    """The address of `path` for another device: a booth that calls itself 127.0.0.1 must not say so to a phone."""
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)


def here_only(request: HttpRequest) -> bool:
    """Whether addresses that this page gives away lead a phone nowhere: they name the machine itself."""
    if not settings.PUBLIC_URL and not hosts.named(request):
        return False
    host = urlsplit(public_address(request, "/")).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def house_address(path: str) -> str:
    """The address of `path` for a letter, which no request asks for: the house's own as it was opened."""
    return f"{settings.PUBLIC_URL or settings.OWN_URL or 'http://127.0.0.1:8000'}{path}"


def qr_svg(text: str) -> bytes:
    """A QR code of `text`, with its quiet zone, in the colour of what it stands on."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, omitsize=True, xmldecl=False, svgns=True)
    return out.getvalue()


def qr_answer(text: str) -> HttpResponse:
    """The code as an image that is not kept: addresses change with the network."""
    answer = HttpResponse(qr_svg(text), content_type="image/svg+xml")
    answer["Cache-Control"] = "no-cache"
    return answer
