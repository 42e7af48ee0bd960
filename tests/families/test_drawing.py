"""Every family draws, previews, finishes, and is the same alone as in company; what is missing stops only itself."""

import shutil

import numpy as np
import pytest

from salon.core.errors import BadRecipe, WeightsDamaged
from salon.core.hashing import bytes_hash
from salon.core.recipe import BlendOptions, DiffusionOptions, PlainOptions
from salon.core.update import Cancelled, Failed, Finished, Preview, RefusedUpdate, StageDone, Trace
from salon.engine.families.clip import shrink
from salon.engine.recipes import make_recipe
from salon.engine.registry import Registry
from salon.engine.runner import Runner

DRAW = ("vq", "cascade", "unclip")


def run(runner, *requests):
    """Everything that is said until all is done."""
    said = [update for request in requests for update in runner.submit(request)]
    while not runner.idle:
        said += list(runner.turn())
    return said


def pictures(said, name="r"):
    [end] = [u for u in said if u.request == name and isinstance(u, Finished | Failed | RefusedUpdate)]
    assert isinstance(end, Finished), end
    return [np.frombuffer(p.rgb, np.uint8).reshape(p.height, p.width, 3) for p in end.images]


@pytest.mark.parametrize("model", DRAW)
def test_a_family_draws_and_shows_itself_on_the_way(runner, ask, registry, model):
    said = run(runner, ask(registry, model, seeds=(1, 2)))
    info = registry.info(model)
    one, two = pictures(said)
    assert one.shape == (info.height, info.width, 3)
    assert (one != two).any()
    stages = list(info.stages)
    assert [u.stage for u in said if isinstance(u, StageDone)] == stages
    shown = {u.stage for u in said if isinstance(u, Preview)}
    assert shown == {name for name in stages if info.stages[name] != "plain"}
    assert {p.width for u in said if isinstance(u, Preview) and u.stage == stages[0] for p in u.images} == {64}


@pytest.mark.parametrize("model", DRAW)
def test_the_same_recipe_is_the_same_picture_in_any_company(registry, ask, model):
    wanted = [pictures(run(Runner(registry), ask(registry, model, seeds=(s,))))[0] for s in (1, 2, 3)]
    runner = Runner(registry)
    runner.submit(ask(registry, model, "r", seeds=(1, 2, 3)))
    said = [update for _ in range(3) for update in runner.turn()]
    others = [ask(registry, model, f"o{i}", seeds=(i,), prompt="a blue square", visitor=f"v{i}") for i in range(9, 13)]
    for request in others:  # they join at other places, and leave again
        runner.submit(request)
        said += list(runner.turn())
    runner.cancel("o10")
    while not runner.idle:
        said += list(runner.turn())
    for found, alone in zip(pictures(said), wanted, strict=True):
        assert np.abs(found.astype(int) - alone).max() <= 1


@pytest.mark.parametrize(
    ("model", "stage", "name"),
    [
        ("vq", "tokens", "cross_attention"),
        ("cascade", "base", "cross_attention"),
        ("unclip", "prior", "attention"),
        ("unclip", "decoder", "cross_attention"),
    ],
)
def test_a_trace_shows_where_each_family_looks_and_changes_nothing(registry, ask, model, stage, name):
    plain = pictures(run(Runner(registry), ask(registry, model, seeds=(1, 2))))
    said = run(Runner(registry), ask(registry, model, seeds=(1, 2), trace=True))
    shown = [t for u in said if isinstance(u, Trace) and u.stage == stage for t in u.tensors if t.name == name]
    assert {tensor.index for tensor in shown} == {0, 1}
    looks = np.frombuffer(shown[0].data, shown[0].dtype).reshape(shown[0].shape).astype(float)
    np.testing.assert_allclose(looks.sum(-1), 1, atol=1e-2)
    for found, alone in zip(pictures(said), plain, strict=True):
        assert np.abs(found.astype(int) - alone).max() <= 1


def test_mixed_families_under_load_all_finish(registry, ask):
    runner = Runner(registry)
    requests = [
        ask(registry, DRAW[i % 3], f"r{i}", seeds=(i,), visitor=f"v{i % 5}", prompt="a green square" if i % 2 else "x")
        for i in range(12)
    ]
    said = run(runner, *requests)
    assert sorted(u.request for u in said if isinstance(u, Finished)) == sorted(r.id for r in requests)


