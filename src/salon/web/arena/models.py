"""A battle: the same words and seed drawn by two models, hidden until its visitor votes; and a curator's pairing."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from salon.web.events.models import new_id

OPEN = Q(winner="", void="")


class Winner(models.TextChoices):
    """What a vote says. `both_bad` is counted apart and is nobody's win."""

    A = "a", _("the left one")
    B = "b", _("the right one")
    TIE = "tie", _("equally good")
    BOTH_BAD = "both_bad", _("both bad")


class Void(models.TextChoices):
    """Why a battle counts for nothing."""

    NAMED = "named", _("the words named a machine")
    SEEN = "seen", _("a picture was looked up before the vote")
    WITHHELD = "withheld", _("a picture was kept back")
    REMOVED = "removed", _("the house took a picture down")
    FAILED = "failed", _("a picture could not be drawn")
    ERASED = "erased", _("a picture is gone")


class Battle(models.Model):
    """Two players on one prompt. A player is a model with these very weights: trained anew, it is another one."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="battles")
    #: who asked, and alone may vote; after "Forget me" a random name, the same for all votes of that person
    visitor = models.CharField(max_length=64, db_index=True)
    #: one press of the button is one battle
    key = models.CharField(max_length=64, null=True)  # noqa: DJ001 (NULLs are distinct, empty strings are not)
    # hidden from request and images ("+"): a battle holds nothing back that a visitor wants forgotten
    request = models.ForeignKey("station.Request", on_delete=models.SET_NULL, null=True, related_name="+")
    image_a = models.ForeignKey("station.Image", on_delete=models.SET_NULL, null=True, related_name="+")
    image_b = models.ForeignKey("station.Image", on_delete=models.SET_NULL, null=True, related_name="+")
    model_a = models.CharField(max_length=100, blank=True, default="")
    model_b = models.CharField(max_length=100, blank=True, default="")
    family_a = models.CharField(max_length=100, blank=True, default="")
    family_b = models.CharField(max_length=100, blank=True, default="")
    weights_a = models.CharField(max_length=64, blank=True, default="")
    weights_b = models.CharField(max_length=64, blank=True, default="")
    #: one of the house's; empty for a visitor's own words, which stand in the recipe alone and go with it
    prompt = models.CharField(max_length=200, blank=True, default="")
    winner = models.CharField(max_length=10, choices=Winner, blank=True, default="")
    void = models.CharField(max_length=10, choices=Void, blank=True, default="")
    #: voted on with a ticket of one's own, or at a booth; votes of all others count as those of one voter together
    known = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    voted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visitor", "key"], name="one_battle_a_key"),
            models.CheckConstraint(condition=Q(winner="") | Q(void=""), name="void_battles_have_no_winner"),
        ]
        indexes = [
            models.Index(fields=["image_a"], condition=OPEN, name="open_battles_a"),
            models.Index(fields=["image_b"], condition=OPEN, name="open_battles_b"),
            models.Index(fields=["event", "voted_at"], condition=~Q(winner=""), name="votes"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def open(self) -> bool:
        return not self.winner and not self.void


class Pairing(models.Model):
    """Two models that a curator sets against each other, such as one before and after mending."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="pairings")
    one = models.CharField(max_length=100)
    other = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["event"], condition=Q(ended_at=None), name="one_pairing_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.one} / {self.other}"
