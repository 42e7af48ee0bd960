"""The jury: rounds and categories, who judges what, what is said, the ranking, decisions; each with what it refuses."""

import csv
import io
import json
import random
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import ProtectedError, RestrictedError
from django.test import Client
from django.utils import timezone
from jury_house import (  # noqa: F401 (fixtures)
    application,
    applications,
    asked,
    judge,
    jury,
    olga,
    person,
    phase,
    seat,
)

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.web.call.models import Submission
from salon.web.events.domain import current_event
from salon.web.events.models import Entry
from salon.web.jury import personal
from salon.web.jury.domain import assigning, conflicts, deciding, exporting, jurors, phases, reviewing, scoring
from salon.web.jury.domain.assigning import balanced
from salon.web.jury.domain.ranking import standing
from salon.web.jury.models import Assignment, Juror, Phase, Review, Score
from salon.web.people.models import Role

# ruff: noqa: F811 (fixtures of jury_house.py)
pytestmark = pytest.mark.django_db


def ask(olga, of, user, *submissions):
    for one in submissions:
        assigning.assign(olga, of.pk, one.pk, seat(user).pk)


def deeds(subject):
    return [entry.deed for entry in Entry.objects.filter(subject=str(subject)).order_by("id")]


# Rounds and categories


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": " \u202e "}, "name"), ({"each": "0"}, "each"), ({"each": "NaN"}, "each"), ({"each": "٣"}, "each"),
        ({"others": "never"}, "others"), ({"opens_at": "tomorrow"}, "opens_at"),
        ({"opens_at": "2026-06-06T10:00", "closes_at": "2026-06-06T10:00"}, "closes_at"),
    ],
)  # fmt: skip
def test_a_round_that_makes_no_sense_is_told_by_field(form, field):
    whole = {"name": "One", "each": "3", "others": "after_all"}
    assert phases.read_phase(current_event(), whole)[1] == {}
    assert set(phases.read_phase(current_event(), whole | form)[1]) == {field}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": ""}, "name"), ({"low": "x"}, "low"), ({"high": "1e3"}, "high"), ({"high": "0"}, "high"),
        ({"weight": "-1"}, "weight"), ({"weight": "nan"}, "weight"), ({"weight": "inf"}, "weight"),
        ({"weight": "1e400"}, "weight"), ({"high": "9" * 5000}, "high"),
    ],
)  # fmt: skip
def test_a_category_that_makes_no_sense_is_told_by_field(form, field):
    whole = {"name": "Idea", "low": "0", "high": "10", "weight": "1,5"}
    values, wrong = phases.read_category(whole)
    assert (values["weight"], wrong) == (1.5, {})
    assert set(phases.read_category(whole | form)[1]) == {field}


def test_what_has_been_scored_cannot_be_undone_by_changing_the_round(olga, jury, applications):
    made = phase(olga)
    category = made.categories.get()
    ask(olga, made, jury[0], applications[0])
    judge(jury[0], applications[0], made, 9)
    values = {"name": "Idea", "low": 0, "high": 8, "weight": 1.0}
    with pytest.raises(Conflict, match="outside"):
        phases.set_category(olga, made.pk, category.pk, values)
    with pytest.raises(Conflict, match="scored by this"):
        phases.remove_category(olga, made.pk, category.pk)
    with pytest.raises(Conflict, match="have judged"):
        phases.remove(olga, made.pk)
    with pytest.raises((RestrictedError, ProtectedError)):
        category.delete()
    phases.set_category(olga, made.pk, category.pk, values | {"high": 9})  # the control
    assert scoring.total(Review.objects.get()) == 100


