"""The house's own first draws: asked for once a model, in the background, shown until a visitor has drawn."""

import pytest

from salon.core.errors import EngineUnavailable
from salon.web.line import EngineState
from salon.web.station.domain import hang, inspiration
from salon.web.station.models import Image, Request

pytestmark = pytest.mark.django_db


def finish(request: Request) -> None:
    Image.objects.filter(drawings__request=request).update(file="aa/x.png")
    Request.objects.filter(id=request.id).update(state=Request.State.FINISHED)


def test_first_draws_are_asked_for_once_a_model(engine, other_engine):
    assert hang.hang_first(engine)
    assert not hang.hang_first(engine)
    assert hang.hang_first(other_engine)
    first = Request.objects.filter(visitor=hang.HOUSE).order_by("created_at")[0]
    assert first.audience == "background"
    assert [drawing.image.recipe.prompt for drawing in first.drawings.all()] == list(inspiration.HANG)
    assert {drawing.image.recipe.seed for drawing in first.drawings.all()} == {hang.SEED}


def test_a_house_without_a_model_draws_nothing():
    with pytest.raises(EngineUnavailable):
        hang.hang_first(EngineState())
    assert not Request.objects.exists()


def test_home_shows_them_only_when_they_are_drawn(engine, client):
    hang.hang_first(engine)
    request = Request.objects.get(visitor=hang.HOUSE)
    assert b"not picked" not in client.get("/").content
    finish(request)
    page = client.get("/").content.decode()
    assert "not picked" in page
    assert all(f'/images/{drawing.image_id}"' in page for drawing in request.drawings.all())


def test_what_was_refused_is_asked_for_again_and_what_failed_is_not(engine):
    """Refused: the image filter was missing. Failed: it killed several engines, and would kill more."""
    hang.hang_first(engine)
    request = Request.objects.get(visitor=hang.HOUSE)
    for state, again in ((Request.State.REFUSED, True), (Request.State.FAILED, False)):
        Request.objects.filter(id=request.id).update(state=state, code="x", why="y")
        assert hang.hang_first(engine) is again
        request.refresh_from_db()
        assert request.state == (Request.State.WAITING if again else state)
    assert Request.objects.count() == 1
