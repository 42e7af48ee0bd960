"""A work: a picture that someone wants to hang, with its label and what may be done with it; and what CLIP saw in it.
The picture is an image drawn here, or one that was given to the house."""

from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from salon.web.events.models import new_id


class Licence(models.TextChoices):
    """What others may do with a work; the words go on its label."""

    CC0 = "cc0", _("CC0: free for everyone")
    CC_BY = "cc-by-4.0", _("CC BY 4.0: free, naming me")
    CC_BY_SA = "cc-by-sa-4.0", _("CC BY-SA 4.0: free, naming me, passed on alike")
    ALL_RIGHTS = "all-rights", _("Shown here only")


class TakenAlong(models.Model):
    """How often what one visitor drew was taken along to another device: a code is for the next time only."""

    visitor = models.CharField(primary_key=True, max_length=64)
    times = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.visitor}: {self.times}"


class GivenPicture(models.Model):
    """A picture that was not drawn here: its file as it is shown, made anew from what an artist sent in."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="given_pictures")
    #: name in the default storage, WebP; empty once it has been erased
    file = models.CharField(max_length=200, blank=True, default="")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    #: what CLIP saw in it, as in `Embedding`; empty where it has not looked
    weights = models.CharField(max_length=64, blank=True, default="")
    vector = models.BinaryField(default=b"")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.id


class Work(models.Model):
    """One proposal to hang a picture. It is seen by nobody but its maker and the curators until it hangs."""

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
    #: one of these two
    image = models.ForeignKey("station.Image", on_delete=models.PROTECT, null=True, related_name="works")
    given = models.ForeignKey(GivenPicture, on_delete=models.PROTECT, null=True, related_name="works")
    visitor = models.CharField(max_length=64, db_index=True)
    title = models.CharField(_("title"), max_length=120)
    maker = models.CharField(_("maker"), max_length=80, blank=True, default="")
    #: of a given picture: year, technique, size, as its artist says it
    medium = models.CharField(_("medium"), max_length=200, blank=True, default="")
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
            ),
            models.UniqueConstraint(
                fields=["given"], condition=models.Q(state__in=["waiting", "hung"]), name="one_live_work_a_picture"
            ),
            models.CheckConstraint(
                condition=models.Q(image__isnull=False, given__isnull=True)
                | models.Q(image__isnull=True, given__isnull=False),
                name="drawn_or_given",
            ),
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

    @property
    def picture(self) -> Any:
        """The image or the given picture: both have `file` ("" once erased), `width`, `height`."""
        return self.image or self.given

    @property
    def picture_id(self) -> str:
        return self.image_id or self.given_id

    @property
    def src(self) -> str:
        """Where everyone sees it while it hangs."""
        return reverse("gallery:work_file" if self.image_id else "gallery:work_given", args=[self.id])

    @property
    def seen_backstage(self) -> str:
        """Where the house sees it, whatever its state."""
        if self.image_id:
            return reverse("station:image_file", args=[self.image_id])
        return reverse("gallery:backstage_picture", args=[self.id])


class Embedding(models.Model):
    """What CLIP saw in an image, kept so that a search reads no files. Anything here can be computed again."""

    #: hidden from the image ("+"): it goes with it, and holds nothing back that a visitor wants forgotten
    image = models.OneToOneField("station.Image", on_delete=models.CASCADE, primary_key=True, related_name="+")
    #: hash of the weights that saw it; those of other weights are worth nothing
    weights = models.CharField(max_length=64)
    #: 256 float16, little-endian
    vector = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["weights", "image"], name="embeddings_of_weights")]

    def __str__(self) -> str:
        return self.image_id