def test_a_second_round_scores_what_the_first_did_and_names_are_taken_once(olga):
    phase(olga, ({"name": "Idea", "weight": 2.0}, {"name": "Craft"}))
    second = phases.make(olga, {"name": "Second", "others": "always", "each": 3})
    assert [(c.name, c.weight) for c in second.categories.all()] == [("Idea", 2.0), ("Craft", 1.0)]
    with pytest.raises(Conflict, match="round of that name"):
        phases.make(olga, {"name": "Second", "others": "always", "each": 3})
    with pytest.raises(Conflict, match="of that name"):
        phases.set_category(olga, second.pk, None, {"name": "Idea", "low": 0, "high": 1, "weight": 0})
    phases.remove(olga, second.pk)
    with pytest.raises(Conflict, match="not there"):
        phases.change(olga, second.pk, {"name": "x"})
    assert deeds(second.pk) == ["jury phase made", "jury phase removed"]


# Who judges what


@pytest.mark.parametrize("seed", range(25))
def test_the_draw_is_even_whole_and_never_against_a_conflict(seed):
    """Over random juries. Even: nobody could hand one on to somebody with two fewer."""
    rng = random.Random(seed)
    things, people = range(rng.randint(1, 30)), range(rng.randint(1, 8))
    barred = {(t, p) for t in things for p in people if rng.random() < 0.25}
    each = rng.randint(1, 4)
    kept = {(t, p) for t in things for p in people if (t, p) not in barred and rng.random() < 0.1}
    new = balanced(things, people, each, barred, kept, seed)
    assert new == balanced(things, people, each, barred, kept, seed)
    assert not new & (barred | kept)
    pairs = new | kept
    for thing in things:
        may = sum((thing, one) not in barred for one in people)
        had = sum(t == thing for t, _ in kept)
        assert sum(t == thing for t, _ in pairs) == max(had, min(each, may))
    load = {one: sum(p == one for _, p in pairs) for one in people}
    handed = [(giver, taker) for thing, giver in new for taker in people if (thing, taker) not in barred | pairs]
    assert all(load[giver] - load[taker] < 2 for giver, taker in handed)


def test_without_conflicts_loads_differ_by_one_at_most():
    for seed in range(10):
        pairs = balanced(range(23), range(5), 3, set(), set(), seed)
        loads = sorted(sum(p == one for _, p in pairs) for one in range(5))
        assert (sum(loads), loads[-1] - loads[0]) == (69, 1)
    assert balanced(range(23), range(5), 3, set(), set(), 1) != balanced(range(23), range(5), 3, set(), set(), 2)


def test_drawing_keeps_what_is_there_and_anew_only_what_is_judged_or_set(olga, jury, applications):
    made = phase(olga, each=2)
    conflicts.declare(olga, applications[0].pk, seat(jury[0]).pk)
    ask(olga, made, jury[1], applications[1])
    assert assigning.draw(olga, made.pk, "7") == (11, 0)
    first = set(made.assignments.values_list("submission", "juror"))
    assert assigning.draw(olga, made.pk, "8") == (0, 0)  # nothing is missing
    assert not made.assignments.filter(juror__user=jury[0], submission=applications[0]).exists()
    done = made.assignments.filter(by_hand=False).first()
    judge(done.juror.user, done.submission, made, 5)
    assigning.draw(olga, made.pk, "9", anew=True)
    again = set(made.assignments.values_list("submission", "juror"))
    assert again != first
    assert {(applications[1].pk, seat(jury[1]).pk), (done.submission_id, done.juror_id)} <= again
    assert made.assignments.count() == 12
    for wrong in ("", "0", "NaN", "99999999999"):
        with pytest.raises(BadRecipe):
            assigning.draw(olga, made.pk, wrong)


def test_too_few_jurors_are_said(olga, jury, applications):
    made = phase(olga, each=3)
    conflicts.declare(olga, applications[0].pk, seat(jury[0]).pk)
    assert assigning.draw(olga, made.pk, "1") == (17, 1)


