"""Settings for experiments: optimisers, precision, skipped tokens, learnt guidance, fewer things and captions."""

import copy

import pytest
import torch

from salon.core.errors import TrainingError
from salon.nets.transformer import Transformer
from salon.train import loop, recipe
from salon.train.optimisers import optimisers_for
from salon.train.tasks import TransformerTask
from salon.world.build import build
from salon.world.vocabulary import NOUNS

SMALL = {"width": 64, "depth": 2, "labels": 16, "warmup": 5, "batch": 8, "lr": 0.003}


def trainer(data, tmp_path, **sets):
    return loop.Trainer(recipe.load("pixel", SMALL | {"images": 9999} | sets), data, tmp_path, None)


def mean_loss(run, steps):
    """Mean of the last quarter of so many steps."""
    found = []
    for _ in range(steps):
        run.train_step()
        found.append(float(run.sums["loss"]))
        run.sums = {}
    return sum(found[-steps // 4 :]) / (steps // 4), found[0]


@pytest.mark.parametrize("sets", [
    {"optimiser": "adamw"}, {"optimiser": "muon"}, {"optimiser": "schedule-free", "lr": 0.005},
    {"precision": "bfloat16"}, {"skip": 0.5}, {"guidance": 2.0},
])  # fmt: skip
def test_every_way_learns(data, tmp_path, sets):
    run = trainer(data, tmp_path, **sets)
    last, first = mean_loss(run, 40)
    assert last < 0.7 * first


@pytest.mark.parametrize("optimiser", ["muon", "schedule-free"])
def test_a_resumed_run_of_any_optimiser_is_the_uninterrupted_one(data, tmp_path, optimiser):
    options = SMALL | {"optimiser": optimiser, "decay": 0.0}
    loop.run("pixel", data, tmp_path / "whole", sets=options | {"images": 64})
    loop.run("pixel", data, tmp_path / "halves", sets=options | {"images": 32})
    loop.run("pixel", data, tmp_path / "halves", sets=options | {"images": 64}, resume=True)
    one, other = (torch.load(tmp_path / n / "state.pt", weights_only=True) for n in ("whole", "halves"))
    assert all(torch.equal(one["net"][key], other["net"][key]) for key in one["net"])
    assert all(torch.equal(one["averages"][0][key], other["averages"][0][key]) for key in one["net"])


def test_the_state_of_another_optimiser_is_refused(data, tmp_path):
    loop.run("pixel", data, tmp_path, sets=SMALL | {"images": 16})
    with pytest.raises(TrainingError, match="damaged"):
        loop.run("pixel", data, tmp_path, sets=SMALL | {"images": 32, "optimiser": "muon"}, resume=True)


def test_schedule_free_weights_are_the_librarys():
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 3)
    options = {"optimiser": "schedule-free", "lr": 0.1, "weight_decay": 0.01, "betas": [0.9, 0.99]}
    optimiser = optimisers_for(net, options)
    for _ in range(5):
        net.zero_grad()
        net(torch.ones(2, 4)).square().sum().backward()
        optimiser.step(0.1)
    mine = optimiser.averaged(list(net.parameters()))
    before = copy.deepcopy(list(net.parameters()))
    optimiser.members[0].eval()  # the library's own way: it swaps the weights in place
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(mine, net.parameters()))
    assert not torch.allclose(mine[0], before[0], atol=1e-3)


def test_muon_takes_hidden_matrices_only():
    net = Transformer(width=64, depth=1, labels=8)
    options = {"optimiser": "muon", "lr": 0.1, "weight_decay": 0.01, "betas": [0.9, 0.99]}
    muon, adamw = optimisers_for(net, options).members
    hidden = {id(p) for group in muon.param_groups for p in group["params"]}
    names = {name for name, p in net.named_parameters() if id(p) in hidden}
    assert {"blocks.0.qkv.weight", "blocks.0.mlp_in.weight", "cross_kv.weight", "modulation.weight"} <= names
    assert not {"stem.weight", "head.weight", "position", "blocks.0.table", "label_head.1.weight"} & names
    others = {id(p) for group in adamw.param_groups for p in group["params"]}
    assert hidden | others == {id(p) for p in net.parameters()}
    assert not hidden & others


