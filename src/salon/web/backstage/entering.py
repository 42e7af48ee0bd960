"""Coming in backstage, by whichever way: a session through the event's days, a browser that is known from then on."""

import datetime

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from salon.web.backstage import logins
from salon.web.events import lasting
from salon.web.events.domain import current_event
from salon.web.people.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"
#: a session lasts through the event's days: at least, and at most
LEAST, MOST = datetime.timedelta(hours=16), datetime.timedelta(days=14)


def until() -> datetime.datetime:
    """When a session that begins now ends."""
    return lasting.until(current_event(), LEAST, MOST)


def let_in(request: HttpRequest, user: User, leads_to: str = "") -> HttpResponse:
    """Begins the session, and leads on."""
    auth.login(request, user, BACKEND)
    request.session.set_expiry(until())
    response = HttpResponseRedirect(leads_to or reverse("backstage:home"))
    logins.know(response, user, request.is_secure() or settings.SESSION_COOKIE_SECURE)
    return response
