"""What a person of the house does with letters: edit, release, discard, try again; and with their wordings. Each deed
checks the state it finds, and is a line of the trail in its own transaction."""

import re
from collections import Counter
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.mail import letters
from salon.web.mail.models import Letter, Template
from salon.web.people.models import User

State = Letter.State
#: deed -> (states it starts from, state it leads to)
DEEDS: dict[str, tuple[tuple[str, ...], str]] = {
    "release": ((State.DRAFT,), State.RELEASED),
    "discard": ((State.DRAFT, State.RELEASED, State.FAILED, State.UNSURE), State.DISCARDED),
    "retry": ((State.FAILED, State.UNSURE, State.FILED), State.RELEASED),
    "hold": ((State.RELEASED, State.DISCARDED), State.DRAFT),
}
SAID = {"release": "released", "discard": "discarded", "retry": "sent again", "hold": "held back"}


def do(person: User, event: Event, deed: str, ids: Sequence[str]) -> int:
    """Does the deed to those of the letters that are in a state for it; to how many. Letters that somebody else has
    dealt with meanwhile, and those that are being sent, are left alone. Raises Conflict if none was."""
    starts, leads_to = DEEDS[deed]
    now = timezone.now()
    go = {"released_at": now, "next_at": now, "tries": 0} if leads_to == State.RELEASED else {}
    with transaction.atomic():
        mine = Letter.objects.filter(event=event, id__in=list(ids)[:500], state__in=starts)
        if leads_to == State.RELEASED:
            mine = mine.filter(guest__isnull=False)
        done = list(mine.select_for_update().values_list("id", flat=True))
        # the state is asked for once more: a worker may have claimed one since (it takes no lock but its own update)
        changed = [one for one in done if _change(one, starts, {"state": leads_to, "error": "", "claim": "", **go})]
        for one in changed:
            note(event, f"letter {SAID[deed]}"[:30], one, person=person)
    if not changed:
        raise Conflict(_("Nothing was left to do: these letters are in another state by now."), _("Look again."))
    return len(changed)


def _change(letter_id: str, starts: Sequence[str], fields: dict[str, object]) -> int:
    return Letter.objects.filter(id=letter_id, state__in=starts).update(**fields)


def edit(person: User, event: Event, letter_id: str, subject: str, text: str) -> Letter:
    """Changes the words of a letter that waits. Its variables are filled in by now, so new braces would be sent as they
    are. Raises BadRecipe, Conflict."""
    head, body = letters.one_line(subject), letters.many_lines(text)
    if not head or not body:
        raise BadRecipe(_("A letter needs a subject and a text."), "")
    with transaction.atomic():
        waits = Letter.objects.filter(id=letter_id, event=event, state__in=(State.DRAFT, State.FAILED))
        if (was := waits.first()) and _braces(head, body) - _braces(was.subject, was.text):
            message = _("This letter is written already: what stands in braces would be sent as it is.")
            raise BadRecipe(message, _("Write the words themselves. Only {private_link} may stand in the text."))
        if not waits.update(subject=head, text=body):
            raise Conflict(_("This letter does not wait any more."), _("Look at the list again."))
        note(event, "letter edited", letter_id, person=person)
        return Letter.objects.get(id=letter_id, event=event)


def _braces(subject: str, text: str) -> Counter[str]:
    """What stands in braces, and braces alone; but for the private link in the text."""
    return Counter(re.findall(r"\{[^{}\n]*\}|[{}]", subject + "\n" + text.replace(letters.LINK, "")))


# wordings


def check(kind: letters.Kind, subject: str, text: str) -> tuple[str, str]:
    """The wording, fit to be kept. Raises BadRecipe if it is empty, names what the kind does not know, or has a brace
    without its partner."""
    head, body = letters.one_line(subject), letters.many_lines(text)[:10_000]
    if not head or not body:
        raise BadRecipe(_("A letter needs a subject and a text."), "")
    if unknown := letters.strangers(kind, head, body):
        told = ", ".join(f"{{{name}}}" for name in unknown)
        known = ", ".join(f"{{{name}}}" for name in kind.known)
        raise BadRecipe(
            _("Letters of this kind know nothing of %(unknown)s.") % {"unknown": told},
            _("In braces may stand: %(known)s") % {"known": known},
        )
    if broken := letters.stray(head) + letters.stray(body):
        raise BadRecipe(
            _("A brace has no partner, here: “%(place)s”.") % {"place": "”, “".join(broken[:3])},
            _("A variable stands between two: {name}. Letters cannot hold braces of other kinds."),
        )
    if letters.LINK in head:
        raise BadRecipe(_("The private link belongs into the text, not into the subject."), "")
    return head, body


def word(person: User, event: Event, kind: letters.Kind, language: str, subject: str, text: str) -> Template:
    """The event's own wording of a kind in a language, from now on. Letters that wait already keep theirs. Raises
    BadRecipe."""
    head, body = check(kind, subject, text)
    with transaction.atomic():
        fields = {"subject": head, "text": body}
        made, _new = Template.objects.update_or_create(event=event, kind=kind.name, language=language, defaults=fields)
        note(event, "letter worded", kind.name, person=person, text=language)
        return made


def unword(person: User, event: Event, kind: letters.Kind, language: str) -> None:
    """The house's own wording again."""
    with transaction.atomic():
        if Template.objects.filter(event=event, kind=kind.name, language=language).delete()[0]:
            note(event, "letter reworded", kind.name, person=person, text=language)


def preview(event: Event, kind: letters.Kind, subject: str, text: str) -> tuple[str, str]:
    """The wording with its variables' names where words will stand."""
    values = {name: f"⟨{name.replace('_', ' ')}⟩" for name in kind.known}
    head, body = letters.compose(kind, subject, text, {**values, "event": event.name})
    return head, body.replace(letters.LINK, values["private_link"])
