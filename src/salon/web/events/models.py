"""The event that every other row belongs to."""

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_id() -> str:
    """128 random bits: a name that nobody can guess."""
    return secrets.token_hex(16)


class Event(models.Model):
    """A day (or days) at one place. Exactly one is current; bare routes mean it."""

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(_("name"), max_length=200)
    current = models.BooleanField(default=False)
    #: while paused nothing new is drawn or proposed; what hangs stays to be seen
    paused = models.BooleanField(default=False)
    #: the walls show nothing but the house's name
    dark = models.BooleanField(default=False)
    #: one line that every page shows
    banner = models.CharField(_("banner"), max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["current"], condition=models.Q(current=True), name="one_current_event"),
        ]

    def __str__(self) -> str:
        return self.name


class Entry(models.Model):
    """One line of the audit trail. `subject` is the id of what was acted on."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="entries")
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    #: a person with an account, or none: then a visitor, or the house itself
    person = models.ForeignKey("people.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="entries")
    visitor = models.CharField(max_length=64, blank=True, default="")
    deed = models.CharField(max_length=30)
    subject = models.CharField(max_length=64, blank=True, default="", db_index=True)
    text = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.deed} {self.subject}"


class Device(models.Model):
    """A device of the house: a booth's station or a screen on the wall. Only the hash of its token is kept."""

    class Kind(models.TextChoices):
        STATION = "station", _("booth")
        WALL = "wall", _("wall")

    class Layout(models.TextChoices):
        SINGLE = "single", _("one work")
        TRIPTYCH = "triptych", _("three works")
        MOSAIC = "mosaic", _("many works")
        TICKER = "ticker", _("one work and a line of prompts")

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="devices")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=60)
    layout = models.CharField(max_length=10, choices=Layout, default=Layout.SINGLE)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["kind", "name"]

    def __str__(self) -> str:
        return self.name
