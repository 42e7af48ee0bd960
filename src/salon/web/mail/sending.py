"""Letters leave the house: each at most once, whoever else sends at the same moment, whatever is killed in between.

A letter is claimed before a byte of it goes out: RELEASED becomes SENDING by one conditional update, which only one of
many workers can win. The server's word decides what it becomes then: SENT; RELEASED again after a pause (4xx, RFC 5321
section 4.2.1: the same may succeed later); FAILED (5xx). What ended without a word (a kill, a line cut after the text
went out) is UNSURE, and only a person sends it again: better one doubtful letter than two sure ones.
"""

import datetime
import logging
import re
import smtplib
from collections.abc import Callable
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.message import sanitize_address
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.web.codes import house_address
from salon.web.ids import new_id
from salon.web.leftovers import house_made
from salon.web.mail import worker
from salon.web.mail.letters import LINK, one_line, whole
from salon.web.mail.models import Letter
from salon.web.people.guests import link_token
from salon.web.people.models import Guest

log = logging.getLogger("salon.mail")
State = Letter.State

#: minutes before the next try after the first, second ... temporary error; after the last it counts as failed
PAUSES = (1, 5, 15, 60, 240, 480, 720)
#: what was being sent for longer than this was interrupted; one conversation with a server that answers takes less
LONGEST_SENDING = datetime.timedelta(minutes=5)


#: of a letter, whole or being written
FILE = re.compile(r"[0-9a-f]{32}\.eml|\.[0-9a-f]{32}\.part")


class Temporary(Exception):
    """The server said: later."""


class LineLost(Temporary):
    """The server has gone; a new line is needed for the next letter."""


class Permanent(Exception):
    """The server said: no."""


class Unsure(Exception):
    """The server said nothing after the text had gone out."""


def send_due() -> int:
    """Sends what is released and due, until nothing is left or the worker is to stop; how many left the house."""
    settle_interrupted()
    if not _due().exists():
        return 0
    if not settings.EMAIL_CONFIGURED:
        return _each(_into_file, State.FILED)
    try:
        line = _connect()
    except OSError as error:  # nothing was claimed: all wait for the next try
        _postpone(_said(error))
        return 0
    try:
        return _each(lambda letter: _over(line, letter), State.SENT)
    finally:
        line.close()


def settle_interrupted() -> int:
    """What has been in sending for too long may have been sent."""
    stale = Letter.objects.filter(state=State.SENDING, claimed_at__lt=timezone.now() - LONGEST_SENDING)
    return stale.update(state=State.UNSURE)


def claim() -> Letter | None:
    """The next letter that is due, now this worker's own; None when none is left."""
    while True:
        found = _due().order_by("next_at").values_list("id", flat=True).first()
        if found is None:
            return None
        mine, now = new_id(), timezone.now()
        if _due().filter(id=found).update(state=State.SENDING, claim=mine, claimed_at=now):
            return Letter.objects.select_related("event", "guest").filter(id=found, claim=mine).first()


def _due() -> QuerySet[Letter]:
    return Letter.objects.filter(state=State.RELEASED, next_at__lte=timezone.now())


def _each(deliver: Callable[[Letter], None], done: str) -> int:
    sent = 0
    while not worker.stopping() and (letter := claim()):
        try:
            deliver(letter)
        except Temporary as error:
            _again_later(letter, str(error))
            if isinstance(error, LineLost):
                break
        except Permanent as error:
            _end(letter, State.FAILED, str(error))
        except Unsure as error:
            _end(letter, State.UNSURE, str(error))
            break
        else:
            sent += 1
            _end(letter, done, "")
    return sent


def _end(letter: Letter, state: str, error: str) -> None:
    """The letter's new state, if it is still this try's; what was settled as unsure meanwhile is sure now."""
    mine = Letter.objects.filter(id=letter.id, claim=letter.claim, state__in=(State.SENDING, State.UNSURE))
    sent_at = timezone.now() if state in (State.SENT, State.FILED) else None
    changed = mine.update(state=state, error=error[:300], sent_at=sent_at, tries=letter.tries + 1)
    if not changed and not Letter.objects.filter(id=letter.id).exists():
        file_of(letter.id).unlink(missing_ok=True)  # its guest was erased meanwhile


def _again_later(letter: Letter, error: str) -> None:
    if letter.tries >= len(PAUSES):
        return _end(letter, State.FAILED, error)
    _end(letter, State.RELEASED, error)
    pause = datetime.timedelta(minutes=PAUSES[letter.tries])
    Letter.objects.filter(id=letter.id, state=State.RELEASED).update(next_at=timezone.now() + pause)
    return None


