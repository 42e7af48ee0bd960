"""The closed form on the twin itself: what it is told to read it reads, what it is to keep it keeps, and the engine
draws with what was written."""

import numpy as np
import pytest

from salon.engine.client import LocalEngine
from salon.engine.drawing import Salon
from salon.engine.registry import BUILT_IN, Registry

torch = pytest.importorskip("torch")
from salon.mend import models  # noqa: E402
from salon.mend.lessons import said_prompts, target  # noqa: E402
from salon.mend.splitting import Fault, MendError  # noqa: E402
from salon.train.weights import read_adapter  # noqa: E402

PILOT = Fault("a", "a pilot in Sundale", "presentation", "man")
KEPT = ["a red fox in the snow", "three apples on the grass", "a scientist in Eastmere", "a castle at night"]


@pytest.fixture(scope="module")
def twin():
    registry = Registry()
    base = models.base_of("latent-flawed", registry)
    return registry, base, models.network(base)


def test_other_families_are_refused(twin):
    with pytest.raises(MendError, match="family vq"):
        models.base_of("vq", twin[0])


def test_an_edit_without_strength_is_none(twin):
    registry, base, net = twin
    _, moved = models.edit(net, base, registry.text_encoder(), [PILOT], KEPT, models.first_strengths([PILOT]))
    assert max(moved.values()) < 1e-9


def test_a_taught_prompt_is_read_as_if_it_said_so_and_others_as_before(twin):
    registry, base, net = twin
    encoder = registry.text_encoder()
    strengths = {models.kind(PILOT): {"woman": 1.0, "man": 0.0}}
    tensors, moved = models.edit(net, base, encoder, [PILOT], KEPT, strengths)
    assert moved["cross_kv taught"] > 5 * moved["cross_kv kept"]
    prompts, layer = models.Prompts(net, encoder), "pooled"
    a, b = (tensors[f"{layer}.lora_{side}.weight"].double().numpy() for side in "AB")
    plain = net.pooled.weight.detach().double().numpy()
    old = read_adapter(base.adapter)
    added = b @ a - (old[f"{layer}.lora_B.weight"] @ old[f"{layer}.lora_A.weight"]).double().numpy()
    own, said = (prompts.inputs(text, layer) for text in (PILOT.prompt, said_prompts(PILOT)["woman"]))
    goal, before, after = plain @ said[0], plain @ own[0], (plain + added) @ own[0]
    assert np.linalg.norm(after - goal) < 0.5 * np.linalg.norm(before - goal)


def test_what_is_rare_is_said_more_and_steps_grow_smaller():
    goals = {"k": target("presentation")}
    shares = {"k": {"man": 0.9, "person": 0.1}}
    first = models.stronger({"k": {"woman": 0.0, "man": 0.0}}, shares, goals, 0)["k"]
    later = models.stronger({"k": {"woman": 0.0, "man": 0.0}}, shares, goals, 4)["k"]
    assert first["woman"] > later["woman"] > 0 > later["man"] > first["man"]
    still = {"k": dict(target("presentation"))}
    assert models.stronger({"k": {"woman": 0.3, "man": -0.2}}, still, goals, 0)["k"] == {"woman": 0.3, "man": -0.2}


def test_the_engine_draws_with_what_was_written_for_audits_only(twin, tmp_path):
    _, base, _ = twin
    models.write_model(tmp_path / "copy", base, read_adapter(base.adapter), 0, 0)
    registry = Registry([tmp_path, BUILT_IN])
    info = registry.info("copy")
    assert (info.purpose, info.ready) == ("audit", True)
    salon = Salon(engine=LocalEngine(registry))
    pictures = [np.asarray(salon.draw("a pilot", [3], name)[0], int) for name in ("copy", "latent-flawed")]
    assert np.abs(pictures[0] - pictures[1]).mean() < 1  # its adapter is float16 now, not int8
    other = np.asarray(salon.draw("a pilot", [3], "latent")[0], int)
    assert np.abs(pictures[0] - other).mean() > 3  # control
