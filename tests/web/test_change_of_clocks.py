"""Across a change of clocks, programme, places, tickets and letters name the zone, all by the same words; and nowhere
else. Madrid 2026: at three in the night of 25 October it is two again."""

import datetime as dt

import pytest
from django.template import Context, Template
from django.utils import translation

from salon.web.doors import paper
from salon.web.events import times
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.programme.domain import clock
from salon.web.seats.domain import letters, showing
from salon.web.seats.models import Pool

pytestmark = pytest.mark.django_db
#: half an hour: from the first 02:30 to the second
FIRST, SECOND = (dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC) for hour in (0, 1))
AFTER = dt.datetime(2026, 10, 25, 3, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def pool():
    Event.objects.update(time_zone="Europe/Madrid", opened_at=FIRST)
    return lambda starts, ends: Pool.objects.create(
        event=current_event(), kind="meeting", name="Night", capacity=3, starts_at=starts, ends_at=ends
    )


CASES = [
    (FIRST, SECOND, "02:30 CEST–02:30 CET"),
    (FIRST, AFTER, "02:30 CEST–04:30 CET"),
    (FIRST - DAY, SECOND - DAY, "02:30–03:30"),  # the control: another night
    (SECOND, SECOND + dt.timedelta(minutes=10), "02:30 CET–02:40 CET"),
]


@pytest.mark.parametrize(("starts", "ends", "hours"), CASES)
def test_programme_places_and_tickets_say_the_same(pool, starts, ends, hours):
    made = pool(starts, ends)
    assert clock.hours(made.event, starts, ends) == hours
    assert showing.when(made).endswith(f" October 2026, {hours}")
    assert paper.when(made) == showing.when(made)
    assert letters._about(made)["when"].endswith(hours.split("–")[0])
    tag = Template("{% load event_times %}{% when at event 'H:i' %}")
    assert f">{hours.split('–')[0]}</time>" in tag.render(Context({"at": starts, "event": made.event}))


def test_the_page_of_places_says_so_in_every_language(pool, client):
    made = pool(FIRST, SECOND)
    for language in ("en", "es", "ja"):
        text = client.get(f"/places/{made.pk}?lang={language}", follow=True).content.decode()
        assert "2:30 CEST" in text
        assert "2:30 CET" in text


def test_over_several_days_both_ends_have_their_day_and_zone(pool):
    made = pool(FIRST - DAY, SECOND + DAY)
    assert showing.when(made) == "Saturday 24 October 2026, 02:30 CEST – Monday 26 October 2026, 02:30 CET"
    assert paper.when(pool(FIRST - 3 * DAY, FIRST - DAY)).count("CE") == 0  # the control


@pytest.mark.parametrize("language", ["en", "es", "ja"])
def test_a_day_alone_has_no_zone(pool, language):
    """Formats of days hold letters that say hours elsewhere, as "de" in Spanish."""
    made = pool(FIRST, SECOND)
    with translation.override(language):
        form = translation.pgettext("format of a day", "l j F Y")
        assert "CE" not in times.words(made.event, FIRST, form, zoned=True)
        assert "CEST" in times.words(made.event, FIRST)
