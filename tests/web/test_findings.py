"""The register: a report becomes a finding, is drawn again and counted, reviewed by two, shown, withdrawn."""

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from msgspec.structs import replace
from PIL import Image as Picture
from register import ADA, BOB, CAY, GREY, draw, finish, house, labels, people, report, shown  # noqa: F401 (fixtures)

from salon.core.errors import BadRecipe, Busy, Conflict, Refused
from salon.core.png import read_recipe
from salon.judge.detector import Detector
from salon.stats.intervals import none_of, wilson
from salon.web.events import devices
from salon.web.events.domain import current_event
from salon.web.events.models import Entry
from salon.web.gallery.domain import proposing
from salon.web.people import links
from salon.web.refuses.domain import findings, judging, outcomes, reporting, reproducing, reviewing, room
from salon.web.refuses.models import Count, Finding, Fresh, Report, Review
from salon.web.station.models import Image, Request
from salon.world.render import render
from salon.world.scene import sample_scene

# ruff: noqa: F811 (fixtures of register.py)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _event(first_event, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return first_event


def persons(detector, number):
    """Real pictures of people of the world, the judge's reading of them beside each."""
    scenes = (replace(sample_scene(2_950_000_000 + i, "any", {"person": 1.0}), style=None) for i in range(number))
    pictures = [Picture.fromarray(render(scene, 64)) for scene in scenes]
    return list(zip(pictures, detector.see(pictures), strict=True))


def test_a_report_becomes_a_finding_once_and_keeps_the_recipe(draw, people):
    image = draw(prompt="a scientist 🧪 \u200fعالم")
    made = report(image, text="both times a man")
    finding = findings.open_finding(people[0], made.id)
    assert (finding.prompt, finding.model, finding.weights) == (
        image.recipe.prompt, image.recipe.model, image.recipe.weights,
    )  # fmt: skip
    assert (finding.state, finding.failure, finding.target) == ("open", "bias", "gender")
    with pytest.raises(Conflict, match="already"):
        findings.open_finding(people[1], made.id)
    assert [entry.deed for entry in findings.history(finding)] == ["finding opened"]
    assert findings.unsorted(current_event()) == []


def test_duplicates_are_offered_joined_and_parted(draw, people):
    image, again, other = draw(), draw(BOB, seed=1), draw(CAY, "a red fox")
    first = report(image, ADA)
    finding = findings.open_finding(people[0], first.id)
    contradicts = report(image, BOB, failure="other", target="none", text="I see nothing wrong")
    same_words = report(again, CAY)
    stranger = report(other, BOB)
    offered = {one.id: like for one, like in findings.unsorted(current_event())}
    assert offered == {contradicts.id: [finding], same_words.id: [finding], stranger.id: []}
    for one in (contradicts, same_words):
        findings.join(people[0], one.id, finding.id)
    with pytest.raises(Conflict, match="different"):
        findings.join(people[0], stranger.id, finding.id)
    assert sorted(r.failure for r in finding.reports.all()) == ["bias", "bias", "other"]  # both are kept
    findings.part(people[1], same_words.id)
    findings.part(people[1], contradicts.id)
    with pytest.raises(Conflict, match="last report"):
        findings.part(people[1], first.id)
    assert [e.deed for e in findings.history(finding)] == ["finding opened", "joined", "joined", "parted", "parted"]


def test_a_person_who_contradicts_themselves_loses_no_word(draw):
    image = draw()
    for failure, text in (("bias", "one"), ("other", "two"), ("other", "two"), ("hate", "three")):
        made = report(image, failure=failure, text=text)
    assert (made.failure, made.text) == ("hate", "three")
    assert [(e["failure"], e["text"]) for e in made.earlier] == [("bias", "one"), ("other", "two")]
    for n in range(reporting.MOST_CORRECTIONS - 2):
        report(image, text=f"again {n}")
    with pytest.raises(Busy, match="corrected"):
        report(image, text="and again")


