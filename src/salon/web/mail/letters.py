"""Kinds of letters, and how a letter is written: the house's wording in the guest's language, or the event's own.

A wording names its variables in braces: `{title}`. Nothing else in braces is understood, and what a variable stands for
is never read again for braces. `{private_link}` is the way to the guest's own page: it is put in when the letter
leaves, so that neither the outbox nor the database ever holds it; where somebody has typed these very letters as a name
or a title they are words.

Anybody can type anybody's address into a form. So what was typed there travels as plain words that no mail program
makes a link of, and letters to addresses of which nobody knows whose they are (`unproven`) keep a pace and an end of
their own for all together, while those to addresses that have answered go on.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Max, QuerySet
from django.utils import timezone, translation

from salon.core.text import tidy
from salon.web.events.models import Event
from salon.web.ids import new_id
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
#: letters of a word that somebody typed, in a letter to an address of which nobody knows whose it is
LONGEST_WORD = 60
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
#: what makes a link of the words after it; the dot of an address (browsers read four signs as one), between whatever
#: is no blank and no punctuation of ASCII: addresses are written with emoji, and with vowel signs, which are no `\w`
_SCHEME = re.compile(r"(?:\b[a-z][a-z0-9+.-]*:)?//+|\b(?:mailto|tel|sms):", re.IGNORECASE)
_OF_A_NAME = r"[^\s!-,./:-@\[-^`{-~．。｡]"
_DOT = re.compile(rf"(?<={_OF_A_NAME})[.．。｡](?={_OF_A_NAME}{{2}})")


class Kind(NamedTuple):
    """A kind of letter: the house's own words for it, and the variables they may use."""

    name: str
    subject: Any
    text: Any
    variables: tuple[str, ...]
    by_itself: bool
    #: variables that people from outside have typed, beside their name
    typed: tuple[str, ...] = ()
    unproven: bool = False

    @property
    def known(self) -> tuple[str, ...]:
        """Every variable that its wordings may use."""
        return tuple(dict.fromkeys((*self.variables, *ALWAYS)))


_kinds: dict[str, Kind] = {}


def register(
    kind: str, subject: Any, text: Any, variables: Iterable[str] = (), by_itself: bool = False,
    typed: Iterable[str] = (), unproven: bool = False,
) -> None:  # fmt: skip
    """Called in an app's `ready()`, once a kind. `subject` and `text` are lazily translated; `event`, `name` (the
    guest's) and `private_link` (to their own page) may be used without being named. `typed` are those of the variables
    that people from outside have written; `unproven`: it goes to whatever address somebody has typed."""
    if len(kind) > 40 or not all(re.fullmatch(r"[a-z_]+", name) for name in variables):
        raise ValueError(f"a kind has at most 40 letters, its variables are lower case words: {kind}")
    _kinds[kind] = Kind(kind, subject, text, tuple(variables), by_itself, tuple(typed), unproven)


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
    plain = {name: _plain(kind, name, str(value)) for name, value in values.items()}
    here, words = new_id(), LINK.replace("_", " ")  # nobody can have typed this id
    head = filled(subject, {**plain, "private_link": ""}).replace(LINK, words)
    body = filled(text, {**plain, "private_link": here}).replace(LINK, words)
    return one_line(head), many_lines(body.replace(here, LINK))


def _plain(kind: Kind, name: str, value: str) -> str:
    if name != "name" and name not in kind.typed:
        return many_lines(value)
    words = unlinked(tidy(value))
    return words if not kind.unproven or len(words) <= LONGEST_WORD else f"{words[: LONGEST_WORD - 1].rstrip()}…"


def unlinked(words: str) -> str:
    """Words of which no mail program makes a link."""
    return _DOT.sub(r"\g<0> ", _SCHEME.sub(" ", words)).strip()


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
    freely = chosen.by_itself and _has_room(event, guest.email, now) and not (chosen.unproven and _day_is_full(now))
    if chosen.by_itself and not freely and (left := _left(event, guest.email)):
        return left
    fields = {
        "guest": guest,
        "kind": kind,
        "to": guest.email,
        "subject": subject or event.name[:LONGEST_SUBJECT],
        "text": text,
        "state": Letter.State.RELEASED if freely else Letter.State.DRAFT,
        "released_at": now if freely else None,
        "next_at": (_turn(now) if chosen.unproven else now) if freely else None,
    }
    return Letter.objects.get_or_create(event=event, key=key, defaults=fields)[0]


def whole(address: str) -> bool:
    """Whether mail can go to this address: one address, one line, nothing else in it."""
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True


def _unproven(now: datetime.datetime) -> QuerySet[Letter]:
    """Letters of a day that went, or go, to whatever address somebody has typed."""
    names = [kind.name for kind in kinds() if kind.unproven]
    return Letter.objects.filter(kind__in=names, created_at__gt=now - DAY).exclude(released_at=None)


def _day_is_full(now: datetime.datetime) -> bool:
    return _unproven(now).count() >= settings.SALON_LETTERS_PER_DAY


def _turn(now: datetime.datetime) -> datetime.datetime:
    """When the next of them may leave: each a moment after the one before, whoever wrote it. What the mail server put
    off does not hold up the others."""
    in_turn = _unproven(now).exclude(state=Letter.State.RELEASED, tries__gt=0)
    last = in_turn.aggregate(last=Max("next_at"))["last"]
    return max(now, last + MINUTE / settings.SALON_LETTERS_PER_MINUTE) if last else now


def _left(event: Event, address: str) -> Letter | None:
    """The newest of those that wait for a person, once they are as many as went by themselves: whoever does and undoes
    something all day must not fill the outbox, in which decisions wait, too."""
    alone = [kind.name for kind in kinds() if kind.by_itself]
    waiting = _to(Letter.objects.filter(event=event, state=Letter.State.DRAFT, kind__in=alone), address)
    return waiting[-1] if len(waiting) >= MOST_BY_THEMSELVES else None


def _has_room(event: Event, address: str, now: datetime.datetime) -> bool:
    lately = Letter.objects.filter(event=event, created_at__gt=now - datetime.timedelta(hours=1))
    return len(_to(lately.exclude(state=Letter.State.DRAFT), address)) < MOST_BY_THEMSELVES


def _to(rows: QuerySet[Letter], address: str) -> list[Letter]:
    """Those of the letters that arrive in the mailbox of this address, oldest first."""
    local, _at, domain = _mailbox(address).rpartition("@")
    alike = rows.filter(to__istartswith=local, to__iendswith=f"@{domain}").order_by("created_at")
    return [letter for letter in alike if _mailbox(letter.to) == _mailbox(address)]


def _mailbox(address: str) -> str:
    """Whatever stands behind a plus arrives in the same box (RFC 5233)."""
    local, _at, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
