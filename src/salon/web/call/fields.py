"""The form as templates draw it: its lines, what stands in them, what is wrong, what is kept elsewhere."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from salon.web.call.domain import answers, files
from salon.web.call.models import Question, Submission, Upload
from salon.web.events import texts
from salon.web.gallery.models import Licence


def of(
    questions: list[Question],
    typed: Mapping[str, Any],
    wrong: Mapping[str, str] | None = None,
    kept: Mapping[str, Any] | None = None,
    submission: Submission | None = None,
) -> list[dict[str, Any]]:
    """The questions of the form, in order. `kept`: what another window saved; where it differs it is shown beside."""
    uploads: dict[int | None, list[Upload]] = {}
    for upload in submission.uploads.all() if submission else []:
        uploads.setdefault(upload.question_id, []).append(upload)
    rows = []
    for one in questions:
        name = answers.name_of(one)
        value = typed.get(name, [] if one.kind == Question.Kind.CHOICES else "")
        ticked = value == str(one.version) if one.kind == Question.Kind.AGREEMENT else value == "yes"
        rows.append(
            {
                "question": one, "name": name, "kind": one.kind, "value": value, "ticked": ticked,
                "wrong": (wrong or {}).get(name, ""), "other": other(one, kept, typed, name),
                "options": answers.options(one), "files": uploads.get(one.id, []),
                "accept": files.accepts(one) if one.kind == "file" else "",
            }
        )  # fmt: skip
    return rows


def own(typed: Mapping[str, Any], wrong: Mapping[str, str] | None, kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The form's own lines."""
    return {
        name: {
            "value": typed.get(name, ""),
            "wrong": (wrong or {}).get(name, ""),
            "other": "" if kept is None or kept.get(name, "") == typed.get(name, "") else kept.get(name, "") or "–",
        }
        for name in answers.FIELDS
    } | {"licences": Licence.choices, "lengths": answers.FIELDS}


def summary(questions: list[Question], wrong: Mapping[str, str]) -> list[dict[str, str]]:
    """What is wrong, in the order of the form, each with the words beside its field."""
    labels = {"artist": _("Artist"), "title": _("Title of the work"), "about": _("About the work")}
    labels |= {answers.name_of(one): texts.said(one, "label") for one in questions}
    labels |= {"licence": _("What may others do with it?")}
    return [{"name": name, "label": label, "said": wrong[name]} for name, label in labels.items() if name in wrong]


def other(question: Question, kept: Mapping[str, Any] | None, typed: Mapping[str, Any], name: str) -> str:
    """What another window saved, in words, if it is not the same."""
    if kept is None or kept.get(name) == typed.get(name):
        return ""
    value = kept.get(name)
    if question.kind == Question.Kind.AGREEMENT:
        return _("agreed") if value else _("not agreed")
    return (", ".join(value) if isinstance(value, list) else str(value or "")) or "–"
