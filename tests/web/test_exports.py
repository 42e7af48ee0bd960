"""What leaves the house: every table whole, in portions; tokens that open what they say and nothing else. That no
spreadsheet runs a table: core/test_cells.py."""

import csv
import io
import json
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone
from hands import body
from jury_house import answer, application, olga, person, question  # noqa: F401 (fixtures)

from salon.core import cells
from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.web.call.models import Submission
from salon.web.doors import tickets
from salon.web.doors.models import CheckIn, Door
from salon.web.events.domain import current_event
from salon.web.events.models import Entry, Event
from salon.web.exports.domain import tables, tokens, writing
from salon.web.exports.domain.tables import TABLES
from salon.web.exports.models import Scope, Token
from salon.web.mail.models import Letter
from salon.web.people import guests
from salon.web.people.models import Guest, Role
from salon.web.programme.models import Session
from salon.web.seats.models import Place, Pool

# ruff: noqa: F811 (fixtures of jury_house.py)
pytestmark = pytest.mark.django_db

def come_in(user):
    client = Client(headers={"sec-fetch-site": "same-origin"})
    client.force_login(user)
    return client


@pytest.fixture
def full():
    """An event with a row in every table; names are hostile."""
    event = current_event()
    made = application("=cmd", "@Ada", "ada@engine.org", about="two\nlines", submitted_at=timezone.now())
    application("A draft", "Bob", state="draft")
    answer(made, question(label="=Materials"), "-wool")
    answer(made, question("choices", "Needs", options=["a", "b"]), ["a", "b"])
    pool = Pool.objects.create(event=event, kind="meeting", name="+Meet", capacity=3)
    place = Place.objects.create(pool=pool, guest=made.guest, state="booked", key="k")
    door = Door.objects.create(event=event, name="Main")
    CheckIn.objects.create(place=place, door=door, nonce="n" * 16, way="scan", at=timezone.now())
    Session.objects.create(event=event, title="=Talk", starts_at=timezone.now(), ends_at=timezone.now())
    Letter.objects.create(event=event, guest=made.guest, kind="x", key="x", to="ada@engine.org", subject="=s", text="t")
    other = Event.objects.create(slug="other", name="Another day")
    guests.make(other.pk, "Not of this day")
    return made


def test_every_table_leaves_as_csv_and_json_and_is_written_down(full, olga):
    client = come_in(olga)
    assert {name: count > 0 for name, count in tables.counts(current_event()).items()} == {
        name: name != "reviews" for name in TABLES
    }
    for name in TABLES:
        sheet = client.get(f"/backstage/exports/{name}.csv")
        rows = list(csv.DictReader(io.StringIO(body(sheet).decode(), newline="")))
        told = json.loads(body(client.get(f"/backstage/exports/{name}.json")))
        assert len(rows) == len(told) == tables.counts(current_event())[name]
        for row, one in zip(rows, told, strict=True):
            assert [cells.plain(key) for key in row] == list(one)
            assert [cells.plain(cell) for cell in row.values()] == [as_text(value) for value in one.values()]
        assert "Not of this day" not in str(told)
    assert Entry.objects.filter(deed="table taken").count() == 2 * len(TABLES)


def as_text(value):
    if isinstance(value, list):
        return "; ".join(value)
    return "" if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def test_applications_come_with_their_answers_and_without_drafts(full, olga):
    told = json.loads(body(come_in(olga).get("/backstage/exports/applications.json")))
    (row,) = told
    assert (row["title"], row["answer: =Materials"], row["answer: Needs"]) == ("=cmd", "-wool", "a, b")


def test_excel_is_told_that_it_is_utf8(full, olga):
    client = come_in(olga)
    assert body(client.get("/backstage/exports/guests.csv?excel=1")).startswith("\ufeff\"id\",".encode())
    assert body(client.get("/backstage/exports/guests.csv")).startswith(b'"id",')  # the control


def test_tables_are_for_organisers(full):
    for kind in ("curator", "reviewer", "volunteer"):
        client = come_in(person(kind, kind))
        assert client.get("/backstage/exports").status_code == 403
        assert client.get("/backstage/exports/guests.csv").status_code == 403
    assert Client().get("/backstage/exports/guests.csv").status_code == 302
    keeper = come_in(person("keeper", "organiser"))
    for path in ("users.csv", "guests.xml", "guests"):
        assert keeper.get(f"/backstage/exports/{path}").status_code == 404