@pytest.mark.parametrize("model", DRAW)
def test_cancelled_in_the_middle_leaves_nothing(registry, ask, model):
    runner = Runner(registry)
    runner.submit(ask(registry, model, "gone", seeds=(1, 2)))
    list(runner.turn())
    list(runner.turn())
    assert [type(u) for u in runner.cancel("gone")] == [Cancelled]
    assert runner.idle
    assert pictures(run(runner, ask(registry, model)))


@pytest.mark.parametrize(
    ("gone", "broken", "whole"),
    [
        ("vq/painter.onnx.xz", {"vq"}, {"cascade", "unclip", "clip"}),
        ("cascade/transformer.onnx.xz", {"cascade", "unclip"}, {"vq", "clip"}),  # unclip's decoder borrows it
        ("unclip/prior.onnx.xz", {"unclip"}, {"vq", "cascade", "clip"}),
    ],
)
def test_one_familys_weights_missing_stop_only_those_who_need_them(weights, tmp_path, gone, broken, whole):
    shutil.copytree(weights, tmp_path / "w")
    (tmp_path / "w" / gone).unlink()
    infos = {info.name: info for info in Registry([tmp_path / "w"], tmp_path / "c").infos()}
    assert {name for name, info in infos.items() if not info.ready} == broken
    assert {name for name, info in infos.items() if info.ready} == whole
    assert all(gone.split("/")[1] in infos[name].problem for name in broken)


def test_a_damaged_packed_file_is_named(weights, tmp_path, card):
    shutil.copytree(weights, tmp_path / "w")
    path = tmp_path / "w/vq/painter.onnx.xz"
    path.write_bytes(path.read_bytes()[:-200])
    [info] = [i for i in Registry([tmp_path / "w"], tmp_path / "c").infos() if i.name == "vq"]
    assert "damaged" in info.problem


def test_clip_is_ready_and_draws_nothing(registry, runner, ask):
    info = registry.info("clip")
    assert info.ready
    assert info.stages == {}
    with pytest.raises(BadRecipe, match="draws nothing"):
        make_recipe(info, "a red square", 1)


def test_the_traced_tower_says_the_same_and_what_each_token_says(registry):
    clip = registry.clip("clip")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 3, 128, 128)).astype(np.float32)
    found = clip.where(images, ["a red square", "a blue circle", "a red square"])
    assert found.shape == (2, 3, 8, 8)
    assert np.abs(found).max() <= 1 + 1e-5
    assert np.array_equal(found[:, 0], found[:, 2])
    assert not np.allclose(found[:, 0], found[:, 1])
    small = shrink(images)
    assert np.allclose(clip.image.trace(image=small)["embed"], clip.encode_image(images), atol=1e-5)


def test_the_prior_may_be_left_away_and_then_words_stand_for_the_picture(registry, runner, ask):
    with_prior = ask(registry, "unclip", "with")
    without = ask(registry, "unclip", "without", prior=False)
    assert isinstance(without.recipes[0].stages["prior"], PlainOptions)
    assert isinstance(with_prior.recipes[0].stages["prior"], DiffusionOptions)
    said = run(runner, with_prior, without)
    assert (pictures(said, "with")[0] != pictures(said, "without")[0]).any()


def square(value: int) -> bytes:
    picture = np.full((64, 64, 3), 240, np.uint8)
    picture[20:44, 20:44] = (value, 40, 40)
    return picture.tobytes()


def varied(registry, ask, name, data, **rest):
    digest = bytes_hash(data)
    return ask(registry, "unclip", name, inputs={"image": digest}, blobs={digest: data}, **rest)


def test_variations_of_a_picture_and_text_diffs(registry, runner, ask):
    blend = {amount: BlendOptions(source="a red square", amount=amount) for amount in (0.0, 0.5, 1.0)}
    said = run(
        runner,
        varied(registry, ask, "red", square(220), prior=False, seeds=(1, 2)),
        varied(registry, ask, "dark", square(10), prior=False),
        *[
            varied(registry, ask, f"b{amount}", square(220), prior=options, prompt="a blue square")
            for amount, options in blend.items()
        ],
    )
    one, two = pictures(said, "red")
    assert (one != two).any()  # another seed is another picture of the same embedding
    assert (one != pictures(said, "dark")[0]).any()
    stayed = np.abs(pictures(said, "b0.0")[0].astype(int) - one)
    assert stayed.max() <= 2  # none of the way: the picture itself
    assert (pictures(said, "b1.0")[0] != pictures(said, "b0.5")[0]).any()


