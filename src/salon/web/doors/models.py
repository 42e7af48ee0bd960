"""Tickets' codes, doors, who stands at them, and everything that was held up to them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from salon.web.ids import new_id


class Ticket(models.Model):
    """The code, to be typed, of one edition of a place's ticket (`Place.serial`). The QR code needs no row: it is
    signed. Rows of older editions stay, so that their codes are known to be revoked."""

    place = models.ForeignKey("seats.Place", on_delete=models.CASCADE, related_name="tickets")
    serial = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=10, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "serial"], name="one_code_an_edition")]

    def __str__(self) -> str:
        return f"{self.place_id}/{self.serial}"


#: minutes before the start from which a new door lets people in
EARLY = 60


class Door(models.Model):
    """A way in, to some of what there is places for (no pools: to all of it), at some times."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="doors")
    name = models.CharField(_("name"), max_length=60)
    pools = models.ManyToManyField("seats.Pool", related_name="doors", blank=True)
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    #: nobody is let in longer than this before what their place is for begins; empty: whenever the door is open
    minutes_before = models.PositiveIntegerField(_("minutes before"), null=True, blank=True, default=EARLY)
    removed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["event", "name"], condition=Q(removed_at=None), name="doors_have_names"),
        ]

    def __str__(self) -> str:
        return self.name


class Post(models.Model):
    """Which door a door's device stands at."""

    device = models.OneToOneField("events.Device", on_delete=models.CASCADE, related_name="post")
    door = models.ForeignKey(Door, on_delete=models.PROTECT, related_name="posts")

    def __str__(self) -> str:
        return f"{self.device} at {self.door}"


class Way(models.TextChoices):
    """How somebody showed who they are."""

    SCAN = "scan", _("scanned")
    TYPED = "typed", _("typed")
    NAME = "name", _("found by name")
    WALK_IN = "walk_in", _("place given at the door")


class Reason(models.TextChoices):
    """Why somebody was not let in."""

    UNKNOWN = "unknown", _("no ticket of this house")
    OTHER_EVENT = "other_event", _("a ticket for another event")
    REVOKED = "revoked", _("a newer ticket has replaced it")
    ERASED = "erased", _("its holder was erased")
    NOT_BOOKED = "not_booked", _("its place is not booked")
    WRONG_DOOR = "wrong_door", _("for another door")
    ALREADY_IN = "already_in", _("already in")
    TOO_EARLY = "too_early", _("too early")
    TOO_LATE = "too_late", _("too late")


class Shown(models.Model):
    """What was held up to a door once: by which device or person, with a number of its own (`nonce`), so that the same
    press sent twice is one. `at` is the moment at the door; `offline`: it had no line then, nobody checked."""

    nonce = models.CharField(max_length=64, unique=True)
    device = models.ForeignKey("events.Device", on_delete=models.SET_NULL, null=True, related_name="+")
    person = models.ForeignKey("people.User", on_delete=models.SET_NULL, null=True, related_name="+")
    way = models.CharField(max_length=8, choices=Way)
    at = models.DateTimeField()
    offline = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class CheckIn(Shown):
    """Somebody came in; undone if that was a mistake."""

    place = models.ForeignKey("seats.Place", on_delete=models.PROTECT, related_name="check_ins")
    door = models.ForeignKey(Door, on_delete=models.PROTECT, related_name="check_ins")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey("people.User", on_delete=models.SET_NULL, null=True, related_name="+")
    undone_on = models.ForeignKey("events.Device", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["place"], condition=Q(undone_at=None), name="in_once")]

    def __str__(self) -> str:
        return f"{self.place_id} at {self.door}"


class Refusal(Shown):
    """Somebody was not let in. After a time without a line it is a conflict: they are in, and a person has to look."""

    door = models.ForeignKey(Door, on_delete=models.PROTECT, related_name="refusals")
    place = models.ForeignKey("seats.Place", on_delete=models.PROTECT, null=True, related_name="refusals")
    reason = models.CharField(max_length=12, choices=Reason)
    #: of a place that was not booked: its state then
    state = models.CharField(max_length=10, blank=True, default="")
    #: how they came in before, if they were in already
    prior = models.ForeignKey(CheckIn, on_delete=models.SET_NULL, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey("people.User", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["device", "reason", "created_at"], name="wrong_codes"),
            models.Index(fields=["door"], condition=Q(offline=True, settled_at=None), name="conflicts_of_a_door"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} at {self.door}"
