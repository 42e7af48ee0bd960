"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from salon import web
from salon.web import codes, languages
from salon.web.line import has_room
from salon.web.station.domain.visitors import is_stranger


def house(request: HttpRequest) -> dict[str, object]:
    """`page_language` for <html lang>, `tongues` and `back` for the chooser, `source_url` if the house names one,
    `writes_mail` if letters leave it, `here_only` if addresses for phones lead to this machine only, `no_room` while
    nothing new can be kept, `stranger` (asked for where it matters) if a sum would make this browser known; nothing
    here touches the database."""
    return {
        "page_language": get_language() or settings.LANGUAGE_CODE,
        "tongues": languages.tongues(request),
        "back": languages.back_from(request),
        "house_name": web.NAME,
        "source_url": settings.SOURCE_URL,
        "writes_mail": settings.EMAIL_CONFIGURED,
        "here_only": codes.here_only(request),
        "no_room": not has_room(),
        "stranger": lambda: is_stranger(request),
    }
