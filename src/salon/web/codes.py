"""QR codes as SVG."""

import io

import segno
from django.http import HttpResponse


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
