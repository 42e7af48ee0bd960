"""Crowds, and people who would be one: shares for strangers and networks, prices, emptying the line, tickets."""

import pytest
from django.test import Client
from django.utils import timezone
from hands import hand, solved

from salon.core.recipe import DiffusionOptions, PlainOptions, Recipe, TokenOptions
from salon.engine.registry import Registry
from salon.web.arena.domain import leaderboard, voting
from salon.web.arena.models import Battle
from salon.web.backstage import domain
from salon.web.events import devices, tries
from salon.web.events.models import Entry, Try
from salon.web.gallery.domain import proposing
from salon.web.line import EngineState
from salon.web.refuses.domain import reporting
from salon.web.sources import _network
from salon.web.station import api
from salon.web.station.domain import intake, pricing, state, visitors
from salon.web.station.domain.visitors import Standing
from salon.web.station.models import Request

pytestmark = pytest.mark.django_db
STRANGER = Standing(known=False, source="s" * 64)


def ask(engine, visitor, standing=visitors.KNOWN, device=None, **more):
    wish = intake.Ask(**{"prompt": "a red fox", "count": 1, **more})
    return intake.submit(wish, visitor, engine, device, standing)[0]


def fill(engine, number, standing, first=0):
    """So many visitors ask for one thing each; how many were taken in."""
    taken = 0
    for one in range(first, first + number):
        try:
            ask(engine, f"{one:032x}", standing)
        except intake.Busy:
            continue
        taken += 1
    return taken


def browser(**more):
    return Client(headers={"Sec-Fetch-Site": "same-origin"}, **more)


# prices


def recipe(steps=12, guidance=3.0, **stages):
    options = DiffusionOptions(num_inference_steps=steps, guidance_scale=guidance, sampler="euler")
    stages = stages or {"diffusion": options, "upscale": PlainOptions()}
    return Recipe(model="m", weights="ab" * 32, prompt="a fox", seed=1, stages=stages)


def test_a_request_costs_what_it_makes_to_do():
    assert pricing.price_of([recipe()] * 9) == 1
    assert pricing.price_of([recipe(1)]) == 1
    assert pricing.price_of([recipe(100)] * 16) == 14
    assert pricing.price_of([recipe(100, 1.0)] * 16) < pricing.price_of([recipe(100)] * 16)
    unheard = recipe(thinking=DiffusionOptions(num_inference_steps=12, guidance_scale=3.0, sampler="euler"))
    assert pricing.work_of(unheard) >= pricing.work_of(recipe())


@pytest.mark.parametrize("model", ["latent", "latent-fast", "vq", "cascade", "unclip"])
def test_nine_pictures_of_every_model_of_the_house_are_an_ordinary_request(model):
    """As their cards have it: a press at four machines must fit."""
    info = Registry().info(model)
    assert info.ready
    made = intake.make_recipe(info, "a red fox", 1)
    assert {type(one) for one in made.stages.values()} <= {DiffusionOptions, TokenOptions, PlainOptions}
    assert set(made.stages) <= {*pricing.PASS, *pricing.ONCE}
    assert pricing.price_of([made] * 9) == 1


def test_dear_requests_fill_a_visitors_share_sooner(engine, settings):
    """Control: as many cheap ones fit as the setting says."""
    dear = ask(engine, "ada", count=16, num_inference_steps=60)
    assert dear.price > settings.SALON_WAITING_PER_VISITOR  # into an empty share it fits, or it never could
    with pytest.raises(intake.TooManyWaiting):
        ask(engine, "ada")
    assert [ask(engine, "bob").price for _ in range(settings.SALON_WAITING_PER_VISITOR)] == [1] * 6
    with pytest.raises(intake.TooManyWaiting):
        ask(engine, "bob")


def test_what_the_house_draws_for_itself_fills_no_line(engine, settings):
    settings.SALON_WAITING_TOTAL = 2
    recipes = ask(engine, "cora").drawings.get().image.recipe
    for _ in range(5):
        intake.store(intake.lock_current_event(), "findings", None, (recipes,), audience=intake.BACKGROUND)
    ask(engine, "ada")
    Request.objects.filter(audience=intake.BACKGROUND).update(audience="visitor")  # control: visitors' own would
    with pytest.raises(intake.Busy):
        ask(engine, "bob")


