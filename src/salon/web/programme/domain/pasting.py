"""A programme out of a spreadsheet: a table is pasted, read, shown with what is wrong in which row, and written only
when an organiser has said yes to it."""

import csv
import datetime
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from msgspec.structs import replace

from salon.core import cells
from salon.core.errors import BadRecipe
from salon.core.text import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event, Room
from salon.web.events.times import BadTime, local
from salon.web.events.trail import note
from salon.web.mail.letters import many_lines
from salon.web.people.models import User
from salon.web.programme.domain import clashes, clock, editing
from salon.web.programme.domain.clashes import Clash
from salon.web.programme.domain.editing import Draft
from salon.web.programme.models import Presenter, Session

MOST_ROWS = 500

#: what a column may be called (lower case), in the house's languages
HEADINGS = {
    "title": ("title", "session", "name", "título", "titulo", "タイトル", "題名"),
    "day": ("day", "date", "día", "dia", "fecha", "日", "日付"),
    "starts": ("begins", "begin", "starts", "start", "from", "time", "empieza", "inicio", "hora", "開始", "時間"),
    "ends": ("ends", "end", "to", "until", "termina", "fin", "終了"),
    "room": ("room", "place", "where", "location", "sala", "lugar", "部屋", "会場"),
    "kind": ("kind", "type", "tipo", "種類"),
    "presenters": ("presenters", "presenter", "speakers", "speaker", "by", "with", "who", "ponentes", "con", "登壇者"),
    "about": ("about", "description", "abstract", "text", "descripción", "descripcion", "説明"),
    "places": ("places", "seats", "capacity", "plazas", "aforo", "定員"),
}
_NEEDED = ("title", "starts")
#: columns by which the house knows its own table (`exports`): what stands in it is taken as it is
OWN = {name: (name,) for name in ("id", "pool", "published", "cancelled")}
#: in one cell: "10:00–11:30"
_DASHES = ("–", "—", " - ", "-", "～", "~")


class Line(NamedTuple):
    """A row of the table: what it becomes, or what is wrong with it. `known`: it is in the programme already."""

    number: int
    cells: list[str]
    draft: Draft | None
    wrong: list[str]
    room: str = ""
    known: bool = False
    #: it was cancelled when the house wrote this table, and is not written again
    cancelled: bool = False
    #: the places that it shared with others in that table
    pool: str = ""
    #: by the event's clock, for the preview
    day: datetime.date | None = None
    hours: str = ""


class Reading(NamedTuple):
    """A whole table as it would be written."""

    lines: list[Line]
    #: rooms that would be made
    rooms: list[str]
    clashes: list[Clash]
    #: columns that say nothing here
    unused: Sequence[str] = ()

    @property
    def fresh(self) -> list[Line]:
        return [line for line in self.lines if line.draft and not line.known and not line.cancelled]

    @property
    def wrong(self) -> list[Line]:
        return [line for line in self.lines if line.wrong]


def _delimiter(text: str) -> str:
    """What parts the first line most often; spreadsheets copy with tabs."""
    first = text.lstrip().partition("\n")[0]
    return max("\t;,", key=lambda mark: (first.count(mark), mark == "\t"))


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Rows that are not empty, each with its number as a spreadsheet counts. Raises BadRecipe."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").removeprefix("\ufeff")
    try:
        read = list(csv.reader(io.StringIO(clean), delimiter=_delimiter(clean)))
    except csv.Error as error:
        message = _("This table cannot be read: %(why)s.") % {"why": error}
        raise BadRecipe(message, _("Copy it again from the spreadsheet.")) from error
    return [(n, [*map(cells.plain, row)]) for n, row in enumerate(read, 1) if any(cell.strip() for cell in row)]


def _columns(heading: Sequence[str]) -> dict[str, int]:
    """Which column is what. Raises BadRecipe when the first row names no title or no time."""
    names = [tidy(cell).casefold().rstrip(":") for cell in heading]
    found = {}
    own = OWN if OWN.keys() <= set(names) else {}
    for column, words in (HEADINGS | own).items():
        at = next((number for number, name in enumerate(names) if name in words), None)
        if at is not None:
            found[column] = at
    missing = [HEADINGS[name][0] for name in _NEEDED if name not in found]
    if missing:
        words = {"missing": ", ".join(missing), "known": ", ".join(names[0] for names in HEADINGS.values())}
        message = _("The first row must name the columns; these are missing: %(missing)s.") % words
        raise BadRecipe(message, _("Known are: %(known)s.") % words)
    return found


