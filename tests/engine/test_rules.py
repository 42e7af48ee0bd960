"""The rules for prompts in the engine itself: Python, the command line and audits pass it, too. And what is said of
what changes nothing."""

import warnings

import msgspec
import pytest

from salon import Salon
from salon.audit.painter import Painter
from salon.core.errors import BadRecipe, Refused
from salon.core.recipe import BlendOptions, DiffusionOptions, Recipe, Request, TokenOptions
from salon.core.unused import UnusedWarning, unused
from salon.core.update import Finished, RefusedUpdate
from salon.engine.client import LocalEngine
from salon.engine.drawing import House
from salon.engine.recipes import make_recipe

MINOR, HATE = "a nu\u00adde gіrl", "a nazi flag"  # with a soft hyphen, with a Cyrillic letter
LONG = " ".join(["castle"] * 62) + " moat, dragon"


def ended(engine, recipes):
    engine.submit(Request(id="r", visitor="ada", recipes=tuple(recipes), previews=False))
    return list(engine.updates())[-1]


def recipe(registry, prompt="a fox", **more):
    return make_recipe(registry.info("tiny"), prompt, 1, num_inference_steps=1, **more)


@pytest.mark.parametrize("rules", [True, False])
@pytest.mark.parametrize("more", [{"prompt": MINOR}, {"negative_prompt": MINOR}], ids=("prompt", "negative"))
def test_the_rule_about_minors_holds_in_every_engine(registry, more, rules):
    update = ended(LocalEngine(registry, rules=rules), [recipe(registry), recipe(registry, **more)])
    assert isinstance(update, RefusedUpdate)
    assert update.code == "refused"
    assert "nu" not in update.why.replace("that", "")


def test_without_the_rule_it_would_have_been_drawn(registry, monkeypatch):
    """Negative control: the model reads the plain words and draws them."""
    monkeypatch.setattr("salon.engine.runner.check_recipes", lambda *_: None)
    engine = LocalEngine(registry)
    assert isinstance(ended(engine, [recipe(registry, MINOR)]), Finished)
    assert "nude" in engine.runner.registry.text_encoder().words(MINOR)


def test_the_other_rules_have_a_switch(registry):
    assert isinstance(ended(LocalEngine(registry), [recipe(registry, HATE)]), RefusedUpdate)
    assert isinstance(ended(LocalEngine(registry, rules=False), [recipe(registry, HATE)]), Finished)


def test_python_has_rules_and_their_switch(registry, monkeypatch):
    monkeypatch.setattr("salon.engine.registry.Registry", lambda *_, **__: registry)
    with pytest.raises(Refused, match="signs of hatred"):
        Salon().draw(HATE, model="tiny", num_inference_steps=1)
    assert Salon(rules=False).draw(HATE, model="tiny", num_inference_steps=1)
    for salon in (Salon(), Salon(rules=False)):
        with pytest.raises(Refused, match="all ages"):
            salon.draw(MINOR, model="tiny", num_inference_steps=1)
    with pytest.raises(BadRecipe, match="rules of its own"):
        Salon(url="http://127.0.0.1:1", rules=False)


def test_what_moves_a_picture_is_judged_together(registry):
    """unCLIP's text diffs: from one text to the other."""
    stages = {"prior": BlendOptions(source="a little girl", amount=0.5)}
    moved = msgspec.structs.replace(recipe(registry, "a nude person"), stages=stages)
    from salon.core.guard import check_recipes

    with pytest.raises(Refused):
        check_recipes([moved], rules=False)
    check_recipes([recipe(registry, "a nude person")], rules=False)


def test_one_refused_prompt_of_an_audit_refuses_no_other(registry):
    painter = Painter("tiny", {"num_inference_steps": 1}, LocalEngine(registry, rules=False))
    asked = [painter.recipe(words, 1) for words in ("a fox", MINOR, HATE, "a cat")]
    assert [one.outcome for one in painter.draw(asked)] == ["drawn", "refused", "drawn", "drawn"]


