"""CLIP's scores: they know a picture's own words from another's, hang on nobody's company, and stop nothing."""

import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest

from salon import Salon
from salon.core.update import Finished, Picture
from salon.engine.client import LocalEngine
from salon.engine.registry import Registry
from salon.engine.runner import Runner
from salon.engine.scoring import Scorer

TINY = runpy.run_path(str(Path(__file__).parents[1] / "judge" / "tiny_clip.py"))
COLOURS = TINY["COLOURS"]


@pytest.fixture(scope="module")
def scored(weights, tmp_path_factory) -> Path:
    """The tiny models, and a tiny CLIP that knows four colours."""
    folder = tmp_path_factory.mktemp("scored") / "weights"
    shutil.copytree(weights, folder)
    TINY["clip"](folder)
    return folder


@pytest.fixture(scope="module")
def scorer(scored, cache) -> Scorer:
    return Scorer(Registry([scored], cache))


def flat(index, colour, side=256):
    return Picture(index=index, width=side, height=side, rgb=bytes(colour) * side * side)


def drawn(scorer, request, **options):
    runner = Runner(scorer.registry, scorer=scorer, **options)
    said = runner.submit(request)
    while not runner.idle:
        said += runner.turn()
    assert isinstance(said[-1], Finished), said[-1]
    return said[-1]


def test_each_picture_is_nearest_to_its_own_word(scorer):
    pictures = [flat(i, colour) for i, colour in enumerate(COLOURS.values())]
    words = list(COLOURS)
    right = np.array(scorer.scores(pictures, words))
    for turn in range(1, len(words)):
        swapped = np.array(scorer.scores(pictures, words[turn:] + words[:turn]))
        assert (right > swapped + 0.1).all()
    assert (np.abs(right) <= 1 + 1e-5).all()


def test_large_pictures_are_averaged_down(scorer):
    assert scorer.scores([flat(0, (220, 30, 30), 64)], ["red"]) == pytest.approx(
        scorer.scores([flat(0, (220, 30, 30), 256)], ["red"]), abs=1e-6
    )


def test_scores_go_with_the_pictures_that_are_shown(scorer, ask):
    class Second:
        def check(self, model):
            pass

        def withheld(self, pictures):
            return {1}

    last = drawn(scorer, ask("one", [1, 2, 3], prompt="red"), guard=Second())
    assert [p.index for p in last.images] == [0, 2]
    assert len(last.scores) == 2
    assert last.scores == pytest.approx(scorer.scores(last.images, ["red"] * 2), abs=1e-6)


def test_the_same_score_alone_and_in_company(scorer, ask):
    together = drawn(scorer, ask("all", range(1, 9), prompt="a red fox")).scores
    for seed, score in zip(range(1, 9), together, strict=True):
        assert drawn(scorer, ask("alone", [seed], prompt="a red fox")).scores == pytest.approx([score], abs=1e-4)


def test_nobody_asks_nobody_scores(scorer, ask):
    runner = Runner(scorer.registry)
    runner.submit(ask("r"))
    said = []
    while not runner.idle:
        said += runner.turn()
    assert said[-1].scores == ()
    assert scorer.scores([], []) == ()
    assert scorer.scores([flat(0, (1, 2, 3))], [""]) == (), "a picture of no words is near to none"


@pytest.mark.parametrize("harm", ["missing", "card", "image", "text"])
def test_without_a_whole_clip_pictures_come_all_the_same(scored, tmp_path, cache, ask, caplog, harm):
    folder = tmp_path / "weights"
    shutil.copytree(scored, folder)
    if harm == "missing":
        shutil.rmtree(folder / "clip")
    else:
        file = folder / "clip" / ("model.json" if harm == "card" else f"{harm}.onnx")
        file.write_bytes(file.read_bytes()[:-10])
    scorer = Scorer(Registry([folder], cache))
    for name in ("one", "two"):
        last = drawn(scorer, ask(name, [1, 2]))
        assert len(last.images) == 2
        assert last.scores == ()
    assert sum("scores" in record.message for record in caplog.records) == 1, "said once, not at every picture"


def test_a_clip_that_fails_at_its_work_costs_only_the_scores(scored, cache, ask, monkeypatch):
    scorer = Scorer(Registry([scored], cache))
    assert scorer.clip
    monkeypatch.setattr(scorer.clip, "encode_image", lambda images: 1 / 0)
    assert drawn(scorer, ask("r", [1, 2])).scores == ()


def test_pictures_of_an_odd_size_get_none(scorer):
    assert scorer.scores([flat(0, (9, 9, 9), 100)], ["red"]) == ()


def test_python_has_the_score_with_the_image(scored, cache):
    registry = Registry([scored], cache)
    images = Salon(engine=LocalEngine(registry, scores=True)).draw("red", seeds=[1, 2], model="tiny")
    assert all(-1 <= image.info["score"] <= 1 for image in images)
    [plain] = Salon(engine=LocalEngine(registry)).draw("red", model="tiny")
    assert "score" not in plain.info


PROMPTS = ["a red fox in the snow", "a blue whale", "a yellow lighthouse at night", "a green teapot"]


def test_the_shipped_clip_tells_the_prompts_of_the_shipped_model_apart(real):
    """Negative control: of swapped prompts the scores are lower on average."""
    scorer = Scorer(real)
    if scorer.clip is None:
        pytest.skip("no CLIP is installed")
    salon = Salon(engine=LocalEngine(real))
    recipes = [recipe for prompt in PROMPTS for recipe in salon.recipes(prompt, [1, 2])]
    pictures, prompts = salon.pictures(recipes), [recipe.prompt for recipe in recipes]
    right, swapped = scorer.scores(pictures, prompts), scorer.scores(pictures, prompts[2:] + prompts[:2])
    assert np.mean(right) > np.mean(swapped) + 0.1
    for picture, prompt, score in zip(pictures, prompts, right):
        assert scorer.scores([picture], [prompt]) == pytest.approx([score], abs=1e-4)
