"""Which machines stand side by side, and which models may be drawn with."""

import asyncio
import json

import msgspec
import pytest

from salon.core.errors import UnknownModel
from salon.engine.client import ModelInfo
from salon.web.line import EngineState, Event
from salon.web.station import api
from salon.web.station.domain import catalogue, intake, machines

CLIP = ModelInfo(name="clip", family="clip", ready=True)
TORN = ModelInfo(name="vq", problem="vq/decoder.onnx is torn.")


@pytest.fixture
def tiny(engine):
    return msgspec.structs.replace(engine.models[0], main="diffusion")


def test_models_that_draw_nothing_are_named_and_never_offered(tiny):
    engine = EngineState("ready", models=(CLIP, tiny))
    assert catalogue.model_of(engine, None).name == "tiny"
    with pytest.raises(UnknownModel, match="tiny"):
        catalogue.model_of(engine, "clip")
    shown = {model["name"]: model for model in catalogue.listing(engine.models)["models"]}
    assert (shown["clip"]["drawable"], shown["clip"]["stages"]) == (False, {})
    assert (shown["tiny"]["drawable"], shown["tiny"]["stages"]) == (True, tiny.stages)


def test_a_damaged_model_does_not_say_its_stages_and_its_problem_is_still_told(tiny):
    engine = EngineState("missing", models=(TORN,))
    assert catalogue.model_of(engine, "vq").problem == TORN.problem
    assert [model["drawable"] for model in catalogue.listing(engine.models)["models"]] == [False]


def test_one_machine_a_family_and_the_one_of_its_name_stands_for_it(tiny):
    fast, latent = (msgspec.structs.replace(tiny, name=name) for name in ("latent-fast", "latent"))
    other = msgspec.structs.replace(tiny, name="remote", family="elsewhere")
    flawed = msgspec.structs.replace(tiny, name="unclip", family="unclip", purpose="audit")
    found = {m["family"]: m for m in machines.side_by_side((fast, latent, TORN, CLIP, other, flawed))}
    assert list(found) == ["latent", "vq", "cascade", "unclip", "elsewhere"]
    assert (found["latent"]["name"], found["latent"]["ready"]) == ("latent", True)
    assert (found["vq"]["ready"], found["vq"]["problem"]) == (False, TORN.problem)
    assert "not installed" in found["cascade"]["problem"]
    assert found["unclip"]["ready"] is False
    assert (found["elsewhere"]["after"], found["elsewhere"]["told"]) == ("elsewhere", None)
    assert machines.side_by_side((fast, TORN))[0]["name"] == "latent-fast"


def test_while_nothing_is_known_of_the_engine_no_machine_is_called_missing():
    assert {(m["ready"], m["problem"]) for m in machines.side_by_side(())} == {(None, "")}


def test_one_press_fits_beside_what_a_visitor_draws_already(settings):
    room = min(settings.SALON_WAITING_PER_VISITOR, settings.SALON_WAITING_PER_STATION)
    assert room > len(machines.FAMILIES)


@pytest.mark.django_db
def test_a_press_is_found_again_by_whoever_made_it(tiny):
    engine, press = EngineState("ready", models=(tiny,)), "0123456789abcdef"
    for name in ("a", "b"):
        intake.submit(intake.Ask(prompt="a red fox", key=f"{press}-{name}"), "ada", engine)
    intake.submit(intake.Ask(prompt="a red fox", key="another"), "ada", engine)
    assert [state["model"] for state in machines.pressed(press, "ada")] == ["tiny", "tiny"]
    assert machines.pressed(press, "bob") == machines.pressed(press, None) == machines.pressed("", "ada") == []
    assert machines.pressed("%", "ada") == []


@pytest.mark.django_db
def test_the_page_stands_without_an_engine(client):
    page = client.get("/station/machines?prompt=a+fox&press=0123456789abcdef").content.decode()
    assert page.count('class="machine"') == 4
    assert "The engine is waking up." in page
    assert client.get("/station/machines/updates?id=0123").status_code == 404
    assert client.post("/station/machines").status_code in (403, 405)


def test_several_streams_are_one_and_end_with_the_last(monkeypatch):
    def events(pauses):
        async def one(request_id, visitor, first):
            yield first
            for pause in pauses[request_id]:
                await asyncio.sleep(pause)
                yield None
            if request_id == "broken":
                raise RuntimeError
            yield Event("finished", b'{"images":[]}')

        return one

    monkeypatch.setattr(api, "_events", events({"quick": [], "slow": [0.01, 0.01], "broken": [0.01]}))

    async def read():
        first = Event("queued", b'{"position":0}')
        return [f async for f in api._stream_together(dict.fromkeys(("quick", "slow", "broken"), first), "ada")]

    frames = [frame.decode() for frame in asyncio.run(asyncio.wait_for(read(), 5))]
    told = [(f.split("\n")[0], json.loads(f.split("data: ")[1])["request"]) for f in frames if "data: " in f]
    assert told.count(("event: finished", "quick")) == told.count(("event: finished", "slow")) == 1
    assert ("event: finished", "broken") not in told
    assert told[-1] == ("event: finished", "slow")
    assert frames.count(api.STILL_HERE.decode()) == 3


def test_a_stream_that_is_left_leaves_no_task_behind(monkeypatch):
    async def forever(request_id, visitor, first):
        yield first
        await asyncio.sleep(60)

    monkeypatch.setattr(api, "_events", forever)

    async def leave():
        stream = api._stream_together({"a": Event("queued", b"{}"), "b": Event("queued", b"{}")}, "ada")
        await anext(stream)
        await anext(stream)
        await stream.aclose()
        return [task for task in asyncio.all_tasks() if "follow" in repr(task)]

    assert asyncio.run(asyncio.wait_for(leave(), 5)) == []
