"""The programme: what happens, where and when, and who gives it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from salon.web.ids import new_id


class Session(models.Model):
    """One thing of the programme. Visitors see it once it is published; cancelled, it stays to be seen as such."""

    class Kind(models.TextChoices):
        OPENING = "opening", _("opening")
        TALK = "talk", _("talk")
        WORKSHOP = "workshop", _("workshop")
        MEETING = "meeting", _("meet & greet")
        TOUR = "tour", _("tour")
        OTHER = "other", _("other")

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="sessions")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.OTHER)
    title = models.CharField(_("title"), max_length=200)
    about = models.TextField(_("about"), max_length=4000, blank=True, default="")
    #: none: throughout the house
    room = models.ForeignKey("events.Room", on_delete=models.SET_NULL, null=True, blank=True, related_name="sessions")
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    #: the event's time zone when these times were set: if the event's changes, an organiser is asked what was meant
    time_zone = models.CharField(max_length=60, default="UTC")
    #: where its places are taken; empty: come as you are
    pool = models.ForeignKey("seats.Pool", on_delete=models.SET_NULL, null=True, blank=True, related_name="sessions")
    published = models.BooleanField(default=False)
    #: it has been public once: then it can be cancelled, but no more deleted
    published_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    #: why it is cancelled, told to visitors
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    #: raised with every change, for calendars that have it already and for a second tab that knows an older one
    sequence = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["starts_at", "title", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="sessions_end_later"),
        ]
        indexes = [models.Index(fields=["event", "published", "starts_at"], name="sessions_by_time")]

    def __str__(self) -> str:
        return self.title

    @property
    def cancelled(self) -> bool:
        return self.cancelled_at is not None


class Presenter(models.Model):
    """Who gives a session, by the name that is to stand in the programme; maybe a guest."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="presenters")
    guest = models.ForeignKey("people.Guest", on_delete=models.SET_NULL, null=True, blank=True, related_name="presents")
    name = models.CharField(_("name"), max_length=120)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return self.name


class Star(models.Model):
    """A visitor's choice for "my day", by their ticket's key."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="stars")
    visitor = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "visitor"], name="starred_once")]

    def __str__(self) -> str:
        return f"{self.visitor}: {self.session}"