def test_by_hand_never_against_a_conflict_nor_for_who_left(olga, jury, applications):
    made = phase(olga)
    conflicts.declare(olga, applications[0].pk, seat(jury[0]).pk)
    with pytest.raises(Conflict, match="conflict of interest"):
        ask(olga, made, jury[0], applications[0])
    ask(olga, made, jury[0], applications[1], applications[1])
    assert made.assignments.count() == 1
    assigning.take_off(olga, made.pk, applications[1].pk, seat(jury[0]).pk)
    assigning.take_off(olga, made.pk, applications[1].pk, seat(jury[0]).pk)
    assert deeds(applications[1].pk) == ["juror asked", "juror not asked"]
    gone = seat(jury[1])
    jurors.let_go(olga, gone.pk, counted=True)
    with pytest.raises(Conflict, match="has left"):
        assigning.assign(olga, made.pk, applications[1].pk, gone.pk)
    Submission.objects.filter(pk=applications[2].pk).update(state="withdrawn")
    with pytest.raises(Conflict, match="is decided"):
        ask(olga, made, jury[0], applications[2])


def test_a_second_round_goes_on_without_what_is_marked_rejected(olga, jury, applications):
    first = phase(olga)
    deciding.mark(olga, first.pk, {applications[0].pk: "rejected", applications[1].pk: "accepted"})
    second = phase(olga, (), name="Second", each=1)
    assigning.draw(olga, second.pk, "1")
    assert set(second.assignments.values_list("submission", flat=True)) == {one.pk for one in applications[1:]}


# Conflicts of interest


def test_a_conflict_hides_the_application_and_takes_what_was_said_out(olga, jury, applications):
    made = phase(olga)
    ask(olga, made, jury[0], *applications[:2])
    ask(olga, made, jury[1], *applications[:2])
    for user, points in zip(jury[:2], (2, 8), strict=True):
        judge(user, applications[0], made, points)
    own = asked(jury[0], applications[0], made)
    before = standing(made).rows[0].placed
    assert (before.reviews, before.mean) == (2, 50)
    conflicts.declare_own(jury[0], own.pk, "my sister")
    with pytest.raises(Forbidden, match="not asked"):
        reviewing.asked(jury[0], own.pk)
    assert [one.assignment.submission_id for one in reviewing.lines(jury[0])[0].waiting] == [applications[1].pk]
    after = standing(made).rows[0].placed
    assert (after.reviews, after.mean) == (1, 80)
    row = next(one for one in exporting.reviews(made) if one["juror"] == seat(jury[0]).number)
    assert row["conflict"]
    conflicts.lift(olga, seat(jury[0]).conflicts.get().pk)
    assert standing(made).rows[0].placed.reviews == 2
    assert deeds(applications[0].pk)[-2:] == ["conflict declared", "conflict lifted"]


def test_a_conflict_of_what_is_not_ones_own_is_none(olga, jury, applications):
    made = phase(olga)
    ask(olga, made, jury[0], applications[0])
    with pytest.raises(Forbidden):
        conflicts.declare_own(jury[1], asked(jury[0], applications[0], made).pk, "")
    with pytest.raises(Conflict, match="no such"):
        conflicts.declare(olga, "nothing", seat(jury[0]).pk)


# What jurors say


@pytest.mark.parametrize("said", ["11", "-1", "NaN", "inf", "3.5", "1e1", "٣", "", " ", "0x1", "--1", "9" * 400])
def test_scores_that_are_none_are_told(olga, said):
    made = phase(olga, ({}, {"optional": True}))
    categories = list(made.categories.all())
    needed, optional = (f"score-{one.pk}" for one in categories)
    assert set(reviewing.read_review(categories, {needed: said})[1]) == {needed}
    expected = {optional} if said.strip() else set()
    assert set(reviewing.read_review(categories, {needed: "3", optional: said})[1]) == expected
    values, wrong = reviewing.read_review(categories, {needed: " 10 ", optional: "0"})
    assert (list(values["scores"].values()), wrong) == ([10, 0], {})