def test_drawing_again_asks_for_fresh_seeds_of_the_same_recipe_behind_visitors(draw, people, house):
    image = draw()
    finding = findings.open_finding(people[0], report(image).id)
    with pytest.raises(BadRecipe, match="16, 64 or 128"):
        reproducing.start(people[0], finding.id, 17, "", house)
    finding = reproducing.start(people[0], finding.id, 64, "", house)
    recipes = [fresh.image.recipe for fresh in reproducing.pictures(finding)]
    assert {replace(recipe, seed=0) for recipe in map(_hashable, recipes)} == {replace(_hashable(image.recipe), seed=0)}
    assert len({recipe.seed for recipe in recipes} - {image.recipe.seed}) == 64
    requests = Request.objects.filter(fresh__finding=finding).distinct()
    assert {(r.audience, r.visitor, r.drawings.count()) for r in requests} == {("background", "register", 16)}
    assert (finding.state, finding.asked, reproducing.progress(finding)) == ("reproducing", 64, (0, 64))
    with pytest.raises(Conflict, match="again already"):
        reproducing.start(people[1], finding.id, 16, "", house)


def _hashable(recipe):
    return replace(recipe, stages=tuple(sorted((k, str(v)) for k, v in recipe.stages.items())), inputs=())


def test_only_so_many_findings_are_drawn_at_once(draw, people, house):
    made = [findings.open_finding(people[0], report(draw(prompt=p)).id) for p in ("a fox", "an owl", "a cat")]
    for finding in made[: reproducing.MOST_RUNNING]:
        reproducing.start(people[0], finding.id, 16, "", house)
    for person in people[:2]:
        reviewing.review(person, made[0].id, labels())  # whatever its state, it is being drawn
    with pytest.raises(Busy, match="2 findings"):
        reproducing.start(people[0], made[2].id, 16, "", house)
    finish(made[0], [GREY] * 16)  # drawn, though nobody has counted yet: the control
    assert reproducing.start(people[0], made[2].id, 16, "", house).asked == 16


def test_what_cannot_be_drawn_here_says_so(draw, people, house, other_engine):
    finding = findings.open_finding(people[0], report(image := draw()).id)
    with pytest.raises(Conflict, match="not here any more"):
        reproducing.start(people[0], finding.id, 16, "", other_engine)
    Image.objects.filter(id=image.id).update(withheld="house")
    with pytest.raises(Refused, match="took this picture down"):
        reproducing.start(people[0], finding.id, 16, "", house)
    assert not Fresh.objects.exists()


def test_the_judge_counts_what_it_saw_in_the_reported_picture(draw, people, house):
    """Real pictures, the real judge. What it cannot read, what is kept back and what never came are outcomes."""
    known = persons(Detector(), 24)
    picture, verdict = next((p, v) for p, v in known if v.presentation)
    finding = findings.open_finding(people[0], report(draw(picture=picture)).id)
    choices = reproducing.candidates(finding.id, house)
    wanted = f"presentation={verdict.presentation}"
    assert wanted in dict(choices)
    assert judging.first_choice(choices, "gender") == wanted
    assert judging.first_choice(choices, "religion") == ""  # the judge knows nothing of it: people count
    with pytest.raises(BadRecipe, match="does not see"):
        reproducing.start(people[0], finding.id, 16, "presentation=nobody", house)
    finding = reproducing.start(people[0], finding.id, 16, wanted, house)
    assert reproducing.settle(finding).outcomes == {}  # not before all are drawn
    fresh = [p for p, v in known[:13]]
    noise = Picture.fromarray(np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8))
    finish(finding, [*fresh, noise, None, None])
    Image.objects.filter(id=finding.fresh.last().image_id).update(withheld="filter")
    seen = sum(v.presentation == verdict.presentation for _, v in known[:13])
    unread = 1 + sum(v.presentation is None for _, v in known[:13])
    finding = reproducing.settle(finding)
    assert finding.outcomes == {
        "seen": seen, "unseen": 14 - seen - unread, "unreadable": unread, "withheld": 1, "failed": 1, "disputed": 0,
    }  # fmt: skip
    rate = outcomes.rate(finding.outcomes)
    assert (rate.seen, rate.of) == (seen, 16)
    assert (rate.low, rate.high) == (wilson(seen, 16)[0], wilson(seen + unread + 2, 16)[1])
    assert finding.state == "reproduced"
    assert reproducing.settle(finding).outcomes == finding.outcomes  # twice is once
    assert [e.deed for e in findings.history(finding)].count("judged") == 1


def test_a_judge_of_another_world_does_not_count(draw, people, house, engine):
    picture, _verdict = persons(Detector(), 1)[0]
    finding = findings.open_finding(people[0], report(draw(picture=picture)).id)
    assert reproducing.candidates(finding.id, house)
    assert reproducing.candidates(finding.id, engine) == []  # its model says no world


