"""Files' names: no two images have one, prompts keep their letters, and every file system takes them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from salon.core.names import ascii_name, file_name
from salon.core.recipe import DiffusionOptions, Recipe

OPTIONS = DiffusionOptions(num_inference_steps=12, guidance_scale=3.0, sampler="heun")
FOX = Recipe(model="latent", weights="ab" * 32, prompt="a red fox", seed=7, stages={"base": OPTIONS})


def of(prompt):
    return replace(FOX, prompt=prompt)


def test_three_models_pictures_of_one_prompt_and_seed_have_three_names():
    three = [
        replace(FOX, model=name, weights=digit * 64) for name, digit in (("latent", "a"), ("vq", "b"), ("unclip", "c"))
    ]
    assert len({file_name(one) for one in three}) == len({ascii_name(one) for one in three}) == 3
    assert len({file_name(one).rsplit("-", 1)[0] for one in three}) == 1  # the control: by words and seed alone


@pytest.mark.parametrize(
    ("prompt", "own", "plain"),
    [
        ("A red  fox!", "a-red-fox", "a-red-fox"), ("🦊", "image", "image"), ("", "image", "image"),
        ("Zorro rojo en Córdoba", "zorro-rojo-en-córdoba", "zorro-rojo-en-cordoba"),
        ("赤い狐、雪の中", "赤い狐-雪の中", "image"), ("ثعلب أحمر", "ثعلب-أحمر", "image"),
        ("लाल लोमड़ी", "लाल-लोमड़ी", "image"), ("สุนัขจิ้งจอก", "สุนัขจิ้งจอก", "image"),
        ("../../etc/passwd", "etc-passwd", "etc-passwd"), ('a"; filename=x', "a-filename-x", "a-filename-x"),
    ],
)  # fmt: skip
def test_words_keep_their_own_letters(prompt, own, plain):
    assert re.sub(r"-7-\w{8}\.png$", "", file_name(of(prompt))) == own
    assert re.sub(r"-7-\w{8}\.png$", "", ascii_name(of(prompt))) == plain


def test_prompts_without_plain_letters_have_plain_names_that_differ():
    assert ascii_name(of("赤い狐")) != ascii_name(of("青い狐"))


@given(st.text(max_size=300))
def test_any_prompt_is_a_name_that_file_systems_and_headers_take(prompt):
    for name in (file_name(of(prompt)), ascii_name(of(prompt))):
        assert len(name.encode()) <= 200
        assert re.search(r'[/\\\x00-\x1f\x7f"<>:|?*]', name) is None
        assert not name.startswith((".", "-"))
    assert ascii_name(of(prompt)).isascii()
