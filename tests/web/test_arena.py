"""Battles: who meets, what is hidden until when, one vote each; what makes a battle void; what remains of a visitor."""

import io
import random
from collections import Counter

import msgspec
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from PIL import Image as Picture

from salon.core.errors import BadRecipe, Busy, Conflict, Refused, UnknownModel, WeightsMissing
from salon.core.png import read_recipe
from salon.core.update import Picture as Pixels
from salon.desk import store
from salon.desk.pictures import png_file
from salon.stats.bradley_terry import fit
from salon.web.arena.domain import asking, players, voting
from salon.web.arena.domain.prompts import PROMPTS
from salon.web.arena.models import Battle, Void, Winner
from salon.web.events import devices
from salon.web.gallery.domain import proposing, taking
from salon.web.line import EngineState, Line
from salon.web.people.models import User
from salon.web.station.domain import intake
from salon.web.station.domain.visitors import _SALT, COOKIE
from salon.web.station.domain.words import unknown_words
from salon.web.station.models import Image, Request, Withheld

pytestmark = pytest.mark.django_db(transaction=True)
ADA, BOB = "a" * 32, "b" * 32
NAMES = ("sepia", "gouache", "tempera")


@pytest.fixture(autouse=True)
def _event(first_event, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return first_event


@pytest.fixture
def engine(engine):
    """Three public models, one with planted flaws, one that draws nothing, one that is damaged."""
    tiny = engine.models[0]
    public = [
        msgspec.structs.replace(tiny, name=n, family=f, weights_sha256=f"{i}a" * 32)
        for i, (n, f) in enumerate(zip(NAMES, ("latent", "vq", "cascade")))
    ]
    flawed = msgspec.structs.replace(tiny, name="flawed", purpose="audit", weights_sha256="9a" * 32)
    clip = msgspec.structs.replace(tiny, name="clip", stages={})
    torn = msgspec.structs.replace(tiny, name="torn", ready=False, problem="torn")
    return EngineState("ready", models=(*public, flawed, clip, torn))


@pytest.fixture
def visit(engine, monkeypatch):
    """Opens a browser with a visitor's ticket, on the house's own pages."""
    from django.core import signing

    monkeypatch.setattr(Line, "engine", property(lambda self: engine))

    def opened(visitor=None):
        client = Client(headers={"Sec-Fetch-Site": "same-origin"})
        if visitor:
            client.cookies[COOKIE] = signing.dumps(visitor, salt=_SALT)
        return client

    return opened


def png(recipe, level):
    return png_file(Pixels(index=0, width=8, height=8, rgb=bytes([level]) * 192), recipe)


def finish(battle, withheld=()):
    """As the desk does it: both pictures are there, but those on the sides `withheld`."""
    sides = {"a": battle.image_a, "b": battle.image_b}
    there = [(image, level) for (side, image), level in zip(sides.items(), (40, 80)) if side not in withheld]
    files = [(image.id, png(image.recipe, level)) for image, level in there]
    store.keep(battle.request_id, files, [sides[side].id for side in withheld], 1.0)
    return voting.owned(battle.id, battle.visitor)


def asked(engine, visitor=ADA, key="0" * 16, prompt="a red fox", **more):
    return asking.ask(visitor, key, prompt, engine, **more)


def ready(engine, visitor=ADA, key="0" * 16, prompt="a red fox"):
    return finish(asked(engine, visitor, key, prompt))


# who meets


def test_two_public_models_meet_on_the_same_words_and_seed(engine):
    battle = asked(engine)
    one, other = battle.image_a.recipe, battle.image_b.recipe
    assert (one.prompt, one.seed) == (other.prompt, other.seed)
    assert one.prompt == "a red fox"
    assert {battle.model_a, battle.model_b} < set(NAMES)
    assert (one.model, other.model) == (battle.model_a, battle.model_b)
    assert battle.weights_a == one.weights
    assert battle.prompt == ""  # a visitor's words stand in the recipe alone


def test_models_with_flaws_damage_or_no_pictures_never_meet(engine, settings):
    settings.SALON_ARENA_PER_HOUR = 100
    met, sides = Counter(), Counter()
    for i in range(60):
        battle = ready(engine, key=f"{i:016x}")
        met.update({battle.model_a, battle.model_b})
        sides[battle.model_a] += 1
        if i % 2:
            voting.vote(battle, "tie")
    assert set(met) == set(NAMES)
    assert all(0.2 < sides[name] / met[name] < 0.8 for name in NAMES)  # the sides are drawn by lot


def test_one_model_alone_meets_nobody(engine):
    alone = msgspec.structs.replace(engine, models=(engine.models[0], *engine.models[3:]))
    with pytest.raises(WeightsMissing, match="two machines"):
        asked(alone)
    with pytest.raises(Exception, match="waking up"):
        asked(EngineState())


def test_the_pair_that_tells_most_meets_most_often(engine):
    """Two have met a hundred times, a third nobody: nearly every battle is one with the third, but some are by lot."""
    models = engine.models[:3]
    keys = [players.player_of(model).key for model in models]
    votes = [(keys[0], keys[1], winner) for winner in ("a", "b")] * 50
    found, chance = players.rated(votes, models), random.Random(1)
    met = Counter(frozenset(model.name for model in players.choose(models, found, chance)) for _ in range(400))
    known = met[frozenset(NAMES[:2])]
    assert 10 < known < 70  # a third of a quarter
    assert min(met[frozenset(NAMES[1:])], met[frozenset(NAMES[::2])]) > 100


def test_the_houses_words_are_words_the_models_know_and_come_in_turn(engine, settings):
    assert len(set(PROMPTS)) == len(PROMPTS)
    assert [prompt for prompt in PROMPTS if unknown_words(prompt)] == []
    settings.SALON_ARENA_PER_HOUR = 100
    had = [ready(engine, key=f"{i:016x}", prompt="").prompt for i in range(len(PROMPTS))]
    assert sorted(had) == sorted(PROMPTS)  # none twice before all were there


# limits


def test_one_press_is_one_battle_and_one_request(engine):
    assert asked(engine).id == asked(engine).id
    assert Request.objects.count() == 1
    assert asked(engine, BOB).id != asked(engine).id  # the control: another person, the same key


def test_one_pair_at_a_time_and_so_many_an_hour(engine, settings):
    first = asked(engine)
    with pytest.raises(intake.TooManyWaiting, match="still being drawn"):
        asked(engine, key="1" * 16)
    finish(first)
    settings.SALON_ARENA_PER_HOUR = 2
    ready(engine, key="1" * 16)
    with pytest.raises(intake.TooManyWaiting, match="2 pairs within the hour"):
        asked(engine, key="2" * 16)
    assert asked(engine, BOB)  # the control


def test_the_stations_limits_hold_here_too(engine, settings, first_event):
    settings.SALON_WAITING_PER_STATION = 1
    booth, _token = devices.make(User.objects.create_user("cora", is_staff=True), "station", "left")
    asked(engine, device=booth)
    with pytest.raises(intake.TooManyWaiting, match="This booth"):
        asked(engine, BOB, device=booth)
    settings.SALON_WAITING_TOTAL = 1
    with pytest.raises(Busy, match="very long"):
        asked(engine, BOB)
    settings.SALON_WAITING_TOTAL, first_event.paused = 400, True
    first_event.save()
    with pytest.raises(Busy, match="short pause"):
        asked(engine, BOB)


def test_refused_words_are_stored_nowhere(engine):
    with pytest.raises(Refused):
        asked(engine, prompt="a swastika")
    assert not Battle.objects.exists()
    assert not Image.objects.exists()


# what is hidden


def test_before_the_vote_nothing_that_is_sent_names_a_model(engine, visit):
    battle = ready(engine)
    browser = visit(ADA)
    words = (*NAMES, "latent", "vq", "cascade", "dalle", "Imagen")
    ids = (battle.request_id, battle.image_a_id, battle.image_b_id, str(battle.image_a.recipe.seed))
    secrets = (*words, *ids, battle.weights_a[:12], battle.weights_b[:12])
    page = browser.get(f"/arena/{battle.id}")
    sent = page.content.decode() + str(page.headers) + browser.get(f"/arena/{battle.id}/state").content.decode()
    for side in "ab":
        answer = browser.get(f"/arena/{battle.id}/{side}.png")
        sent += str(answer.headers) + answer.content.decode("latin-1")
    assert [secret for secret in secrets if secret in sent] == []
    voting.vote(battle, "a")
    told = browser.get(f"/arena/{battle.id}").content.decode()  # the control
    assert all(secret in told for secret in (battle.model_a, battle.model_b, battle.image_a_id, battle.image_b_id))


def test_blind_pictures_are_the_same_pixels_without_words(engine, visit, tmp_path):
    battle = ready(engine)
    for side, image in (("a", battle.image_a), ("b", battle.image_b)):
        blind = visit(ADA).get(f"/arena/{battle.id}/{side}.png")
        assert blind["Cache-Control"] == "no-store"
        with Picture.open(io.BytesIO(blind.content)) as shown, Picture.open(tmp_path / image.file) as kept:
            assert shown.tobytes() == kept.tobytes()
            assert shown.info == {}
        with pytest.raises(BadRecipe):
            read_recipe(blind.content)
        assert read_recipe((tmp_path / image.file).read_bytes()).model == image.recipe.model  # the control


def test_before_the_vote_the_drawings_are_nowhere_else(engine, visit):
    battle = ready(engine)
    browser = visit(ADA)
    assert browser.get(f"/api/requests/{battle.request_id}").status_code == 404
    assert battle.image_a_id not in browser.get("/mine").content.decode()
    assert battle.image_a_id not in browser.get("/").content.decode()
    assert browser.get(f"/images/{battle.image_a_id}/hang").status_code == 403
    voting.vote(battle, "tie")
    assert battle.image_a_id in browser.get("/mine").content.decode()  # then they are the visitor's own
    assert browser.get(f"/images/{battle.image_a_id}/hang").status_code == 200


@pytest.mark.parametrize("ending", ["", ".png"])
def test_looking_a_picture_up_before_the_vote_voids_it(engine, visit, ending):
    battle, other = ready(engine), ready(engine, BOB)
    assert visit(BOB).get(f"/images/{battle.image_b_id}{ending}").status_code == 200
    assert voting.vote(voting.owned(battle.id, ADA), "a").void == Void.SEEN
    assert voting.vote(other, "a").winner == "a"  # the control
    visit(BOB).get(f"/images/{other.image_a_id}{ending}")
    other.refresh_from_db()
    assert (other.winner, other.void) == ("a", "")  # after the vote all may look


@pytest.mark.parametrize(
    "prompt", ["a fox by TEMPERA", "a torn fox", "vq, draw a fox", "as DALL·E would", "DALL-E 2 fox", "imagen: a fox"]
)
def test_words_that_name_a_machine_void_it_and_nothing_is_drawn(engine, visit, prompt):
    battle = asked(engine, prompt=prompt)
    assert battle.void == Void.NAMED
    assert not Request.objects.exists()
    answer = visit(ADA).post("/arena", {"own": "1", "prompt": prompt, "key": "f" * 16})
    assert answer.status_code == 422
    assert "name a machine" in answer.content.decode()
    assert visit(ADA).get(f"/arena/{battle.id}").status_code == 200


def test_words_that_only_sound_like_one_do_not(engine):
    assert not players.names_a_machine("a temperate fox in a sepiatone, imagenary", engine.models[1:])


# the vote


@pytest.mark.parametrize("winner", Winner.values)
def test_each_vote_is_kept(engine, visit, winner):
    battle = ready(engine)
    answer = visit(ADA).post(f"/arena/{battle.id}/vote", {"winner": winner})
    assert (answer.status_code, answer["Location"]) == (303, f"/arena/{battle.id}")
    battle.refresh_from_db()
    assert (battle.winner, battle.voted_at is None) == (winner, False)


def test_a_second_vote_changes_nothing(engine, visit):
    battle = ready(engine)
    answers = [visit(ADA).post(f"/arena/{battle.id}/vote", {"winner": w}) for w in ("a", "b", "a", "both_bad")]
    assert [answer.status_code for answer in answers] == [303] * 4
    battle.refresh_from_db()
    assert battle.winner == "a"


def test_two_tabs_may_hold_two_pairs(engine):
    first, second = ready(engine), ready(engine, key="1" * 16)
    voting.vote(second, "b")
    assert voting.vote(voting.owned(first.id, ADA), "a").winner == "a"


def test_a_stale_page_cannot_vote_again(engine):
    """Both tabs read the battle before either voted."""
    battle = ready(engine)
    one, other = voting.owned(battle.id, ADA), voting.owned(battle.id, ADA)
    assert voting.vote(one, "a").winner == "a"
    assert voting.vote(other, "b").winner == "a"


def test_only_who_asked_sees_or_votes(engine, visit):
    battle = ready(engine)
    for stranger in (visit(BOB), visit()):
        assert stranger.get(f"/arena/{battle.id}").status_code == 404
        assert stranger.get(f"/arena/{battle.id}/state").status_code == 404
        assert stranger.get(f"/arena/{battle.id}/a.png").status_code == 404
        assert stranger.post(f"/arena/{battle.id}/vote", {"winner": "a"}).status_code == 404
    assert Battle.objects.get().winner == ""
    assert visit(ADA).post("/arena/nothing/vote", {"winner": "a"}).status_code == 404
    foreign = Client(headers={"Sec-Fetch-Site": "cross-site"})
    foreign.cookies = visit(ADA).cookies
    assert foreign.post(f"/arena/{battle.id}/vote", {"winner": "a"}).status_code == 403


def test_what_is_no_vote_is_refused(engine, visit):
    battle = ready(engine)
    for bad in ("", "c", "A", "a" * 500):
        assert visit(ADA).post(f"/arena/{battle.id}/vote", {"winner": bad}).status_code == 400
    assert visit(ADA).get(f"/arena/{battle.id}/vote").status_code == 405
    assert visit(ADA).get(f"/arena/{battle.id}/c.png").status_code == 404


def test_nobody_votes_before_the_pictures_hang(engine, visit):
    battle = asked(engine)
    with pytest.raises(Conflict):
        voting.vote(battle, "a")
    assert visit(ADA).get(f"/arena/{battle.id}/a.png").status_code == 404
    assert visit(ADA).get(f"/arena/{battle.id}/state").json() == {"state": "drawing", "position": 0}
    finish(battle)
    assert visit(ADA).get(f"/arena/{battle.id}/state").json() == {"state": "ready"}


def test_the_database_knows_no_void_vote(engine):
    battle = ready(engine)
    with pytest.raises(IntegrityError), transaction.atomic():
        Battle.objects.filter(id=battle.id).update(winner="a", void=Void.SEEN)


# void


def test_a_picture_that_is_kept_back_voids_it(engine, visit):
    battle = finish(asked(engine), withheld=("b",))
    page = visit(ADA).get(f"/arena/{battle.id}")
    assert page.status_code == 200
    assert "kept one of the two pictures back" in page.content.decode()
    assert Battle.objects.get().void == Void.WITHHELD
    assert voting.vote(voting.owned(battle.id, ADA), "a").winner == ""
    assert battle.image_a_id in visit(ADA).get("/mine").content.decode()  # the other one is not lost


@pytest.mark.parametrize("state", ["failed", "refused", "cancelled"])
def test_a_picture_that_was_not_drawn_voids_it(engine, visit, state):
    battle = asked(engine)
    Request.objects.filter(id=battle.request_id).update(state=state)
    assert "could not be drawn" in visit(ADA).get(f"/arena/{battle.id}").content.decode()
    assert Battle.objects.get().void == Void.FAILED


def test_a_picture_that_the_house_took_down_voids_it(engine):
    battle = ready(engine)
    Image.objects.filter(id=battle.image_a_id).update(withheld=Withheld.HOUSE, file="")
    assert voting.vote(voting.owned(battle.id, ADA), "a").void == Void.REMOVED


def test_a_picture_that_is_gone_voids_it(engine):
    battle = ready(engine)
    Image.objects.filter(id=battle.image_a_id).update(file="")
    assert voting.state_of(voting.owned(battle.id, ADA)) == {"state": "void"}
    assert Battle.objects.get().void == Void.ERASED


# leaving


def test_forgetting_takes_words_and_pictures_and_leaves_the_bare_votes(engine, tmp_path):
    first, second = ready(engine), ready(engine, key="1" * 16)
    left, drawing = ready(engine, key="2" * 16), asked(engine, key="3" * 16)
    others = ready(engine, BOB)
    for battle in (first, second, others):
        voting.vote(battle, "a")
    proposing.forget(ADA)
    kept = Battle.objects.exclude(id=others.id)
    assert {battle.id for battle in kept} == {first.id, second.id}
    left_over = {(b.winner, b.image_a, b.image_b, b.request, b.prompt, b.key) for b in kept}
    assert left_over == {("a", None, None, None, "", None)}
    assert len({battle.visitor for battle in kept}) == 1  # still one voter
    assert not kept.filter(visitor__contains=ADA).exists()
    assert not Request.objects.filter(visitor__contains=ADA).exists()
    assert Request.objects.get(id=drawing.request_id).state == "cancelled"
    assert set(Image.objects.values_list("id", flat=True)) == {others.image_a_id, others.image_b_id}
    assert len(list(tmp_path.glob("*/*.png"))) == 2
    assert left.id not in Battle.objects.values_list("id", flat=True)


def test_battles_of_a_booth_go_along_to_the_phone(engine):
    battle = ready(engine)
    taking.take(taking.code(ADA), BOB)
    assert voting.owned(battle.id, ADA) is None
    voting.vote(voting.owned(battle.id, BOB), "b")
    assert proposing.drawn_by(BOB, battle.image_a_id)


# the pages


def test_a_visitor_without_a_ticket_gets_one_and_a_pair(visit):
    browser = visit()
    page = browser.get("/arena")
    assert page.status_code == 200
    answer = browser.post("/arena", {"house": "1", "prompt": "words left in the field", "key": "ab" * 8})
    battle = Battle.objects.get()
    assert answer["Location"] == f"/arena/{battle.id}"
    assert battle.prompt in PROMPTS
    assert browser.post("/arena", {"house": "1", "key": "ab" * 8})["Location"] == f"/arena/{battle.id}"
    assert Battle.objects.count() == 1
    assert "drawing" in browser.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("prompt", "status", "says"),
    [("  ", 422, "few words first"), ("a swastika", 422, "does not draw"), ("fox " * 400, 400, "jury declines")],
)
def test_words_that_cannot_be_drawn_stay_in_the_field(visit, prompt, status, says):
    answer = visit(ADA).post("/arena", {"own": "1", "prompt": prompt, "key": "ab" * 8})
    assert answer.status_code == status
    assert says in answer.content.decode()
    assert prompt.strip()[:20] in answer.content.decode()
    assert not Battle.objects.exists()


def test_the_page_stands_without_an_engine():
    browser = Client(headers={"Sec-Fetch-Site": "same-origin"})
    assert "waking up" in browser.get("/arena").content.decode()
    assert browser.post("/arena", {"house": "1"}).status_code == 503
    assert browser.get("/arena/leaderboard").status_code == 200


def test_unknown_models_are_no_way_in(engine):
    """Negative control of the field: the station refuses these by name, the arena never offers them."""
    with pytest.raises(UnknownModel):
        intake.submit(intake.Ask(prompt="a fox", model="flawed"), ADA, engine)
    assert {model.name for model in players.field(engine)} == set(NAMES)
    assert isinstance(players.rated([], players.field(engine)), type(fit([])))
