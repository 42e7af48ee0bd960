"""What leads where backstage: in groups, for each person only what they may open. Rooms are known by the names of their
routes; a room that this house does not have is left out."""

from collections.abc import Collection
from typing import Any, NamedTuple

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from salon.web.people.models import Role, User
from salon.web.people.sessions import AT_BOOTH, roles_of

ORGANISER, CURATOR, REVIEWER, VOLUNTEER = Role.Kind.values
#: for everybody of the house, whatever their role
ANYBODY = tuple(Role.Kind.values)


class Link(NamedTuple):
    """A page: its route, what it is called, who may open it (organisers may open all), and where else its pages are."""

    route: str
    words: Any
    kinds: Collection[str] = ()
    under: str = ""


GROUPS: tuple[tuple[Any, tuple[Link, ...]], ...] = (
    (
        _("Today"),
        (
            Link("backstage:home", _("Inbox"), (CURATOR,), under="/backstage/works"),
            Link("backstage:screens", _("Screens"), (CURATOR, VOLUNTEER, AT_BOOTH)),
            Link("doors:backstage", _("Doors"), (VOLUNTEER,)),
            Link("backstage:reports", _("Reports"), (CURATOR,)),
            Link("backstage:findings", _("Findings"), (CURATOR,)),
        ),
    ),
    (
        _("Plan"),
        (
            Link("events:backstage", _("Event"), under="/backstage/events"),
            Link("call:backstage", _("Call"), (CURATOR,)),
            Link("jury:backstage", _("Jury"), (REVIEWER,)),
            Link("seats:backstage", _("Places"), (VOLUNTEER,)),
            Link("programme:backstage", _("Programme")),
            Link("mail:backstage", _("Mail")),
            Link("backstage:people", _("People")),
            Link("people:data", _("People's data")),
        ),
    ),
    (
        _("House"),
        (
            Link("backstage:devices", _("Booths and walls"), (CURATOR,)),
            Link("backstage:arena", _("Arena"), (CURATOR,)),
            Link("backstage:trail", _("Trail"), (CURATOR,)),
            Link("exports:backstage", _("Data out")),
            Link("backstage:cheatsheet", _("Cheat sheet"), ANYBODY),
        ),
    ),
)


def _address(route: str) -> str:
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""


def _here(path: str, address: str, under: str) -> bool:
    """Whether a page belongs under this link: the inbox is at the root of all of them."""
    roots = {under or address, address if address != reverse("backstage:home") else under}
    return path in (address, under) or any(path.startswith(f"{root}/") for root in roots - {""})


def groups(user: User, path: str) -> list[dict[str, Any]]:
    """`title` and `links` (`address`, `words`, `here`) of every group in which the person may open something; the group
    of this page, or else the first, is the one that is `here`."""
    kinds, found = roles_of(user), []
    for title, links in GROUPS:
        shown = [
            {"address": address, "words": link.words, "here": _here(path, address, link.under)}
            for link in links
            if not kinds.isdisjoint({ORGANISER, *link.kinds}) and (address := _address(link.route))
        ]
        if shown:
            found.append({"title": title, "links": shown, "here": any(one["here"] for one in shown)})
    if found and not any(group["here"] for group in found):
        found[0]["here"] = True
    return found
