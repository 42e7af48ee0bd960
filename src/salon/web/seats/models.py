"""Limited things and who has them. What is left is computed from these rows, never kept in a counter."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from salon.web.ids import new_id


class Pool(models.Model):
    """So many of one thing at one time: places at a meet & greet, seats of a workshop, laptops, a slot at a station."""

    class Kind(models.TextChoices):
        MEETING = "meeting", _("meet & greet")
        WORKSHOP = "workshop", _("workshop")
        LAPTOP = "laptop", _("laptop")
        SLOT = "slot", _("station slot")
        OTHER = "other", _("other")

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="pools")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=120)
    about = models.TextField(_("about"), max_length=2000, blank=True, default="")
    room = models.ForeignKey("events.Room", on_delete=models.SET_NULL, null=True, blank=True, related_name="pools")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    capacity = models.PositiveIntegerField(_("places"))
    #: of them kept back for whoever comes to the door
    reserve = models.PositiveIntegerField(_("kept for the door"), default=0)
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    #: until then only invited guests may take a place (accepted artists, workshop finishers)
    invited_until = models.DateTimeField(null=True, blank=True)
    #: whoever takes a place here takes one of these, too, for as long as it lasts, or gets none at all. That is no row
    #: of its own: a seat that is taken is a laptop that is lent, so the two cannot come apart
    needs = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="needed_by")
    #: how long a place is held between taking and confirming; how long an offer stands
    hold_minutes = models.PositiveIntegerField(default=15)
    offer_hours = models.PositiveIntegerField(default=6)
    #: minutes after the start when places nobody came to are given to the door; empty: never
    release_after = models.PositiveIntegerField(null=True, blank=True)
    waiting_list = models.BooleanField(default=True)
    #: visitors see it and may take of it; otherwise it goes with what needs it, or by an organiser's hand
    listed = models.BooleanField(default=True)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "starts_at", "name"]

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """One guest's place in a pool, or their wait for one."""

    class State(models.TextChoices):
        HELD = "held", _("held for you")
        BOOKED = "booked", _("yours")
        WAITING = "waiting", _("on the waiting list")
        OFFERED = "offered", _("offered to you")
        DECLINED = "declined", _("declined")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("given back")
        NO_SHOW = "no_show", _("released: nobody came")

    #: those that fill a seat (a hold or an offer only until `expires_at`), and those that are still somebody's
    FILLING = (State.HELD, State.BOOKED, State.OFFERED)
    LIVE = (*FILLING, State.WAITING)

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="places")
    guest = models.ForeignKey("people.Guest", on_delete=models.PROTECT, related_name="places")
    state = models.CharField(max_length=10, choices=State)
    #: of a hold or an offer
    expires_at = models.DateTimeField(null=True, db_index=True)
    #: taken at the door, out of the reserve or of what was released
    at_door = models.BooleanField(default=False)
    #: when the door let its guest in; without it the place may be released (`Pool.release_after`)
    came_at = models.DateTimeField(null=True)
    #: keyed hash of the guest's address, once somebody who reads its mail has answered (domain/proof.py)
    mailbox = models.CharField(max_length=64, null=True)  # noqa: DJ001 (NULLs are distinct)
    #: one press of a button takes one place
    key = models.CharField(max_length=64)
    #: raised when the ticket is made anew: older tickets are revoked then
    serial = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["pool", "key"], name="one_place_a_key"),
            models.UniqueConstraint(
                fields=["pool", "guest"],
                condition=Q(state__in=["held", "booked", "offered", "waiting"]),
                name="nobody_has_two_places",
            ),
            models.UniqueConstraint(
                fields=["pool", "mailbox"],
                condition=Q(state__in=["held", "booked", "offered", "waiting"]),
                name="no_mailbox_has_two_places",
            ),
        ]
        indexes = [
            models.Index(fields=["pool", "state", "created_at"], name="places_of_a_pool"),
            # all that counting looks at: no row is opened for it
            models.Index(fields=["pool", "state", "at_door", "came_at", "expires_at"], name="places_counted"),
        ]

    def __str__(self) -> str:
        return f"{self.guest} at {self.pool}: {self.state}"


class Invitation(models.Model):
    """A guest who may take a place before everybody else, or a code that makes its holder one; a place is kept for them
    for a while. Only the code's hash is kept."""

    class Reason(models.TextChoices):
        ARTIST = "artist", _("accepted artist")
        FINISHER = "finisher", _("finished a workshop")
        OTHER = "other", _("other")

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="invitations")
    guest = models.ForeignKey("people.Guest", on_delete=models.CASCADE, null=True, related_name="invitations")
    code_hash = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 (NULLs are distinct)
    reason = models.CharField(max_length=10, choices=Reason, default=Reason.OTHER)
    created_at = models.DateTimeField(auto_now_add=True)
    #: until then nobody else gets this place; empty: there was none to keep
    keeps_until = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "guest"], name="invited_once")]
        indexes = [models.Index(fields=["pool", "keeps_until"], condition=Q(used_at=None), name="places_kept")]

    def __str__(self) -> str:
        return f"{self.reason} for {self.pool}"
