"""Sessions and accounts, for backstage only: visitors' pages are spared what they do not need."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import decorator_from_middleware
from django.utils.http import urlencode

View = Callable[..., HttpResponse]
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