def test_rates_are_said_with_their_interval():
    assert str(outcomes.rate({"seen": 3, "unseen": 61})) == "3 of 64, interval 1–13%"
    assert str(outcomes.rate({"seen": 0, "unseen": 64})) == "0 of 64, at most 5%"
    assert outcomes.rate({"unseen": 64}).high == none_of(64)
    assert outcomes.rate({}) is None
    assert str(outcomes.rate({"unseen": 62, "withheld": 2})) == "0 of 64, at most 11%"  # they widen it


def test_people_count_blind_and_disagreement_is_an_outcome(draw, people, house):
    finding = findings.open_finding(people[0], report(draw(), target="religion").id)
    finding = reproducing.start(people[0], finding.id, 16, "", house)
    with pytest.raises(Conflict, match="nothing to count"):
        reproducing.count(people[0], finding.id, ["1"])
    finish(finding, [GREY] * 15 + [None])
    for wrong in (["99"], ["15"], ["-1"], ["x"], ["²"]):
        with pytest.raises(BadRecipe):
            reproducing.count(people[0], finding.id, wrong)
    assert not Count.objects.exists()  # nothing half counted
    finding = reproducing.count(people[0], finding.id, ["1", "2", "2"])
    assert (finding.outcomes["seen"], finding.outcomes["unseen"], finding.outcomes["failed"]) == (2, 13, 1)
    with pytest.raises(Conflict, match="counted these already"):
        reproducing.count(people[0], finding.id, ["1"])
    finding = reproducing.count(people[1], finding.id, ["2", "3"])
    assert finding.outcomes == {
        "seen": 1, "unseen": 12, "unreadable": 0, "withheld": 0, "failed": 1, "disputed": 2,
    }  # fmt: skip


def test_nobody_sees_it_again(draw, people, house):
    finding = findings.open_finding(people[0], report(draw()).id)
    finish(reproducing.start(people[0], finding.id, 16, "", house), [GREY] * 16)
    assert reproducing.count(people[0], finding.id, []).state == "not_reproduced"


def test_two_review_and_disagreement_is_kept(draw, people):
    finding = findings.open_finding(people[0], report(draw()).id)
    reviewing.review(people[0], finding.id, labels())
    assert reviewing.reviews_for(finding, people[1]) == []  # the second does not see the first's
    assert len(reviewing.reviews_for(finding, people[0])) == 1
    with pytest.raises(Conflict, match="another person"):
        reviewing.review(people[0], finding.id, labels())
    finding = reviewing.review(people[1], finding.id, labels(harm="allocative", severity="4", failure="hate"))
    assert (finding.state, finding.harm, finding.severity) == ("shown", "", 4)
    assert {r.harm for r in reviewing.reviews_for(finding, people[2])} == {"representational", "allocative"}
    with pytest.raises(Conflict, match="Two people"):
        reviewing.review(people[2], finding.id, labels())
    assert room.covered(finding)
    assert reviewing.agreement(current_event())["findings"] == 1


@pytest.mark.parametrize(
    "form", [{"harmful": ""}, {"severity": "9"}, {"harm": "evil"}, {"text": "t" * 501}, {"target": "x"}]
)
def test_a_review_that_lacks_something_is_told_by_field(form):
    whole = {"failure": "bias", "target": "gender", "harmful": "yes", "harm": "allocative", "severity": "1"}
    assert reviewing.read_review(whole)[1] == {}
    assert set(reviewing.read_review(whole | form)[1]) == set(form)


def test_what_is_no_harm_has_neither_kind_nor_severity():
    values, wrong = reviewing.read_review({"failure": "other", "target": "none", "harmful": "no", "severity": "4"})
    assert (wrong, values["severity"], values["harm"]) == ({}, None, "")


def test_one_who_says_no_keeps_it_out_of_the_room(draw, people):
    finding = findings.open_finding(people[0], report(draw()).id)
    reviewing.review(people[0], finding.id, labels())
    assert room.shown(current_event()) == []  # one is not enough
    assert reviewing.review(people[1], finding.id, labels(may_show="")).state == "reviewed"
    assert room.shown(current_event()) == []


