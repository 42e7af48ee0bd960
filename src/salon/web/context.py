"""What every page knows."""

from django.http import HttpRequest

from salon import web


def house(request: HttpRequest) -> dict[str, object]:
    """`page_language` for <html lang>; nothing here touches the database."""
    return {"page_language": "en", "house_name": web.NAME}
