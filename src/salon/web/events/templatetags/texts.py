"""`{% load texts %}`: organisers' words in the reader's language, and which language they are in."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.translation import get_language

from salon.web.events import texts

register = template.Library()


@register.filter
def said(row: Any, field: str) -> Any:
    """`{{ question|said:"label" }}`: in the reader's language, else in the event's first."""
    return texts.said(row, field) if row else ""


@register.simple_tag(takes_context=True)
def lang_of(context: Any, row: Any, field: str) -> str:
    """`<p{% lang_of question "label" %}>`: names the language where it is not the page's."""
    event = context.get("event")
    first = event.languages[0] if event and event.languages else ""
    if not first or first == get_language() or (row and texts.own(row, field)):
        return ""
    return format_html(' lang="{}"', first)
