"""The organiser's side of the form: when it is open, what it asks, in which order."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.core.text import tidy
from salon.web.call.domain.answers import lines
from salon.web.call.domain.windows import call_of
from salon.web.call.models import Call, Question, Wording
from salon.web.events import texts
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.people.models import User

Kind, Use = Question.Kind, Question.Use
#: kinds whose answers are chosen from options
CHOOSING = (Kind.CHOICE, Kind.CHOICES)
MOST_QUESTIONS, MOST_OPTIONS = 40, 40


def first_questions() -> list[dict[str, Any]]:
    """What a call for an art day usually asks, in the language that is spoken now. Artist, title, words about the work
    and licence are asked by every form already."""
    return [
        {"kind": Kind.LINE, "label": _("Year, technique, size"), "use": Use.LABEL,
         "help": _("As it shall stand on the wall label: 2026, video, 3 minutes")},
        {"kind": Kind.FILE, "label": _("Pictures of the work"), "options": [Question.PICTURES],
         "help": _("PNG, JPEG or WebP, at most 20 MB each. The first one is the one that can hang.")},
        {"kind": Kind.FILE, "label": _("Other files"), "help": _("A score, a PDF, a recording: at most 20 MB each.")},
        {"kind": Kind.LINK, "label": _("A link to your work"), "personal": True},
        {"kind": Kind.TEXT, "label": _("What do you need to take part?"), "personal": True,
         "help": _("Access, power, a table, a quiet corner: whatever helps. It does not count in the choice.")},
        {"kind": Kind.YES, "label": _("Would you like to give a workshop?"), "use": Use.WORKSHOP},
        {"kind": Kind.YES, "label": _("Shall we keep you a place at the meet & greet?"), "use": Use.MEETING},
        {"kind": Kind.AGREEMENT, "label": _("I agree to the terms"), "required": True,
         "help": _("The work is mine to show. The house may show it on its walls and pages during the event, under the "
                   "licence I chose. I can withdraw it at any time.")},
        {"kind": Kind.AGREEMENT, "label": _("I may be photographed at the event"), "personal": True,
         "help": _("Pictures of the day may be published by the organisers. You may leave this open.")},
    ]  # fmt: skip


def make(person: User) -> Call:
    """The current event's call; the first time with the usual questions, not open yet."""
    with transaction.atomic():
        event = lock_current_event()
        if found := call_of(event):
            return found
        title, titles = texts.in_all(event.languages, lambda: {"title": _("Call for artists")})
        call = Call.objects.create(event=event, texts=titles, **title)
        for rank in range(len(first_questions())):
            fields, others = texts.in_all(event.languages, lambda at=rank: first_questions()[at])
            _worded(Question.objects.create(call=call, rank=rank, texts=others, **fields))
        note(event, "call made", "", person=person)
        return call


#: what of a call and of a question may be said in several languages
OF_CALL = {"title": texts.Field(tidy, 200), "about": texts.Field(lines, 10_000)}
OF_QUESTION = {"label": texts.Field(tidy, 300), "help": texts.Field(lines, 4000)}


def with_texts(event: Event) -> list[tuple[Any, tuple[str, ...]]]:
    """The event's call and its questions, with what of them is said in several languages."""
    call = call_of(event)
    questions = list(Question.objects.filter(call=call)) if call else []
    return [(call, tuple(OF_CALL)), *((one, tuple(OF_QUESTION)) for one in questions)] if call else []


def set_call(
    person: User, title: str, about: str, opens: datetime.datetime | None, closes: datetime.datetime | None,
    others: texts.Texts | None = None,
) -> Call:
    """The call's words, those in other languages (None: they stay), and its days. Raises BadRecipe."""
    if opens and closes and closes <= opens:
        raise BadRecipe(_("The call would close before it opens."), _("Look at both times again."))
    if closes and not opens:
        raise BadRecipe(_("When does it open?"), _("Give the first time, too."))
    with transaction.atomic():
        event = lock_current_event()
        call = the_call(event)
        call.title, call.about = tidy(title)[:200] or _("Call for artists"), lines(about)[:10_000]
        call.opens_at, call.closes_at = opens, closes
        call.texts = call.texts if others is None else texts.merged(call.texts, event.languages, others)
        call.save()
        note(event, "call set", "", person=person, text=f"{opens or '-'} to {closes or '-'}")
        return call


def the_call(event: Event) -> Call:
    """The event's call. Raises Conflict if there is none."""
    call = call_of(event)
    if call is None:
        raise Conflict(_("This event has no call yet."), _("Make it first."))
    return call


def read_question(form: Any, languages: Sequence[str] = ()) -> dict[str, Any]:
    """A question as it was typed backstage, in the event's languages. Raises BadRecipe."""
    kind = form.get("kind", "")
    if kind not in Kind.values:
        raise BadRecipe(_("Choose a kind of question."), "")
    label, use = _within(tidy(form.get("label", "")), 300), form.get("use", "")
    if not label:
        raise BadRecipe(_("A question needs words."), "")
    options = _answers(form.get("options", ""))
    options = list(dict.fromkeys(options)) if kind in CHOOSING else []
    if kind in CHOOSING and not 2 <= len(options) <= MOST_OPTIONS:
        raise BadRecipe(_("Give at least two answers to choose from, each in a line of its own."), "")
    if kind == Kind.FILE and form.get("pictures"):
        options = [Question.PICTURES]
    others = texts.read(form, languages, OF_QUESTION)
    if kind in CHOOSING:
        _read_options(form, languages, len(options), others)
    return {
        "texts": others,
        "kind": kind,
        "label": label,
        "help": _within(lines(form.get("help", "")), 4000),
        "options": options,
        "use": use if use in Use.values else "",
        "required": bool(form.get("required")),
        "personal": bool(form.get("personal")),
    }


