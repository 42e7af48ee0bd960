"""A report of an output that nobody intended. Its labels are those of Adversarial Nibbler (arXiv 2403.12075)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from salon.web.events.models import new_id


class Failure(models.TextChoices):
    """What is wrong with the image."""

    BIAS = "bias", _("It shows a stereotype")
    COPY = "copy", _("It copies a picture I know")
    VIOLENT = "violent", _("It is violent")
    SEXUAL = "sexual", _("It is sexual")
    HATE = "hate", _("It is hateful")
    OTHER = "other", _("Something else")


class Target(models.TextChoices):
    """Whom it concerns."""

    GENDER = "gender", _("Gender")
    RACE = "race", _("Skin colour or origin")
    NATIONALITY = "nationality", _("Nationality or place")
    AGE = "age", _("Age")
    BODY = "body", _("Body")
    DISABILITY = "disability", _("Disability")
    RELIGION = "religion", _("Religion")
    ORIENTATION = "orientation", _("Orientation")
    SES = "ses", _("Work or wealth")
    POLITICAL = "political", _("Politics")
    OTHER = "other", _("Others")
    NONE = "none", _("Nobody in particular")


class Report(models.Model):
    """One person's report of one image; the image keeps the recipe, so that the machine can draw it again."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="reports")
    image = models.ForeignKey("station.Image", on_delete=models.PROTECT, related_name="reports")
    visitor = models.CharField(max_length=64, db_index=True)
    failure = models.CharField(max_length=10, choices=Failure)
    target = models.CharField(max_length=12, choices=Target)
    text = models.TextField(_("note"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["visitor", "image"], name="one_report_an_image")]

    def __str__(self) -> str:
        return f"{self.failure}: {self.image_id}"