# shares of the line


def test_strangers_share_a_part_of_the_line(engine, settings):
    """Four hundred posts without a cookie leave the line to those who have a ticket of their own."""
    assert fill(engine, 100, STRANGER) == settings.SALON_WAITING_STRANGERS
    assert Request.objects.filter(known=False).count() == settings.SALON_WAITING_STRANGERS
    assert ask(engine, "ada", Standing(True, "a" * 64)).known


def test_without_that_share_they_fill_it(engine, settings):
    """Negative control."""
    settings.SALON_WAITING_STRANGERS = settings.SALON_WAITING_TOTAL = 50
    assert fill(engine, 100, Standing(False)) == 50
    with pytest.raises(intake.Busy):
        ask(engine, "ada")


def test_half_of_the_line_is_left_to_others_than_one_network(engine, settings):
    """Whoever does sums for a thousand tickets has half; a venue behind one address has as much, and works."""
    settings.SALON_WAITING_TOTAL = 20
    assert fill(engine, 30, Standing(True, "a" * 64)) == 10
    assert fill(engine, 30, Standing(True, "b" * 64), first=100) == 10
    Request.objects.all().delete()
    assert fill(engine, 30, Standing(True, "")) == 20  # the control: of networks nothing is known


def test_a_booth_stands_in_no_share_of_strangers(engine, settings):
    settings.SALON_WAITING_STRANGERS = 1
    booth, _token = devices.make(hand("cora"), "station", "left")
    for visitor in "abc":
        ask(engine, visitor * 32, STRANGER, booth)
    fill(engine, 1, STRANGER)
    with pytest.raises(intake.TooManyWaiting):  # the control: without a booth
        ask(engine, "eve", STRANGER)


def test_where_it_came_from_is_forgotten_with_its_end(engine):
    open_one, over = ask(engine, "ada", STRANGER), ask(engine, "bob", STRANGER)
    intake.cancel(over)
    assert intake.forget_sources() == 1
    assert list(Request.objects.exclude(source="")) == [open_one]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("10.0.0.1", "10.0.0.1", True), ("10.0.0.1", "10.0.0.2", False), ("2001:db8::1", "2001:db8::ffff:2", True),
     ("2001:db8::1", "2001:db8:0:1::1", False), ("::ffff:10.0.0.1", "10.0.0.1", True), ("", "", True),
     ("fe80::1%eth0", "fe80::2", True)],
)  # fmt: skip
def test_a_network_is_an_address_or_sixty_four_bits(one, other, same):
    assert (_network(one) == _network(other)) is same


# tickets


@pytest.fixture
def open_house(engine, monkeypatch):
    """The API with an engine that is ready."""

    class Line:
        told: list = []

        def tell(self, message):
            self.told.append(message)

    Line.engine = engine
    monkeypatch.setattr(api, "line", Line)
    monkeypatch.setattr(api, "far_words", lambda prompt: [])
    return Line


def post(client, **more):
    return client.post("/api/requests", {"prompt": "a fox", "count": 1, **more}, content_type="application/json")


def prove(client, solution=None):
    return client.post("/api/ticket", {"sum": solution or solved()}, content_type="application/json")


def test_posts_without_a_cookie_are_strangers_and_a_sum_makes_one_known(open_house, settings):
    settings.SALON_WAITING_STRANGERS = 3
    assert [post(browser()).status_code for _ in range(5)] == [202] * 3 + [429] * 2
    ada = browser()
    assert post(ada).status_code == 429
    assert prove(ada).json() == {"known": True}
    assert [post(ada).status_code for _ in range(2)] == [202, 202]
    assert len(set(Request.objects.filter(known=True).values_list("visitor", flat=True))) == 1


def test_a_visitor_stays_who_they_are_when_they_become_known(open_house):
    ada = browser()
    asked = post(ada).json()["id"]
    prove(ada)
    assert ada.get(f"/api/requests/{asked}").status_code == 200
    assert Request.objects.get(id=post(ada).json()["id"]).visitor == Request.objects.get(id=asked).visitor


