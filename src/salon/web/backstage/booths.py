"""`/backstage/unlock` and `/backstage/pin`: booths are unlocked by a PIN, which a curator sets."""

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from salon.core.errors import SalonError
from salon.web.answers import STATUS
from salon.web.backstage import coming_in, pins
from salon.web.events import devices
from salon.web.events.pages import rendered
from salon.web.people.sessions import allowed, with_account


@require_http_methods(["GET", "HEAD", "POST"])
@with_account
def unlock(request: HttpRequest) -> HttpResponse:
    """Where a booth's sign leads when it is held: to the screens, by the PIN if there is one, else (and for browsers
    that are no booth) by name and password."""
    screens, booth = reverse("backstage:screens"), devices.booth(request)
    if request.user.is_authenticated and request.user.is_active:
        return HttpResponseRedirect(screens)
    by_password = f"{reverse('backstage:login')}?{urlencode({'next': screens})}"
    if not pins.has_pin(booth):
        return HttpResponseRedirect(by_password)
    context = {"by_password": by_password, "minutes": pins.OPEN_FOR.seconds // 60, "most": pins.LONGEST}
    if request.method != "POST":
        return rendered(request, "backstage/unlock.html", context)
    try:
        user = pins.unlock(booth, request.POST.get("pin", ""))
    except SalonError as error:
        return rendered(request, "backstage/unlock.html", context | {"error": error}, STATUS.get(error.code, 400))
    auth.login(request, user, coming_in.BACKEND)
    request.session.set_expiry(timezone.now() + pins.OPEN_FOR)
    return HttpResponseRedirect(screens)


@require_POST
@allowed("curator")
def pin(request: HttpRequest) -> HttpResponse:
    """Another PIN, or none."""
    if request.POST.get("away"):
        pins.take_away(request.user)
    else:
        pins.set_pin(request.user, request.POST.get("pin", ""))
    return HttpResponseRedirect(f"{reverse('backstage:devices')}#pin")
