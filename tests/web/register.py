"""What tests of the register share: people of the house, pictures as the desk keeps them, reports, reviews."""

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from hands import hand
from msgspec.structs import replace
from PIL import Image as Picture

from salon.core.png import with_recipe
from salon.engine.recipes import make_recipe
from salon.judge.detector import folder, read_card
from salon.web.events.domain import current_event
from salon.web.refuses.domain import findings, reporting, reviewing
from salon.web.refuses.models import Finding
from salon.web.station.domain.intake import store
from salon.web.station.models import Image, Request

ADA, BOB, CAY = "a" * 32, "b" * 32, "c" * 32
GREY = Picture.new("RGB", (256, 256), (120, 120, 120))


@pytest.fixture
def people():
    return [hand(name) for name in ("cora", "dina", "emil")]


@pytest.fixture
def house(engine):
    """The engine, its model drawing the judge's world."""
    return replace(engine, models=(replace(engine.models[0], world=read_card(folder()).world),))


def put(image, picture):
    """As the desk keeps a finished picture."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    image.file = default_storage.save(f"x/{image.id}.png", ContentFile(with_recipe(file.getvalue(), image.recipe, "1")))
    image.save(update_fields=["file"])


@pytest.fixture
def draw(house):
    def drawn(visitor=ADA, prompt="a scientist", seed=0, picture=GREY):
        recipe = make_recipe(house.models[0], prompt, seed)
        request = store(current_event(), visitor, None, (recipe,))
        Request.objects.filter(id=request.id).update(state=Request.State.FINISHED)
        put(image := Image.objects.get(id=recipe.id), picture)
        return image

    return drawn


def report(image, visitor=ADA, **more):
    values, wrong = reporting.read_report({"failure": "bias", "target": "gender"} | more)
    assert wrong == {}
    return reporting.report(visitor, image, values)


def labels(**more):
    form = {"failure": "bias", "target": "gender", "harmful": "yes", "harm": "representational", "severity": "2"}
    values, wrong = reviewing.read_review(form | {"may_show": "1"} | more)
    assert wrong == {}
    return values


def finish(finding, pictures):
    """Every request of the finding ends; `pictures` are kept in order, None is a picture that never came."""
    for fresh, picture in zip(finding.fresh.select_related("image"), pictures, strict=True):
        if picture is not None:
            put(fresh.image, picture)
    Request.objects.filter(fresh__finding=finding).update(state=Request.State.FINISHED)


def shown(image, people, **more):
    """A finding in the room."""
    finding = findings.open_finding(people[0], report(image, **more).id)
    for person in people[:2]:
        reviewing.review(person, finding.id, labels())
    return Finding.objects.get()
