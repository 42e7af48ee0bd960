"""The programme of the demo event: two days in three rooms. The people in it are invented."""

import datetime

from django.utils.translation import gettext as _

from salon.web.events.models import Event
from salon.web.people.models import User
from salon.web.programme.domain import clock, editing
from salon.web.programme.domain.editing import Draft
from salon.web.programme.models import Session

Kind = Session.Kind


def _rows() -> list[tuple[int, str, str, int | None, str, str, tuple[str, ...], int | None, str]]:
    """(day, begins, ends, room, kind, title, presenters, places, about), in the language of whoever makes the demo."""
    return [
        (0, "09:30", "10:00", None, Kind.OPENING, _("Doors open"), (), None, _("Coffee in the yard.")),
        (0, "10:00", "22:00", 0, Kind.OTHER, _("The exhibition is open"), (), None, ""),
        (0, "10:00", "10:45", 0, Kind.OPENING, _("Opening of the salon"), ("Odile Marsh",), None,
         _("A word of welcome, and the first picture of the day is drawn from what the hall calls out.")),
        (0, "11:00", "12:30", 1, Kind.WORKSHOP, _("First pictures"), ("Ines Varga",), 12,
         _("From one sentence to nine pictures, and why they differ. No knowledge is needed; laptops are there.")),
        (0, "11:00", "12:00", 0, Kind.TALK, _("What a latent is"), ("Kiyomi Hara",), None,
         _("Twelve steps from noise to a picture, slowly, with everything that the machine sees on the way.")),
        (0, "12:30", "13:30", None, Kind.OTHER, _("Lunch"), (), None, ""),
        (0, "13:30", "14:15", 0, Kind.TOUR, _("A walk through the Refusés"), ("Lindiwe Dube",), None,
         _("What came out and nobody intended: how it is found, counted and judged.")),
        (0, "14:00", "16:00", 1, Kind.WORKSHOP, _("Looking inside"), ("Ines Varga", "Bram Oosterhuis"), 12,
         _("Where does the machine look when it draws a word? We ask it, and check what it says.")),
        (0, "16:30", "17:30", 0, Kind.TALK, _("Who is a judge in a far country?"), ("Tarek Aziz Noor",), None,
         _("On stereotypes that come out of machines, and what can be mended.")),
        (0, "20:00", "00:30", 2, Kind.OTHER, _("Night opening"), (), None, _("Walls turn oxblood.")),
        (1, "10:30", "11:30", 2, Kind.MEETING, _("Breakfast with the jury"), (), 8,
         _("How works were chosen, asked by those whose were not.")),
        (1, "11:00", "13:00", 1, Kind.WORKSHOP, _("Mend a model"), ("Kiyomi Hara",), 12, ""),
        (1, "15:00", "17:00", 0, Kind.MEETING, _("Meet the artists"), ("Odile Marsh", "Sofía Prado"), 50,
         _("All whose works hang are here.")),
        (1, "17:00", "17:30", 0, Kind.OTHER, _("What the votes said"), (), None, ""),
    ]  # fmt: skip


def make(event: Event, person: User) -> None:
    """Inside the demo's transaction: sessions with their rooms, presenters and places, published."""
    rooms = list(event.rooms.all())
    first = event.starts_on or datetime.date.today()
    for day, begins, ends, room, kind, title, presenters, places, about in _rows():
        draft = Draft(
            title=title, kind=kind, about=about, places=places, presenters=tuple((name, "") for name in presenters),
            **clock.span(event, first + datetime.timedelta(days=day), begins, ends)._asdict(),
        )  # fmt: skip
        editing.put(event, person, draft, rooms[room] if room is not None and room < len(rooms) else None)
    editing.publish_all(person)
