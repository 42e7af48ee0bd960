"""`{% load event_times %}`: times by the event's clock, whatever the machine's."""

import datetime

from django import template
from django.templatetags.tz import do_timezone
from django.utils.html import format_html

from salon.web.events import times
from salon.web.events.models import Event

register = template.Library()


@register.filter
def local(at: datetime.datetime, event: Event) -> datetime.datetime:
    """`{{ at|local:event|date:"H:i" }}`: for Django's formats."""
    return do_timezone(at, times.zone(event))


@register.filter
def days(event: Event) -> str:
    """`{{ event|days }}`: "6 – 7 June 2026"."""
    return times.days(event)


@register.filter
def field(at: datetime.datetime | None, event: Event) -> str:
    """`{{ at|field:event }}`: the value of an input of type datetime-local."""
    return times.field(event, at)


@register.simple_tag
def when(at: datetime.datetime | None, event: Event, form: str = "") -> str:
    """`{% when at event %}` or `{% when at event "H:i" %}`: words in a `<time>` that says the instant itself."""
    if not at:
        return ""
    shown = times.local(event, at)
    return format_html('<time datetime="{}">{}</time>', shown.isoformat("T", "minutes"), times.words(event, at, form))