def test_abstaining_needs_no_scores_and_gives_none(olga, jury, applications):
    made = phase(olga)
    ask(olga, made, jury[0], applications[0])
    review = judge(jury[0], applications[0], made, do="abstain", text="I cannot judge video")
    assert (review.abstained, review.scores.count(), scoring.total(review)) == (True, 0, None)
    told = standing(made)
    assert (told.rows, told.reviews, len(told.unjudged)) == ([], 0, 6)
    assert judge(jury[0], applications[0], made, 4, revision=1).abstained is False
    assert deeds(applications[0].pk) == ["juror asked", "abstained", "judged again"]


def test_saving_twice_is_once_and_an_older_tab_is_told(olga, jury, applications):
    made = phase(olga)
    ask(olga, made, jury[0], applications[0])
    first = judge(jury[0], applications[0], made, 4, text="one\r\ntwo")
    assert first.text == "one\ntwo"
    assert judge(jury[0], applications[0], made, 4, text="one\ntwo").revision == 1  # the same form, sent twice
    judge(jury[0], applications[0], made, 6, revision=1)
    with pytest.raises(Conflict, match="another tab"):
        judge(jury[0], applications[0], made, 5, revision=1)
    assert list(Score.objects.values_list("value", flat=True)) == [6]
    assert judge(jury[0], applications[0], made, 5, revision=2).revision == 3
    assert deeds(applications[0].pk) == ["juror asked", "judged", "judged again", "judged again"]


def test_withdrawn_in_the_middle_decided_closed_or_not_ones_own(olga, jury, applications):
    made = phase(olga)
    ask(olga, made, jury[0], applications[0])
    own = asked(jury[0], applications[0], made)
    for outsider in (jury[1], olga):
        with pytest.raises(Forbidden):
            reviewing.asked(outsider, own.pk)
    for state in ("withdrawn", "accepted"):
        Submission.objects.filter(pk=applications[0].pk).update(state=state)
        with pytest.raises(Conflict, match="withdrawn, or is decided"):
            judge(jury[0], applications[0], made, 5)
    Submission.objects.filter(pk=applications[0].pk).update(state="submitted")
    for field, at, said in (("closes_at", -1, "over"), ("opens_at", 1, "not begun")):
        Phase.objects.filter(pk=made.pk).update(opens_at=None, closes_at=None)
        Phase.objects.filter(pk=made.pk).update(**{field: timezone.now() + timedelta(hours=at)})
        with pytest.raises(Conflict, match=said):
            judge(jury[0], applications[0], made, 5)
    assert not Review.objects.exists()
    Phase.objects.filter(pk=made.pk).update(opens_at=None)
    assert judge(jury[0], applications[0], made, 5)  # the control


def test_an_archived_event_is_judged_no_more(olga, jury, applications):
    made = phase(olga)
    ask(olga, made, jury[0], applications[0])
    type(made.event).objects.filter(current=True).update(archived_at=timezone.now())
    with pytest.raises(Conflict, match="archived"):
        judge(jury[0], applications[0], made, 5)
    with pytest.raises(Conflict, match="archived"):
        deciding.mark(olga, made.pk, {applications[0].pk: "accepted"})


@pytest.mark.parametrize(
    ("others", "seen"), [("always", [1, 1, 2]), ("after_own", [None, 1, 2]), ("after_all", [None, None, 2])]
)
def test_others_are_seen_when_the_round_says_so(olga, jury, applications, others, seen):
    """How many: before one's own, after it, after all."""
    made = phase(olga, others=others)
    for user in jury:
        ask(olga, made, user, applications[0])
    judge(jury[1], applications[0], made, 3)
    own, found = asked(jury[0], applications[0], made), []
    for step in range(3):
        if step:
            judge(jury[0] if step == 1 else jury[2], applications[0], made, 5)
        said = reviewing.others_of(own)
        found.append(said if said is None else len(said))
    assert found == seen


