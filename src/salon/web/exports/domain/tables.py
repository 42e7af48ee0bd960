"""Every room's table as plain rows. They are read in portions by key, so that ten thousand rows need no more memory
than five hundred; what is changed meanwhile comes as it then is, and nothing comes twice or is left out."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from salon.web.call.domain.answers import said
from salon.web.call.models import Question, Submission
from salon.web.doors.models import CheckIn
from salon.web.events.models import Event
from salon.web.events.times import local
from salon.web.jury.domain.scoring import total
from salon.web.jury.models import Review
from salon.web.mail.models import Letter
from salon.web.people.models import Guest
from salon.web.programme.models import Session
from salon.web.seats.models import Place

PORTION = 500
Row = dict[str, Any]


class Table(NamedTuple):
    """`rows` is the query set of an event, `row` makes one plain row; `columns` are its names, in order."""

    label: Any
    columns: Callable[[Event], list[str]]
    rows: Callable[[Event], QuerySet[Any]]
    row: Callable[[Event, Any], Row]


def portions(table: Table, event: Event, size: int = PORTION) -> Iterator[list[Row]]:
    """All rows, `size` at a time, in the order of their keys."""
    after: Any = None
    while found := page(table.rows(event), after, size):
        yield [table.row(event, one) for one in found]
        after = found[-1].pk


def page(rows: QuerySet[Any], after: Any, size: int) -> list[Model]:
    """The next rows after a key (None: the first)."""
    rows = rows.order_by("pk")
    return list((rows if after is None else rows.filter(pk__gt=after))[:size])


def when(event: Event, at: datetime.datetime | None) -> str | None:
    """An instant by the event's clock, its offset with it."""
    return local(event, at).isoformat(timespec="seconds") if at else None


def _fixed(*names: str) -> Callable[[Event], list[str]]:
    return lambda event: list(names)


def _guest(event: Event, one: Guest) -> Row:
    return {"id": one.pk, "name": one.name, "email": one.email, "language": one.language,
            "since": when(event, one.created_at), "erased": when(event, one.erased_at)}  # fmt: skip


def questions(event: Event) -> dict[int, str]:
    """The column of each question that is answered in words; the same label twice is told apart by its number."""
    found = Question.objects.filter(call__event=event).exclude(kind=Question.Kind.FILE)
    labels = [one.label for one in found]
    return {
        one.pk: f"answer: {one.label}" + (f" ({one.pk})" if labels.count(one.label) > 1 else "") for one in found
    }


_APPLICATION = ("id", "state", "pending", "artist", "guest", "name", "email", "title", "about", "licence", "sent",
                "files")  # fmt: skip


def _applications(event: Event) -> QuerySet[Submission]:
    """Those that were sent in; drafts are nobody's business."""
    found = Submission.objects.filter(event=event).exclude(submitted_at=None).exclude(state=Submission.State.DRAFT)
    return found.select_related("guest").prefetch_related("answers__question", "uploads")


def application(event: Event, one: Submission, names: dict[int, str] | None = None) -> Row:
    """One application; its answers as `names` (`questions`) calls them."""
    row = {name: getattr(one, name) for name in ("state", "pending", "artist", "title", "about", "licence")}
    row |= {"id": one.pk, "guest": one.guest_id, "name": one.guest.name, "email": one.guest.email}
    row |= {"sent": when(event, one.submitted_at), "files": [upload.name for upload in one.uploads.all()]}
    names = questions(event) if names is None else names
    given = [answer for answer in one.answers.all() if answer.question_id in names]
    return row | {names[one.question_id]: said(one.question, one.value, as_kept=True) for one in given}


_REVIEW = ("id", "round", "application", "title", "juror", "abstained", "total", "scores", "for_the_jury",
           "for_the_artist", "changed")  # fmt: skip


def _review(event: Event, one: Review) -> Row:
    return {
        "id": one.pk, "round": one.phase.name, "application": one.submission_id, "title": one.submission.title,
        "juror": one.juror.number, "abstained": one.abstained, "total": total(one),
        "scores": [f"{score.category.name}: {score.value}" for score in one.scores.all()],
        "for_the_jury": one.text, "for_the_artist": one.note, "changed": when(event, one.changed_at),
    }  # fmt: skip


