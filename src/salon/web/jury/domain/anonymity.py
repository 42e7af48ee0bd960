"""What a juror gets to see of an application. Pages and pictures of the jury are made of this and of nothing else, so
that what is not in here cannot leak: in an anonymous round neither names, addresses and personal answers, nor what
files are called or know of their origin."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from salon.web.call.domain.answers import said
from salon.web.call.models import Answer, Question, Submission, Upload
from salon.web.jury.models import Phase

Kind = Question.Kind
#: letters from which on a part of a name is taken for a name
SHORTEST_PART = 3
#: of what is looked for inside links, where nothing parts words
SHORTEST_IN_LINK = 4


class Said(NamedTuple):
    """An answer. `link` is set where it may be followed."""

    label: str
    text: str
    link: str = ""


class Sheet(NamedTuple):
    """An application as a juror sees it. `artist` is empty in an anonymous round, and so are `files`: then `held_back`
    says how many there are. Pictures are numbered from 0; their names come along only with the artist's."""

    title: str
    about: str
    artist: str
    answers: list[Said]
    pictures: list[str]
    files: list[str]
    held_back: int


def sheet(submission: Submission, phase: Phase) -> Sheet:
    """What `phase` shows of it."""
    shown = phase.names_shown
    hide = _nothing if shown else Mask(submission).text
    pictures, files = _files(submission, phase)
    names = [(upload.name if shown else "") for upload in pictures]
    return Sheet(
        hide(submission.title), hide(submission.about), _artist(submission) if shown else "",
        [_said(answer, submission, shown) for answer in _answers(submission, shown)],
        names, [upload.name for upload in files] if shown else [], 0 if shown else len(files),
    )  # fmt: skip


def title(submission: Submission, phase: Phase) -> str:
    """The work's title as `phase` shows it."""
    return submission.title if phase.names_shown else Mask(submission).text(submission.title)


def _nothing(text: str) -> str:
    return text


def _artist(submission: Submission) -> str:
    return submission.artist or submission.guest.name


def _answers(submission: Submission, shown: bool) -> Iterable[Answer]:
    """Agreements are between artist and house; files are shown apart."""
    found = submission.answers.select_related("question").exclude(question__kind__in=(Kind.AGREEMENT, Kind.FILE))
    found = found.order_by("question__rank", "question_id")
    return found if shown else found.filter(question__personal=False)


def _said(answer: Answer, submission: Submission, shown: bool) -> Said:
    question = answer.question
    text = said(question, answer.value) or "–"
    if question.kind == Kind.LINK:
        if not shown and Mask(submission).named_in(text):
            return Said(question.label, _("(a link that names the artist)"))
        return Said(question.label, text, text if urlsplit(text).scheme in ("http", "https") else "")
    return Said(question.label, text if shown else Mask(submission).text(text))


def _files(submission: Submission, phase: Phase) -> tuple[list[Upload], list[Upload]]:
    """Pictures of which there is a copy to show, and all other files; those of personal questions where names are."""
    found = submission.uploads.select_related("question").order_by("created_at", "id")
    kept = [one for one in found if phase.names_shown or not (one.question and one.question.personal)]
    return [one for one in kept if one.shown], [one for one in kept if not one.shown]


def picture(submission: Submission, phase: Phase, number: int) -> str | None:
    """Where the storage keeps what is shown of the picture: made anew of its pixels, without what its file knew."""
    pictures = _files(submission, phase)[0]
    return pictures[number].shown if number < len(pictures) else None


def original(submission: Submission, phase: Phase, number: int) -> Upload | None:
    """Another file, as its artist sent it, where names are shown."""
    files = _files(submission, phase)[1] if phase.names_shown else []
    return files[number] if number < len(files) else None


class Mask:
    """Takes an artist's own names out of their words. It knows what they call themselves here, no more."""

    def __init__(self, submission: Submission) -> None:
        address = submission.guest.email
        whole = [submission.guest.name, submission.artist, address]
        parts = [part for name in whole[:2] for part in re.split(r"[\s.,-]+", name) if len(part) >= SHORTEST_PART]
        local = address.partition("@")[0]
        self.whole = [_composed(name) for name in whole if name]
        self.parts = sorted({_composed(word) for part in parts for word in (part, part.upper())}, key=len, reverse=True)
        self.bare = {_bare(word) for word in [*whole, *parts, local] if len(_bare(word)) >= SHORTEST_IN_LINK}

    def text(self, text: str) -> str:
        """The words, "[name]" where the artist's would stand."""
        said, instead = _composed(text), _("[name]")
        for name in sorted(self.whole, key=len, reverse=True):
            said = re.sub(_alone(name), instead, said, flags=re.IGNORECASE)
        for part in self.parts:
            said = re.sub(_alone(part), instead, said)
        return said

    def named_in(self, link: str) -> bool:
        """Whether a link has a name of the artist in it, however it is joined."""
        return any(word in _bare(link) for word in self.bare)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _bare(text: str) -> str:
    """Letters and digits only, without case and marks: "José-Luis" is "joseluis"."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in split if c.isalnum())


def _alone(name: str) -> str:
    """A pattern for the name where it is no part of a word; scripts without case do not part their words."""
    before = r"(?<!\w)" if name[0].lower() != name[0].upper() else ""
    after = r"(?!\w)" if name[-1].lower() != name[-1].upper() else ""
    return before + re.escape(name) + after