def test_a_sum_makes_one_ticket(open_house):
    solution = solved()
    assert [prove(browser(), solution).status_code for _ in range(2)] == [200, 409]
    assert prove(browser(), "bm8=").status_code == 403
    assert browser().post("/api/ticket", {}, content_type="application/json").status_code == 400
    assert "salon_ticket" not in prove(browser(), solution).cookies


def test_tickets_for_one_network_are_limited_and_strangers_go_on(open_house, monkeypatch):
    monkeypatch.setattr(visitors, "MOST_A_SOURCE", 2)
    eve = browser()
    assert [prove(browser()).status_code for _ in range(2)] + [prove(eve).status_code] == [200, 200, 429]
    assert post(eve).status_code == 202
    assert prove(browser(REMOTE_ADDR="10.1.1.1")).status_code == 200
    Try.objects.update(at=timezone.now() - tries.HOUR)
    assert prove(eve).status_code == 200


def test_nobody_writes_themselves_a_known_ticket(client):
    """A ticket of before is a stranger's; one that was changed is none."""
    from django.core import signing

    def standing(value):
        client.cookies[visitors.COOKIE] = value
        return visitors.ticket_of(client.get("/healthz").wsgi_request)

    assert standing(signing.dumps("ada", salt=visitors._SALT)) == ("ada", False)
    assert standing(signing.dumps(["ada", True], salt=visitors._SALT)) == ("ada", True)
    assert standing(signing.dumps(["ada", True], salt="another")) is None


# emptying the line


def test_the_line_is_emptied_with_a_reason_and_a_line_of_the_trail(engine):
    cora = hand("cora")
    waits, runs, over = (ask(engine, name) for name in ("ada", "bob", "cleo"))
    Request.objects.filter(id=runs.id).update(state="running", inputs=b"a picture")
    intake.cancel(over)
    house = intake.store(intake.lock_current_event(), "house", None, (waits.drawings.get().image.recipe,), "background")
    told = domain.line_of(house.event)
    assert (told["requests"], told["visitors"], told["price"]) == (2, 2, 2)
    assert set(domain.empty_line(cora)) == {waits.id, runs.id}
    for one in (waits, runs):
        one.refresh_from_db()
        assert bytes(one.inputs) == b""  # a picture to begin with is kept until it has ended, and no longer
        said = state.state_of(one)
        assert (said["state"], said["code"]) == ("cancelled", "emptied")
        assert "emptied the line" in said["why"]
    house.refresh_from_db()
    assert (house.state, Entry.objects.get(deed="line emptied").text) == ("waiting", "2")
    over.refresh_from_db()
    assert over.why == ""  # the control: whoever cancelled needs no reason
    assert ask(engine, "ada").state == "waiting"


def test_emptying_is_a_curators_and_asks_first(engine, monkeypatch):
    told = []
    monkeypatch.setattr("salon.web.backstage.views._tell", told.append)
    monkeypatch.setattr("salon.web.backstage.views._engine", lambda: EngineState("ready"))
    waits = ask(engine, "ada")
    for name, kind, status in (("vera", "volunteer", 403), ("cora", "curator", 400)):
        client = browser()
        client.force_login(hand(name, kind))
        assert client.post("/backstage/line").status_code == status
        assert Request.objects.get(id=waits.id).open
    page = client.get("/backstage/line").content.decode()
    assert "1 request is in line." in page
    answer = client.post("/backstage/line", {"sure": "yes"})
    assert answer["Location"] == "/backstage?emptied=1"
    assert [message.request for message in told] == [waits.id]
    assert "The line is empty." in client.get(answer["Location"]).content.decode()


def test_the_reason_is_said_in_the_visitors_language(engine):
    from salon.web import sentences

    assert all(f"{one}." in map(str, sentences.SENTENCES) for one in intake.EMPTIED.rstrip(".").split(". "))


# the same of other things


def drawn(engine, number, first=0):
    """Finished pictures of a visitor, without files."""
    found = [ask(engine, "ada" * 10, prompt="a red fox", seed=first + seed) for seed in range(number)]
    Request.objects.update(state="finished")
    return [one.drawings.get().image for one in found]