def _reviews(event: Event) -> QuerySet[Review]:
    found = Review.objects.filter(phase__event=event).select_related("phase", "submission", "juror")
    return found.prefetch_related("scores__category")


_PLACE = ("id", "pool", "kind", "begins", "guest", "name", "email", "state", "at_door", "expires", "taken", "changed")


def _place(event: Event, one: Place) -> Row:
    return {
        "id": one.pk, "pool": one.pool.name, "kind": one.pool.kind, "begins": when(event, one.pool.starts_at),
        "guest": one.guest_id, "name": one.guest.name, "email": one.guest.email, "state": one.state,
        "at_door": one.at_door, "expires": when(event, one.expires_at), "taken": when(event, one.created_at),
        "changed": when(event, one.changed_at),
    }  # fmt: skip


_CHECK_IN = ("id", "at", "door", "pool", "place", "guest", "name", "way", "offline", "undone")


def check_in(event: Event, one: CheckIn) -> Row:
    """One entry."""
    return {
        "id": one.pk, "at": when(event, one.at), "door": one.door.name, "pool": one.place.pool.name,
        "place": one.place_id, "guest": one.place.guest_id, "name": one.place.guest.name, "way": one.way,
        "offline": one.offline, "undone": when(event, one.undone_at),
    }  # fmt: skip


def check_ins(event: Event) -> QuerySet[CheckIn]:
    return CheckIn.objects.filter(door__event=event).select_related("door", "place__pool", "place__guest")


_SESSION = ("id", "kind", "title", "about", "room", "begins", "ends", "presenters", "pool", "published", "cancelled",
            "reason", "places")  # fmt: skip


def session(event: Event, one: Session) -> Row:
    """One session of the programme. As CSV it can be pasted into a programme again (`programme.domain.pasting`)."""
    return {
        "id": one.pk, "kind": one.kind, "title": one.title, "about": one.about,
        "room": one.room.name if one.room else "", "begins": when(event, one.starts_at),
        "ends": when(event, one.ends_at), "presenters": [presenter.name for presenter in one.presenters.all()],
        "pool": one.pool_id, "published": one.published, "cancelled": when(event, one.cancelled_at),
        "reason": one.reason, "places": one.pool.capacity if one.pool else None,
    }  # fmt: skip


def sessions(event: Event) -> QuerySet[Session]:
    return Session.objects.filter(event=event).select_related("room", "pool").prefetch_related("presenters")


_LETTER = ("id", "kind", "to", "guest", "subject", "text", "state", "error", "written", "released", "sent")


def _letter(event: Event, one: Letter) -> Row:
    return {
        "id": one.pk, "kind": one.kind, "to": one.to, "guest": one.guest_id, "subject": one.subject, "text": one.text,
        "state": one.state, "error": one.error, "written": when(event, one.created_at),
        "released": when(event, one.released_at), "sent": when(event, one.sent_at),
    }  # fmt: skip


TABLES: dict[str, Table] = {
    "guests": Table(
        _("guests"), _fixed("id", "name", "email", "language", "since", "erased"),
        lambda event: Guest.objects.filter(event=event), _guest,
    ),
    "applications": Table(
        _("applications, with their answers"), lambda event: [*_APPLICATION, *questions(event).values()],
        _applications, application,
    ),
    "reviews": Table(_("the jury's reviews"), _fixed(*_REVIEW), _reviews, _review),
    "places": Table(
        _("places, and who has them"), _fixed(*_PLACE),
        lambda event: Place.objects.filter(pool__event=event).select_related("pool", "guest"), _place,
    ),
    "check-ins": Table(_("who came in"), _fixed(*_CHECK_IN), check_ins, check_in),
    "sessions": Table(_("the programme"), _fixed(*_SESSION), sessions, session),
    "letters": Table(_("letters"), _fixed(*_LETTER), lambda event: Letter.objects.filter(event=event), _letter),
}  # fmt: skip


def counts(event: Event) -> dict[str, int]:
    """How many rows each table has."""
    return {name: table.rows(event).count() for name, table in TABLES.items()}


def plain(rows: Iterable[Row], columns: list[str]) -> Iterator[Row]:
    """Rows with every column, in order: what a row has not is None."""
    return ({name: row.get(name) for name in columns} for row in rows)
