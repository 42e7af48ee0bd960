"""`/backstage/people`: the people of the house at the current event, their roles, their links to come in by."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from salon.core.errors import SalonError
from salon.web import codes
from salon.web.answers import STATUS
from salon.web.events import roles
from salon.web.events.domain import current_event
from salon.web.events.pages import rendered
from salon.web.people.models import Role, User
from salon.web.people.sessions import allowed

#: what a role is for, in the words of whoever gives it
DUTIES = {
    Role.Kind.ORGANISER: _("everything: set-up, call, places, programme, mail, people"),
    Role.Kind.CURATOR: _("hangs works, looks after screens, reports and findings"),
    Role.Kind.REVIEWER: _("reads applications and scores them"),
    Role.Kind.VOLUNTEER: _("doors, places, and taking a work off the screens"),
}


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "people": roles.people(current_event(), request.user),
        "kinds": [(kind.value, kind.label, DUTIES[kind]) for kind in Role.Kind],
        "user": request.user,
        "typed": {},
    }
    return rendered(request, "backstage/people.html", context | more, status)


def _handed(request: HttpRequest, user: User, token: str, new: bool) -> HttpResponse:
    """The link, shown this once."""
    address = codes.public_address(request, reverse("backstage:enter", args=[token]))
    until = roles.link_until(current_event())
    return _page(request, made=user, link=address, qr=codes.qr_svg(address).decode(), new=new, until=until)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed()
def people(request: HttpRequest) -> HttpResponse:
    """The list; by POST somebody is added, and a link for them is shown if they have no other way in."""
    if request.method != "POST":
        return _page(request)
    form = request.POST
    try:
        user = roles.add(request.user, form.get("name", ""), form.get("email", ""), form.getlist("kinds"))
    except SalonError as error:
        typed = {"name": form.get("name", ""), "email": form.get("email", ""), "kinds": form.getlist("kinds")}
        return _page(request, STATUS.get(error.code, 500), error=error, typed=typed)
    if user.last_login is None and roles.in_reach(request.user, user):
        return _handed(request, *roles.link(request.user, user.pk), new=True)
    return _page(request, added=user)


@require_POST
@allowed()
def change(request: HttpRequest, user_id: int, deed: str) -> HttpResponse:
    """Another set of roles, a new link, an account shut or opened."""
    try:
        if deed == "link":
            return _handed(request, *roles.link(request.user, user_id), new=False)
        if deed == "roles":
            roles.set_roles(request.user, user_id, request.POST.getlist("kinds"))
        elif deed in ("shut", "open"):
            roles.set_active(request.user, user_id, deed == "open")
        else:
            raise Http404
    except SalonError as error:
        return _page(request, STATUS.get(error.code, 500), error=error)
    return HttpResponseRedirect(reverse("backstage:people"))
