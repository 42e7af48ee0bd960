"""The detector: it learns, its export says the same, it loads without torch, it refuses what is broken."""

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from salon.core.errors import TrainingError, WeightsDamaged, WeightsMissing
from salon.engine.registry import Registry
from salon.judge.decode import decode
from salon.judge.detector import Detector, pixels
from salon.nets.detector import Detector as Net
from salon.train import recipe
from salon.train.cards import THRESHOLDS
from salon.train.data import Scenes
from salon.train.detector import (
    DetectorTask,
    gaussians,
    names,
    read_scenes,
    soft,
    summary_of,
    things_of,
    truth_of,
)
from salon.train.weights import load_into, load_net
from salon.world.render import render
from salon.world.scene import sample_scene

torch.set_num_threads(1)  # small networks: more threads only wait for each other


@pytest.fixture(scope="module")
def task(data):
    sets = {"widths": [8, 16, 24, 16], "round_trip": 0.0}
    return DetectorTask(recipe.load("detector", sets), data, torch.device("cpu"))


def test_it_learns_what_the_judge_then_reads(task):
    """One batch by heart: names, counts, centres, sizes and words come out of the decoder as they are in the scenes.
    Control: before, they do not."""
    some = list(range(8, 16))
    scenes = read_scenes(task.scenes.shards[0])[8:16]
    images, truth = task.pixels(task.scenes, some), task.truth(task.scenes, some)
    torch.manual_seed(0)
    net = Net(names(), (16, 32, 32, 32)).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=6e-3)
    rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0, total_iters=200)  # falls: it ends still, on any processor
    before = verdicts(net, images)
    for _ in range(200):
        loss = sum(task.losses(net, images, truth, torch.ones(8)).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
    after = verdicts(net, images)
    wanted = [Counter(name for *_, name, _ in things_of(scene)) for scene in scenes]
    assert [verdict.counts for verdict in after] == wanted != [verdict.counts for verdict in before]
    for verdict, scene in zip(after, scenes, strict=True):
        kind = summary_of(scene)
        assert (verdict.style, verdict.place) == (kind["styles"] or None, kind["places"])
        for x, y, size, name, colour in things_of(scene):
            near = min(verdict.things, key=lambda thing: np.hypot(thing.centre[0] - x, thing.centre[1] - y))
            np.testing.assert_allclose((*near.centre, near.size[0]), (x, y, size), atol=0.05)
            assert near.name == name
            assert scene.style == "pencil" or (near.colour or "") == colour


@torch.no_grad()
def verdicts(net, images):
    """As the judge reads them, with the statistics of this very batch."""
    cells, summary = (part.numpy() for part in net(images))
    return [decode(c, s, names(), THRESHOLDS) for c, s in zip(cells, summary, strict=True)]


def test_ground_truth_stands_where_the_picture_shows_it(data):
    scenes = Scenes(data)
    truth = truth_of(read_scenes(scenes.shards[0]), names())
    for i, scene in enumerate(read_scenes(scenes.shards[0])):
        assert int((truth.boxes[i, :, 2] > 0).sum()) == len(scene.things) + bool(scene.occupation)
        for k, thing in enumerate(scene.things):
            assert names()["things"][truth.ids[i, k, 0]] == thing.noun
            # what covers most of the cell under the centre, by the world's own map, is the thing (unless hollow)
    hits = [
        int(scenes.shards[0].labels[i][int(y * 8), int(x * 8)]) == int(truth.ids[i, k, 0])
        for i in range(48)
        for k, (x, y, size) in enumerate(truth.boxes[i].tolist())
        if size
    ]
    assert np.mean(hits) > 0.9


def test_every_centre_is_a_peak_and_nothing_else(task):
    truth = task.truth(task.scenes, list(range(40)))
    tops = (gaussians(truth.boxes) == 1).sum((2, 3))
    assert torch.equal(tops > 0, truth.boxes[..., 2] > 0)


def test_moved_pictures_keep_their_boxes(task):
    """A white square follows its box through shift, zoom and mirror. Control: the boxes do change."""
    images, boxes = torch.full((32, 3, 64, 64), -1.0), torch.zeros(32, 4, 3)
    images[:, :, 12:20, 36:44] = 1
    boxes[:, 0] = torch.tensor([40 / 64, 16 / 64, 8 / 64])
    truth = task.truth(task.scenes, list(range(32)))._replace(boxes=boxes)
    moved, after = task.moved(images, truth, torch.Generator().manual_seed(3))
    weight = moved[:, 0] + 1
    spots = (torch.arange(64) + 0.5) / 64
    found = torch.stack([(weight.sum(d) * spots).sum(1) / weight.sum((1, 2)) for d in (1, 2)], 1)
    assert (found - after.boxes[:, 0, :2]).abs().max() < 0.01
    assert (after.boxes[:, 0, :2] - boxes[:, 0, :2]).abs().max() > 0.1


def test_blur_keeps_the_mean_and_follows_its_sigma():
    images = torch.zeros(2, 3, 33, 33)
    images[:, :, 16, 16] = 1
    out = soft(images, torch.tensor([0.0, 2.0]))
    torch.testing.assert_close(out[0], images[0])
    torch.testing.assert_close(out.sum((2, 3)), images.sum((2, 3)))
    assert float(out[1, 0, 16, 16]) == pytest.approx(1 / (2 * np.pi * 4), rel=0.02)


def test_ruined_pictures_teach_rejection_only(task):
    task.options["unreadable"] = 0.5
    images, truth, readable = task.batch(8, torch.Generator().manual_seed(0))
    task.options["unreadable"] = 0.12
    assert readable.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert images.abs().max() <= 1
    assert (truth.summary[4:] == -1).all()
    assert (truth.boxes[4:] == 0).all()
    assert (truth.summary[:4, 0] >= 0).all()


def test_folded_is_the_same_function(run):
    net = load_net(run, "detector")
    picture = torch.randn(3, 3, 64, 64)
    for a, b in zip(net(picture), net.folded()(picture), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
    assert not any("norm" in name for name in net.folded().state_dict())


def test_the_export_sees_what_torch_sees(run, weights, tmp_path):
    """Within what float16 weights cost; and it can be trained on, but only without its normalisation."""
    images = [Image.fromarray(render(sample_scene(seed, "any"), 64)) for seed in range(3)]
    detector = Detector(weights / "judge", tmp_path)
    found = detector.raw(np.stack([pixels(image) for image in images]))
    net = load_net(run, "detector")
    with torch.no_grad():
        wanted = net(torch.from_numpy(np.stack([pixels(image) for image in images])))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b.numpy(), atol=0.05, rtol=0.02)
    again = load_net(weights / "judge", "detector")
    with torch.no_grad():
        np.testing.assert_allclose(again(torch.from_numpy(pixels(images[0]))[None])[0], found[0][:1], atol=2e-3)
    with pytest.raises(TrainingError):
        load_into(net, weights / "judge", "detector")


def test_alone_or_in_company_the_verdict_is_the_same(weights, tmp_path):
    images = [Image.fromarray(render(sample_scene(seed, "any"), 256)) for seed in range(4)]
    detector = Detector(weights / "judge", tmp_path)
    together = detector.see(images)
    assert [v.place for v in together] == [detector.see([image])[0].place for image in images]
    assert detector.see([]) == []


def test_the_judge_is_no_model_that_draws(weights, tmp_path):
    assert [info.name for info in Registry([weights], tmp_path).infos()] == ["tiny"]


def test_missing_and_damaged_weights_are_said(weights, tmp_path):
    with pytest.raises(WeightsMissing, match=r"judge.json.*not there"):
        Detector(tmp_path / "judge")
    place = tmp_path / "judge"
    place.mkdir()
    card = json.loads((weights / "judge" / "judge.json").read_text())
    file = card["detector"]["file"]
    data = (weights / "judge" / file).read_bytes()
    (place / "judge.json").write_text(json.dumps(card))
    with pytest.raises(WeightsMissing, match=r"detector\.onnx"):
        Detector(place, tmp_path)
    (place / file).write_bytes(data[:-1] + b"x")
    with pytest.raises(WeightsDamaged, match="not what its card says"):
        Detector(place, tmp_path)
    (place / file).write_bytes(data)
    (place / "judge.json").write_text(json.dumps(card | {"names": card["names"] | {"styles": ["", "oil"]}}))
    with pytest.raises(WeightsDamaged, match="do not fit together"):
        Detector(place, tmp_path).see([Image.new("RGB", (64, 64))])
    (place / "judge.json").write_text("{}")
    with pytest.raises(WeightsDamaged, match="not a judge's card"):
        Detector(place)


def test_the_judge_never_loads_torch():
    code = "import sys, salon.judge.scoring, salon.judge.sheet, salon.cli.judge; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert "salon.judge.detector" in loaded
    assert not {"torch", "django"} & loaded
