"""Tokens by which programs ask the event's API."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a token opens."""

    PROGRAMME = "programme:read", _("programme, unpublished sessions too")
    PLACES = "places:read", _("places and their counts")
    APPLICATIONS = "applications:read", _("applications, with names and answers")
    CHECK_INS = "checkins:read", _("who came in")
    CHECK_IN = "checkin:write", _("let people in")


class Token(models.Model):
    """A program's way in to one event. Only the hash is kept; it does what its maker may let it do, as long as they
    keep the event."""

    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=60)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    made_by = models.ForeignKey("people.User", on_delete=models.SET_NULL, null=True, related_name="api_tokens")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    #: minutes since 1970, and how often it was used in that minute
    minute = models.PositiveBigIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def scope_names(self) -> list[str]:
        return [str(Scope(scope).label) for scope in self.scopes if scope in Scope.values]