def test_unknown_optimiser_and_precision(data, tmp_path):
    with pytest.raises(TrainingError, match="optimiser 'sgd'"):
        trainer(data, tmp_path, optimiser="sgd")
    with pytest.raises(TrainingError, match="precision 'int1'"):
        trainer(data, tmp_path, precision="int1")


def test_bfloat16_is_coarser_and_weights_stay_float32(data, tmp_path):
    losses = []
    for precision in ("float32", "bfloat16"):
        run = trainer(data, tmp_path, precision=precision)
        run.train_step()
        losses.append(float(run.sums["loss"]))
        assert {p.dtype for p in run.net.parameters()} == {torch.float32}
    assert losses[0] != losses[1]
    assert abs(losses[0] / losses[1] - 1) < 0.02


def test_routing_all_tokens_changes_nothing():
    torch.manual_seed(0)
    net = Transformer(width=64, depth=3)
    torch.nn.init.normal_(net.head.weight, std=0.1)
    for block in net.blocks:
        torch.nn.init.normal_(block.out.weight, std=0.1)
    given = (torch.randn(2, 8, 16, 16), torch.rand(2), torch.randn(2, 4, 384), torch.ones(2, 4))
    whole = net(*given)
    assert torch.allclose(net(*given, routed=torch.arange(64)), whole, atol=1e-5)
    assert not torch.allclose(net(*given, routed=torch.arange(32)), whole, atol=1e-3)


def test_skipping_tokens_is_chance_of_the_run(data, tmp_path):
    task = trainer(data, tmp_path, skip=0.75).task
    one, other = (task.batch(2, torch.Generator().manual_seed(seed))[-1] for seed in (1, 2))
    assert len(one) == len(other) == 16
    assert one.tolist() == sorted(set(one.tolist()))
    assert not torch.equal(one, other)
    assert torch.equal(one, task.batch(2, torch.Generator().manual_seed(1))[-1])


def test_learnt_guidance_moves_the_target_away_from_the_unconditional(data, tmp_path):
    task = trainer(data, tmp_path, guidance=3.0).task
    torch.nn.init.normal_(task.net.head.weight, std=0.1)
    clean, noise, timestep, embeds, mask, _ = task.batch(4, torch.Generator().manual_seed(1))
    mask[0] = 0
    sample = torch.lerp(clean, noise, timestep[:, None, None, None])
    moved, other = task.guided(sample, timestep, embeds, mask, clean, noise)
    assert torch.equal(moved[0], clean[0])  # no caption, nothing to be guided by
    with torch.no_grad():
        told = task.net(sample, timestep, embeds, mask)
        untold = task.net(sample, timestep, embeds, mask * 0)
    assert torch.allclose(moved - clean, 2 * (told - untold), atol=1e-5)
    level = timestep[:, None, None, None]
    assert torch.allclose(torch.lerp(moved, other, level), sample, atol=1e-4)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    build(folder, 128, size=64, texts=2, jobs=1, mix={"single": 0.6, "pair": 0.4})
    return folder


def test_fewer_things_and_captions(world):
    def pairs(**sets):
        task = TransformerTask(recipe.load("pixel", {"width": 64, "depth": 1} | sets), world, torch.device("cpu"))
        scenes = task.scenes.shards[0].scenes()
        return [(scenes[row], pick) for row, pick in task.pairs.tolist()]

    everything, some, plain = pairs(), pairs(nouns=60), pairs(forms=1)
    known = {noun.name for noun in NOUNS[:60]}
    assert 0 < len(some) < len(everything)
    assert all({thing.noun for thing in scene.things} <= known for scene, _ in some)
    assert {pick for _, pick in everything} == {0, 1}
    assert {pick for _, pick in plain} == {0}


