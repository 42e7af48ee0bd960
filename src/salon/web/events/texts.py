"""Texts of organisers in several languages. A row keeps the words of the event's first language in its own fields, and
those of the others in `texts`, by language and field: {"es": {"title": "..."}}. What is missing there is read in the
first; answers and exports always go by the first."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe
from salon.web.events.models import Event

Texts = dict[str, dict[str, Any]]


class Told(Protocol):
    """A row with texts."""

    texts: Texts


class Field(NamedTuple):
    """A field that may be translated: how what was typed is tidied, and how long it may be."""

    tidy: Callable[[str], str]
    most: int


def own(row: Told, field: str) -> Any:
    """The row's words in the reader's language, or None."""
    return row.texts.get(get_language() or "", {}).get(field) or None


def said(row: Told, field: str) -> Any:
    """The row's words in the reader's language, else in the event's first."""
    return own(row, field) or getattr(row, field)


def others(languages: Iterable[str]) -> list[str]:
    """The languages beside the first."""
    return list(languages)[1:]


def name_of(field: str, language: str) -> str:
    """The name of a translated field in forms."""
    return f"{field}.{language}"


def read(form: Mapping[str, Any], languages: Iterable[str], fields: Mapping[str, Field]) -> Texts:
    """What was typed in the languages beside the first; an empty field is none. Raises BadRecipe for what is too
    long."""
    found: Texts = {}
    for code in others(languages):
        for field, (tidy, most) in fields.items():
            words = tidy(str(form.get(name_of(field, code), "")))
            if len(words) > most:
                raise BadRecipe(
                    _("In %(language)s: at most %(most)d characters, please; these are %(count)d.")
                    % {"language": dict(settings.LANGUAGES).get(code, code), "most": most, "count": len(words)},
                    "",
                )
            if words:
                found.setdefault(code, {})[field] = words
    return found


def merged(before: Texts, languages: Iterable[str], read: Texts) -> Texts:
    """What is kept once a form was read: a language that it did not offer keeps its words, should it come back."""
    offered = set(others(languages))
    return {code: words for code, words in before.items() if code not in offered} | read


Rows = Callable[[Event], Iterable[tuple[Any, tuple[str, ...]]]]
_rows: list[Rows] = []


def register(rows: Rows) -> None:
    """Called in an app's `ready()`: which of an event's rows have texts, each with the fields that are in them."""
    _rows.append(rows)


def turn(event: Event, before: str, after: str) -> None:
    """Inside a transaction: another language is the event's first. What rows say in it goes to their own fields, what
    stood there to `texts`. Options stay, since answers are kept by them."""
    for row, fields in ((event, ("welcome", "privacy")), *(found for rows in _rows for found in rows(event))):
        said = row.texts.pop(after, {})
        words = {field: getattr(row, field) for field in fields if getattr(row, field)}
        for field in fields:
            setattr(row, field, said.pop(field, "") or getattr(row, field))
        mine = {field: text for field, text in words.items() if text != getattr(row, field)}
        row.texts |= {code: kept for code, kept in ((before, row.texts.get(before, {}) | mine), (after, said)) if kept}
        if row is not event:
            row.save(update_fields=[*fields, "texts"])


class Line(NamedTuple):
    """How a form asks for a field: its label, lines of its box (0: one line), letters that it takes."""

    label: Any
    rows: int
    most: int


def asked(
    row: Told | None, languages: Iterable[str], lines: Mapping[str, Line], form: Any = None
) -> list[dict[str, Any]]:
    """The languages beside the first as a form shows them (`_in_other.html`), with what was typed last (`form`), else
    what is kept of `row`."""
    names, found = dict(settings.LANGUAGES), []
    for code in others(languages):
        fields = [
            {"name": name_of(name, code), "label": line.label, "rows": line.rows, "most": line.most,
             "value": _typed(row, name, code, form)}
            for name, line in lines.items()
        ]  # fmt: skip
        filled = any(field["value"] for field in fields)
        found.append({"code": code, "name": names.get(code, code), "fields": fields, "open": bool(form) and filled})
    return found


def _typed(row: Told | None, field: str, code: str, form: Any) -> str:
    if form is not None:
        return form.get(name_of(field, code), "")
    words = row.texts.get(code, {}).get(field, "") if row else ""
    return "\n".join(words) if isinstance(words, list) else words


def in_all(languages: Iterable[str], make: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], Texts]:
    """What the house itself says, in the first language, and in the others what is said differently there."""
    codes = list(languages) or [settings.LANGUAGE_CODE]
    made = {}
    for code in codes:
        with translation.override(code):
            made[code] = make()
    first = made[codes[0]]
    texts = {code: {k: v for k, v in made[code].items() if v and v != first[k]} for code in codes[1:]}
    return first, {code: words for code, words in texts.items() if words}
