"""Ways in: addresses that make a browser somebody, or something of the house. Looking at one (GET; messengers and
scanners do so unasked, with HEAD as well) says whose it is and changes nothing; pressing the button (POST) goes in."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from salon.web.events import devices
from salon.web.events.models import Device
from salon.web.events.pages import rendered


class Way(Struct, frozen=True, kw_only=True):
    """What a way in says before anybody goes. `whose`: a name as somebody typed it. `instead`: whom or what this
    browser would no longer be. `pictures`: ids."""

    title: str
    button: str
    says: Sequence[str]
    whose: str = ""
    instead: str = ""
    pictures: Sequence[str] = ()


def shown(request: HttpRequest, way: Way) -> HttpResponse:
    """The page with the button. Kept by no cache: going back asks the house again."""
    response = rendered(request, "events/entering.html", {"way": way})
    response["Cache-Control"] = "no-store"
    return response


#: what somebody is told before their browser becomes a device
_DEVICES: dict[str, dict[str, Any]] = {
    Device.Kind.STATION: {
        "title": _("A booth of the house"),
        "button": _("This is the booth"),
        "says": [
            _(
                "From now on this browser is the booth: large type, no ways out, and after a while without a touch it "
                "forgets whoever was there. It is for the machine at the booth, not for your own phone."
            )
        ],
    },
    Device.Kind.WALL: {
        "title": _("A screen of the house"),
        "button": _("This is the screen"),
        "says": [_("From now on this browser shows what hangs, in the layout that was chosen for this screen.")],
    },
    Device.Kind.DOOR: {
        "title": _("A door’s device"),
        "button": _("I stand at this door"),
        "says": [
            _(
                "From now on this browser checks tickets, finds people by name and lets them in. It is for whoever "
                "stands at the door; an organiser can revoke it at any time."
            )
        ],
    },
}


def device(request: HttpRequest, kind: str, token: str, address: str) -> HttpResponse:
    """The way in of a device; `address` is where it leads. A browser that is this device goes on at once, so that a
    booth may begin with this address every morning. Raises Forbidden."""
    wanted, now = devices.device_of(token, kind), devices.still(request, kind)
    response = HttpResponseRedirect(address)
    if now == wanted:
        return response
    if request.method == "POST":
        return devices.let_in(response, kind, token)
    instead = _("Until now this browser is “%(name)s”.") % {"name": now.name} if now else ""
    return shown(request, Way(whose=wanted.name, instead=instead, **_DEVICES[kind]))