def test_a_juror_who_leaves_is_asked_no_more_and_counts_as_was_said(olga, jury, applications):
    made = phase(olga)
    for user in jury[:2]:
        ask(olga, made, user, *applications[:3])
    judge(jury[0], applications[0], made, 2)
    judge(jury[1], applications[0], made, 8)
    gone = seat(jury[0])
    assert jurors.let_go(olga, gone.pk, counted=True) == 2
    assert standing(made).rows[0].placed.reviews == 2
    with pytest.raises(Forbidden, match="do not sit"):
        reviewing.lines(jury[0])
    jurors.let_go(olga, gone.pk, counted=False)
    assert standing(made).rows[0].placed.mean == 80
    jurors.take_back(olga, gone.pk)
    assert standing(made).rows[0].placed.reviews == 2
    jury[0].delete()  # the account goes, the seat stays
    assert str(Juror.objects.get(pk=gone.pk)) == f"Juror {gone.number}"
    assert standing(made).rows[0].placed.reviews == 2


def test_without_the_role_nobody_is_asked(olga, jury, applications):
    made = phase(olga)
    assigning.draw(olga, made.pk, "1")
    Role.objects.filter(user=jury[0]).delete()
    with pytest.raises(Forbidden):
        reviewing.lines(jury[0])
    Role.objects.all().delete()
    with pytest.raises(Conflict, match="Nobody sits"):
        assigning.draw(olga, made.pk, "1")


# Ranking and decisions


def test_totals_weigh_what_counts(olga, jury, applications):
    apart, nothing = {"independent": True, "weight": 9.0}, {"weight": 0.0}
    made = phase(olga, ({"weight": 3.0}, {"low": -5, "high": 5}, {"optional": True}, apart, nothing))
    ask(olga, made, jury[0], *applications[:2])
    whole = judge(jury[0], applications[0], made, 10, 0, 0, 0, 0)
    assert scoring.total(whole) == pytest.approx((3 * 100 + 50 + 0) / 5)
    part = judge(jury[0], applications[1], made, 10, 0, "", 0, 0)
    assert scoring.total(part) == pytest.approx((3 * 100 + 50) / 4)


def test_weights_of_zero_give_no_ranking_and_no_error(olga, jury, applications):
    made = phase(olga, ({"weight": 0.0}, {"independent": True}))
    ask(olga, made, jury[0], applications[0])
    judge(jury[0], applications[0], made, 10, 5)
    told = standing(made)
    assert (told.rows, told.weightless, told.agreement.alpha) == ([], True, None)
    assert list(exporting.ranking(made)) == []
    assert next(iter(exporting.reviews(made)))["total"] is None


def scored(olga, jury, applications, table):
    """A round in which application n got `table[n]` of the jurors in turn."""
    made = phase(olga)
    for user in jury:
        ask(olga, made, user, *applications)
    for submission, points in zip(applications, table, strict=False):
        for user, point in zip(jury, points, strict=False):
            judge(user, submission, made, point)
    return made


def test_the_ranking_shows_ties_runs_severity_and_agreement(olga, jury, applications):
    made = scored(olga, jury, applications, [(9, 10, 8), (5, 6, 4), (5, 6, 4), (1, 2, 0)])
    told = standing(made)
    assert [(row.place, row.submission.title) for row in told.rows] == [
        ("1", "Work 1"), ("2", "Work 2"), ("2", "Work 3"), ("4", "Work 4")
    ]  # fmt: skip
    assert told.runs == [(2, 3)]
    assert (told.across(1), told.across(2), told.across(3)) == (None, (2, 3), None)
    assert {str(juror): round(value) for juror, value, _n in told.severity} == {"ana": 0, "ben": 10, "cleo": -10}
    assert 0.5 < told.agreement.alpha < 1
    assert {one.title for one in told.unjudged} == {"Work 5", "Work 6"}
    Submission.objects.filter(title="Work 1").update(state="withdrawn")
    assert standing(made).rows[0].submission.title == "Work 2"


