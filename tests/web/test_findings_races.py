"""Several people at once: the event's lock decides who was first, the others are told."""

import threading

import hands
import pytest
from register import ADA, BOB, GREY, draw, finish, house, labels, people, report  # noqa: F401 (fixtures)

from salon.core.errors import Conflict
from salon.web.people.models import User
from salon.web.refuses.domain import findings, reporting, reproducing, reviewing
from salon.web.refuses.models import Count, Finding, Fresh, Report, Review
from salon.web.station.domain.intake import TooManyWaiting
from salon.web.station.domain.state import position
from salon.web.station.models import Request

# ruff: noqa: F811 (fixtures of register.py)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _event(first_event, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return first_event


def at_once(*deeds):
    """ "done" or "told" for each."""
    said = [one if isinstance(one, Exception) else "done" for one in hands.at_once(*deeds)]
    return sorted("told" if isinstance(one, Conflict | TooManyWaiting) else one for one in said)


def test_one_report_becomes_one_finding(draw, people):
    made = report(draw())
    assert at_once(*(lambda p=p: findings.open_finding(p, made.id) for p in people)) == ["done", "told", "told"]
    assert Finding.objects.count() == 1


def test_of_three_reviewers_at_once_two_count(draw, people):
    finding = findings.open_finding(people[0], report(draw()).id)
    deeds = [lambda p=p: reviewing.review(p, finding.id, labels()) for p in people]
    assert at_once(*deeds) == ["done", "done", "told"]
    assert (Review.objects.count(), Finding.objects.get().state) == (2, "shown")


def test_one_reviewer_in_two_tabs_reviews_once(draw, people):
    finding = findings.open_finding(people[0], report(draw()).id)
    assert at_once(*[lambda: reviewing.review(people[0], finding.id, labels())] * 4) == ["done"] + ["told"] * 3


def test_a_thousand_presses_draw_it_again_once(draw, people, house):
    finding = findings.open_finding(people[0], report(draw()).id)
    deeds = [lambda: reproducing.start(people[0], finding.id, 16, "", house)] * 8
    assert at_once(*deeds) == ["done"] + ["told"] * 7
    assert Fresh.objects.count() == 16


def test_counting_withdrawing_and_closing_at_once_leave_something_whole(draw, people, house):
    made = report(draw())
    finding = findings.open_finding(people[0], made.id)
    finish(reproducing.start(people[0], finding.id, 16, "", house), [GREY] * 16)
    at_once(
        lambda: reproducing.count(people[0], finding.id, ["1"]),
        lambda: reporting.withdraw(ADA, made.id),
        lambda: findings.close(people[1], finding.id),
        lambda: reviewing.review(people[2], finding.id, labels()),
    )
    left = Finding.objects.get()
    assert (left.state, left.image, left.prompt) == ("withdrawn", None, "")
    assert not any(model.objects.exists() for model in (Report, Review, Fresh, Count))


def test_mass_reports_at_once_stop_at_the_limit(draw, settings):
    settings.SALON_REPORTS_PER_HOUR = 3
    images = [draw(BOB, seed=n) for n in range(8)]
    assert at_once(*(lambda i=i: report(i) for i in images)).count("done") == 3
    assert Report.objects.count() == 3


def test_without_the_lock_the_limit_does_not_hold(draw, settings):
    """Negative control: everybody counts before anybody writes."""
    settings.SALON_REPORTS_PER_HOUR = 3
    images, counted = [draw(BOB, seed=n) for n in range(8)], threading.Barrier(8)

    def slow(image):
        reporting._check_hour(image.event, ADA, None)
        counted.wait()
        Report.objects.create(event=image.event, visitor=ADA, image=image, failure="bias", target="none")

    assert at_once(*(lambda i=i: slow(i) for i in images)).count("done") == 8


def test_a_visitor_does_not_stand_behind_fresh_pictures(draw, people, house):
    finding = findings.open_finding(people[0], report(draw()).id)
    reproducing.start(people[0], finding.id, 128, "", house)
    draw(BOB, "a red fox")
    mine = Request.objects.get(visitor=BOB)
    Request.objects.filter(id=mine.id).update(state=Request.State.WAITING)
    assert Request.objects.filter(state=Request.State.WAITING, created_at__lt=mine.created_at).count() == 8  # control
    assert position(mine) == 0


def test_a_reviewer_whose_account_goes_leaves_the_review(draw, people):
    finding = findings.open_finding(people[0], report(draw()).id)
    reviewing.review(people[0], finding.id, labels())
    User.objects.get(id=people[0].pk).delete()
    assert reviewing.review(people[1], finding.id, labels()).state == "shown"
