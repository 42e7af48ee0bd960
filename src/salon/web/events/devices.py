"""Devices: made backstage, known by a token in a cookie, revoked with one press."""

import secrets

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Forbidden
from salon.core.hashing import bytes_hash
from salon.engine.recipes import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Device
from salon.web.events.trail import note
from salon.web.people.models import User

COOKIE = "salon_device"
LIFETIME = 60 * 60 * 24 * 60


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


def seen(device: Device) -> None:
    Device.objects.filter(id=device.id).update(seen_at=timezone.now())


def revoke(person: User, device_id: str) -> None:
    """From now on its token opens nothing."""
    with transaction.atomic():
        event = lock_current_event()
        if Device.objects.filter(id=device_id, event=event, revoked_at=None).update(revoked_at=timezone.now()):
            note(event, "device revoked", device_id, person=person)
