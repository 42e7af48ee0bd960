"""An artist's side: beginning, writing, sending, withdrawing, confirming. Nothing that was typed is lost: it is kept
as it was typed until it is sent, and a second window cannot write over it unseen."""

import datetime
import re
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.core.text import tidy
from salon.web.call.domain import answers, codes, hanging, letters, states, windows
from salon.web.call.models import AccessCode, Submission
from salon.web.events import sums, trail
from salon.web.events.domain import lock_current_event, not_archived
from salon.web.gallery.models import Work
from salon.web.people import guests
from salon.web.people.models import Guest

State = Submission.State
#: applications of one guest
MOST_A_GUEST = 5
#: how long after its beginning the same press of the button finds the application again
SAME_PRESS = datetime.timedelta(hours=1)
_KEY = re.compile(r"[0-9a-f]{32}")


class Begin(NamedTuple):
    """What the first form says. `ticket` stands for a code that was accepted."""

    key: str
    name: str
    email: str = ""
    language: str = ""
    visitor: str = ""
    ticket: str = ""
    source: str = ""


class Changed(Conflict):
    """Somebody wrote meanwhile, in another window. Holds what is kept and what was typed here."""

    def __init__(self, submission: Submission, typed: dict[str, Any]) -> None:
        super().__init__(
            _("This application was changed in another window meanwhile."),
            _("Both are shown here: keep what you want, then save again. Nothing is lost."),
        )
        self.submission, self.typed = submission, typed


def again(key: str, guest: Guest | None) -> Submission | None:
    """The application that this press of the button has made already. Raises Conflict for somebody else's, or an old
    one's."""
    if not _KEY.fullmatch(key):
        raise BadRecipe(_("This form is not whole."), _("Load the page again."))
    found = Submission.objects.select_related("guest").filter(event__current=True, key=key).first()
    if found is None or (guest and found.guest_id == guest.id):
        return found
    if guest is None and found.guest.erased_at is None and timezone.now() - found.created_at < SAME_PRESS:
        return found
    raise Conflict(_("This form has been used."), _("Load the page again."))


def begin(ask: Begin, guest: Guest | None, proof: sums.Proof | None) -> Submission:
    """A new application, still empty, of this guest or of a new one. `proof` comes from `sums.check`; it is None with a
    ticket, whose code has one use less then. Raises BadRecipe, Conflict, Forbidden."""
    with transaction.atomic():
        event = lock_current_event()
        if found := again(ask.key, guest):
            return found
        code = codes.of_ticket(event, ask.ticket, lock=True) if ask.ticket else None
        call = windows.call_of(event)
        phase = windows.phase(call)
        if phase != "open" and not (code and phase == "closed"):
            raise Conflict(_("The call is not open."), _("Look at its days again."))
        if proof:
            sums.spend(proof)
        elif code is None:
            raise Forbidden(_("This form is not whole."), _("Load the page again."))
        guest = guest or _new_guest(event.id, ask)
        if Submission.objects.filter(guest=guest).exclude(state=State.WITHDRAWN).count() >= MOST_A_GUEST:
            raise Conflict(_("You have %(count)d applications already.") % {"count": MOST_A_GUEST}, "")
        if code:
            codes.use(code)
        made = Submission.objects.create(
            event=event, guest=guest, key=ask.key, artist=guest.name, code=code, source=ask.source
        )
        trail.note(event, "application begun", made.id, text=f"code: {code.name}" if code else "")
        return made


def _new_guest(event_id: int, ask: Begin) -> Guest:
    """Raises BadRecipe."""
    if address := tidy(ask.email):
        try:
            validate_email(address)
        except ValidationError as error:
            message = _("“%(text)s” is not an e-mail address.") % {"text": address[:80]}
            raise BadRecipe(message, _("Correct it, or leave it empty: it works without.")) from error
    return guests.make(event_id, ask.name, ask.email, ask.language, ask.visitor)[0]


def mine(guest: Guest | None, submission_id: str, lock: bool = False) -> Submission:
    """The guest's own application; others are not told whether it exists. Raises Forbidden."""
    rows = Submission.objects.select_for_update(of=("self",)) if lock else Submission.objects
    found = rows.select_related("guest", "event", "code").filter(id=submission_id, guest=guest).first()
    if guest is None or found is None:
        raise Forbidden(
            _("This page is its artist's own."),
            _("Open it with the private link that you were shown when you began, or from your letter."),
        )
    return found


