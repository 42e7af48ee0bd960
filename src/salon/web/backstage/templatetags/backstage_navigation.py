"""`{% load backstage_navigation %}{% backstage_groups as groups %}`: the navigation of whoever looks."""

from typing import Any

from django import template
from django.template import Context
from django.utils.translation import gettext

from salon.web.backstage import navigation
from salon.web.events.pages import shown

register = template.Library()


@register.simple_tag(takes_context=True)
def backstage_groups(context: Context) -> list[dict[str, Any]]:
    """The groups of links for the person of this page; none for whoever is not logged in."""
    request = context.get("request")
    user = getattr(request, "user", None)
    return navigation.groups(user, request.path) if user is not None and user.is_authenticated else []


@register.simple_tag(takes_context=True)
def backstage_here(context: Context) -> str:
    """What the page's own link is called, for its title; without one, backstage."""
    links = [link for group in backstage_groups(context) for link in group["links"] if link["here"]]
    return str(links[0]["words"]) if links else gettext("Backstage")


@register.simple_tag
def current_event_shown() -> Any:
    """The event that all of backstage is about."""
    return shown()
