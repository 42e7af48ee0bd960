"""`salon draw` with a picture to begin with, by the model of the house; and every way to ask for it wrongly."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from salon.core.png import read_recipe

pytestmark = pytest.mark.slow

FAST = ("--steps", "2", "--seed", "1", "--out", "here")


@pytest.fixture
def apple(tmp_path):
    """A picture of another size and format than the engine's."""
    picture = Image.new("RGB", (300, 200), "white")
    picture.paste("red", (110, 60, 190, 140))
    picture.save(tmp_path / "apple.webp")
    return tmp_path / "apple.webp"


def recipes(done, tmp_path):
    assert (done.returncode, done.stderr) == (0, "")
    return [read_recipe((tmp_path / line.split("  ")[0]).read_bytes()) for line in done.stdout.splitlines()]


def test_variations_text_diffs_and_series(salon, apple, tmp_path):
    one, two = recipes(salon("draw", "--vary", apple, "--count", "2", *FAST), tmp_path)
    assert (one.model, one.prompt, one.seed, two.seed) == ("unclip", "", 1, 2)
    assert one.inputs == two.inputs
    words = ("draw", "--vary", apple, "--was", "a red apple", "a green apple")
    [half] = recipes(salon(*words, "--amount", "0.5", "--count", "1", *FAST), tmp_path)
    assert (half.stages["prior"].source, half.stages["prior"].amount) == ("a red apple", 0.5)
    done = salon(*words, "--series", "3", "--grid", "--json", "--scores", *FAST)
    answer = json.loads(done.stdout)
    assert [row["recipe"]["stages"]["prior"]["amount"] for row in answer["images"]] == [0, 0.5, 1]
    assert answer["images"][1]["id"] == half.id, "the same question, the same picture"
    assert all(-1 <= row["score"] <= 1 for row in answer["images"])
    assert Image.open(tmp_path / answer["grid"]).size == (3 * 256, 256)


def test_from_one_prompt_to_another(salon, tmp_path):
    found = recipes(salon("draw", "--was", "a red apple", "a green apple", "--series", "2", *FAST), tmp_path)
    assert [recipe.stages["prior"].amount for recipe in found] == [0, 1]
    assert found[0].inputs == found[1].inputs != {}


def test_without_the_prior_and_with_plain_clipping(salon, tmp_path):
    words = ("draw", "a red apple", "--count", "1", "--model", "unclip", *FAST)
    [plain] = recipes(salon(*words, "--no-prior"), tmp_path)
    assert plain.to_json().count('"plain"') == 1
    [clipped] = recipes(salon(*words, "--dynamic-threshold", "0"), tmp_path)
    assert clipped.stages["decoder"].dynamic_threshold == 0.0


def test_scores_are_printed_beside_the_files(salon):
    done = salon("draw", "a cat", "--count", "2", "--scores", *FAST)
    for line in done.stdout.splitlines():
        assert -1 <= float(line.split("  ")[1]) <= 1
    assert "score" not in salon("draw", "a cat", "--count", "2", "--json", *FAST).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Nothing was said"),
        (("--vary", "nowhere.png"), "No such file"),
        (("--vary", "."), "is no file"),
        (("--vary", "pipe"), "is no file"),
        (("--vary", "words.png"), "cannot be read"),
        (("--vary", "empty.png"), "cannot be read"),
        (("--vary", "apple.webp", " "), "The prompt is empty"),
        (("--vary", "apple.webp", "--was", "a red apple"), "shall become"),
        (("--vary", "apple.webp", "--amount", "0.5"), "shall become"),
        (("--vary", "apple.webp", "x", "--amount", "1.5"), "from 0"),
        (("--vary", "apple.webp", "x", "--amount", "nan"), "from 0"),
        (("--vary", "apple.webp", "x", "--series", "100", "--count", "3"), "more than 256"),
        (("--vary", "apple.webp", "--no-prior"), "has no prior"),
        (("--vary", "apple.webp", "--model", "vq"), "words only"),
        (("--vary", "apple.webp", "--model", "a-tiny-one"), "words only"),
        (("--vary", "apple.webp", "--model", "nope"), "'nope'"),
        (("--vary", "apple.webp", "--url", "http://127.0.0.1:1"), "words only"),
        (("a cat", "--no-prior", "--url", "http://127.0.0.1:1"), "words only"),
        (("a cat", "--amount", "0.5"), "needs something"),
        (("a cat", "--series", "3"), "needs something"),
        (("a cat", "--no-prior"), "has no prior"),
        (("a cat", "--model", "cascade", "--dynamic-threshold", "2"), "percentile"),
        (("a cat", "--dynamic-threshold", "0.9"), "percentile"),
        (("--was", "", "a cat"), "The prompt is empty"),
    ],
)
def test_what_makes_no_sense_is_said(salon, apple, tmp_path, arguments, said):
    (tmp_path / "words.png").write_text("words")
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe")
    done = salon("draw", *arguments, "--out", "here")
    assert done.returncode == 2
    assert done.stderr.startswith("salon: ")
    assert said in done.stderr
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("arguments", [("--series", "1"), ("--amount", "0.5", "--series", "3"), ("--amount", "much")])
def test_a_wrong_command_line_is_pointed_out(salon, apple, arguments):
    done = salon("draw", "--vary", apple, "x", *arguments, "--out", "here")
    assert done.returncode == 2
    assert "error:" in done.stderr


def test_nothing_of_the_given_picture_but_its_hash_stays_in_the_file(salon, apple, tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "a private note"
    Image.open(apple).save(tmp_path / "noted.jpg", exif=exif)
    done = salon("draw", "--vary", "noted.jpg", "--count", "1", *FAST)
    data = (tmp_path / done.stdout.strip()).read_bytes()
    assert b"private" not in data
    assert np.asarray(Image.open(tmp_path / done.stdout.strip())).shape == (256, 256, 3)
