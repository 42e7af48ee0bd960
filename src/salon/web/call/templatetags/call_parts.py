"""`{% load call_parts %}`."""

from django import template

from salon.web.call.domain import states
from salon.web.call.models import Submission

register = template.Library()


@register.simple_tag
def decisions(submission: Submission) -> list[tuple[str, str]]:
    """`{% decisions one as choices %}`: the decisions that fit an application, with their names."""
    return [(value, str(Submission.State(value).label)) for value in states.choices(submission)]
