"""The event that every other row belongs to."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """A day (or days) at one place. Exactly one is current; bare routes mean it."""

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(_("name"), max_length=200)
    current = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["current"], condition=models.Q(current=True), name="one_current_event"),
        ]

    def __str__(self) -> str:
        return self.name