def test_closing_takes_it_out_and_reopening_undoes_it(draw, people):
    finding = shown(draw(), people)
    assert room.one(finding.id)
    findings.close(people[2], finding.id, "a mistake")
    assert room.one(finding.id) is None
    with pytest.raises(Conflict, match="closed"):
        findings.close(people[0], finding.id)
    assert findings.reopen(people[0], finding.id).state == "shown"


def test_names_are_shown_only_after_somebody_read_them(draw, people):
    image = draw()
    finding = shown(image, people, credit="Ada 🦊")
    assert room.credits(finding) == (["Ada 🦊"], 0)
    mine = Report.objects.get()
    reporting.set_credit(ADA, mine.id, "something nasty")
    assert room.credits(Finding.objects.get()) == ([], 1)
    findings.see_credit(people[0], mine.id)
    assert room.credits(Finding.objects.get())[0] == ["something nasty"]
    reporting.set_credit(ADA, mine.id, " \u202e ")
    assert room.credits(Finding.objects.get()) == ([], 1)
    for visitor, name in ((BOB, "mine!"), ("", "mine!"), (ADA, "x" * 81)):
        with pytest.raises(BadRecipe):
            reporting.set_credit(visitor, mine.id, name)


def test_withdrawing_leaves_only_counts(draw, people, house):
    image = draw()
    finding = shown(image, people, text="my words", credit="Ada")
    reproducing.start(people[0], finding.id, 16, "", house)
    finish(finding, [GREY] * 15 + [None])
    reproducing.count(people[0], finding.id, ["1"])
    Request.objects.filter(fresh__finding=finding).update(state=Request.State.RUNNING)
    fresh = reproducing.pictures(finding)[0].image.file
    proposing.forget(BOB)
    with pytest.raises(BadRecipe, match="no report of yours"):
        reporting.withdraw(BOB, Report.objects.get().id)
    assert len(reporting.withdraw(ADA, Report.objects.get().id)) == 1  # the request that was open is stopped
    left = Finding.objects.get()
    assert (left.state, left.prompt, left.image, left.failure, left.harm) == ("withdrawn", "", None, "", "")
    assert (left.asked, left.outcomes["seen"]) == (16, 1)
    assert not any(model.objects.exists() for model in (Report, Review, Fresh, Count))
    assert not default_storage.exists(fresh)
    assert Image.objects.count() == 1  # the picture is still its maker's
    assert room.one(finding.id) is None
    with pytest.raises(Conflict, match="withdrawn"):
        findings.close(people[0], finding.id)
    with pytest.raises(Conflict):
        findings.reopen(people[0], finding.id)


def test_a_finding_stays_while_somebody_else_reports_it(draw, people):
    image = draw()
    finding = shown(image, people)
    findings.join(people[0], report(image, BOB).id, finding.id)
    reporting.withdraw(ADA, Report.objects.get(visitor=ADA).id)
    assert room.one(finding.id)
    reporting.withdraw(BOB, Report.objects.get().id)
    assert room.one(finding.id) is None


def test_forgetting_keeps_the_finding_without_its_finder(draw, people):
    finding = shown(draw(), people, credit="Ada")
    proposing.forget(ADA)
    assert room.one(finding.id)
    assert room.credits(Finding.objects.get()) == ([], 1)
    assert not Report.objects.filter(visitor=ADA).exists()
    assert not Entry.objects.filter(visitor=ADA).exists()


def test_a_visitor_and_a_booth_report_so_many_an_hour(draw, people, settings):
    """Withdrawing does not make room; without the limits nothing stops it (the controls)."""
    settings.SALON_REPORTS_PER_HOUR, settings.SALON_REPORTS_PER_STATION = 3, 5
    images = [draw(seed=n) for n in range(12)]
    booth, _token = devices.make(people[0], "station", "left")
    values, _wrong = reporting.read_report({"failure": "bias", "target": "gender"})
    for image in images[:3]:
        made = reporting.report(ADA, image, values, booth)
    with pytest.raises(Busy, match="3 images within the hour"):
        reporting.report(ADA, images[3], values)
    reporting.withdraw(ADA, made.id)
    with pytest.raises(Busy, match="3 images within the hour"):
        reporting.report(ADA, images[3], values)
    for number, image in enumerate(images[3:6]):
        reporting.report(f"{number:032x}", image, values, booth)
    with pytest.raises(Busy, match="at this booth"):
        reporting.report(CAY, images[6], values, booth)
    reporting.report(CAY, images[6], values)  # from a phone
    settings.SALON_REPORTS_PER_HOUR = settings.SALON_REPORTS_PER_STATION = 1000
    for image in images:
        reporting.report(ADA, image, values, booth)
    assert Report.objects.filter(visitor=ADA).count() == 12


