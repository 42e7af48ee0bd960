"""The event that every other row belongs to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from salon.web.ids import new_id

__all__ = ["BoothPin", "Device", "Entry", "Event", "Room", "Spent", "Try", "new_id"]


def _all_languages() -> list[str]:
    return ["en", "es", "ja"]


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
    place = models.CharField(_("place"), max_length=200, blank=True, default="")
    address = models.TextField(_("address"), max_length=500, blank=True, default="")
    #: how visitors reach those who answer for the event; stands in the privacy text, too
    contact = models.CharField(_("contact"), max_length=200, blank=True, default="")
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    #: IANA name; every time of the event is shown in it, whatever is kept (UTC)
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC")
    welcome = models.TextField(_("welcome"), max_length=4000, blank=True, default="")
    privacy = models.TextField(_("privacy"), max_length=10_000, blank=True, default="")
    #: welcome and privacy in the other languages (events/texts.py)
    texts = models.JSONField(default=dict, blank=True)
    #: the colour of the walls, "#rrggbb"; empty: the house's own
    colour = models.CharField(_("colour"), max_length=7, blank=True, default="")
    logo = models.FileField(_("logo"), upload_to="logos", blank=True, default="")
    #: language codes that visitors may choose, the first is the event's own
    languages = models.JSONField(_("languages"), default=_all_languages)
    #: visitors' pages of the event (call, programme, places) are open
    opened_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    demo = models.BooleanField(default=False)
    #: steps of the set-up that somebody has kept
    steps = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["current"], condition=models.Q(current=True), name="one_current_event"),
        ]

    def __str__(self) -> str:
        return self.name


class Room(models.Model):
    """A place inside the event's place."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="rooms")
    name = models.CharField(_("name"), max_length=100)
    #: how to get there, steps, lifts
    access = models.CharField(_("access"), max_length=300, blank=True, default="")
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "name"]
        constraints = [models.UniqueConstraint(fields=["event", "name"], name="rooms_have_names")]

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
    #: how often within an hour (trail.again)
    times = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.deed} {self.subject}"


class Try(models.Model):
    """Something that is counted for a while: a wrong password, a letter asked for. What was tried and where from are
    keyed hashes; the row goes after a day."""

    kind = models.CharField(max_length=12)
    subject = models.CharField(max_length=64)
    source = models.CharField(max_length=64, blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "at"], name="tries_lately")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


class BoothPin(models.Model):
    """What volunteers unlock an event's booths by: its hash."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="booth_pin")
    pin_hash = models.CharField(max_length=200)
    set_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.event_id}: {self.set_at}"


class Device(models.Model):
    """A device of the house: a booth's station or a screen on the wall. Only the hash of its token is kept."""

    class Kind(models.TextChoices):
        STATION = "station", _("booth")
        WALL = "wall", _("wall")
        DOOR = "door", _("door")

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


class Spent(models.Model):
    """A proof that was used: never again, until it could not be used anyway."""

    proof = models.CharField(primary_key=True, max_length=64)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.proof