@pytest.mark.parametrize("data", [b"", b"x", square(9)[:-3], square(9) + b"..."])
def test_a_picture_of_another_size_fails_with_a_sentence(registry, runner, ask, data):
    said = run(runner, varied(registry, ask, "r", data, prior=False))
    assert "64 x 64" in said[-1].why


def test_a_picture_that_did_not_come_along_is_refused(registry, runner, ask):
    lost = ask(registry, "unclip", inputs={"image": bytes_hash(square(1))}, prior=False)
    [refused] = runner.submit(lost)
    assert isinstance(refused, RefusedUpdate)
    other = ask(registry, "unclip", inputs={"image": bytes_hash(square(1))}, blobs={bytes_hash(square(2)): square(2)})
    assert isinstance(runner.submit(other)[0], RefusedUpdate)
    for model in ("vq", "cascade"):  # they begin with words only
        digest = bytes_hash(square(1))
        request = ask(registry, model, inputs={"image": digest}, blobs={digest: square(1)})
        assert isinstance(runner.submit(request)[0], RefusedUpdate)


def test_a_blend_without_a_picture_and_a_prior_with_one_are_refused_in_words(registry, runner, ask):
    said = run(runner, ask(registry, "unclip", prior=BlendOptions(source="x", amount=0.5)))
    assert "begins with a picture" in said[-1].why
    said = run(runner, varied(registry, ask, "p", square(3)))
    assert "needs no prior" in said[-1].why


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("vq", {"num_inference_steps": 4}),
        ("vq", {"top_k": 33}),
        ("vq", {"top_k": -1}),
        ("vq", {"top_p": 0.0}),
        ("vq", {"top_p": 1.5}),
        ("vq", {"temperature": -0.1}),
        ("vq", {"temperature": float("nan")}),
        ("vq", {"guidance_scale": 21.0}),
        ("vq", {"prior": False}),
        ("cascade", {"temperature": 1.0}),
        ("cascade", {"stages": {"nowhere": {}}}),
        ("cascade", {"stages": {"super_resolution": {"num_inference_steps": 0}}}),
        ("cascade", {"stages": {"super_resolution": {"top_k": 3}}}),
        ("cascade", {"prompt": ""}),
        ("cascade", {"prompt": "x" * 1001}),
    ],
)
def test_what_a_family_cannot_be_told_is_refused_in_words(registry, model, options):
    prompt = options.pop("prompt", "a red square")
    with pytest.raises(BadRecipe) as error:
        make_recipe(registry.info(model), prompt, 1, **options)
    assert "Traceback" not in str(error.value)


def test_a_recipe_with_more_top_k_than_codes_is_refused_by_the_engine(registry, runner, ask):
    import msgspec

    request = ask(registry, "vq")
    stages = request.recipes[0].stages
    stages = stages | {"tokens": msgspec.structs.replace(stages["tokens"], top_k=999)}
    recipe = msgspec.structs.replace(request.recipes[0], stages=stages)
    [refused] = runner.submit(msgspec.structs.replace(request, recipes=(recipe,)))
    assert "32 codes" in refused.why


def test_stages_have_steps_and_guidance_of_their_own(registry):
    stages = {"super_resolution": {"num_inference_steps": 2, "guidance_scale": 1.5}}
    recipe = make_recipe(registry.info("cascade"), "x", 1, num_inference_steps=5, stages=stages)
    assert recipe.stages["base"].num_inference_steps == 5
    assert recipe.stages["super_resolution"].num_inference_steps == 2
    assert recipe.stages["super_resolution"].guidance_scale == 1.5


def test_a_card_without_its_networks_is_no_card(weights, tmp_path, card):
    shutil.copytree(weights / "vq", tmp_path / "w/vq")
    card(tmp_path / "w/vq", networks={})
    [info] = Registry([tmp_path / "w"], tmp_path / "c").infos()
    assert not info.ready
    with pytest.raises(WeightsDamaged):
        Registry([tmp_path / "w"], tmp_path / "c").load("vq")
