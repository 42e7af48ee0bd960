"""The leaderboard out of the rows, its downloads, and what a curator sets up."""

import csv
import io

import msgspec
import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from salon.core import cells
from salon.core.errors import BadRecipe, Forbidden
from salon.stats.bradley_terry import fit
from salon.stats.intervals import wilson
from salon.web.arena.domain import asking, drawing, leaderboard, leaving, pairing
from salon.web.arena.models import Battle, Pairing, Void
from salon.web.backstage import views
from salon.web.events.models import Entry
from salon.web.line import EngineState, Line
from salon.web.people.models import User
from salon.web.station.domain.visitors import _SALT, COOKIE
from spreadsheet import would_run

pytestmark = pytest.mark.django_db(transaction=True)
ADA, CORA = "a" * 32, "c" * 32


@pytest.fixture(autouse=True)
def _event(first_event, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return first_event


@pytest.fixture
def engine(engine):
    tiny = engine.models[0]
    made = {"latent": "public", "vq": "public", "flawed": "audit", "mended": "audit"}
    return EngineState(
        "ready",
        models=tuple(
            msgspec.structs.replace(tiny, name=name, purpose=purpose, weights_sha256=f"{i}b" * 32)
            for i, (name, purpose) in enumerate(made.items())
        ),
    )


@pytest.fixture
def curator(first_event):
    cora = User.objects.create_user("cora", is_staff=True)
    cora.roles.create(event=first_event, kind="curator")
    return cora


@pytest.fixture
def visit(engine, monkeypatch):
    monkeypatch.setattr(Line, "engine", property(lambda self: engine))
    monkeypatch.setattr(views, "_engine", lambda: engine)

    def opened(visitor=None, person=None):
        client = Client(headers={"Sec-Fetch-Site": "same-origin"})
        if visitor:
            client.cookies[COOKIE] = signing.dumps(visitor, salt=_SALT)
        if person:
            client.force_login(person)
        return client

    return opened


def vote(event, a, b, winner, visitor, prompt="", weights=("1b" * 32, "2b" * 32), **more):
    return Battle.objects.create(
        event=event, visitor=visitor, model_a=a, model_b=b, family_a="latent", family_b="vq", weights_a=weights[0],
        weights_b=weights[1], winner=winner, prompt=prompt, voted_at=timezone.now(), **more,
    )  # fmt: skip


def machines(event, **more):
    return {row["name"]: row for component in leaderboard.board(event, **more)["components"] for row in component}


def test_before_the_first_vote_nothing_is_claimed(first_event, engine):
    board = leaderboard.board(first_event, engine.models[:2])
    assert [len(component) for component in board["components"]] == [1, 1]
    assert {row["rating_q025"] for component in board["components"] for row in component} == {None}
    assert "Nobody has voted" in leaderboard.verdict(board)
    assert leaderboard.board(first_event)["components"] == []


def test_after_one_vote_there_is_a_rating_and_no_interval(first_event):
    vote(first_event, "latent", "vq", "a", ADA)
    board = leaderboard.board(first_event)
    rows = board["components"][0]
    assert [row["name"] for row in rows] == ["latent", "vq"]
    assert rows[0]["rating"] > 0
    assert (rows[0]["rating_q025"], rows[0]["rating_q975"]) == (None, None)
    assert "one visitor has voted" in leaderboard.verdict(board)


def test_after_two_voters_the_intervals_are_wide_and_said_to_be(first_event):
    for visitor in "ab":
        vote(first_event, "latent", "vq", "a", visitor * 32)
    board = leaderboard.board(first_event)
    row = board["components"][0][0]
    assert row["rating_q975"] - row["rating_q025"] > 10
    assert "no two machines can be told apart yet" in leaderboard.verdict(board)


def test_many_voters_tell_them_apart(first_event):
    for i in range(40):
        vote(first_event, "latent", "vq", "b" if i % 8 == 0 else "a", f"{i:032x}")
    board = leaderboard.board(first_event)
    assert leaderboard.told_apart(board["components"][0])
    assert "1 pair of machines can be told apart" in leaderboard.verdict(board)
    expected = fit([("x", "y", "b" if i % 8 == 0 else "a", i) for i in range(40)])
    assert machines(first_event)["latent"]["rating"] == pytest.approx(expected.ratings()["x"], abs=1e-6)
    assert machines(first_event)["latent"]["rating_q025"] == pytest.approx(expected.intervals()["x"][0], abs=1e-6)


def standing(first_event, wins, rounds):
    """Visitors who vote once on each pair of three machines; `wins` of ten for the first of the pair."""
    hashes = {"latent": "1b" * 32, "vq": "2b" * 32, "cascade": "3b" * 32}
    pairs = [("latent", "vq"), ("vq", "cascade"), ("latent", "cascade")]
    for i in range(rounds):
        for at, (one, other) in enumerate(pairs):
            won = "a" if (i * 7 + at * 3) % 10 < wins[at] else "b"
            vote(first_event, one, other, won, f"{i:032x}", weights=(hashes[one], hashes[other]))
    return leaderboard.board(first_event)


def test_places_say_which_machines_can_be_told_apart(first_event):
    """Latent is far better than both others, which do not differ: the control."""
    board = standing(first_event, (9, 5, 9), 60)
    rows = {row["name"]: row for row in board["components"][0]}
    assert (rows["latent"]["place_best"], rows["latent"]["place_worst"]) == (1, 1)
    assert {(rows[name]["place_best"], rows[name]["place_worst"]) for name in ("vq", "cascade")} == {(2, 3)}
    assert leaderboard.told_apart(board["components"][0]) == 2
    assert "2 pairs of machines can be told apart" in leaderboard.verdict(board)
    for row in rows.values():  # at every look is wider than at one
        assert row["rating_low"] < row["rating_q025"] < row["rating_q975"] < row["rating_high"]


def test_how_many_more_visitors_it_takes_is_said(first_event, visit):
    board = standing(first_event, (9, 6, 9), 60)
    assert board["components"][0][0]["to_next"] == {"apart": True, "more_voters": None}
    (pair,) = leaderboard.undecided(board)
    assert {pair["one"]["name"], pair["other"]["name"]} == {"vq", "cascade"}
    assert 100 < pair["more"] < 5_000
    page = visit().get("/arena/leaderboard").content.decode()
    assert "What it would take" in page
    assert f"about {pair['more']}" in page.replace(",", "")


def test_one_visitors_vote_on_a_new_machine_leaves_the_others_lines(first_event):
    before = {row["name"]: row for row in standing(first_event, (8, 6, 8), 30)["components"][0]}
    vote(first_event, "latent", "vq", "b", "f" * 32, weights=("7b" * 32, "2b" * 32))  # trained anew
    rows = leaderboard.board(first_event)["components"][0]
    anew = [row for row in rows if row["weights"].startswith("7b")]
    assert [(row["rating_low"], row["place_best"], row["to_next"]) for row in anew] == [(None, None, None)]
    for row in rows:
        if row not in anew:
            assert row["rating_low"] == pytest.approx(before[row["name"]]["rating_low"], abs=1e-6)
            assert row["rating_q975"] == pytest.approx(before[row["name"]]["rating_q975"], abs=1e-6)
            assert row["place_worst"] == before[row["name"]]["place_worst"] <= 3


def test_one_visitor_who_finds_all_bad_is_one_look(first_event):
    """Control: as if each vote were a look of its own the share would be known to a tenth."""
    for i in range(60):
        vote(first_event, "latent", "vq", "both_bad", ADA)
        vote(first_event, "latent", "vq", "a", f"{i % 3:032x}")
    row = machines(first_event)["latent"]
    low, high = wilson(row["both_bad"], row["votes"])
    assert high - low < 0.2
    assert row["both_bad_q025"] < 0.15
    assert row["both_bad_q975"] > 0.85


def test_both_bad_is_nobodys_win_and_counted_apart(first_event):
    for i in range(6):
        vote(first_event, "latent", "vq", "both_bad" if i < 3 else "tie", f"{i:032x}")
    for row in machines(first_event).values():
        assert row["rating"] == pytest.approx(0, abs=1e-9)
        assert (row["votes"], row["both_bad"], row["both_bad_share"]) == (6, 3, 0.5)
        assert row["both_bad_q025"] < 0.5 < row["both_bad_q975"]


def test_void_battles_count_for_nothing_and_are_counted(first_event):
    vote(first_event, "latent", "vq", "", ADA, void=Void.SEEN)
    vote(first_event, "latent", "vq", "", ADA, void=Void.WITHHELD)
    vote(first_event, "latent", "vq", "a", ADA)
    board = leaderboard.board(first_event)
    assert (board["votes"], board["void"]) == (1, {"seen": 1, "withheld": 1})


def test_trained_anew_a_machine_begins_anew(first_event):
    vote(first_event, "latent", "vq", "a", ADA)
    vote(first_event, "latent", "vq", "a", ADA, weights=("7b" * 32, "2b" * 32))
    rows = leaderboard.board(first_event)["components"][0]
    assert [row["name"] for row in rows].count("latent") == 2
    assert {row["name"]: row["twin"] for row in rows} == {"latent": True, "vq": False}


def test_it_is_made_anew_only_when_something_has_changed(first_event, monkeypatch):
    vote(first_event, "latent", "vq", "a", ADA)
    first = leaderboard.board(first_event)
    assert leaderboard.board(first_event) is first
    vote(first_event, "latent", "vq", "", ADA, void=Void.SEEN)
    assert leaderboard.board(first_event)["void"] == {"seen": 1}
    vote(first_event, "latent", "vq", "b", CORA)
    assert leaderboard.board(first_event)["votes"] == 2


def test_votes_that_were_taken_along_are_one_voters_at_once(first_event):
    """Control: the number of votes and the newest of them say nothing of it."""
    for visitor in (ADA, CORA):
        vote(first_event, "latent", "vq", "a", visitor)
    assert leaderboard.board(first_event)["voters"] == 2
    leaving.take_along(ADA, CORA)
    found = leaderboard.board(first_event)
    assert (found["votes"], found["voters"]) == (2, 1)
    assert leaderboard.verdict(found).startswith("Too early")


def test_what_never_met_is_not_compared(first_event):
    vote(first_event, "latent", "vq", "a", ADA)
    vote(first_event, "flawed", "mended", "b", ADA, weights=("3b" * 32, "4b" * 32))
    assert [len(component) for component in leaderboard.board(first_event)["components"]] == [2, 2]


def test_stuffed_votes_are_capped(first_event, settings):
    for i in range(30):
        vote(first_event, "latent", "vq", "a" if i % 3 else "b", f"{i:032x}")
    for _ in range(200):
        vote(first_event, "latent", "vq", "b", ADA)
    assert machines(first_event)["latent"]["rating"] > 0
    settings.SALON_ARENA_CAP = 1_000  # the control
    assert machines(first_event)["latent"]["rating"] < 0


def test_the_side_is_watched(first_event):
    assert leaderboard.board(first_event)["side"]["share"] is None
    for i in range(30):
        vote(first_event, "latent", "vq", ("a", "a", "tie", "b", "both_bad", "a")[i % 6], f"{i:032x}")
    side = leaderboard.board(first_event)["side"]
    assert side["share"] == pytest.approx(0.75)
    assert 0.5 < side["share_q025"] < 0.75 < side["share_q975"] < 1


def test_no_spreadsheet_runs_the_votes(first_event, visit):
    for number, prompt in enumerate(("=1+1", "x;=1+1;y", "x;＝1")):
        vote(first_event, "latent", "vq", "a", ADA, prompt=prompt, key=f"{number:016x}")
    text = visit().get("/arena/votes.csv").content.decode()
    assert would_run(text) == []
    assert would_run(text.replace("'", ""))  # the control: without the guard's apostrophes
    assert [cells.plain(r["prompt"]) for r in csv.DictReader(io.StringIO(text))] == ["=1+1", "x;=1+1;y", "x;＝1"]


def test_downloads_name_no_person_and_no_visitors_words(first_event, visit):
    vote(first_event, "latent", "vq", "a", ADA, prompt="a red fox in the snow", key="0" * 16)
    vote(first_event, "vq", "latent", "both_bad", CORA)
    vote(first_event, "vq", "latent", "tie", ADA)
    vote(first_event, "vq", "latent", "", ADA, void=Void.SEEN)
    answer = visit().get("/arena/votes.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["voter"], row["winner"], row["prompt"]) for row in rows] == [
        ("1", "a", "a red fox in the snow"), ("2", "both_bad", ""), ("1", "tie", ""),
    ]  # fmt: skip
    assert visit().get("/arena/votes.json").json()[0]["model_a"] == "latent"
    everything = answer.content + visit().get("/arena/votes.json").content
    assert ADA.encode() not in everything
    assert CORA.encode() not in everything
    # who takes the file away can compute the leaderboard again
    votes = [(r["model_a"], r["model_b"], r["winner"], r["voter"]) for r in rows if r["winner"] != "both_bad"]
    board = visit().get("/arena/leaderboard.json").json()
    shown = {row["name"]: row["rating"] for part in board["components"] for row in part if row["votes"]}
    assert fit(votes).ratings() == pytest.approx(shown, abs=1e-6)


@pytest.mark.parametrize("votes", [0, 1, 2, 40])
def test_the_page_stands_at_any_number_of_votes(first_event, visit, votes):
    for i in range(votes):
        vote(first_event, "latent", "vq", "b" if i % 8 == 0 else "a", f"{i:032x}")
    page = visit().get("/arena/leaderboard")
    assert page.status_code == 200
    text = page.content.decode()
    assert text.count("<circle") == 2 + 2 * bool(votes)  # the installed ones have other weights than those voted on
    assert 'style="' not in text


def test_lines_stay_inside_their_picture():
    row = {"rating": 0.5, "rating_low": -0.5, "rating_high": 90.0, "both_bad_share": None, "place_best": 1,
           "place_worst": 2}  # fmt: skip
    endless = {**row, "rating_low": None, "rating_high": None}
    drawn = drawing.with_lines([row, endless])["machines"]
    sure, unknown = {**row, "place_worst": 1}, {**row, "place_best": None, "place_worst": None}
    assert [one["places"] for one in drawing.with_lines([row, sure, unknown])["machines"]] == ["1–2", "1", "–"]
    assert all(0 < one[end] < 100 for one in drawn for end in ("low", "dot", "high"))
    assert [(one["open_low"], one["open_high"]) for one in drawn] == [(False, True), (True, True)]
    assert drawn[0]["low"] < 50 < drawn[0]["dot"] < drawn[0]["high"]


# a curator's pairing


def test_a_public_pairing_is_half_of_all_battles(engine, curator, first_event, monkeypatch):
    more = tuple(msgspec.structs.replace(engine.models[0], name=f"m{i}", weights_sha256=f"{i}c" * 32) for i in range(6))
    engine = msgspec.structs.replace(engine, models=(*engine.models, *more))
    pairing.begin(curator, "latent", "vq", engine)
    met = [{model.name for model in asking._pair(first_event, engine, "")} for _ in range(200)]
    assert 60 < met.count({"latent", "vq"}) < 140
    pairing.end(curator)
    met = [{model.name for model in asking._pair(first_event, engine, "")} for _ in range(200)]
    assert met.count({"latent", "vq"}) < 40  # the control
    assert list(Entry.objects.values_list("deed", flat=True)) == ["pairing ended", "paired"]


def test_models_with_planted_flaws_meet_only_before_reviewers(engine, curator, first_event, visit):
    made = pairing.begin(curator, "flawed", "mended", engine)
    assert all({m.name for m in asking._pair(first_event, engine, "")} == {"latent", "vq"} for _ in range(40))
    reviewer = visit(ADA)
    assert reviewer.post(f"/arena/reviewers/{pairing.token(made)}").status_code == 302
    reviewer.post("/arena", {"house": "1", "key": "ab" * 8})
    battle = Battle.objects.get()
    assert {battle.model_a, battle.model_b} == {"flawed", "mended"}
    visit(CORA).post("/arena", {"house": "1", "key": "ab" * 8})  # the control: no link, no flaws
    other = Battle.objects.get(visitor=CORA)
    assert {other.model_a, other.model_b} == {"latent", "vq"}


def test_a_reviewers_link_ends_with_its_pairing(engine, curator, first_event):
    made = pairing.begin(curator, "flawed", "mended", engine)
    pairing.begin(curator, "latent", "flawed", engine)
    assert {m.name for m in asking._pair(first_event, engine, made.id)} == {"latent", "vq"}
    assert Pairing.objects.filter(ended_at=None).count() == 1
    for wrong in ("", "guessed", signing.dumps(made.id, salt="other")):
        with pytest.raises(Forbidden):
            pairing.check(wrong)


def test_a_pairing_needs_two_that_draw(engine, curator):
    for one, other in (("latent", "latent"), ("latent", "nobody"), ("", "")):
        with pytest.raises(BadRecipe, match="two different models"):
            pairing.begin(curator, one, other, engine)
    assert not Pairing.objects.exists()


def test_curators_pair_backstage_and_others_do_not(engine, curator, visit):
    assert visit().post("/backstage/arena", {"one": "latent", "other": "vq"}).status_code == 302
    assert not Pairing.objects.exists()
    back = visit(person=curator)
    assert back.post("/backstage/arena", {"one": "flawed", "other": "mended"}).status_code == 302
    page = back.get("/backstage/arena").content.decode()
    assert "/arena/reviewers/" in page
    assert "planted flaws" in page
    back.post("/backstage/arena", {"end": "1"})
    assert not Pairing.objects.filter(ended_at=None).exists()
    assert "/arena/reviewers/" not in back.get("/backstage/arena").content.decode()
