"""A request is a row before it is anything else; its drawings point to images, which are named by their recipe."""

from django.core.files.storage import default_storage
from django.db import models
from django.utils.translation import gettext_lazy as _

from salon.core.hashing import NAME_DIGITS
from salon.core.recipe import Recipe, parse_recipe
from salon.web.events.models import new_id


class Withheld(models.TextChoices):
    """Who keeps an image back from everyone."""

    FILTER = "filter", _("the image filter")
    HOUSE = "house", _("a person of the house")


class Image(models.Model):
    """One image, named by its recipe. The recipe is kept even when the file is not (yet) there."""

    id = models.CharField(primary_key=True, max_length=NAME_DIGITS)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="images")
    recipe_json = models.TextField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    #: name in the default storage; empty until the file has been written
    file = models.CharField(max_length=200, blank=True, default="")
    #: SHA-256 of the file's bytes, its ETag
    sha256 = models.CharField(max_length=64, blank=True, default="")
    #: who keeps it back, if anybody; then there is no file of it
    withheld = models.CharField(max_length=10, choices=Withheld, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.id

    @property
    def recipe(self) -> Recipe:
        return parse_recipe(self.recipe_json)

    @property
    def present(self) -> bool:
        """Whether the file is really there: the row alone proves nothing."""
        return bool(self.file) and default_storage.exists(self.file)


class Request(models.Model):
    """What one visitor asked for at once."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.WAITING, State.RUNNING)

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="requests")
    visitor = models.CharField(max_length=64, db_index=True)
    #: chosen by the page; the same key from the same visitor is the same request
    key = models.CharField(max_length=64, null=True)  # noqa: DJ001 (NULLs are distinct, empty strings are not)
    #: the booth at which it was asked for, if it was at one
    device = models.ForeignKey("events.Device", on_delete=models.SET_NULL, null=True, related_name="requests")
    audience = models.CharField(max_length=20, default="visitor")
    #: whether the engine is to tell what happens inside
    trace = models.BooleanField(default=False)
    #: pictures that its recipes begin with, as MessagePack {SHA-256: bytes}; kept until it has ended, and no longer
    inputs = models.BinaryField(default=bytes)
    #: in ordinary requests (domain/pricing.py)
    price = models.PositiveIntegerField(default=1)
    #: asked for with a ticket of one's own, or at a booth; see domain/visitors.py
    known = models.BooleanField(default=True)
    #: the sender's network, hashed, as long as the request is open
    source = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    #: why it ended as it did, or why it is still waiting (word of core.errors, and a sentence to print)
    code = models.CharField(max_length=40, blank=True, default="")
    why = models.TextField(blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(null=True)
    #: order of arrival
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visitor", "key"], name="one_request_a_key")]
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(state__in=["waiting", "running"]), name="open_requests"
            )
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def open(self) -> bool:
        return self.state in self.OPEN


class Drawing(models.Model):
    """The place of one image among a request's images."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="drawings")
    index = models.PositiveSmallIntegerField()
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="drawings")
    #: largest difference of a channel to the file that hung already, 0 to 255; null when there was none
    difference = models.PositiveSmallIntegerField(null=True)
    #: how near CLIP finds the image to its prompt, a cosine; null when CLIP has not looked
    score = models.FloatField(null=True)

    class Meta:
        ordering = ["index"]
        constraints = [models.UniqueConstraint(fields=["request", "index"], name="one_drawing_a_place")]

    def __str__(self) -> str:
        return f"{self.request_id}/{self.index}"
