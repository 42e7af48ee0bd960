"""The custom user, there from the first migration so that it can still change, and one-time links to come in by."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person with an account."""


class EntryLink(models.Model):
    """A link that lets its holder in once. Only the hash of its token is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="entry_links")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.expires_at}"


class EntryCode(models.Model):
    """A code of six digits that was sent by e-mail; one a person. Only its hash is kept."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="entry_code")
    code_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.user}: {self.expires_at}"
