"""The custom user, there from the first migration so that it can still change, one-time links to come in by, roles, and
guests: people without an account; what guests agreed to, and how long a house keeps what it knows of them."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from salon.web.ids import new_id


class User(AbstractUser):
    """A person with an account. `username` is what they log in by, `first_name` what they are called."""

    def __str__(self) -> str:
        return self.first_name or self.username


class Role(models.Model):
    """What somebody of the house does at an event. The keeper (a superuser) may do everything everywhere."""

    class Kind(models.TextChoices):
        ORGANISER = "organiser", _("organiser")
        CURATOR = "curator", _("curator")
        REVIEWER = "reviewer", _("juror")
        VOLUNTEER = "volunteer", _("volunteer")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="roles")
    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="roles")
    kind = models.CharField(max_length=12, choices=Kind)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "event", "kind"], name="one_role_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class Guest(models.Model):
    """Somebody without an account: an artist who applies, a visitor with a place. Known by a private link whose token
    is kept as a hash only; `visitor` is the key of the station's ticket, if the same browser has one."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="guests")
    name = models.CharField(_("name"), max_length=200)
    #: as typed; empty where somebody gave none: everything works without mail
    email = models.EmailField(_("e-mail"), max_length=254, blank=True, default="")
    language = models.CharField(max_length=10, blank=True, default="")
    visitor = models.CharField(max_length=64, blank=True, default="", db_index=True)
    token_hash = models.CharField(max_length=64, unique=True)
    #: raised when the private link is made anew: what rooms signed for the guest before opens nothing then
    link_edition = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    #: name and address are gone; the row stays, so that counts and works stay true
    erased_at = models.DateTimeField(null=True)
    #: what they want of works under a free licence when they go: they stay, as somebody's, or come down
    works_stay = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["event", "email"], name="guests_by_email")]

    def __str__(self) -> str:
        return self.name


class ConsentText(models.Model):
    """The words that are agreed to. They are never changed: other words are another version."""

    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="consent_texts")
    #: what it is for: "photos", "newsletter", ...
    kind = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=10)
    text = models.TextField(_("text"), max_length=4000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["kind", "-version", "language"]
        constraints = [
            models.UniqueConstraint(fields=["event", "kind", "version", "language"], name="one_text_a_version")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} ({self.language})"


class Consent(models.Model):
    """A guest agreed to a text, and perhaps no longer does. Nothing of the person is in it but whose it is."""

    guest = models.ForeignKey(Guest, on_delete=models.CASCADE, related_name="consents")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="consents")
    given_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["guest", "text"], condition=models.Q(withdrawn_at=None), name="agreed_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.text}: {self.guest_id}"


class Keeping(models.Model):
    """How long an event keeps what it knows of people, in months after its last day. 0: until somebody erases it."""

    event = models.OneToOneField("events.Event", on_delete=models.CASCADE, related_name="keeping")
    guests = models.PositiveSmallIntegerField(_("guests' data"), default=6)
    trail = models.PositiveSmallIntegerField(_("the trail"), default=24)

    def __str__(self) -> str:
        return f"{self.event_id}: {self.guests}, {self.trail}"


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
