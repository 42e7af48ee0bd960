"""The custom user, there from the first migration so that it can still change."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person with an account."""
