"""Recipes: a stable name, whole through JSON, and clear refusals."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.core.errors import BadRecipe
from salon.core.recipe import (
    MAX_GUIDANCE,
    MAX_PROMPT,
    MAX_SEED,
    MAX_STEPS,
    DiffusionOptions,
    PlainOptions,
    Recipe,
    TokenOptions,
    check_recipe,
    parse_recipe,
)

OPTIONS = DiffusionOptions(num_inference_steps=12, guidance_scale=3.0, sampler="euler")
RECIPE = Recipe(model="latent", weights="0" * 64, prompt="a red fox", seed=7, stages={"diffusion": OPTIONS})

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
names = st.sampled_from(("latent", "a", "x/y", "v1.2-b_c", "0" * 100))
digests = st.integers(0, 2**256 - 1).map("{:064x}".format)
guidance = st.floats(0, MAX_GUIDANCE)
options = st.one_of(
    st.builds(DiffusionOptions, num_inference_steps=st.integers(1, MAX_STEPS), guidance_scale=guidance, sampler=names),
    st.builds(TokenOptions, guidance_scale=guidance, temperature=st.floats(0, 10), top_k=st.integers(0, 65_536),
              top_p=st.floats(0, 1, exclude_min=True)),
    st.builds(PlainOptions),
)  # fmt: skip
recipes = st.builds(
    Recipe, model=names, weights=digests, prompt=text, seed=st.integers(0, MAX_SEED), negative_prompt=text,
    stages=st.dictionaries(st.text("abc", min_size=1, max_size=3), options, max_size=3), adapter=st.none() | digests,
    width=st.integers(8, 4096), height=st.integers(8, 4096), inputs=st.dictionaries(names, digests, max_size=2),
)  # fmt: skip


def test_the_name_of_a_recipe_never_changes():
    """File names, permalinks and PNGs everywhere hold such names: a change here orphans them all."""
    assert RECIPE.id == "b0feae9dae503f30b3c28f0509842734"


@given(recipes)
def test_a_recipe_survives_json(recipe):
    again = parse_recipe(recipe.to_json())
    assert again == recipe
    assert again.id == recipe.id
    assert check_recipe(recipe) == recipe


@given(recipes, recipes)
def test_other_recipes_have_other_names(one, other):
    assert (one.id == other.id) == (one.to_json() == other.to_json())


@pytest.mark.parametrize(
    "change",
    [{"prompt": "a red fox "}, {"seed": 8}, {"model": "vq"}, {"weights": "1" * 64}, {"negative_prompt": "x"},
     {"adapter": "1" * 64}, {"width": 128}, {"height": 128}, {"inputs": {"mask": "1" * 64}}, {"numerics": 2},
     {"stages": {}}, {"stages": {"diffusion": msgspec.structs.replace(OPTIONS, num_inference_steps=13)}},
     {"stages": {"diffusion": msgspec.structs.replace(OPTIONS, guidance_scale=3.5)}}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_every_field_is_in_the_name(change):
    assert msgspec.structs.replace(RECIPE, **change).id != RECIPE.id


def test_the_order_of_stages_and_inputs_does_not_name_it():
    """Canonical JSON sorts keys, so equal recipes have equal names however they were put together."""
    stages = {"a": PlainOptions(), "b": OPTIONS}
    one = msgspec.structs.replace(RECIPE, stages=stages)
    other = msgspec.structs.replace(RECIPE, stages=dict(reversed(stages.items())))
    assert one == other
    assert one.id == other.id


def test_a_recipe_cannot_be_changed():
    with pytest.raises(AttributeError):
        RECIPE.seed = 8


BAD = [
    ("seed", -1), ("seed", MAX_SEED + 1), ("seed", "7"), ("seed", 7.5), ("seed", None), ("prompt", 7),
    ("prompt", "x" * (MAX_PROMPT + 1)), ("model", ""), ("model", "../etc"), ("model", "a b"), ("weights", "abc"),
    ("weights", "G" * 64), ("width", 7), ("width", 4097), ("height", 0), ("adapter", "x"), ("inputs", {"mask": "x"}),
    ("stages", {"diffusion": {"type": "magic"}}), ("stages", []), ("numerics", "1"),
    ("stages", {"d": {"type": "diffusion", "num_inference_steps": 0, "guidance_scale": 1.0, "sampler": "euler"}}),
    ("stages", {"d": {"type": "diffusion", "num_inference_steps": 4, "guidance_scale": -1.0, "sampler": "euler"}}),
    ("stages", {"d": {"type": "tokens", "guidance_scale": 1, "temperature": 1, "top_k": 1, "top_p": 0}}),
    ("surprise", 1),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_bad_field_is_refused_and_named(field, value):
    facts = msgspec.to_builtins(RECIPE) | {field: value}
    with pytest.raises(BadRecipe) as refusal:
        parse_recipe(msgspec.json.encode(facts))
    assert field in refusal.value.message
    assert refusal.value.hint


@pytest.mark.parametrize("bad", ["", "{", "[]", "null", b"\xff", "nonsense", "[" * 100_000])
def test_what_is_no_recipe_is_refused(bad):
    with pytest.raises(BadRecipe, match="not a recipe"):
        parse_recipe(bad)


@pytest.mark.parametrize(
    "change",
    [{"seed": -1}, {"seed": "x"}, {"weights": "x"}, {"stages": {"d": object()}}, {"width": 5}, {"prompt": None}],
)
def test_constructors_do_not_check_but_check_recipe_does(change):
    with pytest.raises(BadRecipe, match="cannot be drawn"):
        check_recipe(msgspec.structs.replace(RECIPE, **change))
