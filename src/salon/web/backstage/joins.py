"""What joins rooms that do not know each other: what an event's page shows of them, what a new event takes over, what a
demo leaves behind."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext_lazy

from salon.web.call.domain import windows
from salon.web.call.models import Call, Question, Submission, Wording
from salon.web.doors import tickets
from salon.web.events import demo, parts, several
from salon.web.events.models import Event
from salon.web.events.times import local
from salon.web.gallery.domain import showing
from salon.web.gallery.models import GivenPicture
from salon.web.people.models import Guest
from salon.web.programme.domain import showing as programme
from salon.web.programme.models import Session
from salon.web.seats import ticketing
from salon.web.seats.domain import circles
from salon.web.seats.models import Invitation, Pool
from salon.web.station.domain.erasing import erase_orphans
from salon.web.station.models import Image
from salon.web.storage import erase_later

#: works and sessions that an event's page shows
MOST_WORKS, MOST_SESSIONS = 12, 100


def works(event: Event) -> dict[str, Any] | None:
    """The works that hang, or hung, at the event."""
    hung = showing.hung(event)
    found = [showing.shown(work) for work in hung[:MOST_WORKS]]
    return {"works": found, "event": event} if found else None


def sessions(event: Event) -> dict[str, Any] | None:
    """What was on, of an event that is not the current one: that has its programme."""
    if event.current:
        return None
    rows = Session.objects.filter(event=event, published=True, cancelled_at=None)
    found = [
        {"session": one, "day": local(event, one.starts_at).date()}
        for one in rows.select_related("room").prefetch_related("presenters")[:MOST_SESSIONS]
    ]
    return {"sessions": found, "event": event} if found else None


def copy_form(source: Event, made: Event) -> None:
    """The call's words and questions, without its times and without what was answered."""
    before = Call.objects.filter(event=source).first()
    if before is None:
        return
    call = Call.objects.create(event=made, title=before.title, about=before.about, texts=before.texts)
    for question in before.questions.filter(retired=False):
        question.pk, question.call, question.version = None, call, 1
        question._state.adding = True
        question.save()
        if question.kind == Question.Kind.AGREEMENT:
            words = {"label": question.label, "help": question.help, "texts": question.texts}
            Wording.objects.create(question=question, version=1, **words)


def clear(removed: Event, successor: Event) -> Callable[[], None]:
    """Images have their recipe's name and may hang at other events, too: they go to the one that follows, and those
    that nobody there has are erased. Given pictures' files are the event's own."""
    images = list(Image.objects.filter(event=removed).values_list("id", flat=True))
    Image.objects.filter(event=removed).update(event=successor)
    names = list(GivenPicture.objects.filter(event=removed).exclude(file="").values_list("file", flat=True))
    erase_later(names)
    return lambda: erase_orphans(images)


def artists(event: Event) -> Iterable[Guest]:
    """Whoever has a work in the exhibition: they are invited first."""
    chosen = Submission.objects.filter(event=event, state__in=(Submission.State.ACCEPTED, Submission.State.CONFIRMED))
    return Guest.objects.filter(id__in=chosen.values("guest"), erased_at=None)


def register() -> None:
    """Once, when the house starts."""
    circles.register(Invitation.Reason.ARTIST, artists)
    ticketing.register(tickets.link)
    parts.register("sessions", "events/_sessions.html", sessions)
    parts.register("works", "events/_works.html", works)
    parts.register_way("/programme", lambda event: programme.public(event).exists())
    parts.register_way("/call", lambda event: windows.phase(windows.call_of(event)) != "none")
    parts.register_way("/places", lambda event: Pool.objects.filter(event=event, listed=True).exists())
    several.register_copy("form", gettext_lazy("The form of the call"), copy_form)
    demo.register(None, clear)
