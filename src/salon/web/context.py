"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest

from salon import web


def house(request: HttpRequest) -> dict[str, object]:
    """`page_language` for <html lang>, `source_url` if the house names one; nothing here touches the database."""
    return {"page_language": "en", "house_name": web.NAME, "source_url": settings.SOURCE_URL}
