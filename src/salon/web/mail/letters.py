"""Kinds of letters, and how a letter is written: the house's wording in the guest's language, or the event's own.

A wording names its variables in braces: `{title}`. Nothing else in braces is understood, and what a variable stands for
is never read again for braces. `{private_link}` is the way to the guest's own page: it is put in when the letter
leaves, so that neither the outbox nor the database ever holds it.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone, translation

from salon.engine.recipes import tidy
from salon.web.events.models import Event
from salon.web.mail.models import Letter, Template
from salon.web.people.models import Guest

VARIABLE = re.compile(r"\{([a-z_]+)\}")
#: braces as they come from keyboards; the wide ones of Japanese ones stand for no variable
_BRACE = re.compile(r"[{}｛｝]")
#: known in every kind
ALWAYS = ("event", "name", "private_link")
LINK = "{private_link}"
LONGEST_SUBJECT, LONGEST_TEXT = 200, 20_000
#: letters that go to one address by themselves in an hour; more of them wait for a person. Whoever types a stranger's
#: address into a form must not be able to fill the stranger's box with our letters.
MOST_BY_THEMSELVES = 12


class Kind(NamedTuple):
    """A kind of letter: the house's own words for it, and the variables they may use."""

    name: str
    subject: Any
    text: Any
    variables: tuple[str, ...]
    by_itself: bool

    @property
    def known(self) -> tuple[str, ...]:
        """Every variable that its wordings may use."""
        return tuple(dict.fromkeys((*self.variables, *ALWAYS)))


_kinds: dict[str, Kind] = {}


def register(kind: str, subject: Any, text: Any, variables: Iterable[str] = (), by_itself: bool = False) -> None:
    """Called in an app's `ready()`, once a kind. `subject` and `text` are lazily translated; `event`, `name` (the
    guest's) and `private_link` (to their own page) may be used without being named."""
    if len(kind) > 40 or not all(re.fullmatch(r"[a-z_]+", name) for name in variables):
        raise ValueError(f"a kind has at most 40 letters, its variables are lower case words: {kind}")
    _kinds[kind] = Kind(kind, subject, text, tuple(variables), by_itself)


def kinds() -> Iterator[Kind]:
    """Every kind, by name."""
    return iter(sorted(_kinds.values(), key=lambda kind: kind.name))


def kind_of(name: str) -> Kind:
    """The kind of that name; KeyError if no room registered it."""
    return _kinds[name]


def strangers(kind: Kind, *wordings: str) -> list[str]:
    """What stands in braces in these wordings and is no variable of the kind."""
    braced = (name for wording in wordings for name in re.findall(r"\{([^{}\n]*)\}", wording))
    return sorted({name for name in braced if name not in kind.known})


def stray(text: str) -> list[str]:
    """Where a brace stands that belongs to no `{name}`: a few letters around each."""
    blank = re.sub(r"\{[^{}\n]*\}", lambda found: " " * len(found[0]), text)
    places = (found.start() for found in _BRACE.finditer(blank))
    return [" ".join(text[max(0, at - 12) : at + 13].split()) for at in places]


def filled(wording: str, variables: Mapping[str, str]) -> str:
    """The wording with what its variables stand for; in one pass, so that a name with braces in it stays a name."""
    return VARIABLE.sub(lambda found: variables.get(found[1], found[0]), wording)


def one_line(text: str) -> str:
    """Fit for a header: one line, no control characters, not too long."""
    return tidy(text)[:LONGEST_SUBJECT].rstrip()


def many_lines(text: str) -> str:
    """Fit for a letter's text: lines stay, control characters go, at most one empty line in a row."""
    lines = [tidy(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()[:LONGEST_TEXT]


def language_of(event: Event, guest: Guest) -> str:
    """The guest's language if the event speaks it, else the event's first."""
    spoken = event.languages or ["en"]
    return guest.language if guest.language in spoken else str(spoken[0])


def wording(event: Event, kind: Kind, language: str) -> tuple[str, str]:
    """(subject, text) of a kind: the event's own if it has one in this language, else the house's."""
    own = Template.objects.filter(event=event, kind=kind.name, language=language).first()
    return (own.subject, own.text) if own else house_wording(kind, language)


def house_wording(kind: Kind, language: str) -> tuple[str, str]:
    """The house's own words for a kind."""
    with translation.override(language):
        return str(kind.subject), str(kind.text)


def compose(kind: Kind, subject: str, text: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """(subject, text) filled in and made fit to be sent. The private link stays as it is, in the text only."""
    plain = {name: many_lines(str(value)) for name, value in values.items()}
    head = one_line(filled(subject, {**plain, "private_link": ""}))
    return head, many_lines(filled(text, {**plain, "private_link": LINK}))


def write(event: Event, guest: Guest, kind: str, key: str, **variables: Any) -> Letter | None:
    """The letter of this kind to this guest, in the transaction of the deed behind it; None for a guest without (a
    whole) address. The same `key` twice in an event writes one letter. Kinds that go by themselves are released at
    once; every other waits in the outbox. KeyError for an unknown kind, TypeError unless exactly its variables are
    given, ValueError for a key of more than 100 letters."""
    if len(key) > 100:
        raise ValueError("a letter's key has at most 100 letters")
    chosen = kind_of(kind)
    missing, surplus = set(chosen.variables) - set(variables) - set(ALWAYS), set(variables) - set(chosen.known)
    if missing or surplus:
        raise TypeError(f"letter {kind}: missing {sorted(missing)}, unknown {sorted(surplus)}")
    if guest.erased_at or not whole(guest.email):
        return None
    subject, text = wording(event, chosen, language_of(event, guest))
    subject, text = compose(chosen, subject, text, {"event": event.name, "name": guest.name, **variables})
    now = timezone.now()
    freely = chosen.by_itself and _has_room(event, guest.email, now)
    fields = {
        "guest": guest,
        "kind": kind,
        "to": guest.email,
        "subject": subject or event.name[:LONGEST_SUBJECT],
        "text": text,
        "state": Letter.State.RELEASED if freely else Letter.State.DRAFT,
        "released_at": now if freely else None,
        "next_at": now if freely else None,
    }
    return Letter.objects.get_or_create(event=event, key=key, defaults=fields)[0]


def whole(address: str) -> bool:
    """Whether mail can go to this address: one address, one line, nothing else in it."""
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True


def _has_room(event: Event, address: str, now: datetime.datetime) -> bool:
    since = now - datetime.timedelta(hours=1)
    lately = Letter.objects.filter(event=event, created_at__gt=since, to__iexact=address)
    return lately.exclude(state=Letter.State.DRAFT).count() < MOST_BY_THEMSELVES
