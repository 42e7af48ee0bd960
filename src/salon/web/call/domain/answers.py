"""What is typed into the form, what it means, and how it is told."""

import datetime
import decimal
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from salon.core.text import tidy, tidy_lines
from salon.web.call.models import Answer, Call, Question, Submission, Upload
from salon.web.events import texts
from salon.web.gallery.models import Licence

Kind = Question.Kind
#: the form's own lines, and how long they may be
FIELDS = {"artist": 200, "title": 200, "about": 4000, "licence": 30}
LONGEST = {Kind.LINE: 300, Kind.TEXT: 4000, Kind.LINK: 500, Kind.NUMBER: 40, Kind.DATE: 20}
#: signs of one field that are kept while somebody writes, whatever a field may hold in the end
MOST_TYPED = 12_000
_is_link = URLValidator(schemes=["http", "https"])
Typed = dict[str, Any]


def name_of(question: Question) -> str:
    """The name of a question's field in the form."""
    return f"q{question.id}"


def asked(call: Call) -> list[Question]:
    """The questions of the form, in order."""
    return list(call.questions.filter(retired=False))


def read(questions: list[Question], form: Any) -> Typed:
    """What was typed, as it was typed; fields that are empty are left out. `form` is a QueryDict."""
    typed: Typed = {}
    for name in (*FIELDS, *(name_of(one) for one in questions if one.kind not in (Kind.CHOICES, Kind.FILE))):
        if text := _clean(form.get(name, ""))[:MOST_TYPED]:
            typed[name] = text
    for one in questions:
        if one.kind == Kind.CHOICES and (ticked := form.getlist(name_of(one))):
            typed[name_of(one)] = [_clean(choice)[:300] for choice in ticked[:50]]
    return typed


def _clean(text: str) -> str:
    """Without what no database keeps; lines end in one way, whichever browser sent them."""
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def lines(text: str) -> str:
    """Several lines, each tidied."""
    return tidy_lines(text)


def typed_of(submission: Submission) -> Typed:
    """What stands in the form: what was typed last, or what was sent."""
    if submission.typed:
        return {name: value for name, value in submission.typed.items() if name}
    return sent_of(submission)


def sent_of(submission: Submission) -> Typed:
    """What was sent, as it would be typed."""
    typed: Typed = {name: getattr(submission, name) for name in FIELDS if getattr(submission, name)}
    for answer in submission.answers.select_related("question"):
        value = answer.value
        if value in (None, "", []):
            continue
        if answer.question.kind == Kind.AGREEMENT:
            value = str(answer.version) if value else ""
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        if value != "":
            typed[name_of(answer.question)] = value if isinstance(value, list) else str(value)
    return typed


def check(submission: Submission, questions: list[Question], typed: Mapping[str, Any]) -> tuple[Typed, dict[str, str]]:
    """The values of what was typed, by field, and what is wrong, by field."""
    values: Typed = {"artist": tidy(str(typed.get("artist", "")))}
    values |= {"title": tidy(str(typed.get("title", ""))), "about": lines(str(typed.get("about", "")))}
    values["licence"] = str(typed.get("licence", ""))
    wrong = {name: _too_long(most, len(values[name])) for name, most in FIELDS.items() if len(values[name]) > most}
    if not values["artist"]:
        wrong["artist"] = _("Say who you are, as it shall stand on the label.")
    if not values["title"]:
        wrong["title"] = _("Give your work a title.")
    if values["licence"] not in Licence.values:
        wrong["licence"] = _("Choose one of these.")
    have = set(Upload.objects.filter(submission=submission).values_list("question_id", flat=True))
    for one in questions:
        name = name_of(one)
        if one.kind == Kind.FILE:
            said = _("A file is needed here.") if one.required and one.id not in have else ""
        else:
            values[name], said = value_of(one, typed.get(name, ""))
        if said:
            wrong[name] = said
    return values, wrong


def _too_long(most: int, count: int) -> str:
    return _("At most %(most)d characters, please; these are %(count)d.") % {"most": most, "count": count}


def value_of(question: Question, raw: Any) -> tuple[Any, str]:
    """The value of what was typed beside a question, and what is wrong with it ("" if nothing)."""
    kind = question.kind
    if kind == Kind.CHOICES:
        ticked = [choice for choice in raw if choice in question.options] if isinstance(raw, list) else []
        return ticked, _("Choose at least one.") if question.required and not ticked else ""
    text = raw if isinstance(raw, str) else ""
    text = lines(text) if kind == Kind.TEXT else tidy(text)
    if kind == Kind.AGREEMENT:
        return _agreed(question, text)
    if not text:
        return None, _("This is needed.") if question.required else ""
    if len(text) > LONGEST.get(kind, 300):
        return None, _too_long(LONGEST.get(kind, 300), len(text))
    return _READERS[kind](question, text)


