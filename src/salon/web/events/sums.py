"""Keeping machines from filling the house, without anybody else's service and without a riddle for people.

A browser with scripts does a small sum first (altcha's proof of work, made and checked here). Whoever has none, or a
device that is too slow for it, waits: a form that was open for WAIT may be sent once as it is. That way is limited, for
one source and for all together; so is nothing for those who did the sum, and a volunteer's code goes round both.
"""

import datetime
import secrets
from typing import NamedTuple

import altcha
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from salon.core.errors import Busy, Conflict
from salon.web.events import tries
from salon.web.events.models import Spent
from salon.web.events.tries import HOUR

#: tries that a sum takes: at most a second or two of a phone's time
FEWEST, MOST = 20_000, 80_000
CHALLENGE_LIFE = datetime.timedelta(minutes=30)
#: the way without a sum: how long a form must have been open, how long it is good, and how many in an hour
WAIT = datetime.timedelta(seconds=20)
STAMP_LIFE = datetime.timedelta(hours=12)
MOST_A_SOURCE, MOST_AN_HOUR = 8, 120
WITHOUT = "no proof"
_STAMP = "salon.stamp"


class TooSoon(Busy):
    """The form was not open long enough; `seconds` are left."""

    code = "too_many_tries"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            _("One moment, please: without the small sum the form has to lie open for a while."),
            _("Press the button again in %(seconds)d seconds. What you typed is still there.") % {"seconds": seconds},
        )
        self.seconds = seconds


class Proof(NamedTuple):
    """What may be used once, until it would be too old anyway."""

    name: str
    until: datetime.datetime


def _secret() -> str:
    return salted_hmac("salon.altcha", "", secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()


def challenge() -> dict:
    """A sum for a browser: which counter, hashed once behind salt and nonce, begins with these digits? Found in
    FEWEST to MOST tries."""
    made = altcha.create_challenge(
        "SHA-256", 1, counter=FEWEST + secrets.randbelow(MOST - FEWEST), hmac_secret=_secret(),
        expires_at=timezone.now() + CHALLENGE_LIFE,
    )  # fmt: skip
    return made.to_dict()


def stamp() -> str:
    """Signed: when a form was opened."""
    return signing.dumps(secrets.token_hex(8), salt=_STAMP)


def check(solved: str, opened: str, source: str) -> Proof:
    """What this form brings along to be let in by, still to be spent. Raises TooSoon, Conflict, TooManyTries."""
    return proof_of(solved) or _waited(opened, source)


def proof_of(solved: str) -> Proof | None:
    """The proof of work, or None if it is none."""
    if not solved or len(solved) > 4000 or not altcha.verify_solution(solved, _secret()).verified:
        return None
    nonce = altcha.Payload.from_base64(solved).challenge.parameters.nonce
    return Proof(nonce, timezone.now() + CHALLENGE_LIFE)


def _waited(opened: str, source: str) -> Proof:
    try:
        nonce = signing.loads(opened, salt=_STAMP, max_age=STAMP_LIFE)
        began = signing.b62_decode(opened.rsplit(":", 2)[1])
    except (signing.BadSignature, IndexError, ValueError) as error:
        raise Conflict(_("This form is too old, or not whole."), _("Load the page again.")) from error
    left = began + WAIT.total_seconds() - timezone.now().timestamp()
    if left > 0:
        raise TooSoon(int(left) + 1)
    tries.once_more(WITHOUT, source, HOUR, MOST_A_SOURCE, MOST_AN_HOUR)
    return Proof(nonce, timezone.now() + STAMP_LIFE)


def spend(proof: Proof) -> None:
    """Inside a transaction: never again. Raises Conflict if it was used."""
    Spent.objects.filter(until__lt=timezone.now()).delete()
    try:
        with transaction.atomic():
            Spent.objects.create(proof=proof.name, until=proof.until)
    except IntegrityError as error:
        raise Conflict(_("This form has been used."), _("Load the page again.")) from error