@pytest.mark.parametrize("limited", [True, False])
def test_strangers_report_so_much_together(engine, limited, monkeypatch, settings):
    """Each with a new cookie. Control: with the shares off, everything is taken."""
    settings.SALON_WAITING_PER_VISITOR = 100
    most, a_source = (4, 6) if limited else (1000, 1000)
    monkeypatch.setattr(reporting, "STRANGERS", most)
    monkeypatch.setattr(reporting, "MOST_A_SOURCE", a_source)
    said = []
    for number, image in enumerate(drawn(engine, 12)):
        standing = STRANGER if number < 6 else Standing(True, STRANGER.source)
        try:
            reporting.report(f"{number:032x}", image, {"failure": "bias", "target": "none"}, None, standing)
            said.append("in")
        except tries.TooManyTries:
            said.append("no")
    assert said == (["in"] * 4 + ["no"] * 2 + ["in"] * 2 + ["no"] * 4 if limited else ["in"] * 12)
    assert Entry.objects.filter(deed="reported").count() == said.count("in")
    image = drawn(engine, 1, first=50)[0]
    reporting.report("f" * 32, image, {"failure": "bias", "target": "none"}, None, Standing(True, "b" * 64))


def test_a_report_over_the_web_has_its_senders_standing(engine, monkeypatch):
    monkeypatch.setattr(reporting, "STRANGERS", 1)
    images = drawn(engine, 3)

    def send(client, image):
        form = {"failure": "bias", "target": "none"}
        return client.post(f"/images/{image.id}/report", form).status_code

    assert [send(browser(), image) for image in images] == [200, 429, 429]
    ada = browser()
    prove(ada)
    assert send(ada, images[1]) == 200


def test_proposals_have_shares_too(engine, monkeypatch):
    monkeypatch.setattr(proposing, "STRANGERS", 1)
    proposal, _wrong = proposing.read_proposal({"title": "Fox", "may_show": "1"})
    one, other = drawn(engine, 2)
    proposing.propose("ada", one, proposal, STRANGER)
    with pytest.raises(tries.TooManyTries):
        proposing.propose("bob", other, proposal, STRANGER)
    assert proposing.propose("bob", other, proposal, Standing(True, STRANGER.source))[1]  # the control


def battle(visitor, known):
    fields = {"model_a": "a", "weights_a": "1", "model_b": "b", "weights_b": "2", "family_a": "vq", "family_b": "vq"}
    event = intake.lock_current_event()
    return Battle.objects.create(
        event=event, visitor=visitor, winner="a", known=known, voted_at=timezone.now(), **fields
    )  # fmt: skip


def test_four_new_cookies_are_one_voter():
    """Control: four who are known are four, and the strangers one more."""
    for number in range(4):
        made = battle(f"{number:032x}", known=False)
    told = leaderboard.board(made.event)
    assert (told["votes"], told["voters"], told["strangers"]) == (4, 1, 4)
    assert told["components"][0][0]["rating_q025"] is None  # one voter alone gives no interval
    assert len({row["voter"] for row in leaderboard.as_rows(made.event)}) == 1
    for number in range(4):
        battle(f"{number:032x}", known=True)
    told = leaderboard.board(made.event)
    assert (told["votes"], told["voters"], told["strangers"]) == (8, 5, 4)


def test_a_vote_over_the_web_is_known_by_its_ticket():
    made = battle("x", known=True)
    for known in (False, True):
        client = browser()
        client.cookies[visitors.COOKIE] = "none"
        if known:
            prove(client)
        request = client.get("/healthz").wsgi_request
        assert visitors.standing_of(request).known is known
    open_one = Battle.objects.create(event=made.event, visitor="y")
    voting._end(open_one, winner="b", known=False, voted_at=timezone.now())
    assert Battle.objects.get(id=open_one.id).known is False


def test_the_leaderboard_says_so(client):
    battle("x", known=False)
    page = client.get("/arena/leaderboard").content.decode()
    assert "a new cookie is no new voter" in page
    assert "Votes without a ticket of one’s own" in page
