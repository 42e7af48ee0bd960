"""A database for the rules of the web."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _current_event(request):
    """Whichever test came before in this process, there is an event, as in a house."""
    if request.node.get_closest_marker("django_db"):
        from salon.web.events import pages
        from salon.web.events.models import Event

        request.getfixturevalue("db")
        pages.forget()
        Event.objects.get_or_create(slug="salon", defaults={"name": "Latent Salon", "current": True})


@pytest.fixture
def first_event(transactional_db):
    """Tests that commit empty the tables, the row made by the migration included: put it back."""
    from salon.web.events.models import Event

    return Event.objects.get_or_create(slug="salon", defaults={"name": "Latent Salon", "current": True})[0]


@pytest.fixture
def engine():
    """A ready engine with one model."""
    from salon.engine.client import ModelInfo
    from salon.engine.models import RANGES
    from salon.web.line import EngineState

    model = ModelInfo(
        name="tiny",
        family="latent",
        ready=True,
        weights_sha256="cd" * 32,
        defaults={"num_inference_steps": 12, "guidance_scale": 3.0, "sampler": "euler"},
        ranges=RANGES,
        samplers=("euler",),
        stages={"diffusion": "diffusion", "upscale": "plain"},
        main="diffusion",
    )
    return EngineState("ready", models=(model,))


@pytest.fixture
def other_engine(engine):
    """The same with other weights."""
    import msgspec

    model = msgspec.structs.replace(engine.models[0], weights_sha256="ef" * 32)
    return msgspec.structs.replace(engine, models=(model,))