def _kind(text: str) -> str | None:
    """A kind by its name in any of the house's ways; "other" where nothing is said; None if unknown."""
    wanted = tidy(text).casefold()
    if not wanted:
        return str(Session.Kind.OTHER)
    names = {value: {value, str(name).casefold()} for value, name in Session.Kind.choices}
    names[Session.Kind.MEETING] |= {"meet and greet", "meet&greet"}
    return next((value for value, known in names.items() if wanted in known), None)


def _two_times(starts: str, ends: str) -> tuple[str, str]:
    """A cell that holds both times as two."""
    if not ends:
        for dash in _DASHES:
            one, found, two = starts.partition(dash)
            if found:
                return one.strip(), two.strip()
    return starts, ends


class _Reader:
    """Reads rows one by one; an empty day is the row's before, or the event's only one."""

    def __init__(self, event: Event, heading: Sequence[str]) -> None:
        self.event, self.columns = event, _columns(heading)
        named = {at: name for at, cell in enumerate(heading) if (name := tidy(cell)[:80])}
        self.unused = [name for at, name in named.items() if at not in self.columns.values()]
        self.own = OWN.keys() <= self.columns.keys()
        last = event.ends_on or event.starts_on
        self.day = event.starts_on if event.starts_on == last else None
        self.rooms = {clashes.name_key(room.name): room for room in event.rooms.all()}
        self.fresh_rooms: dict[str, str] = {}
        rows = Session.objects.filter(event=event).values_list("title", "starts_at", "room__name")
        self.known = {(title, at, clashes.name_key(room or "")) for title, at, room in rows}

    def _cell(self, row: Sequence[str], name: str) -> str:
        at = self.columns.get(name)
        return row[at] if at is not None and at < len(row) else ""

    def _times(self, row: Sequence[str], wrong: list[str]) -> dict[str, Any]:
        try:
            if whole := self._instants(row):
                self.day = local(self.event, whole.starts_at).date()
                return whole._asdict()
            if typed := self._cell(row, "day").strip():
                self.day = None
                self.day = clock.parse_day(typed)
            if self.day is None:
                wrong.append(_("It needs a day."))
                return {}
            starts, ends = _two_times(self._cell(row, "starts").strip(), self._cell(row, "ends").strip())
            if not ends:
                wrong.append(_("It needs a time at which it ends."))
                return {}
            return clock.span(self.event, self.day, starts, ends)._asdict()
        except BadTime as error:
            wrong.append(str(error))
            return {}

    def _instants(self, row: Sequence[str]) -> clock.Span | None:
        """Both ends, where they are written whole. Raises BadTime."""
        starts, ends = (clock.instant(self.event, self._cell(row, name)) for name in ("starts", "ends"))
        return clock.instants(starts, ends) if starts and ends else None

    def _places(self, row: Sequence[str], wrong: list[str]) -> int | None:
        typed = tidy(self._cell(row, "places"))
        if not typed:
            return None
        if typed.isdecimal() and len(typed) < 6 and 1 <= int(typed) <= editing.MOST_PLACES:
            return int(typed)
        wrong.append(_("“%(text)s” is no number of places.") % {"text": typed[:40]})
        return None

    def read(self, number: int, row: Sequence[str]) -> Line:
        wrong: list[str] = []
        title, room = tidy(self._cell(row, "title"))[:200], tidy(self._cell(row, "room"))[:100]
        if not title:
            wrong.append(_("It needs a title."))
        if (kind := _kind(self._cell(row, "kind"))) is None:
            names = ", ".join(str(name) for _value, name in Session.Kind.choices)
            text = tidy(self._cell(row, "kind"))[:40]
            wrong.append(_("“%(text)s” is no kind of session. Known are: %(names)s.") % {"text": text, "names": names})
        times, places = self._times(row, wrong), self._places(row, wrong)
        if wrong or kind is None:
            return Line(number, list(row), None, wrong, room)
        key = clashes.name_key(room)
        if room and key not in self.rooms:
            self.fresh_rooms.setdefault(key, room)
        draft = Draft(
            title=title, kind=kind, about=many_lines(self._cell(row, "about"))[:4000], places=places,
            presenters=tuple((name, "") for name in _names(self._cell(row, "presenters"), self.own)), **times,
        )  # fmt: skip
        same = (title, draft.starts_at, key)
        known, _added = same in self.known, self.known.add(same)
        return Line(
            number, list(row), draft, [], room, known, bool(self._cell(row, "cancelled")), self._cell(row, "pool"),
            local(self.event, draft.starts_at).date(), clock.hours(self.event, draft.starts_at, draft.ends_at),
        )  # fmt: skip


