"""Coming in backstage, by whichever way: a session through the event's days, a browser that is known from then on."""

import datetime

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from salon.web.backstage import logins
from salon.web.events import lasting
from salon.web.events.domain import current_event
from salon.web.people.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"
#: a session lasts through the event's days: at least, and at most
LEAST, MOST = datetime.timedelta(hours=16), datetime.timedelta(days=14)

#: for how long after coming in by a link or a code a password may be set without the one before
FRESH, FRESH_FOR = "salon_fresh", datetime.timedelta(minutes=15)


def until() -> datetime.datetime:
    """When a session that begins now ends."""
    return lasting.until(current_event(), LEAST, MOST)


def let_in(request: HttpRequest, user: User, leads_to: str = "") -> HttpResponse:
    """Begins the session of somebody who knew their password, and leads on."""
    auth.login(request, user, BACKEND)
    request.session.set_expiry(until())
    response = HttpResponseRedirect(leads_to or reverse("backstage:home"))
    logins.know(response, user)
    return response


def let_in_without(request: HttpRequest, user: User) -> HttpResponse:
    """The same for somebody who came by a link or a code, which stand for a password that is not known: for a while
    they may set one. Whoever comes for the first time and has none is led there."""
    first = user.last_login is None and not user.has_usable_password() and not user.is_superuser
    response = let_in(request, user, f"{reverse('backstage:password')}?first=1" if first else "")
    request.session[FRESH] = (timezone.now() + FRESH_FOR).isoformat()
    return response


def is_fresh(request: HttpRequest) -> bool:
    """Whether this session began by a link or a code a short while ago."""
    until = request.session.get(FRESH, "")
    return bool(until) and timezone.now() < datetime.datetime.fromisoformat(until)
