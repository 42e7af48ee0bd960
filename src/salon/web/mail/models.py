"""Letters, and the templates they are written by."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from salon.web.ids import new_id


class Template(models.Model):
    """An organiser's own wording of a kind of letter in a language; where there is none the house's own is taken."""

    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="mail_templates")
    kind = models.CharField(max_length=40)
    language = models.CharField(max_length=10)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"), max_length=10_000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "kind", "language"], name="one_template_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.language})"


class Letter(models.Model):
    """One mail to one guest. Nothing leaves before somebody of the house releases it, except kinds that were allowed to
    go by themselves (a ticket, a confirmation of one's own act)."""

    class State(models.TextChoices):
        DRAFT = "draft", _("waits to be released")
        RELEASED = "released", _("on its way")
        #: a worker has it in hand
        SENDING = "sending", _("is being sent")
        #: it was interrupted: nobody can know, so it never goes again by itself
        UNSURE = "unsure", _("may have been sent")
        SENT = "sent", _("sent")
        #: no mail server: it lies in a folder
        FILED = "filed", _("written into a file")
        FAILED = "failed", _("could not be sent")
        DISCARDED = "discarded", _("discarded")

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="letters")
    guest = models.ForeignKey("people.Guest", on_delete=models.SET_NULL, null=True, related_name="letters")
    kind = models.CharField(max_length=40)
    #: the same letter is written once, however often the deed behind it is repeated
    key = models.CharField(max_length=100)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField(max_length=20_000)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    error = models.CharField(max_length=300, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True)
    #: not tried before this
    next_at = models.DateTimeField(null=True)
    #: which try has it in hand: the end of an older one changes nothing
    claim = models.CharField(max_length=32, blank=True, default="")
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["event", "key"], name="letters_once")]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="released"), name="letters_to_send"),
            models.Index(fields=["event", "created_at"], name="letters_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.id})"

    @property
    def address(self) -> str:
        """Where it goes: to the guest's address of today, should it have changed since the letter was written."""
        return self.guest.email if self.guest else self.to


class LostLink(models.Model):
    """Somebody typed an address to be sent their private link again. The address is kept until it is answered."""

    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=254, blank=True, default="")
    #: by which tries at one address are counted once the address is gone
    address_hash = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=~Q(address=""), name="lost_links_to_answer")]

    def __str__(self) -> str:
        return f"{self.address_hash[:8]} {self.created_at}"