def test_a_category_added_later_is_said(olga, jury, applications):
    made = scored(olga, jury[:1], applications[:1], [(5,)])
    assert standing(made).lacking == 0
    phases.set_category(olga, made.pk, None, {"name": "New", "low": 0, "high": 1, "weight": 1.0})
    assert standing(made).lacking == 1


def pending():
    return dict(Submission.objects.exclude(pending="").order_by("title").values_list("title", "pending"))


def test_marks_below_and_above_a_line_are_taken_back_before_they_are_told(olga, jury, applications):
    made = scored(olga, jury, applications, [(9, 9, 9), (6, 6, 6), (3, 3, 3)])
    deciding.mark(olga, made.pk, {applications[2].pk: "accepted"})
    assert deciding.above(olga, made.pk, "1", reject_rest=True) == 3
    assert pending() == {"Work 1": "accepted", "Work 2": "rejected", "Work 3": "rejected"}
    assert deciding.above(olga, made.pk, "1", reject_rest=True) == 0
    last = deciding.last(made)
    Submission.objects.filter(title="Work 1").update(state="withdrawn", pending="")
    deciding.mark(olga, made.pk, {applications[1].pk: "accepted"})
    with pytest.raises(Conflict, match="since"):
        deciding.undo(olga, made.pk, last.pk)
    assert deciding.undo(olga, made.pk, deciding.last(made).pk) == 1
    assert deciding.undo(olga, made.pk, last.pk) == 2
    assert pending() == {"Work 3": "accepted"}
    with pytest.raises(Conflict, match="taken back"):
        deciding.undo(olga, made.pk, last.pk)
    assert deeds(applications[1].pk)[-4:] == ["decision noted"] * 4


def test_what_is_decided_is_not_marked(olga, applications):
    made = phase(olga)
    Submission.objects.filter(pk=applications[0].pk).update(state="confirmed")
    assert deciding.mark(olga, made.pk, {applications[0].pk: "rejected", "nobody": "accepted"}) == 0
    for wrong in ("confirmed", "cancelled", "x"):
        with pytest.raises(BadRecipe):
            deciding.mark(olga, made.pk, {applications[1].pk: wrong})
    for line in ("-1", "1", "NaN", ""):
        with pytest.raises(BadRecipe):
            deciding.above(olga, made.pk, line, reject_rest=False)
    assert pending() == {}


# Pages


def come_in(user):
    client = Client(headers={"sec-fetch-site": "same-origin"})
    client.force_login(user)
    return client


def test_pages_are_for_those_whose_they_are(olga, jury, applications):
    made = phase(olga)
    ask(olga, made, jury[0], applications[0])
    own = asked(jury[0], applications[0], made)
    organisers = ["", "/phases/new", f"/phases/{made.pk}", f"/phases/{made.pk}/asking", f"/phases/{made.pk}/ranking",
                  f"/phases/{made.pk}/ranking.csv", f"/phases/{made.pk}/reviews.json"]  # fmt: skip
    clients = {name: come_in(user) for name, user in (("olga", olga), ("ana", jury[0]), ("ben", jury[1]))}
    clients["vic"], clients["cora"] = come_in(person("vic", "volunteer")), come_in(person("cora", "curator"))
    for path in organisers:
        answers = {name: client.get(f"/backstage/jury{path}").status_code for name, client in clients.items()}
        jurors_see = 302 if path == "" else 403
        assert answers == {"olga": 200, "ana": jurors_see, "ben": jurors_see, "vic": 403, "cora": 403}, path
        assert Client().get(f"/backstage/jury{path}").status_code == 302  # to the login
    page = f"/backstage/jury/judge/{own.pk}"
    answers = {name: client.get(page).status_code for name, client in clients.items()}
    assert answers == {"olga": 403, "ana": 200, "ben": 403, "vic": 403, "cora": 403}
    for path in (f"/backstage/jury/phases/{made.pk}/ask", f"/backstage/jury/phases/{made.pk}/ranking",
                 f"/backstage/jury/phases/{made.pk}/category", "/backstage/jury/conflicts"):  # fmt: skip
        assert clients["ana"].post(path, {"do": "draw"}).status_code == 403