def _within(words: str, most: int) -> str:
    """The words, none of them lost. Raises BadRecipe for too many."""
    if len(words) > most:
        raise BadRecipe(
            _("At most %(most)d characters, please; these are %(count)d.") % {"most": most, "count": len(words)},
            f"“{words[:40]}…”",
        )
    return words


def _answers(typed: str) -> list[str]:
    """The answers to choose from, a line each. Raises BadRecipe for one that is too long."""
    return [_within(tidy(line), 300) for line in typed.splitlines() if tidy(line)]


def _read_options(form: Any, languages: Sequence[str], count: int, others: texts.Texts) -> None:
    """The answers to choose from in the other languages: as many as in the first, in its order, or none."""
    for code in texts.others(languages):
        typed = form.get(texts.name_of("options", code), "")
        words = _answers(typed)
        if words and len(words) != count:
            raise BadRecipe(
                _("In %(language)s there are %(count)d answers to choose from instead of %(wanted)d.")
                % {"language": dict(settings.LANGUAGES).get(code, code), "count": len(words), "wanted": count},
                _("Give each in a line of its own, in the same order; or none, then the first language's are shown."),
            )
        if words:
            others.setdefault(code, {})["options"] = words


def add(person: User, fields: dict[str, Any]) -> Question:
    """A new question at the end. Raises BadRecipe, Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        call = the_call(event)
        if call.questions.filter(retired=False).count() >= MOST_QUESTIONS:
            raise BadRecipe(_("%(most)d questions are enough for anybody.") % {"most": MOST_QUESTIONS}, "")
        last = call.questions.aggregate(last=Max("rank"))["last"]
        question = Question.objects.create(call=call, rank=0 if last is None else last + 1, **fields)
        _worded(question)
        note(event, "question added", str(question.id), person=person, text=question.label)
        return question


def change(person: User, question_id: int, fields: dict[str, Any]) -> Question:
    """Other words or rules. What kind it is stays, once somebody has answered. An agreement with other words is a new
    version: who agreed before agreed to the old ones. Raises BadRecipe, Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        question = _one(event, question_id)
        if fields["kind"] != question.kind and answered(question):
            raise Conflict(
                _("This question has been answered: its kind stays."), _("Retire it, and ask another one instead.")
            )
        others = fields.get("texts", question.texts)  # where a form says nothing of them they stay
        fields = {**fields, "texts": texts.merged(question.texts, event.languages, others)}
        worded = _words_of(question.label, question.help, question.texts) != _words_of(
            fields["label"], fields["help"], fields["texts"]
        )
        for name, value in fields.items():
            setattr(question, name, value)
        if worded and question.kind == Kind.AGREEMENT:
            question.version += 1
        question.save()
        _worded(question)
        note(event, "question changed", str(question.id), person=person, text=question.label)
        return question


def _words_of(label: str, help_: str, others: texts.Texts) -> dict[str, dict[str, Any]]:
    """What is agreed to, in every language."""
    said = {code: {name: words.get(name, "") for name in OF_QUESTION} for code, words in others.items()}
    return {"": {"label": label, "help": help_}} | {code: words for code, words in said.items() if any(words.values())}


def _worded(question: Question) -> None:
    """Keeps the words of an agreement's version, in every language."""
    if question.kind == Kind.AGREEMENT:
        words = {"label": question.label, "help": question.help, "texts": question.texts}
        Wording.objects.get_or_create(question=question, version=question.version, defaults=words)


def _one(event: Event, question_id: int) -> Question:
    question = Question.objects.filter(id=question_id, call__event=event).first()
    if question is None:
        raise Conflict(_("This question is gone."), _("Load the page again."))
    return question


def answered(question: Question) -> bool:
    """Whether anybody has answered it, or sent a file."""
    return question.answers.exists() or question.uploads.exists()


def retire(person: User, question_id: int, back: bool = False) -> None:
    """It is asked no more (or again). Answers stay; a question without any goes wholly. Twice is once."""
    with transaction.atomic():
        event = lock_current_event()
        question = _one(event, question_id)
        if not back and not answered(question):
            question.delete()
        else:
            question.retired = not back
            question.save(update_fields=["retired"])
        note(event, "question asked again" if back else "question retired", str(question_id), person=person,
             text=question.label)  # fmt: skip


def move(person: User, question_id: int, by: int) -> None:
    """One place up (-1) or down (1) among those that are asked; nothing happens at the ends."""
    with transaction.atomic():
        event = lock_current_event()
        moved = _one(event, question_id)
        rows = list(Question.objects.filter(call=moved.call_id, retired=moved.retired))
        at = next(place for place, one in enumerate(rows) if one.id == moved.id)
        to = min(max(at + by, 0), len(rows) - 1)
        rows.insert(to, rows.pop(at))
        for rank, one in enumerate(rows):
            one.rank = rank
        Question.objects.bulk_update(rows, ["rank"])
        if at != to:
            note(event, "question moved", str(question_id), person=person, text=moved.label)