def test_ten_thousand_rows_come_in_portions_whole_and_once(django_assert_max_num_queries):
    event = current_event()
    Guest.objects.bulk_create(Guest(event=event, name=f"Guest {n}", token_hash=f"{n:064}") for n in range(10_001))
    table = TABLES["guests"]
    with django_assert_max_num_queries(25):
        sizes = [len(rows) for rows in tables.portions(table, event)]
    assert (sum(sizes), max(sizes)) == (10_001, tables.PORTION)

    async def written():
        return [part async for part in writing.as_csv(table, event, table.columns(event), bom=False)]

    parts = async_to_sync(written)()
    assert len(parts) == 1 + len(sizes)
    rows = list(csv.DictReader(io.StringIO(b"".join(parts).decode(), newline="")))
    assert len({row["id"] for row in rows}) == len(rows) == 10_001


def test_rows_that_come_or_go_meanwhile_move_nothing():
    event = current_event()
    ids = sorted(guests.make(event.pk, f"Guest {n}")[0].pk for n in range(9))
    found = []
    for rows in tables.portions(TABLES["guests"], event, size=3):
        found += [row["id"] for row in rows]
        Guest.objects.filter(pk=ids[0]).delete()  # an offset would skip one now
    assert found == ids


# Tokens


@pytest.fixture
def make(olga):
    def made(*scopes, **more):
        token, text = tokens.make(olga, "A screen", scopes or Scope.values, 30)
        Token.objects.filter(pk=token.pk).update(**more)
        return text

    return made


def ask(path, text="", method="get", **more):
    headers = {"authorization": f"Bearer {text}"} if text else {}
    return getattr(Client(headers=headers), method)(f"/api/event{path}", **more)


CALLS = {
    "/applications": Scope.APPLICATIONS, "/places": Scope.PLACES, "/check-ins": Scope.CHECK_INS,
    "/programme": Scope.PROGRAMME,
}  # fmt: skip


@pytest.mark.parametrize("path", CALLS)
def test_a_token_opens_what_its_scope_says_and_nothing_else(full, make, path):
    assert ask(path, make(CALLS[path])).status_code == 200
    others = make(*(set(Scope.values) - {CALLS[path]}))
    refused = ask(path, others)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert CALLS[path] in refused.json()["message"]
    if path != "/programme":
        assert (ask(path).status_code, ask(path).json()["code"]) == (401, "token_needed")


def test_a_token_that_is_none_or_no_longer_opens_nothing(full, make, olga):
    past = timezone.now() - timedelta(seconds=1)
    dead = {"expired": make(expires_at=past), "revoked": make(revoked_at=past), "unknown": "salon_x", "empty": " "}
    dead["other event"] = make(event=Event.objects.get(slug="other"))
    good = make()
    assert ask("/places", good).status_code == 200
    assert {name: ask("/places", text).status_code for name, text in dead.items()} == dict.fromkeys(dead, 401)
    Role.objects.filter(user=olga).delete()  # whoever made it keeps the event no more
    assert ask("/places", good).status_code == 401
    Role.objects.create(user=olga, event=current_event(), kind="organiser")
    assert ask("/places", good).status_code == 200
    olga.delete()
    assert ask("/places", good).status_code == 401


def test_only_the_print_of_a_token_is_kept_and_it_is_shown_once(olga):
    client = come_in(olga)
    form = {"name": "Screen", "scope": ["places:read"], "days": "3"}
    page = client.post("/backstage/exports", form).content.decode()
    text = page.split('<code class="token">')[1].split("<")[0]
    assert ask("/places", text).status_code == 200
    assert text not in client.get("/backstage/exports").content.decode()
    assert text not in str(list(Token.objects.values()) + list(Entry.objects.values()))
    token = Token.objects.get()
    assert token.used_at is not None
    assert client.post(f"/backstage/exports/tokens/{token.pk}/revoke").status_code == 302
    assert client.post(f"/backstage/exports/tokens/{token.pk}/revoke").status_code == 302
    assert ask("/places", text).status_code == 401
    assert [entry.deed for entry in Entry.objects.order_by("id")] == ["token made", "token revoked"]


@pytest.mark.parametrize(
    "form", [{"name": " "}, {"scope": []}, {"scope": ["everything"]}, {"days": "0"}, {"days": "367"}, {"days": "NaN"}]
)
def test_a_token_that_makes_no_sense_is_not_made(olga, form):
    whole = {"name": "Screen", "scope": ["places:read"], "days": "3"}
    assert come_in(olga).post("/backstage/exports", whole | form).status_code == 422
    assert not Token.objects.exists()
    with pytest.raises(BadRecipe):
        tokens.make(olga, "x", [], 3)
    with pytest.raises(Conflict):
        tokens.revoke(olga, 77)


