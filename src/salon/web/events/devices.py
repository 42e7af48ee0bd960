"""Devices: made backstage, known by a token in a cookie, revoked with one press."""

import datetime
import secrets

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Forbidden
from salon.core.hashing import bytes_hash
from salon.core.text import tidy
from salon.web import cookies
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Device
from salon.web.events.trail import note
from salon.web.people.models import User

LIFETIME = 60 * 60 * 24 * 60
#: how stale "seen" may be: a look at a page costs no write
SEEN_EVERY = datetime.timedelta(seconds=30)


def make(person: User, kind: str, name: str, layout: str = Device.Layout.SINGLE) -> tuple[Device, str]:
    """A new device and its token, which is shown once. Raises BadRecipe."""
    clean = tidy(name)[:60]
    if kind not in Device.Kind.values or layout not in Device.Layout.values or not clean:
        raise BadRecipe(_("A device needs a kind and a name."), _("Name it after where it stands."))
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        event = lock_current_event()
        device = Device.objects.create(
            event=event, kind=kind, name=clean, layout=layout, token_hash=bytes_hash(token.encode())
        )
        note(event, "device made", device.id, person=person, text=clean)
    return device, token


def device_of(token: str, kind: str) -> Device:
    """The device that holds this token. Raises Forbidden."""
    device = Device.objects.filter(token_hash=bytes_hash(token.encode()), kind=kind, revoked_at=None).first()
    if device is None:
        raise Forbidden(_("This device is not (or no longer) known here."), _("Get a new link for it backstage."))
    return device


def cookie(kind: str) -> str:
    """The cookie's name: one browser may be a booth and a wall."""
    return f"salon_device_{kind}"


def let_in(response: HttpResponse, kind: str, token: str) -> HttpResponse:
    """Makes the browser that device, if the token is one's of this kind. Raises Forbidden."""
    device_of(token, kind)
    cookies.keep(response, cookie(kind), token, LIFETIME)
    return response


def present(request: HttpRequest, kind: str) -> Device | None:
    """The device of this kind that the browser is; None for an ordinary browser. Raises Forbidden if it was revoked."""
    token = request.COOKIES.get(cookie(kind))
    if not token:
        return None
    device, now = device_of(token, kind), timezone.now()
    if device.seen_at is None or now - device.seen_at > SEEN_EVERY:
        Device.objects.filter(id=device.id).update(seen_at=now)
    return device


def still(request: HttpRequest, kind: str) -> Device | None:
    """The same; None, too, for a browser whose token was revoked."""
    try:
        return present(request, kind)
    except Forbidden:
        return None


def booth(request: HttpRequest) -> Device | None:
    """The booth that the browser is, if it still is one."""
    return still(request, Device.Kind.STATION)


def revoke(person: User, device_id: str, within: Q) -> None:
    """From now on its token opens nothing. `within`: those that whoever asks may revoke; others are left alone."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        mine = Device.objects.filter(within, id=device_id, event=event, revoked_at=None)
        if Device.objects.filter(id__in=mine.values("id")).update(revoked_at=timezone.now()):
            note(event, "device revoked", device_id, person=person)
