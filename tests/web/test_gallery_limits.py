"""What a visitor and a booth may ask for: so many waiting, no refused words, no model with planted flaws."""

import pytest

from salon.core.errors import Refused
from salon.web.events import devices
from salon.web.events.models import Entry
from salon.web.people.models import User
from salon.web.station.domain import intake
from salon.web.station.models import Image, Request

pytestmark = pytest.mark.django_db(transaction=True)
ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def _event(first_event, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return first_event


@pytest.fixture
def curator():
    return User.objects.create_user("cora", is_staff=True)


def test_a_refused_prompt_is_stored_nowhere(engine):
    from salon.web.station.domain.intake import Ask, submit

    for prompt in ("hentai of two women", "a naked child"):
        with pytest.raises(Refused):
            submit(Ask(prompt=prompt), ADA, engine)
    assert not Request.objects.exists()
    assert not Image.objects.exists()
    assert not Entry.objects.exists()
    assert submit(Ask(prompt="a naked mole-rat"), ADA, engine)[1]  # the control


def test_a_model_with_planted_flaws_is_not_offered(engine):
    import msgspec

    from salon.core.errors import UnknownModel
    from salon.web.station.domain import catalogue

    flawed = msgspec.structs.replace(engine.models[0], name="flawed", purpose="audit")
    both = msgspec.structs.replace(engine, models=(flawed, *engine.models))
    assert catalogue.model_of(both, None).name == "tiny"
    assert [model["name"] for model in catalogue.listing(both.models)["models"]] == ["tiny"]
    with pytest.raises(UnknownModel, match="flawed"):
        catalogue.model_of(both, "flawed")


def test_a_booth_has_a_limit_of_its_own_however_many_visitors_it_has(curator, engine, settings):
    settings.SALON_WAITING_PER_STATION = 3
    booth, _token = devices.make(curator, "station", "left")
    other, _token = devices.make(curator, "station", "right")
    for visitor in "abc":
        intake.submit(intake.Ask(prompt="a red fox"), visitor * 32, engine, booth)
    with pytest.raises(intake.TooManyWaiting, match="This booth has as much"):
        intake.submit(intake.Ask(prompt="a red fox"), "d" * 32, engine, booth)
    intake.submit(intake.Ask(prompt="a red fox"), "d" * 32, engine, other)
    intake.submit(intake.Ask(prompt="a red fox"), "e" * 32, engine)
    assert Request.objects.filter(device=booth).count() == 3


def test_a_thousand_requests_of_one_ticket_leave_room_for_the_others(engine, settings):
    answers = []
    for _ in range(1000):
        try:
            answers.append(intake.submit(intake.Ask(prompt="a red fox"), ADA, engine)[1])
        except intake.TooManyWaiting:
            answers.append(False)
    assert sum(answers) == settings.SALON_WAITING_PER_VISITOR
    assert Request.objects.count() == settings.SALON_WAITING_PER_VISITOR
    assert intake.submit(intake.Ask(prompt="a blue cat"), BOB, engine)[1]
