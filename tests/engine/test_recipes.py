"""What a person may ask: defaults, tidy words, and a clear sentence for everything else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.core.errors import BadRecipe, WeightsDamaged
from salon.core.recipe import parse_recipe
from salon.core.text import tidy
from salon.engine.models import ModelInfo
from salon.engine.recipes import make_recipe


@pytest.fixture(scope="module")
def info(registry):
    return registry.info("tiny")


def test_defaults_are_filled_in(info):
    recipe = make_recipe(info, "a fox", 7)
    options = recipe.stages["diffusion"]
    assert (options.num_inference_steps, options.guidance_scale, options.sampler) == (4, 3.0, "euler")
    assert (recipe.weights, recipe.width, set(recipe.stages)) == (info.weights_sha256, 256, {"diffusion", "upscale"})
    assert parse_recipe(recipe.to_json()).id == recipe.id
    assert make_recipe(info, "a fox", 7, guidance_scale=0).stages["diffusion"].guidance_scale == 0.0


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("  a\tfox \n", "a fox"),
        ("cafe\u0301", "café"),
        ("a\x00b\x1b[31m", "a b [31m"),
        ("\u202eevil\u202c", "evil"),
        ("\ud800x", "x"),
        ("👩‍🚀 🦊", "👩‍🚀 🦊"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("مرحبا", "مرحبا"),
        ("a\u200bb", "ab"),
        ("soft\u00adhy\u00adphen", "softhyphen"),
    ],
)
def test_words_are_tidied(info, written, read):
    assert make_recipe(info, written, 1).prompt == read


@given(st.text(st.characters(codec=None), max_size=200))
def test_tidying_twice_is_tidying_once(text):
    once = tidy(text)
    assert tidy(once) == once
    once.encode()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"prompt": ""}, "empty"),
        ({"prompt": " \n\x00 "}, "empty"),
        ({"prompt": "x" * 10_000}, "10000 characters"),
        ({"prompt": None}, "text"),
        ({"prompt": b"fox"}, "text"),
        ({"negative_prompt": "x" * 1001}, "negative prompt"),
        ({"negative_prompt": 3}, "negative prompt"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"seed": "1"}, "seed"),
        ({"seed": 10**5000}, "seed"),
        ({"seed": None}, "seed"),
        ({"num_inference_steps": 0}, "steps"),
        ({"num_inference_steps": 101}, "steps"),
        ({"num_inference_steps": 2.5}, "steps"),
        ({"num_inference_steps": False}, "steps"),
        ({"guidance_scale": math.nan}, "guidance"),
        ({"guidance_scale": math.inf}, "guidance"),
        ({"guidance_scale": -0.1}, "guidance"),
        ({"guidance_scale": 10**400}, "guidance"),
        ({"guidance_scale": "high"}, "guidance"),
        ({"guidance_scale": True}, "guidance"),
        ({"sampler": "magic"}, "sampler"),
        ({"sampler": ["euler"]}, "sampler"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(info, change, word):
    with pytest.raises(BadRecipe, match=word) as caught:
        make_recipe(info, **{"prompt": "a fox", "seed": 1} | change)
    assert caught.value.hint
    assert len(str(caught.value)) < 300


def test_a_model_that_is_not_ready_says_why():
    with pytest.raises(WeightsDamaged, match="broken file"):
        make_recipe(ModelInfo(name="m", problem="broken file"), "a fox", 1)
