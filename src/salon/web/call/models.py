"""The call for artists: the form that an organiser composes, and what artists write into it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from salon.web.gallery.models import Licence
from salon.web.ids import new_id


class Call(models.Model):
    """An event's call. Its times are UTC and shown in the event's time zone."""

    event = models.OneToOneField("events.Event", on_delete=models.CASCADE, related_name="call")
    title = models.CharField(_("title"), max_length=200)
    about = models.TextField(_("about"), max_length=10_000, blank=True, default="")
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    #: title and about in other languages (events/texts.py)
    texts = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.title


class Question(models.Model):
    """A line of the form. `rank` orders them. Artist, title, words about the work and licence are asked always: they
    are fields of the application itself."""

    class Kind(models.TextChoices):
        LINE = "line", _("one line")
        TEXT = "text", _("several lines")
        NUMBER = "number", _("a number")
        DATE = "date", _("a date")
        CHOICE = "choice", _("one of several")
        CHOICES = "choices", _("any of several")
        YES = "yes", _("yes or no")
        AGREEMENT = "agreement", _("must be agreed to")
        LINK = "link", _("a link")
        FILE = "file", _("a file")

    class Use(models.TextChoices):
        """What the house does with the answer, beyond showing it."""

        LABEL = "label", _("stands on the wall label")
        WORKSHOP = "workshop", _("offers a workshop")
        MEETING = "meeting", _("wants a place at the meet & greet")

    #: the option of a file question that takes pictures only
    PICTURES = "pictures"

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="questions")
    kind = models.CharField(max_length=10, choices=Kind)
    label = models.CharField(_("question"), max_length=300)
    #: of an agreement: the words that are agreed to, in full
    help = models.TextField(_("help"), max_length=4000, blank=True, default="")
    #: choices: one string each; files: [PICTURES] where only pictures are taken
    options = models.JSONField(default=list, blank=True)
    use = models.CharField(max_length=10, choices=Use, blank=True, default="")
    required = models.BooleanField(default=False)
    #: jurors see it only where names are shown
    personal = models.BooleanField(default=False)
    #: agreements: raised when the words change, so that it is known which words were agreed to
    version = models.PositiveSmallIntegerField(default=1)
    rank = models.PositiveSmallIntegerField(default=0)
    #: no longer asked; answers that were given stay
    retired = models.BooleanField(default=False)
    #: label, help and options (in the order of those of the first language, which answers keep) in other languages
    texts = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["rank", "id"]

    def __str__(self) -> str:
        return self.label


class Wording(models.Model):
    """What an agreement said in one of its versions: whoever agreed then agreed to these words."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="wordings")
    version = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=300)
    help = models.TextField(max_length=4000, blank=True, default="")
    texts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["version"]
        constraints = [models.UniqueConstraint(fields=["question", "version"], name="one_wording_a_version")]

    def __str__(self) -> str:
        return f"{self.label} ({self.version})"


class Submission(models.Model):
    """An artist's application. `pending` is a decision that is not yet told: decisions are applied together."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("submitted")
        ACCEPTED = "accepted", _("accepted")
        CONFIRMED = "confirmed", _("confirmed")
        REJECTED = "rejected", _("not accepted")
        WITHDRAWN = "withdrawn", _("withdrawn")
        CANCELLED = "cancelled", _("cancelled")

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="submissions")
    guest = models.ForeignKey("people.Guest", on_delete=models.PROTECT, related_name="submissions")
    #: the name on the label; as personal as the guest's own
    artist = models.CharField(_("artist"), max_length=200, blank=True, default="")
    title = models.CharField(_("title of the work"), max_length=200, blank=True, default="")
    about = models.TextField(_("about the work"), max_length=4000, blank=True, default="")
    licence = models.CharField(max_length=30, blank=True, default="")
    #: what was typed and is not sent yet, by field; nobody but the artist reads it. Empty: nothing is open
    typed = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    pending = models.CharField(max_length=10, choices=State, blank=True, default="")
    #: one press of a button is one application
    key = models.CharField(max_length=64)
    #: raised with every saved change: a second tab that knows an older one is told
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    #: the code that lets this application come late
    code = models.ForeignKey("AccessCode", on_delete=models.SET_NULL, null=True, related_name="submissions")
    #: the sender's network, hashed, until it is decided (domain/drafts.py)
    source = models.CharField(max_length=64, blank=True, default="")
    #: what hangs of it, once it is confirmed
    work = models.ForeignKey("gallery.Work", on_delete=models.SET_NULL, null=True, related_name="submissions")

    class Meta:
        ordering = ["-submitted_at", "-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["event", "key"], name="one_application_a_key"),
            models.CheckConstraint(
                condition=Q(pending__in=["", "accepted", "rejected", "cancelled"]), name="pending_is_a_decision"
            ),
        ]
        indexes = [models.Index(fields=["event", "state"], name="applications_by_state")]

    def __str__(self) -> str:
        return self.title

    @property
    def licence_words(self) -> str:
        return str(Licence(self.licence).label) if self.licence in Licence.values else self.licence

    @property
    def called(self) -> str:
        """Its title for its artist, typed or sent; "" while it has none."""
        return self.title or str(self.typed.get("title", ""))


class Answer(models.Model):
    """What stands beside a question: a JSON value, or files."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    value = models.JSONField(null=True)
    #: of an agreement: which words, and the language in which they were read ("" where it was not noted)
    version = models.PositiveSmallIntegerField(default=1)
    language = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "question"], name="answered_once")]

    def __str__(self) -> str:
        return f"{self.question}: {self.value}"


class Upload(models.Model):
    """A file of an application, kept byte for byte; what is shown of it is made anew."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="uploads")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, null=True, related_name="uploads")
    file = models.FileField(upload_to="applications")
    #: name in the storage of what is shown of a picture; empty for everything else
    shown = models.CharField(max_length=200, blank=True, default="")
    #: as its owner called it
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.name


class AccessCode(models.Model):
    """Lets its holder apply after the deadline. Only the hash is kept; `name` says whom it was made for."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="codes")
    code_hash = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    until = models.DateTimeField()
    uses_left = models.PositiveSmallIntegerField(default=1)

    def __str__(self) -> str:
        return self.name
