"""Requests drawn for real, by real graphs with random weights: the order of updates, and who shares the batch."""

import numpy as np
import onnxruntime
import pytest

from salon import Salon
from salon.core.errors import BadRecipe, UnknownModel
from salon.core.update import Finished, Preview, RefusedUpdate, StageDone, Started, Trace
from salon.engine.client import LocalEngine
from salon.engine.families import sampling
from salon.engine.registry import Registry

TOLERANCE = 1  # of 255


def drawn(engine, *requests):
    """{request: [image array]} of requests drawn together."""
    for request in requests:
        engine.submit(request)
    found = {u.request: u.images for u in engine.updates() if isinstance(u, Finished)}
    return {name: [as_array(picture) for picture in pictures] for name, pictures in found.items()}


def as_array(picture):
    return np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3).astype(int)


def company(ask):
    """One request, and five others of other lengths, steps, guidance, samplers and loudness."""
    return ask("one", [5], "two cats"), [
        ask("long", [6, 7], "a castle above the sea " * 20, "bob"),
        ask("off", [8], "x", "cleo", guidance_scale=1.0),
        ask("loud", [9], "a storm", "dan", guidance_scale=20.0, num_inference_steps=7),
        ask("fresh", [10], "a lake", "eve", sampler="euler_ancestral"),
        ask("not", [11], "a wood", "finn", negative_prompt="trees, leaves and a path", sampler="dpmpp_2m"),
    ]


def test_one_request_from_beginning_to_end(engine, ask):
    engine.submit(ask("r", [3, 1, 2]))
    updates = list(engine.updates())
    kinds = [type(u).__name__ for u in updates]
    assert kinds == ["Queued", "Started", "Preview", "Preview", "StageDone", "StageDone", "Finished"]
    assert [u.step for u in updates if isinstance(u, Preview)] == [1, 2]
    assert [u.stage for u in updates if isinstance(u, StageDone)] == ["diffusion", "upscale"]
    assert {p.width for u in updates if isinstance(u, Preview) for p in u.images} == {64}
    finished = updates[-1]
    assert [p.index for p in finished.images] == [0, 1, 2]
    assert {(p.width, p.height, len(p.rgb)) for p in finished.images} == {(256, 256, 256 * 256 * 3)}
    assert finished.seconds > 0
    assert engine.runner.idle
    assert not engine.open


def test_seed_prompt_and_options_matter(engine, ask):
    pictures = drawn(
        engine, ask("a", [1]), ask("b", [2]), ask("c", [1], "a blue house"), ask("d", [1], guidance_scale=5.0)
    )
    flat = [images[0] for images in pictures.values()]
    assert all(np.abs(a - b).max() > 3 for i, a in enumerate(flat) for b in flat[:i])


def test_same_recipe_same_image_alone_and_in_company(engine, ask):
    one, others = company(ask)
    together = drawn(engine, one, *others)
    for request in [one, *others]:
        alone = drawn(engine, request)[request.id]
        for a, b in zip(alone, together[request.id], strict=True):
            assert np.abs(a - b).max() <= TOLERANCE


def test_one_shared_generator_breaks_it(engine, ask, monkeypatch):
    """Negative control: noise from a generator that all share depends on who came before."""
    shared = np.random.default_rng(0)
    monkeypatch.setattr(sampling, "own_noise", lambda shape, *_, **__: shared.standard_normal(shape, dtype=np.float32))
    one, others = company(ask)
    alone = drawn(engine, one)["one"][0]
    assert np.abs(drawn(engine, *others, one)["one"][0] - alone).max() > 10 * TOLERANCE


def test_dynamically_quantised_activations_break_it(weights, registry, ask, tmp_path):
    """Negative control: one scale for all activations of a batch lets a loud neighbour move a sample."""
    quantization = pytest.importorskip("onnxruntime.quantization")
    source, target = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    save_float32(weights / "tiny" / "transformer.onnx", source)
    quantization.quantize_dynamic(source, target)
    own = Registry([weights], tmp_path / "cache")
    transformer = own.load("tiny").stages[0].network
    transformer._plain = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    engine = LocalEngine(own)
    one, others = company(ask)
    alone = drawn(engine, one)["one"][0]
    assert np.abs(drawn(engine, one, *others)["one"][0] - alone).max() > TOLERANCE