def _postpone(error: str) -> None:
    """No line to the server: every letter that is due counts a try."""
    log.warning("no line to the mail server: %s", error)
    for letter in _due().only("id", "tries"):
        _due().filter(id=letter.id).update(
            state=State.FAILED if letter.tries >= len(PAUSES) else State.RELEASED,
            tries=letter.tries + 1,
            error=error[:300],
            next_at=timezone.now() + datetime.timedelta(minutes=PAUSES[min(letter.tries, len(PAUSES) - 1)]),
        )


def private_address(guest: Guest) -> str:
    """The whole address of a guest's own page."""
    return house_address(reverse("people:private_link", args=[link_token(guest)]))


class Envelope(NamedTuple):
    """What a server is told, and the mail itself."""

    sender: str
    receiver: str
    mail: bytes


def envelope_of(letter: Letter) -> Envelope:
    """The letter as it goes out. Raises Permanent if it cannot be a mail."""
    try:
        return _envelope(letter)
    except ValueError as error:  # no mail address after all, once it is written for the wire
        raise Permanent(_said(error)) from error


def _envelope(letter: Letter) -> Envelope:
    if not whole(letter.address):
        raise Permanent(_("There is no address that it could go to."))
    text = letter.text
    if letter.guest and LINK in text:
        text = text.replace(LINK, private_address(letter.guest))
    sender = formataddr((one_line(letter.event.name), parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    # the id is the letter's: should it arrive twice, mailboxes can tell
    headers = {"Message-ID": f"<{letter.id}@{_domain()}>", "Auto-Submitted": "auto-generated"}
    mail = EmailMessage(one_line(letter.subject), text + "\n", sender, [letter.address], headers=headers)
    ends = (sanitize_address(address, settings.DEFAULT_CHARSET) for address in (sender, letter.address))
    return Envelope(*(parseaddr(address)[1] for address in ends), mail.message().as_bytes(linesep="\r\n"))


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"


# over a line


def _connect() -> smtplib.SMTP:
    kind = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    line = kind(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=settings.EMAIL_TIMEOUT)
    try:
        line.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            line.starttls()
        if settings.EMAIL_HOST_USER:
            line.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except BaseException:
        line.close()
        raise
    return line


def _over(line: smtplib.SMTP, letter: Letter) -> None:
    """One mail transaction, step by step, so that it is known how far an error came."""
    envelope = envelope_of(letter)
    try:
        line.ehlo_or_helo_if_needed()
        _check(*line.mail(envelope.sender))
        _check(*line.rcpt(envelope.receiver))
    except OSError as error:  # smtplib's own errors are among them
        raise LineLost(_said(error)) from error
    except (Temporary, Permanent):
        _reset(line)
        raise
    try:
        code, words = line.data(envelope.mail)
    except smtplib.SMTPDataError as error:  # it did not want to hear the text
        _reset(line)
        code, words = error.smtp_code, error.smtp_error
    except OSError as error:
        raise Unsure(_said(error)) from error
    _check(code, words)


def _check(code: int, words: bytes | str) -> None:
    """Nothing for 2xx; raises Temporary for 4xx, Permanent for the rest."""
    if 200 <= code < 300:
        return
    said = one_line(f"{code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}")
    raise Temporary(said) if 400 <= code < 500 else Permanent(said)


def _reset(line: smtplib.SMTP) -> None:
    try:
        line.rset()
    except OSError:
        line.close()


def _said(error: BaseException) -> str:
    return one_line(f"{type(error).__name__}: {error}")


# into a folder


def folder() -> Path:
    """Where letters lie in a house without a mail server."""
    return Path(settings.HOME) / "mail"


def file_of(letter_id: str) -> Path:
    """The letter's file."""
    return folder() / f"{letter_id}.eml"


def sweep() -> int:
    """Erases files of letters that are no more (a letter's row comes before its file): a kill may come between an
    erasing and its files, and a demo takes its letters along. How many."""
    made = house_made().timestamp()
    ids = {path: path.name.lstrip(".").partition(".")[0] for path in folder().glob("*") if FILE.fullmatch(path.name)}
    there = set(Letter.objects.values_list("id", flat=True)) if ids else set()
    gone = [path for path, letter_id in ids.items() if letter_id not in there and path.stat().st_mtime >= made]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _into_file(letter: Letter) -> None:
    """Writes it whole or not at all; twice is once."""
    envelope = envelope_of(letter)
    folder().mkdir(mode=0o700, exist_ok=True)
    part = folder() / f".{letter.id}.part"
    try:
        part.touch(mode=0o600)
        part.write_bytes(envelope.mail)
        part.replace(file_of(letter.id))
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Temporary(_said(error)) from error
