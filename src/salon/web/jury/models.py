"""The jury: who judges which applications in which round, by what, and what they said."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from salon.web.ids import new_id


class Phase(models.Model):
    """A round of judging. Its times are UTC and shown in the event's time zone."""

    class Others(models.TextChoices):
        """When a juror sees what others said of an application."""

        ALWAYS = "always", _("at once")
        AFTER_OWN = "after_own", _("after giving their own scores")
        AFTER_ALL = "after_all", _("when all who were asked have answered")

    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="phases")
    name = models.CharField(_("name"), max_length=100)
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    #: without it jurors learn nothing of who applies
    names_shown = models.BooleanField(default=False)
    others = models.CharField(max_length=10, choices=Others, default=Others.AFTER_ALL)
    #: jurors for each application, when they are drawn
    each = models.PositiveSmallIntegerField(_("jurors for each application"), default=3)
    #: the draw that was made: the same seed and the same rows give the same jurors
    seed = models.PositiveIntegerField(default=1)
    rank = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["rank", "id"]
        constraints = [models.UniqueConstraint(fields=["event", "name"], name="phases_have_names")]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """What is scored, from `low` to `high` in whole points. `weight` 0 means that it is asked and does not count."""

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="categories")
    name = models.CharField(_("name"), max_length=100)
    help = models.CharField(_("help"), max_length=300, blank=True, default="")
    low = models.SmallIntegerField(default=0)
    high = models.SmallIntegerField(default=10)
    weight = models.FloatField(default=1)
    optional = models.BooleanField(default=False)
    #: shown beside the sum, not part of it
    independent = models.BooleanField(default=False)
    rank = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["rank", "id"]
        constraints = [
            models.UniqueConstraint(fields=["phase", "name"], name="categories_have_names"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="low_below_high"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="weights_are_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name


class Juror(models.Model):
    """A seat in the jury. It outlives the account, so that what was said stays one person's; others know them
    by `number` only."""

    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="jurors")
    user = models.ForeignKey("people.User", on_delete=models.SET_NULL, null=True, related_name="seats_in_juries")
    number = models.PositiveSmallIntegerField()
    #: left the jury: nothing is asked of them any more
    left_at = models.DateTimeField(null=True)
    #: whether what they said counts
    counted = models.BooleanField(default=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="jurors_have_numbers"),
            models.UniqueConstraint(fields=["event", "user"], name="one_seat_a_juror"),
        ]

    def __str__(self) -> str:
        """The person's name, shortened to what a line of the trail holds beside other words."""
        name = self.user and (self.user.get_full_name() or self.user.username)
        return str(name or _("Juror %d") % self.number)[:120]


class Conflict(models.Model):
    """This juror must not judge this application, and does not see it. `said_by` is the juror, or an organiser."""

    submission = models.ForeignKey("call.Submission", on_delete=models.CASCADE, related_name="conflicts")
    juror = models.ForeignKey(Juror, on_delete=models.CASCADE, related_name="conflicts")
    said_by = models.ForeignKey("people.User", on_delete=models.SET_NULL, null=True, related_name="conflicts_said")
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["submission", "juror"], name="one_conflict_a_pair")]

    def __str__(self) -> str:
        return f"{self.juror}: {self.submission_id}"


class Assignment(models.Model):
    """A juror is asked to judge an application in a phase. Its id is how the juror's pages name the application, which
    has names of its own elsewhere. `place` orders a juror's queue, by chance."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="assignments")
    submission = models.ForeignKey("call.Submission", on_delete=models.CASCADE, related_name="assignments")
    juror = models.ForeignKey(Juror, on_delete=models.CASCADE, related_name="assignments")
    by_hand = models.BooleanField(default=False)
    place = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["place", "id"]
        constraints = [models.UniqueConstraint(fields=["phase", "submission", "juror"], name="asked_once")]

    def __str__(self) -> str:
        return f"{self.juror}: {self.submission_id}"


class Review(models.Model):
    """What a juror said of an application. `revision` is raised with every change: an older tab is told."""

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="reviews")
    submission = models.ForeignKey("call.Submission", on_delete=models.CASCADE, related_name="reviews")
    juror = models.ForeignKey(Juror, on_delete=models.CASCADE, related_name="reviews")
    abstained = models.BooleanField(default=False)
    #: for the jury and the organisers
    text = models.TextField(_("for the jury"), max_length=4000, blank=True, default="")
    #: for the artist; organisers pass it on
    note = models.TextField(_("for the artist"), max_length=4000, blank=True, default="")
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["phase", "submission", "juror"], name="one_review_a_juror")]

    def __str__(self) -> str:
        return f"{self.juror}: {self.submission_id}"


class Score(models.Model):
    """A review's points in one category."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="scores")
    category = models.ForeignKey(Category, on_delete=models.RESTRICT, related_name="scores")
    value = models.SmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "category"], name="scored_once")]

    def __str__(self) -> str:
        return f"{self.category_id}: {self.value}"


class Marking(models.Model):
    """Decisions that an organiser marked at once, and what stood there before, so that it can be taken back. `before`
    and `after` hold `pending` by application."""

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="markings")
    person = models.ForeignKey("people.User", on_delete=models.SET_NULL, null=True, related_name="markings")
    before = models.JSONField()
    after = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{len(self.after)} decisions"