def save_float32(source, target):
    """The quantiser wants float32 weights: fold the casts away."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(source)
    halves = {w.name: w for w in model.graph.initializer}
    for node in [n for n in model.graph.node if n.op_type == "Cast" and n.input[0] in halves]:
        value = numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
        model.graph.node.remove(node)
    onnx.save(model, target)


def test_the_shipped_model_keeps_to_itself(real):
    """The same as above with trained weights, and with other people's prompts beside it."""
    salon = Salon(engine=LocalEngine(real))
    recipes = [
        salon.recipes("a red fox in the snow", [5])[0],
        salon.recipes("two boats " * 30, [6], guidance_scale=9.0)[0],
    ]
    together = [np.asarray(image).astype(int) for image in salon.draw_recipes(recipes)]
    for recipe, image in zip(recipes, together):
        alone = np.asarray(salon.draw_recipes([recipe])[0]).astype(int)
        assert np.abs(alone - image).max() <= TOLERANCE


def test_a_model_of_pixels_has_neither_decoder_nor_upscaler(engine, ask):
    engine.submit(ask("p", [1, 2], model="pixels"))
    updates = list(engine.updates())
    assert [u.stage for u in updates if isinstance(u, StageDone)] == ["diffusion"]
    assert {p.width for p in updates[-1].images} == {64}


def test_a_trace_looks_inside_and_changes_nothing(engine, ask):
    plain = drawn(engine, ask("plain", [4, 5]))["plain"]
    engine.submit(ask("traced", [4, 5], trace=True))
    engine.submit(ask("other", [6], visitor="bob"))
    updates = list(engine.updates())
    traces = [u for u in updates if isinstance(u, Trace)]
    assert {t.request for t in traces} == {"traced"}
    assert [t.step for t in traces] == [1, 2, 3, 4]
    tensor = traces[0].tensors[1]
    attention = np.frombuffer(tensor.data, tensor.dtype).reshape(tensor.shape)
    assert (tensor.name, tensor.index, attention.shape[:3]) == ("cross_attention", 1, (1, 1, 256))
    np.testing.assert_allclose(attention.astype(float).sum(-1), 1, atol=1e-2)
    traced = next(u for u in updates if isinstance(u, Finished) and u.request == "traced")
    for a, b in zip(plain, map(as_array, traced.images)):
        assert np.abs(a - b).max() <= TOLERANCE


def test_no_previews_where_none_are_wanted(engine, ask):
    engine.submit(ask("quiet", [1], previews=False))
    assert not any(isinstance(u, Preview) for u in engine.updates())


def test_ten_in_a_hundred_recipes_of_other_weights_are_refused(engine, ask):
    import msgspec

    good = ask("r", [1])
    recipe = good.recipes[0]
    for change, word in [
        ({"weights": "0" * 64}, "other weights"),
        ({"model": "nobody"}, "nobody"),
        ({"numerics": 99}, "arithmetic"),
        ({"adapter": "1" * 64}, "adapter"),
        ({"width": 512}, "256"),
        ({"stages": {}}, "stages"),
        ({"seed": -1}, "seed"),
        ({"prompt": "x" * 2000}, "prompt"),
    ]:
        bad = msgspec.structs.replace(good, recipes=(msgspec.structs.replace(recipe, **change),))
        engine.submit(bad)
        (update,) = list(engine.updates())
        assert isinstance(update, RefusedUpdate)
        assert word in update.why
    assert engine.runner.idle


def test_started_is_said_before_the_work(registry, ask):
    runner = LocalEngine(registry).runner
    runner.submit(ask("r", [1]))
    turn = runner.turn()
    assert isinstance(next(turn), Started)
    assert runner.sample_steps == 0
    list(turn)
    assert runner.sample_steps == 1


def test_salon_draws_in_the_order_of_the_seeds(registry):
    salon = Salon(engine=LocalEngine(registry))
    images = salon.draw("a red fox", seeds=[4, 2, 9], model="tiny")
    again = salon.draw("a  red fox ", seeds=range(1, 20), model="tiny")
    assert [image.size for image in images] == [(256, 256)] * 3
    assert len(again) == 19
    for image, seed in zip(images, [4, 2, 9]):
        other = np.asarray(again[seed - 1]).astype(int)
        assert np.abs(np.asarray(image).astype(int) - other).max() <= TOLERANCE
    with pytest.raises(UnknownModel, match="tiny"):
        salon.draw("x", model="huge")
    with pytest.raises(BadRecipe, match="empty"):
        salon.draw(" ", model="tiny")
    assert salon.draw("x", seeds=[], model="tiny") == []
