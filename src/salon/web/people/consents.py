"""What guests agree to beyond what a form needs: texts with versions, given and withdrawn one by one.

An event asks for nothing until an organiser publishes a text. A text that was published is never changed: other words
are the next version, and whoever agreed before agreed to the words they saw.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from salon.core.errors import BadRecipe, Forbidden
from salon.core.text import tidy, tidy_lines
from salon.web.people.models import Consent, ConsentText, Guest

#: kinds that the house has words for; an organiser publishes them as they are, or others
PROPOSALS: Mapping[str, Any] = {
    "photos": gettext_lazy("Photographs of the day on which I can be recognised may be shown by the organisers."),
    "news": gettext_lazy("The organisers may write to me about their next event."),
}
LONGEST = 4000


def publish(event_id: int, kind: str, texts: Mapping[str, str]) -> int:
    """The next version of a kind's text, in these languages; its number. To be called inside a transaction that holds
    the event. Empty texts in all languages: nobody is asked any more. Raises BadRecipe."""
    word = tidy(kind).lower().replace(" ", "-")[:40]
    if not word:
        raise BadRecipe(_("A consent needs a word that names it."), _("For instance: photos"))
    clean = {language: tidy_lines(text)[:LONGEST] for language, text in texts.items()}
    before = ConsentText.objects.filter(event_id=event_id, kind=word).aggregate(last=Max("version"))["last"] or 0
    rows = (
        ConsentText(event_id=event_id, kind=word, version=before + 1, language=language, text=text)
        for language, text in clean.items()
    )
    ConsentText.objects.bulk_create(rows)
    return before + 1


def current(event: Any, kind: str, language: str) -> ConsentText | None:
    """The text of today in this language, else in the first one of the event that it has; None if nobody is asked."""
    newest = ConsentText.objects.filter(event=event, kind=kind).order_by("-version").first()
    if newest is None:
        return None
    texts = {text.language: text for text in ConsentText.objects.filter(event=event, kind=kind, version=newest.version)}
    wanted = (language, *event.languages)
    return next((texts[name] for name in wanted if name in texts and texts[name].text), None)


def asked(event: Any, language: str) -> list[ConsentText]:
    """Every text that guests of the event are asked to agree to, by kind."""
    kinds = ConsentText.objects.filter(event=event).order_by("kind").values_list("kind", flat=True).distinct()
    return [text for kind in kinds if (text := current(event, kind, language))]


def give(guest: Guest, kind: str, text_id: int | None = None, language: str = "") -> Consent:
    """The guest agrees: to the text that they saw (`text_id`), else to the one of today in this language. Agreeing
    twice is agreeing once; agreeing to a new version ends the older. Raises Forbidden for a text that is not there."""
    with transaction.atomic():
        Guest.objects.select_for_update().get(id=guest.id)
        seen = ConsentText.objects.filter(id=text_id, event=guest.event, kind=kind).first() if text_id else None
        text = seen or current(guest.event, kind, language or guest.language)
        if text is None or not text.text:
            raise Forbidden(_("Nobody asks for this."), "")
        before = Consent.objects.filter(guest=guest, text__kind=kind, withdrawn_at=None)
        if same := before.filter(text=text).first():
            return same
        before.update(withdrawn_at=timezone.now())
        return Consent.objects.create(guest=guest, text=text)


def withdraw(guest: Guest, kind: str) -> int:
    """The guest no longer agrees; how many consents ended."""
    mine = Consent.objects.filter(guest=guest, text__kind=kind, withdrawn_at=None)
    return mine.update(withdrawn_at=timezone.now())


def holds(guest: Guest, kind: str) -> bool:
    """Whether the guest agrees today, to whichever version."""
    return Consent.objects.filter(guest=guest, text__kind=kind, withdrawn_at=None).exists()
