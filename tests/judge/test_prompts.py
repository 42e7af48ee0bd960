"""The prompts: never seen in training, true of their scenes, always the same."""

import re

import pytest
from msgspec.structs import replace

from salon.judge.prompts import GENEVAL, TASKS, again, prompts, truth
from salon.judge.verdict import passes
from salon.world import vocabulary as words
from salon.world.scene import held_out, is_held_out, pairs, sample_scene

NUMBER = 12


@pytest.fixture(scope="module")
def suite():
    return {task: prompts(task, NUMBER) for task in TASKS}


@pytest.mark.parametrize("task", TASKS)
def test_prompts_are_held_out(suite, task):
    """Every scene holds a pair that training never sees. Control: most scenes of the world hold none."""
    assert len(suite[task]) == NUMBER
    assert all(is_held_out(prompt.scene) for prompt in suite[task])
    assert sum(is_held_out(sample_scene(seed, "any")) for seed in range(100)) < 40


def test_what_is_held_out_is_what_is_asked():
    """Not just anything in the scene: the pair that the prompt names."""
    asked = {
        "two_object": lambda p: held_out(*(want.name for want in p.wanted.things)),
        "counting": lambda p: held_out(p.wanted.things[0].name, f"times {p.wanted.things[0].count}"),
        "colors": lambda p: held_out(p.wanted.things[0].name, f"colour {p.wanted.things[0].colour}"),
        "style": lambda p: held_out(p.scene.things[0].noun, f"style {p.wanted.style}"),
        "place": lambda p: held_out(p.scene.things[0].noun, f"at {p.wanted.place.split(' ', 1)[1]}"),
    }
    for task, says in asked.items():
        assert all(map(says, prompts(task, NUMBER))), task


@pytest.mark.parametrize("task", TASKS)
def test_the_scene_shows_what_the_prompt_asks(suite, task):
    """A judge who knows the truth passes every prompt on its own scene, and next to none on another's."""
    own = suite[task]
    assert all(passes(truth(prompt.scene), prompt.wanted) for prompt in own)
    others = [passes(truth(a.scene), b.wanted) for a in own for b in own if a.composition != b.composition]
    assert sum(others) / max(1, len(others)) < 0.25


@pytest.mark.parametrize("task", TASKS)
def test_prompts_use_the_words_that_models_are_taught(suite, task):
    known = words.known_words()
    for prompt in suite[task]:
        assert set(re.findall(r"[a-z0-9']+", prompt.text.lower().replace("-", " "))) - known <= {"8"}


def test_prompts_differ_and_do_not_change(suite):
    texts = [prompt.text for prompt in suite["counting"]]
    assert len(set(texts)) == len(texts)
    assert prompts("counting", 4) == suite["counting"][:4]
    assert set(GENEVAL) < set(TASKS)


def test_a_scene_can_be_painted_again(suite):
    scene = suite["color_attr"][0].scene
    first, second = again(scene, 2)
    assert first == scene
    assert second != scene
    assert replace(second, seed=scene.seed) == scene
    assert set(pairs(second)) == set(pairs(scene))