def diffusion(guidance, prompt="a fox", negative="", **stages):
    options = DiffusionOptions(num_inference_steps=4, guidance_scale=guidance, sampler="euler")
    return Recipe(model="m", weights="0" * 64, prompt=prompt, seed=1, negative_prompt=negative,
                  stages={"diffusion": options, **stages})  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (diffusion(3.0, negative="trees"), []),
        (diffusion(1.0, negative="trees"), ["negative_prompt"]),
        (diffusion(0.5), ["guidance_scale"]),
        (diffusion(0.0, negative="trees"), ["negative_prompt", "guidance_scale"]),
        (diffusion(1.0), []),
        (diffusion(3.0, LONG), ["prompt"]),
        (diffusion(3.0, negative=LONG), ["negative_prompt"]),
        (diffusion(1.0, negative="trees", prior=DiffusionOptions(num_inference_steps=2, guidance_scale=2.0,
                                                                 sampler="euler")), []),
        (diffusion(3.0, prior=BlendOptions(source=LONG, amount=0.5)), ["source"]),
        (msgspec.structs.replace(diffusion(1.0), negative_prompt="x", stages={
            "tokens": TokenOptions(guidance_scale=1.0, temperature=1.0, top_k=1, top_p=1.0)}), ["negative_prompt"]),
    ],
)  # fmt: skip
def test_what_changes_nothing_is_named(asked, fields):
    assert [one.field for one in unused(asked)] == fields


def test_the_words_that_are_not_read_are_those(registry):
    [one] = unused(recipe(registry, LONG))
    assert one.words == ("moat,", "dragon")
    assert "moat, dragon" in one.message


@pytest.mark.parametrize(
    ("text", "words"),
    [("a 🦊 in the snow", ("🦊",)), ("a fox🦊", ("fox🦊",)), ("赤い狐 赤", ("赤", "狐")), ("x" * 101, ("x" * 101,)),
     ("a café — “naïve”, 3.5%", ()), ("x" * 100, ())],
)  # fmt: skip
def test_what_the_encoder_has_no_piece_for_is_named(registry, text, words):
    assert [one.words for one in unused(recipe(registry, text))] == ([words] if words else [])


def test_what_comes_too_late_and_says_nothing_is_named_once(registry):
    assert [one.words for one in unused(recipe(registry, f"{LONG} 🦊"))] == [("moat,", "dragon", "🦊")]
    assert [one.words for one in unused(recipe(registry, f"🐻 {LONG}"))][1:] == [("🐻",)]


def test_what_is_said_to_change_nothing_changes_nothing(registry):
    """And its control: what is not said to does change the picture."""

    def pixels(prompt="a fox", **more):
        [picture] = ended(LocalEngine(registry), [recipe(registry, prompt, **more)]).images
        return picture.rgb

    long = LONG.removesuffix("dragon")
    assert pixels(f"{long}dragon") == pixels(f"{long}swans")
    assert pixels(f"dragon {long}") != pixels(f"swans {long}")
    assert pixels("a 🦊 in the snow") == pixels("a 🐻 in the snow")
    assert pixels("a fox in the snow") != pixels("a bear in the snow")
    assert pixels(guidance_scale=1, negative_prompt="trees") == pixels(guidance_scale=1)
    assert pixels(guidance_scale=3, negative_prompt="trees") != pixels(guidance_scale=3)
    assert pixels(guidance_scale=0.5) == pixels(guidance_scale=1)


def test_python_is_warned_before_anything_is_drawn(registry):
    salon = Salon(engine=LocalEngine(registry))
    with pytest.warns(UnusedWarning, match="Not read: moat, dragon"):
        salon.recipes(LONG, [1, 2], "tiny")
    with pytest.warns(UnusedWarning, match="does nothing at guidance 1"):
        salon.recipes("a fox", [1], "tiny", negative_prompt="trees", guidance_scale=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        salon.recipes("a fox", [1], "tiny", negative_prompt="trees", guidance_scale=2)


def test_what_a_house_says_of_it_is_told_in_python(monkeypatch):
    house = House("http://127.0.0.1:1")
    said = {"id": "x", "state": "finished", "images": [], "unused": [{"message": "Not read: moat"}]}
    monkeypatch.setattr(house, "_json", lambda path, body=None: said if body else said | {"unused": []})
    with pytest.warns(UnusedWarning, match="Not read: moat"):
        assert house.draw("a castle", [1], None, {}) == []