def save(guest: Guest | None, submission_id: str, revision: int, typed: dict[str, Any]) -> Submission:
    """Keeps what was typed, at any time, until it is sent; saving the same again changes nothing. Raises Changed if
    what is kept is not what this window knew, Conflict, Forbidden."""
    with transaction.atomic():
        submission = mine(guest, submission_id, lock=True)
        not_archived(submission.event)
        if submission.state not in states.WRITABLE:
            raise Conflict(
                _("This application is %(state)s by now.") % {"state": submission.get_state_display()},
                _("It cannot be changed any more; what was sent is kept as it is."),
            )
        kept = answers.typed_of(submission)
        if typed == kept:
            return submission
        if revision != submission.revision:
            raise Changed(submission, typed)
        open_words = typed != answers.sent_of(submission) or submission.state == State.DRAFT
        submission.typed = {"": 1, **typed} if open_words else {}
        submission.revision += 1
        submission.save(update_fields=["typed", "revision", "changed_at"])
        return submission


def send(guest: Guest | None, submission_id: str, opened: str) -> tuple[Submission, dict[str, str]]:
    """Sends what is kept, and says what is wrong with it, by field, if it cannot be sent yet. Sending twice is sending
    once. Raises windows.Late, Conflict, Forbidden."""
    with transaction.atomic():
        submission = mine(guest, submission_id, lock=True)
        event, call = not_archived(submission.event), windows.call_of(submission.event)
        if submission.state == State.SUBMITTED and not submission.typed:
            return submission, {}
        if submission.state not in states.WRITABLE:
            states.do(submission, "sent")
        windows.check(call, submission, opened)
        assert call is not None  # it could not be open
        questions = answers.asked(call)
        values, wrong = answers.check(submission, questions, answers.typed_of(submission))
        if wrong:
            return submission, wrong
        first = submission.state == State.DRAFT
        if first:
            states.do(submission, "sent")
            submission.submitted_at = timezone.now()
        answers.keep(submission, questions, values)
        submission.typed, submission.revision = {}, submission.revision + 1
        submission.save()
        trail.again(event, "application sent" if first else "application changed", submission.id)
        if first:
            letters.tell("call-received", submission, windows.deadline(call, submission))
        return submission, {}


def withdraw(guest: Guest | None, submission_id: str) -> tuple[Submission, Work | None]:
    """The artist takes it back; what hangs of it comes down. Twice is once. The work, if it hung, is to be told to the
    walls. Raises Forbidden, Conflict."""
    with transaction.atomic():
        submission = mine(guest, submission_id, lock=True)
        if submission.state == State.WITHDRAWN:
            return submission, None
        states.do(submission, "withdrawn")
        submission.pending = ""
        submission.save(update_fields=["state", "pending", "changed_at"])
        trail.again(submission.event, "application withdrawn", submission.id)
        hanging.release_place(submission.guest)
        return submission, hanging.take_back(submission)


def take_up(guest: Guest | None, submission_id: str) -> Submission:
    """A withdrawn application is a draft again, while the call is open. Raises Forbidden, Conflict."""
    with transaction.atomic():
        submission = mine(guest, submission_id, lock=True)
        windows.check(windows.call_of(not_archived(submission.event)), submission, "")
        if not submission.typed:
            submission.typed = {"": 1, **answers.sent_of(submission)}
        states.do(submission, "taken up")
        submission.save(update_fields=["state", "typed", "changed_at"])
        trail.again(submission.event, "application taken up", submission.id)
        return submission


def confirm(guest: Guest | None, submission_id: str) -> Submission:
    """The accepted artist takes part: the first picture goes to the curators. Twice is once. Raises Forbidden,
    Conflict."""
    with transaction.atomic():
        submission = mine(guest, submission_id, lock=True)
        not_archived(submission.event)
        if submission.state == State.CONFIRMED:
            return submission
        states.do(submission, "confirmed")
        submission.save(update_fields=["state", "changed_at"])
        hanging.propose(submission)
        trail.note(submission.event, "participation confirmed", submission.id)
        letters.tell("call-confirmed", submission)
        return submission


def come_late(guest: Guest | None, submission_id: str, ticket: str) -> Submission:
    """A code lets this application be sent after the deadline; the same code again costs nothing. Raises Forbidden."""
    with transaction.atomic():
        event = lock_current_event()
        submission = mine(guest, submission_id, lock=True)
        code: AccessCode = codes.of_ticket(event, ticket, lock=True)
        if submission.code_id != code.id:
            codes.use(code)
            submission.code = code
            submission.save(update_fields=["code", "changed_at"])
            trail.note(event, "application let in late", submission.id, text=code.name)
        return submission


def of_guest(guest: Guest | None) -> list[Submission]:
    """Everything that this guest began at the current event, newest first."""
    return list(Submission.objects.filter(guest=guest, event__current=True)) if guest else []
