"""Passwords, slowly: after a few wrong ones a name's door stays shut for a while, for whoever tried them.

Tries are counted by account and by where they come from: strangers who guess shut themselves out, not the person whose
name they try, nor others with invented names. A browser that has come in before is a place of its own, whatever network
it shares with strangers. One-time links and codes open meanwhile.
"""

import datetime
import unicodedata

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from salon.core.text import tidy
from salon.web import cookies
from salon.web.events import tries
from salon.web.events.domain import current_event
from salon.web.events.models import Try
from salon.web.events.trail import note
from salon.web.events.tries import Limit
from salon.web.people.models import User
from salon.web.sources import source_of

DEED = "wrong password"
KIND = "password"
PAUSE = datetime.timedelta(minutes=15)
#: wrong passwords for one name from one place within PAUSE
MOST_A_NAME = 8
#: from one place within PAUSE, whatever the names (each costs a third of a second of hashing); for one account within
#: an hour, from wherever (NIST SP 800-63B: at most 100), browsers that are known excepted
MOST_A_PLACE, MOST_AN_ACCOUNT = 240, 100
HERE = Limit(MOST_A_NAME, PAUSE, subject=True, source=True)
STRANGE = (
    HERE,
    Limit(MOST_A_PLACE, PAUSE, source=True),
    Limit(MOST_AN_ACCOUNT, datetime.timedelta(hours=1), subject=True),
)
#: the cookie of a browser that somebody has come in with; it opens nothing
COOKIE, SALT = cookies.personal("salon_known", "/backstage"), "salon.known"
LIFETIME = datetime.timedelta(days=90)


def begin(request: HttpRequest, name: str) -> Try:
    """Counts a try for this name. Raises TooManyTries."""
    known = _account(name)
    source = _known_browser(request, known)
    limits, source = ((HERE,), source) if source else (STRANGE, source_of(request))
    tried = tries.begin(KIND, tries.hashed(_name(name).casefold()), source, limits)
    if tried is None:
        raise tries.TooManyTries(
            _("Too many wrong passwords from here: this way stays shut for a quarter of an hour."),
            _("A one-time link opens at once (salon backstage), and so does another device with the right password."),
        )
    return tried


def fail(name: str) -> None:
    """A line of the trail, for an account. A name that is nobody's may be a password in the wrong field: it is not
    written down, and invented ones do not fill the trail."""
    if known := _account(name):
        note(current_event(), DEED, "", text=known.username[:60])


def succeed(person: User, tried: Try) -> None:
    """The password was right: earlier wrong ones of this name from here are forgiven."""
    tries.forgive(tried)
    note(current_event(), "came in", "", person=person)


def _name(typed: str) -> str:
    """The same for all that the form reads as the same name."""
    return tidy(unicodedata.normalize("NFKC", typed))


def _account(typed: str) -> User | None:
    return User.objects.filter(username__iexact=_name(typed)).first()


def know(response: HttpResponse, person: User) -> None:
    """Whoever came in with this browser comes in again, whatever others try from the same network."""
    known = signing.dumps([person.pk, get_random_string(16)], salt=SALT)
    cookies.keep(response, COOKIE, known, int(LIFETIME.total_seconds()))


def _known_browser(request: HttpRequest, person: User | None) -> str:
    """The browser's own mark, if it is this person's; else empty."""
    try:
        whose, mark = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError):
        return ""
    return tries.hashed(f"browser {mark}") if person and whose == person.pk else ""
