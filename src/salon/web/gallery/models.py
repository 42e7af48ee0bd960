"""A work: an image that someone wants to hang, with its label and what may be done with it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from salon.web.events.models import new_id


class Licence(models.TextChoices):
    """What others may do with a work; the words go on its label."""

    CC0 = "cc0", _("CC0: free for everyone")
    CC_BY = "cc-by-4.0", _("CC BY 4.0: free, naming me")
    CC_BY_SA = "cc-by-sa-4.0", _("CC BY-SA 4.0: free, naming me, passed on alike")
    ALL_RIGHTS = "all-rights", _("Shown here only")


class Work(models.Model):
    """One proposal to hang an image. It is seen by nobody but its maker and the curators until it hangs."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for a curator")
        HUNG = "hung", _("hangs")
        REJECTED = "rejected", _("was not hung")
        WITHDRAWN = "withdrawn", _("was withdrawn")
        PULLED = "pulled", _("was taken down")

    #: of these a visitor may have one an image
    ALIVE = (State.WAITING, State.HUNG)

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="works")
    image = models.ForeignKey("station.Image", on_delete=models.PROTECT, related_name="works")
    visitor = models.CharField(max_length=64, db_index=True)
    title = models.CharField(_("title"), max_length=120)
    maker = models.CharField(_("maker"), max_length=80, blank=True, default="")
    statement = models.TextField(_("statement"), max_length=1000, blank=True, default="")
    licence = models.CharField(_("licence"), max_length=20, choices=Licence, default=Licence.ALL_RIGHTS)
    #: beyond showing it here, without which nothing is proposed at all
    may_print = models.BooleanField(default=False)
    may_publish_prompt = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    #: what the curator gives as the reason, read by the maker
    reason = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    #: when it was hung last; the order of the gallery
    hung_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["visitor", "image"],
                condition=models.Q(state__in=["waiting", "hung"]),
                name="one_live_work_an_image",
            )
        ]
        indexes = [
            models.Index(fields=["event", "-hung_at", "id"], condition=models.Q(state="hung"), name="hung_works"),
            models.Index(fields=["event", "created_at"], condition=models.Q(state="waiting"), name="waiting_works"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def hangs(self) -> bool:
        return self.state == self.State.HUNG