def test_a_token_is_counted_by_the_minute_each_by_itself(make, settings, monkeypatch):
    settings.SALON_API_PER_MINUTE = 3
    one, other = make(), make()
    now = 1_000_000 * 60.0
    monkeypatch.setattr(tokens.time, "time", lambda: now)
    answers = [ask("/places", one) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json()["code"] == "too_many_tries"
    assert ask("/places", other).status_code == 200
    now += 60
    assert ask("/places", one).status_code == 200
    settings.SALON_API_PER_MINUTE = 100
    assert [ask("/places", one).status_code for _ in range(5)] == [200] * 5  # the control


def test_refusals_for_a_scope_are_counted_too(make, settings):
    settings.SALON_API_PER_MINUTE = 2
    text = make(Scope.PLACES)
    assert [ask("/applications", text).status_code for _ in range(3)] == [403, 403, 429]


def test_pages_go_by_cursor_and_rows_that_come_meanwhile_move_nothing(make):
    text = make(Scope.APPLICATIONS)
    ids = sorted(application(f"Work {n}", submitted_at=timezone.now()).pk for n in range(7))
    found, cursor = [], ""
    while cursor is not None:
        page = ask(f"/applications?limit=3&cursor={cursor}", text).json()
        found += [row["id"] for row in page["items"]]
        cursor = page["next"]
        Submission.objects.filter(pk=ids[0]).update(state="draft")  # gone: an offset would skip one now
    assert found == ids
    for wrong in ("cursor=%00", "cursor=x", "cursor=!", "limit=0", "limit=201", "limit=NaN", "cursor=" + "A" * 400):
        refused = ask(f"/applications?{wrong}", text)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_query"), wrong
    text = make(Scope.CHECK_INS)
    assert ask("/check-ins?cursor=eA==", text).status_code == 400  # "x": no number


def test_one_application_and_none_of_another_event(full, make):
    text = make(Scope.APPLICATIONS)
    told = ask(f"/applications/{full.pk}", text).json()
    assert (told["title"], told["name"], told["answer: =Materials"]) == ("=cmd", "@Ada", "-wool")
    assert ask(f"/applications/{'0' * 32}", text).status_code == 404
    type(full).objects.update(event=Event.objects.get(slug="other"))
    assert ask(f"/applications/{full.pk}", text).status_code == 404


def test_the_programme_is_public_once_it_is_and_all_of_it_by_token(full, make):
    assert ask("/programme").json() == {"items": []}
    Event.objects.filter(current=True).update(opened_at=timezone.now())
    assert ask("/programme").json() == {"items": []}  # not published
    assert [row["title"] for row in ask("/programme", make(Scope.PROGRAMME)).json()["items"]] == ["=Talk"]
    Session.objects.update(published=True)
    assert [row["title"] for row in ask("/programme").json()["items"]] == ["=Talk"]
    assert ask("").json()["open"] is True


def test_places_are_counted(full, make):
    (told,) = ask("/places", make(Scope.PLACES)).json()["items"]
    assert (told["name"], told["capacity"], told["booked"], told["left"]) == ("+Meet", 3, 1, 2)
    assert "ada" not in str(told).casefold()


def test_letting_in_by_token(full, make):
    CheckIn.objects.all().delete()
    text, door = make(Scope.CHECK_IN), Door.objects.get()
    code = tickets.ticket_of(Place.objects.select_related("pool").get())
    said = {"door": door.pk, "code": code, "nonce": "m" * 16}
    more = {"method": "post", "data": json.dumps(said), "content_type": "application/json"}
    assert ask("/check-ins", **more).status_code == 401
    assert ask("/check-ins", make(Scope.CHECK_INS), **more).status_code == 403
    assert [ask("/check-ins", text, **more).json()["answer"] for _ in range(2)] == ["in", "in"]  # one press, sent twice
    assert CheckIn.objects.count() == 1
    again = {**more, "data": json.dumps(said | {"nonce": "o" * 16})}
    assert ask("/check-ins", text, **again).json()["answer"] == "already_in"
    for wrong in (said | {"door": "nowhere"}, said | {"nonce": "short"}, {"door": door.pk}, said | {"more": 1}):
        assert ask("/check-ins", text, **{**more, "data": json.dumps(wrong)}).status_code == 400
    (told,) = ask("/check-ins", make(Scope.CHECK_INS)).json()["items"]
    assert (told["door"], told["name"], told["undone"]) == ("Main", "@Ada", None)


def test_scopes_are_asked_before_anything_is_done(full, make):
    with pytest.raises(Forbidden):
        tokens.use(make(Scope.PLACES), Scope.CHECK_IN)