def _agreed(question: Question, text: str) -> tuple[Any, str]:
    """A tick says which words it stood beside: the number of their version."""
    if text and text != str(question.version):
        return False, _("These words were changed meanwhile: read them again, please.")
    return bool(text), _("Without this you cannot take part.") if question.required and not text else ""


def _words(question: Question, text: str) -> tuple[Any, str]:
    return text, ""


def _number(question: Question, text: str) -> tuple[Any, str]:
    try:
        number = decimal.Decimal(text.replace(",", ".").replace(" ", ""))
    except decimal.InvalidOperation:
        return None, _("Write a number, in digits.")
    if not number.is_finite() or abs(number) > 10**15:
        return None, _("Write a number, in digits.")
    return (int(number) if number == number.to_integral_value() else float(number)), ""


def _date(question: Question, text: str) -> tuple[Any, str]:
    try:
        return datetime.date.fromisoformat(text).isoformat(), ""
    except ValueError:
        return None, _("Write the day like this: 2026-06-06.")


def _choice(question: Question, text: str) -> tuple[Any, str]:
    return (text, "") if text in question.options else (None, _("Choose one of these."))


def _yes(question: Question, text: str) -> tuple[Any, str]:
    return (text == "yes", "") if text in ("yes", "no") else (None, _("Choose yes or no."))


def _link(question: Question, text: str) -> tuple[Any, str]:
    whole = text if "://" in text else f"https://{text}"
    try:
        _is_link(whole)
    except ValidationError:
        return None, _("This is not the address of a page: it begins with https://")
    return whole, ""


_READERS = {
    Kind.LINE: _words, Kind.TEXT: _words, Kind.NUMBER: _number, Kind.DATE: _date, Kind.CHOICE: _choice,
    Kind.YES: _yes, Kind.LINK: _link,
}  # fmt: skip


def keep(submission: Submission, questions: list[Question], values: Mapping[str, Any]) -> None:
    """Inside a transaction: the application's lines and answers are these now. Answers to retired questions stay."""
    for name in FIELDS:
        setattr(submission, name, values[name])
    for one in questions:
        if one.kind == Kind.FILE:
            continue
        # the form showed the words of today: whoever sends it again agrees to these, as they read them
        read = _read_in(one) if one.kind == Kind.AGREEMENT else ""
        fields = {"value": values[name_of(one)], "version": one.version, "language": read}
        Answer.objects.update_or_create(submission=submission, question=one, defaults=fields)


def _read_in(question: Question) -> str:
    """The language in which an agreement's words stood on the page."""
    event, spoken = question.call.event, get_language() or ""
    return spoken if texts.own(question, "label") or texts.own(question, "help") else (event.languages or [""])[0]


def options(question: Question) -> list[tuple[str, str]]:
    """What may be chosen: (as it is kept, in the reader's language)."""
    words = texts.own(question, "options") or question.options
    return list(zip(question.options, words, strict=False)) if len(words) == len(question.options) else [
        (one, one) for one in question.options
    ]


def said(question: Question, value: Any, as_kept: bool = False) -> str:
    """An answer in words, what was chosen in the reader's language or `as_kept` (for tables); "" for none."""
    if isinstance(value, bool):
        return _("agreed") if value and question.kind == Kind.AGREEMENT else _("yes") if value else _("no")
    words = dict(options(question)) if question.kind in (Kind.CHOICE, Kind.CHOICES) and not as_kept else {}
    if isinstance(value, list):
        return ", ".join(words.get(one, str(one)) for one in value)
    return "" if value is None else words.get(value, str(value))


def told(submission: Submission, personal: bool = True) -> list[dict[str, Any]]:
    """The answers in the order of the form: question, words, version, files. Without `personal` the personal ones are
    left out."""
    answers = {answer.question_id: answer for answer in submission.answers.all()}
    files: dict[int | None, list[Upload]] = {}
    for upload in submission.uploads.all():
        files.setdefault(upload.question_id, []).append(upload)
    rows = []
    for question in Question.objects.filter(call__event=submission.event_id):
        answer, mine = answers.get(question.id), files.get(question.id, [])
        if (question.personal and not personal) or (answer is None and not mine):
            continue
        text = said(question, answer.value) if answer else ""
        version = answer.version if answer else question.version
        language = answer.language if answer else ""
        rows.append(
            {"question": question, "text": text, "version": version, "language": language, "files": mine}
        )  # fmt: skip
    return rows
