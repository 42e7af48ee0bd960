"""CLIP's scores in rows and in the API's JSON."""

import pytest

from salon.desk import store as desk_store
from salon.web.line import EngineState
from salon.web.station.domain.intake import Ask, submit
from salon.web.station.domain.state import state_of
from salon.web.station.models import Drawing, Image, Withheld
from salon.web.station.openapi import document

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(engine: EngineState, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    request, _ = submit(Ask(prompt="a red fox", seed=1, count=3), "a" * 32, engine)
    return request, list(request.drawings.values_list("image_id", flat=True))


def scores(request):
    request.refresh_from_db()
    return [image["score"] for image in state_of(request)["images"]]


def test_a_score_is_kept_with_the_drawing_and_told_to_four_digits(asked):
    request, names = asked
    assert scores(request) == [None] * 3
    files = [(name, b"PNG") for name in names]
    for _ in range(2):  # doing it twice changes nothing
        desk_store.keep(request.id, files, [], 1.0, dict(zip(names, [0.123456, -0.2, 0.9])))
        assert scores(request) == [0.1235, -0.2, 0.9]
    assert Drawing.objects.get(request=request, index=0).score == 0.123456


def test_without_clip_there_is_none(asked):
    request, names = asked
    desk_store.keep(request.id, [(name, b"PNG") for name in names], [], 1.0)
    assert scores(request) == [None] * 3


def test_what_is_kept_back_has_none_whoever_keeps_it_and_whenever(asked):
    request, names = asked
    desk_store.keep(request.id, [(name, b"PNG") for name in names[1:]], names[:1], 1.0, dict.fromkeys(names, 0.5))
    assert scores(request) == [None, 0.5, 0.5]
    Image.objects.filter(id=names[2]).update(withheld=Withheld.HOUSE)
    assert scores(request) == [None, 0.5, None]


def test_the_document_says_what_an_image_has(asked):
    request, _ = asked
    told = document()["paths"]["/api/requests/{id}"]["get"]["responses"]["200"]["content"]["application/json"]
    image = told["schema"]["properties"]["images"]["items"]
    assert set(image["properties"]) == set(image["required"]) == set(state_of(request)["images"][0])
    assert image["properties"]["score"]["type"] == ["number", "null"]