def test_a_form_that_was_overtaken_or_is_wrong_keeps_what_was_typed(olga, jury, applications):
    made = phase(olga)
    ask(olga, made, jury[0], *applications[:2])
    field = f"score-{made.categories.get().pk}"
    page = f"/backstage/jury/judge/{asked(jury[0], applications[0], made).pk}"
    ana = come_in(jury[0])
    said = ana.post(page, {field: "77", "text": "my <b>words</b>", "revision": "0"})
    assert said.status_code == 422
    assert "my &lt;b&gt;words&lt;/b&gt;" in said.content.decode()
    sent = {field: "7", "text": "first", "revision": "0"}
    assert [ana.post(page, sent).status_code for _ in range(2)] == [302, 302]  # pressed twice
    other = ana.post(page, {field: "3", "text": "from the other tab", "revision": "0"})
    assert other.status_code == 409
    assert "from the other tab" in other.content.decode()
    assert 'name="revision" value="1"' in other.content.decode()
    assert ana.post(page, {field: "3", "text": "from the other tab", "revision": "1"})["Location"].startswith(
        "/backstage/jury/judge/"
    )
    assert Review.objects.get().text == "from the other tab"


def test_the_ranking_and_the_reviews_leave_the_house(olga, jury):
    hostile = '=HYPERLINK("http://evil")'
    made = scored(olga, jury, [application(hostile, "@Ada"), application("Ünï 🦊\n", "B")], [(9, 9, 9), (2, 3, 4)])
    one = Review.objects.order_by("id").first()
    Review.objects.filter(pk=one.pk).update(text="+1, 'yes'\nand \"so\"", note="-")
    client = come_in(olga)
    sheet = client.get(f"/backstage/jury/phases/{made.pk}/ranking.csv").content.decode()
    rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
    assert (rows[0]["title"], rows[0]["artist"], rows[1]["place"]) == (f"'{hostile}", "'@Ada", "2")
    assert float(rows[0]["low"]) < float(rows[0]["corrected"]) < float(rows[0]["high"])
    told = json.loads(client.get(f"/backstage/jury/phases/{made.pk}/reviews.json").content)["reviews"]
    assert {row["for_the_jury"] for row in told} == {"+1, 'yes'\nand \"so\"", ""}
    assert {row["title"] for row in told} == {hostile, "Ünï 🦊\n"}
    text = client.get(f"/backstage/jury/phases/{made.pk}/reviews.csv").content.decode()
    assert "'+1, 'yes'" in text
    assert client.get(f"/backstage/jury/phases/{made.pk}/ranking.xml").status_code == 404


def test_a_guest_takes_along_and_erases_what_was_said(olga, jury, applications):
    made = scored(olga, jury, applications[:2], [(9, 9, 9), (2, 3, 4)])
    Review.objects.filter(submission=applications[0]).update(text="too loud", note="well done")
    deciding.above(olga, made.pk, "1", reject_rest=True)
    guest = applications[0].guest
    told = personal.collect(guest)
    assert {(row["application"], row["for_the_jury"], row["for_the_artist"]) for row in told} == {
        ("Work 1", "too loud", "well done")
    }
    json.dumps(told)
    personal.erase(guest)
    assert set(Review.objects.values_list("text", "note")) == {("", "")}
    assert set(deciding.last(made).after) == {applications[1].pk}
    assert standing(made).rows[0].placed.reviews == 3


def test_migrations_say_what_the_models_say():
    call_command("makemigrations", "jury", check=True, dry_run=True, verbosity=0)


def test_assignments_name_applications_by_other_names(olga, jury, applications):
    made = phase(olga)
    assigning.draw(olga, made.pk, "1")
    assert not {one.pk for one in Assignment.objects.all()} & {one.pk for one in applications}
