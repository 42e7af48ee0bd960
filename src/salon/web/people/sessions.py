"""Sessions, accounts and roles, for backstage only: visitors' pages are spared what they do not need."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import decorator_from_middleware
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from salon.core.errors import Forbidden
from salon.web import cookies
from salon.web.people.models import Role, User

View = Callable[..., HttpResponse]
# a volunteer who forgot to log out at a booth must not leave backstage open
cookies.personal(settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_PATH)
_session = decorator_from_middleware(SessionMiddleware)
_account = decorator_from_middleware(AuthenticationMiddleware)


def with_account(view: View) -> View:
    """`request.user` and `request.session` for a (synchronous) view; nothing of it is kept by browsers."""

    def wrapped(request: HttpRequest, *arguments: Any, **more: Any) -> HttpResponse:
        response: HttpResponse = _session(_account(view))(request, *arguments, **more)
        response["Cache-Control"] = "no-store"
        return response

    return wrapped


def staff(view: View) -> View:
    """As `with_account`, for people of the house only: others are asked to log in."""

    def wrapped(request: HttpRequest, *arguments: Any, **more: Any) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.is_active and user.is_staff:
            return view(request, *arguments, **more)
        return HttpResponseRedirect(f"{reverse('backstage:login')}?{urlencode({'next': request.path})}")

    return with_account(wrapped)


def end(user: User) -> None:
    """Ends every session of somebody, wherever they came in."""
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def roles_of(user: User, event_id: int | None = None) -> set[str]:
    """The kinds of role that somebody has at an event (none named: the current one). Organisers have every kind, and
    the keeper has them at every event."""
    if user.is_superuser:
        return set(Role.Kind.values)
    which = {"event": event_id} if event_id else {"event__current": True}
    kinds = set(Role.objects.filter(user=user, **which).values_list("kind", flat=True))
    return set(Role.Kind.values) if Role.Kind.ORGANISER in kinds else kinds


def may(user: User, *kinds: str, event_id: int | None = None) -> bool:
    """Whether somebody of the house has one of these roles at an event (none named: the current one); organisers have
    them all."""
    return not roles_of(user, event_id).isdisjoint({Role.Kind.ORGANISER, *kinds})


def allowed(*kinds: str) -> Callable[[View], View]:
    """As `staff`, for those who have one of these roles at the current event; no roles named: organisers. Raises
    Forbidden for others of the house."""

    def decorated(view: View) -> View:
        def wrapped(request: HttpRequest, *arguments: Any, **more: Any) -> HttpResponse:
            if not may(request.user, *kinds):
                raise Forbidden(_("This page is for other hands of the house."), _("Ask an organiser for the role."))
            return view(request, *arguments, **more)

        return staff(wrapped)

    return decorated