def _names(text: str, own: bool = False) -> Iterator[str]:
    """Names parted by semicolons or lines, else by commas; in the house's own table by semicolons alone."""
    mark = ";" if ";" in text or own else "\n" if "\n" in text.strip() else ","
    seen = {clashes.name_key(name): name for part in text.split(mark) if (name := tidy(part)[:120])}
    return iter(list(seen.values())[: editing.MOST_PRESENTERS])


def read(event: Event, text: str) -> Reading:
    """What a pasted table would become; nothing is written. Raises BadRecipe for what is no table at all."""
    rows = _rows(text)
    if len(rows) < 2:
        message = _("There is no table here: a row with the columns' names, then a row for each session.")
        raise BadRecipe(message, _("Mark it in the spreadsheet, copy, and paste it here."))
    if len(rows) > MOST_ROWS + 1:
        raise BadRecipe(_("At most %(n)s rows at once.") % {"n": MOST_ROWS}, _("Paste it in parts."))
    reader = _Reader(event, rows[0][1])
    lines = [reader.read(number, row) for number, row in rows[1:]]
    return Reading(lines, list(reader.fresh_rooms.values()), _clashes(event, lines, reader), reader.unused)


def _clashes(event: Event, lines: Sequence[Line], reader: _Reader) -> list[Clash]:
    """What would not fit, among the new rows and with what there is. Rows stand for sessions that are not there yet."""
    fresh_rooms = {key: Room(id=-n, name=name) for n, (key, name) in enumerate(reader.fresh_rooms.items(), 1)}
    drafted = []
    for line in lines:
        if line.draft and not line.known and not line.cancelled:
            draft, key = line.draft, clashes.name_key(line.room)
            session = Session(title=draft.title, starts_at=draft.starts_at, ends_at=draft.ends_at)
            session.room = (reader.rooms.get(key) or fresh_rooms[key]) if line.room else None
            names = [Presenter(name=name) for name, _guest in draft.presenters]
            session._prefetched_objects_cache = {"presenters": names}
            drafted.append(session)
    fresh = {session.id for session in drafted}
    found = clashes.of(event, [*editing.everything(event), *drafted])
    return [clash for clash in found if any(session.id in fresh for session in clash.sessions)]


def write(person: User, text: str) -> int:
    """Writes the table's rows that are not in the programme yet, rooms that it names with them: all of it, or nothing.
    Returns how many. Raises BadRecipe if any row is wrong."""
    with transaction.atomic():
        event = lock_current_event()
        reading = read(event, text)
        if reading.wrong:
            message = ngettext("%(n)s row is not right yet.", "%(n)s rows are not right yet.", len(reading.wrong))
            hint = _("Nothing was written. Mend the table, paste it again.")
            raise BadRecipe(message % {"n": len(reading.wrong)}, hint)
        rooms = _make_rooms(event, person, reading.rooms)
        if Session.objects.filter(event=event).count() + len(reading.fresh) > editing.MOST_SESSIONS:
            raise BadRecipe(_("A programme holds at most %(n)s sessions.") % {"n": editing.MOST_SESSIONS}, "")
        pools: dict[str, str] = {}
        for line in reading.fresh:
            room = rooms[clashes.name_key(line.room)] if line.room else None
            draft = replace(line.draft, places=None, pool_id=pools[line.pool]) if line.pool in pools else line.draft
            made = editing.put(event, person, draft, room)
            if line.pool and made.pool_id:
                pools[line.pool] = made.pool_id
        if reading.fresh:
            note(event, "programme pasted", "", person=person, text=str(len(reading.fresh)))
        return len(reading.fresh)


def _make_rooms(event: Event, person: User, names: Sequence[str]) -> dict[str, Room]:
    rooms = {clashes.name_key(room.name): room for room in event.rooms.all()}
    for name in names:
        rooms[clashes.name_key(name)] = Room.objects.create(event=event, name=name, order=min(len(rooms), 32_000))
        note(event, "room made", "", person=person, text=name)
    return rooms