def test_nothing_left_to_learn_is_said(tmp_path):
    build(tmp_path, 1, size=64, texts=1, jobs=1)  # the only scene is held out
    with pytest.raises(TrainingError, match="No caption is left"):
        TransformerTask(recipe.load("pixel", {"width": 64, "depth": 1}), tmp_path, torch.device("cpu"))


def test_several_folders_are_one_training_set(data, write_data, tmp_path):
    from salon.train.data import Scenes

    more = write_data(tmp_path / "more", shards=1, scenes=10)
    both = Scenes([data, more])
    assert len(both) == len(Scenes(data)) + 10
    write_data(tmp_path / "more", shards=2, scenes=10)
    assert len(both.refresh()) == 1
    meta = (more / "meta.json").read_text()
    (more / "meta.json").write_text(meta.replace("0" * 64, "1" * 64))
    with pytest.raises(TrainingError, match="different worlds"):
        Scenes([data, more])


def test_an_upscaler_with_a_critic_learns_and_resumes(large_data, tmp_path):
    """The critic goes on as if never stopped, too. Control: without its state the weights come out otherwise."""
    options = {"width": 16, "depth": 1, "warmup": 2, "batch": 4, "critic_weight": 0.05, "decay": 0.0}
    loop.run("upscaler", large_data, tmp_path / "whole", sets=options | {"images": 48})
    for name in ("halves", "control"):
        loop.run("upscaler", large_data, tmp_path / name, sets=options | {"images": 24})
    state = torch.load(tmp_path / "control/state.pt", weights_only=True)
    for tensor in state["task"]["critic"].values():
        tensor.mul_(0.5)
    torch.save(state, tmp_path / "control/state.pt")
    for name in ("halves", "control"):
        loop.run("upscaler", large_data, tmp_path / name, sets=options | {"images": 48}, resume=True)
    whole, halves, control = (
        torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "halves", "control")
    )
    assert all(torch.equal(whole["net"][key], halves["net"][key]) for key in whole["net"])
    assert not all(torch.equal(whole["net"][key], control["net"][key]) for key in whole["net"])
    critic = whole["task"]["critic"]
    assert all(torch.equal(critic[key], halves["task"]["critic"][key]) for key in critic)


def test_a_critic_learns_to_tell(large_data, tmp_path):
    """Between smooth and grainy pictures it can; between pictures and themselves it cannot."""
    sets = {"width": 16, "depth": 1, "critic_weight": 0.1, "critic_lr": 0.003, "images": 999}
    task = loop.Trainer(recipe.load("upscaler", sets), large_data, tmp_path, None).task
    small = torch.zeros(4, 3, 16, 16)
    smooth = torch.zeros(4, 3, 64, 64)
    grainy = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.3
    last = [float(task.criticise(smooth, small, grainy)) for _ in range(40)][-1]
    assert last < 0.5
    assert float(task.criticise(grainy, small, grainy)) >= 2.0


def test_the_left_one_first(tmp_path):
    """Control: without the setting both orders are learnt."""
    build(tmp_path, 96, size=64, texts=4, jobs=1, mix={"pair": 1.0})

    def orders(**sets):
        options = {"width": 64, "depth": 1} | sets
        task = TransformerTask(recipe.load("pixel", options), tmp_path, torch.device("cpu"))
        shard = task.scenes.shards[0]
        scenes, found = shard.scenes(), []
        for row, pick in task.pairs.tolist():
            scene, text = scenes[row], shard.captions[row][pick]
            if scene.relation == "next to":
                named = [text.find(t.noun) for t in sorted(scene.things, key=lambda t: t.box[0])]
                if min(named) >= 0:  # other words for a thing are left to the function itself
                    found.append(named[0] < named[1])
        return found, len(task.pairs)

    both, everything = orders()
    assert {True, False} == set(both)
    ordered, fewer = orders(left_first=True)
    assert set(ordered) == {True}
    assert 0 < fewer < everything