def test_the_room_covers_and_leaves_out(draw, people):
    client = Client()
    finding = shown(draw(), people, failure="violent")
    page = client.get("/refuses").content.decode()
    assert '<details class="cover">' in page
    assert client.get("/refuses?hide=violent&hide=nonsense").content.decode().count('class="piece"') == 0
    assert client.get("/refuses?hide=sexual").content.decode().count('class="piece"') == 1
    one = client.get(f"/refuses/{finding.id}").content.decode()
    assert "Reviewer 2" in one
    assert "Enough for now" in one
    assert read_recipe(client.get(f"/refuses/{finding.id}.png").content).prompt == "a scientist"
    findings.close(people[0], finding.id)
    for path in (f"/refuses/{finding.id}", f"/refuses/{finding.id}.png", "/refuses/nobody"):
        assert client.get(path).status_code == 404


def test_words_that_their_maker_keeps_are_kept_here_too(draw, people):
    image = draw()
    finding = shown(image, people)
    form = {"title": "Lab", "may_show": "1"}
    proposing.propose(ADA, image, proposing.read_proposal(form)[0])
    page = Client().get(f"/refuses/{finding.id}").content.decode()
    assert "a scientist" not in page
    with pytest.raises(BadRecipe):
        read_recipe(Client().get(f"/refuses/{finding.id}.png").content)


def test_hostile_words_are_never_markup(draw, people):
    finding = shown(draw(prompt="<script>alert(1)</script>"), people, credit='"><img src=x>', text="<b>bold</b>")
    browser = Client(headers={"Sec-Fetch-Site": "same-origin"})
    browser.post(f"/backstage/enter/{links.new_link(people[0])}")
    for path in ("/refuses", f"/refuses/{finding.id}", "/backstage/findings", f"/backstage/findings/{finding.id}"):
        page = browser.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>bold" not in page


def test_backstage_is_for_people_of_the_house(draw, people, house):
    made = report(draw())
    finding = findings.open_finding(people[0], made.id)
    stranger = Client(headers={"Sec-Fetch-Site": "same-origin"})
    for path in ("", f"/{finding.id}", f"/{finding.id}/count", f"/{finding.id}/review", ".jsonl"):
        answer = stranger.get(f"/backstage/findings{path}")
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/backstage/login")
    stranger.post(f"/backstage/findings/{finding.id}/close")
    stranger.post(f"/backstage/findings/{finding.id}/review", labels())
    assert not Review.objects.exists()
    browser = Client(headers={"Sec-Fetch-Site": "same-origin"})
    browser.post(f"/backstage/enter/{links.new_link(people[0])}")
    assert browser.post(f"/backstage/findings/{finding.id}/explode").status_code == 404
    assert browser.post(f"/backstage/findings/{finding.id}/draw", {"number": "²"}).status_code == 400
    assert browser.post(f"/backstage/findings/{finding.id}/review", {}).status_code == 422
    browser.post(f"/backstage/findings/{finding.id}/close")
    assert Finding.objects.get().state == "closed"
    elsewhere = {"headers": {"Sec-Fetch-Site": "cross-site"}}
    assert browser.post(f"/backstage/findings/{finding.id}/reopen", **elsewhere).status_code == 403


def test_a_count_is_blind_on_the_page_of_the_second(draw, people, house):
    finding = findings.open_finding(people[0], report(draw()).id)
    finish(reproducing.start(people[0], finding.id, 16, "", house), [GREY] * 16)
    reproducing.count(people[0], finding.id, ["1", "2", "5"])
    for person, told in ((people[0], True), (people[1], False)):
        browser = Client(headers={"Sec-Fetch-Site": "same-origin"})
        browser.post(f"/backstage/enter/{links.new_link(person)}")
        for path in ("/backstage/findings", f"/backstage/findings/{finding.id}"):
            assert ("3 of 16" in browser.get(path).content.decode()) is told, (person, path)
        assert "3 of 16" not in browser.get(f"/backstage/findings/{finding.id}/count").content.decode()
