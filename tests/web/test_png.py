"""What a PNG carries: read back by ourselves, by Pillow, and by an XML parser."""

import io
import xml.etree.ElementTree as ET
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from salon.core import png
from salon.core.errors import BadRecipe
from salon.core.recipe import DiffusionOptions, Recipe

IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"


def recipe(prompt: str = "a red fox", negative: str = "") -> Recipe:
    options = DiffusionOptions(num_inference_steps=12, guidance_scale=3.0, sampler="heun")
    return Recipe(
        model="latent",
        weights="ab" * 32,
        prompt=prompt,
        negative_prompt=negative,
        seed=7,
        stages={"base": options},
    )


def plain_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


def written(made: Recipe) -> bytes:
    return png.with_recipe(plain_png(), made, "0.1.0")


def test_pillow_reads_all_three_texts_and_the_same_pixels():
    image = Image.open(io.BytesIO(written(recipe("a red fox", "blue"))))
    image.load()
    assert image.getpixel((3, 3)) == (200, 30, 30)
    assert image.text["parameters"] == (
        "a red fox\nNegative prompt: blue\n"
        "Steps: 12, Sampler: heun, CFG scale: 3, Seed: 7, Size: 256x256, Model hash: ababababab, Model: latent"
    )
    assert image.text["salon:recipe"] == recipe("a red fox", "blue").to_json()
    assert png.SOURCE_TYPE in image.text["XML:com.adobe.xmp"]


def test_parameters_are_old_style_text_unless_they_cannot_be():
    assert b"tEXtparameters\0" in written(recipe("café"))
    assert b"iTXtparameters\0" in written(recipe("кафе"))


any_text = st.text(st.characters(blacklist_categories=["Cs"]), max_size=300)


@given(any_text, any_text)
@settings(max_examples=150, deadline=None)
def test_any_prompt_comes_back_and_the_xmp_is_well_formed(prompt, negative):
    made = recipe(prompt, negative)
    data = written(made)
    assert png.read_recipe(data) == made
    image = Image.open(io.BytesIO(data))
    image.load()
    packet = ET.fromstring(image.text["XML:com.adobe.xmp"].replace("\ufeff", "", 1).encode())
    assert packet.find(f".//{IPTC}DigitalSourceType").text == png.SOURCE_TYPE
    found = packet.find(f".//{IPTC}AIPromptInformation").text or ""
    if prompt.isprintable():
        assert found == prompt


def test_unescaped_xml_would_be_found():
    """Negative control: the parser above does reject a prompt that is not escaped."""
    packet = png.xmp_packet(recipe("PLACE"), "0.1.0", "").replace("PLACE", "a < b & c")
    with pytest.raises(ET.ParseError):
        ET.fromstring(packet.replace("\ufeff", "", 1).encode())


def test_the_same_image_written_twice_is_the_same_file():
    assert written(recipe()) == written(recipe())


def compressed(text: bytes) -> bytes:
    chunk = png.KEYWORD.encode() + b"\0\x01\0\0\0" + zlib.compress(text, 9)
    data = plain_png()
    return data[:33] + png._chunk(b"iTXt", chunk) + data[33:]


def test_a_compressed_recipe_is_read():
    assert png.read_recipe(compressed(recipe().to_json().encode())) == recipe()


def test_a_bomb_is_refused():
    with pytest.raises(BadRecipe):
        png.read_recipe(compressed(b" " * 50_000_000))


@pytest.mark.parametrize("data", [b"", b"GIF89a", png.SIGNATURE, plain_png(), plain_png()[:40]])
def test_files_without_a_recipe_are_refused(data):
    with pytest.raises(BadRecipe):
        png.read_recipe(data)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_files_give_the_recipe_or_a_clear_refusal(data):
    whole = bytearray(written(recipe()))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadRecipe):
        assert png.read_recipe(bytes(whole[: data.draw(st.integers(0, len(whole)))])) == recipe()


def test_what_is_no_png_cannot_be_written_to():
    with pytest.raises(ValueError, match="not a PNG"):
        png.with_recipe(b"GIF89a", recipe(), "0.1.0")
